"""Print the structural count beside what the vendor's compiler said of the same networks, and the errors of the count.

    python benchmarks/vendor.py [--fit] [--train data/jets_simulated.h5]

The records are benchmarks/records/*.json, to which `python -m nanotrigger.cost.sources.oneapi record` adds yours. Those
of the course's networks, 16-32-32-32-5, come with networks trained by its recipe on simulated jets, three of each,
whose mean is compared: `--train` trains them anew. Single layers have random weights, the mean of 40 is compared.

`left out` is the ratio if the record had no part in the fit of `PRODUCT_ADDERS`, `REGISTER_COPIES` and the shell. The
errors that reports state are the half-widths that hold 90 % of these; ratios.json has them for the tests. `--fit`
prints the best of these constants, and which others would do.
"""

import argparse
import itertools
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from nanotrigger.cost.report import Resources, total
from nanotrigger.cost.sources import kernel as kernels
from nanotrigger.cost.sources.kernel import Kernel, compiled_rows, kernel_at, kernel_rows
from nanotrigger.datapath import schedule as scheduling
from nanotrigger.datapath.compiled import compiled
from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.schedule import Schedule, schedule
from nanotrigger.files import write_json
from nanotrigger.firmware.qonnx import write_qonnx
from nanotrigger.firmware.target import Target
from nanotrigger.graph.dense import Dense
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.node import Input
from nanotrigger.graph.quantize import Conversion, Quantize
from nanotrigger.numbers import FixedPoint
from nanotrigger.training.checkpoint import load_trained

ROOT = Path(__file__).resolve().parents[1]
RECORDS, RATIOS = ROOT / "benchmarks" / "records", "ratios.json"
FIGURES = ("aluts", "ffs", "rams", "dsps", "mlabs", "latency_cycles")
BOUNDED = ("aluts", "ffs", "latency_cycles")  # whose errors are stated
HELD = 0.9  # share of the records that an error holds
LAYERS = 40  # of random weights
CAPS = (2.0, 3.0, 4.0)  # of adders of a product, between which counts are interpolated

# The ELU of Dense(1→64): what it has beyond the leaky ReLU, 63 tables of 3 RAMs; and 4 cycles of a table.
ELU = Resources(aluts=(8793 - 2819) // 63, ffs=(7113 - 1124) // 63, rams=3)
ELU_CYCLES = 4

# The course's recipe; of the 261,000 jets of the simulated file twice as many epochs are as many steps.
STEPS = "data.test=0.02 data.validation=0.02 data.batch_size=128"
TRAININGS = {
    "course_float": "experiment=jets_float experiment=course",
    "course_qat": "experiment=course_qat",
    "course_qat_short": "experiment=course_qat trainer.max_epochs=4",
    "course_half": "experiment=course_pruned pruning.sparsity=0.5 trainer.max_epochs=10 warm_start.ckpt={float}",
    "course_tenth": "experiment=course_pruned pruning.sparsity=0.9 trainer.max_epochs=10 warm_start.ckpt={float}",
}
SEEDS = (1, 2, 3)


@dataclass(frozen=True)
class Record:
    """What the vendor said of a network.

    Attributes:
        name: of it.
        target: how it was built.
        figures: by the names in `FIGURES`, as far as they are known.
        networks: the same network in several trainings.
        elus: values that go through the table of an ELU.
    """

    name: str
    target: Target
    figures: dict[str, float]
    networks: tuple[Datapath, ...]
    elus: int = 0

    @property
    def clock(self) -> float:
        """In MHz."""
        return 1000 / self.target.clock_period


def read_record(path: Path) -> Record:
    """Return the record in a file, and the networks that lie beside it."""
    content = json.loads(path.read_text(encoding="utf-8"))
    target, networks = Target(**content["target"]), content["networks"]
    if isinstance(networks, list):
        datapaths = tuple(read_graph(path.parent / name, target.precision).unroll() for name in networks)
        return Record(content["name"], target, content["figures"], datapaths)
    elus = networks["outputs"] if networks.get("elu") else 0
    return Record(content["name"], target, content["figures"], tuple(random_layers(networks)), elus)


def random_layers(layer: dict[str, Any]) -> Iterable[Datapath]:
    """Yield layers of one input and random weights, everything fixed<16,6>."""
    number = FixedPoint(16, 6)
    cast = Conversion(number, exact=False)
    for seed in range(LAYERS):
        weights = np.random.default_rng(seed).uniform(*layer["weights"], size=(1, layer["outputs"]))
        words = np.floor(weights / number.step).astype(np.int64)
        bias = np.zeros(layer["outputs"], np.int64)
        common = {"layer": "dense", "weight_step": number.step, "bias_step": number.step, "accumulator": cast}
        arriving = Input(name="input", inputs=("x",), output="input", layer="input", shape=(1,), number=number)
        dense = Dense(name="dense", inputs=("input",), output="sums", weights=words, bias=bias, **common)
        relu = layer.get("relu", False)
        result = Quantize(name="y", inputs=("sums",), output="y", layer="dense", conversion=cast, relu=relu)
        yield Graph((arriving, dense, result), ("y",)).unroll()


def plans_of(record: Record) -> list[Schedule]:
    """Return the schedules of a record's networks, as the vendor's compiler sees their words."""
    plans = [schedule(datapath, clock_period=record.target.clock_period) for datapath in record.networks]
    return [replace(plan, datapath=compiled(plan.datapath)) for plan in plans]


def count(
    record: Record, plans: Sequence[Schedule], constants: tuple[float, float], kernel: Kernel
) -> dict[str, float]:
    """Return the figures of a record as they are counted, the mean of its networks.

    The constants are adders of a product, and copies of a register.
    """
    adders, copies = constants
    counts = []
    for plan in plans:
        rows = compiled_rows(plan, kernel, product_adders=adders, register_copies=copies)
        used = total((*rows, *kernel_rows(plan, kernel, softmax=record.target.softmax)))
        cycles = plan.count + kernel.latency + record.target.softmax * kernel.softmax_latency
        added = {name: record.elus * getattr(ELU, name) for name in FIGURES[:-1]}
        added["latency_cycles"] = ELU_CYCLES * bool(record.elus)
        figures = {name: getattr(used, name) for name in FIGURES[:-1]} | {"latency_cycles": cycles}
        counts.append([figures[name] + added[name] for name in FIGURES])
    return dict(zip(FIGURES, np.mean(counts, axis=0).tolist(), strict=True))


Constants = tuple[float, float, float]  # PRODUCT_ADDERS, REGISTER_COPIES, ALUTs and as many FFs of the shell at 480 MHz
GRID = (np.arange(2.5, 3.55, 0.1), np.arange(1.0, 1.21, 0.01), np.arange(0, 2001, 100))


@dataclass(frozen=True)
class Counts:
    """A record as it is counted with any of the constants that are fitted to all records.

    Attributes:
        record: of the vendor.
        by_cap: figures without the shell, for each of `CAPS`, with one copy of each register and with two.
    """

    record: Record
    by_cap: tuple[tuple[dict[str, float], dict[str, float]], ...]

    def at(self, name: str, constants: Sequence[Any]) -> Any:
        """Return a figure, or an array of it for arrays of constants."""
        adders, copies, pairs = constants
        once, twice = (np.interp(adders, CAPS, [by[number][name] for by in self.by_cap]) for number in (0, 1))
        kernel = kernel_at(self.record.clock)
        shell = pairs if kernel is kernels.KERNELS[1] else getattr(kernel.shell, name, 0)
        return once + (twice - once) * (copies - 1) + (shell if name in ("aluts", "ffs") else 0)

    def ratio(self, name: str, constants: Sequence[Any]) -> Any:
        """Return what is counted over what is recorded."""
        return self.at(name, constants) / self.record.figures[name]


def counts_of(record: Record) -> Counts:
    """Count a record for all caps."""
    kernel = kernel_at(record.clock)
    bare = replace(kernel, shell=replace(kernel.shell, aluts=0, ffs=0))
    plans = plans_of(record)
    pairs = [[count(record, plans, (cap, copies), bare) for copies in (1.0, 2.0)] for cap in CAPS]
    return Counts(record, tuple((once, twice) for once, twice in pairs))


def fitted(counts: Sequence[Counts]) -> Constants:
    """Return the constants for which the ratios of ALUTs and flip-flops are nearest 1, above all the farthest ones."""
    mesh = np.meshgrid(*GRID, indexing="ij")
    distance = sum(np.log(item.ratio(name, mesh)) ** 4 for item in counts for name in ("aluts", "ffs"))
    best = np.unravel_index(np.argmin(distance), distance.shape)
    adders, copies, pairs = (float(values[best]) for values in mesh)
    return adders, copies, pairs


def half_width(ratios: Sequence[float]) -> float:
    """Return the smallest distance from 1 within which `HELD` of the ratios lie."""
    distances = sorted(abs(ratio - 1) for ratio in ratios)
    return distances[math.ceil(HELD * len(distances)) - 1]


def compare(counts: Sequence[Counts], stated: Constants) -> dict[str, Any]:
    """Print the records beside the count with the stated constants; return the ratios of those that were left out."""
    heads = f"{'ALUTs':>9}{'count':>9}{'ratio':>7}{'left out':>10}{'FFs':>9}{'count':>9}{'ratio':>7}{'left out':>10}"
    print(f"{'':<36}{'MHz':>4}{heads}" + "".join(f"{name:>11}" for name in ("RAMs", "DSPs", "MLABs", "cycles")))
    ratios = []
    for item in counts:
        figures, others = item.record.figures, [other for other in counts if other is not item]
        known = [name for name in BOUNDED if name in figures]
        outside = {name: round(float(item.ratio(name, fitted(others))), 4) for name in known}
        cells = ""
        for name in ("aluts", "ffs"):
            counted = item.at(name, stated)
            cells += f"{figures[name]:>9,.0f}{counted:>9,.0f}{item.ratio(name, stated):>7.3f}{outside[name]:>10.3f}"
        for name in FIGURES[2:]:
            recorded = f"{figures[name]:g}" if name in figures else "?"
            cells += f"{f'{recorded}/{item.at(name, stated):.0f}':>11}"
        print(f"{item.record.name:<36}{item.record.clock:>4.0f}{cells}")
        ratios.append({"name": item.record.name, "clock": round(item.record.clock, 2), "left_out": outside})
    return {"records": ratios}


def errors(content: dict[str, Any]) -> dict[float, dict[str, float]]:
    """Return by clock the errors that reports state."""
    found: dict[float, dict[str, float]] = {}
    for kernel in kernels.KERNELS:
        of_clock = [item["left_out"] for item in content["records"] if kernel_at(item["clock"]) is kernel]
        of_name = {name: [item[name] for item in of_clock if name in item] for name in BOUNDED}
        found[kernel.clock] = {name: math.ceil(100 * half_width(ratios)) / 100 for name, ratios in of_name.items()}
    return found


def print_fit(records: Sequence[Record], counts: Sequence[Counts]) -> None:
    """Print the best constants, and what the records would be with others, of one training each."""
    records = [replace(record, networks=record.networks[:1]) for record in records]
    fast = kernels.KERNELS[1]
    at_480 = [record for record in records if kernel_at(record.clock) is fast]
    stated = kernels.PRODUCT_ADDERS, kernels.REGISTER_COPIES
    adders, copies, pairs = fitted(counts)
    print(f"\nPRODUCT_ADDERS {adders:.1f}, REGISTER_COPIES {copies:.2f}, shell at 480 MHz {pairs:.0f} ALUTs and FFs")
    for digits in range(6, 11):
        with constants(kernels, DSP_DIGITS=digits):
            print(f"DSP_DIGITS {digits}: {_listed(at_480, 'dsps', fast)}")
    for wait in range(2, 7):
        print(f"long_wait {wait}: {_listed(at_480, 'mlabs', replace(fast, long_wait=wait))}")
    for register, level, carry in itertools.product((0.8, 1.0, 1.2, 1.4), (0.35, 0.45, 0.55, 0.65), (0.002, 0.004)):
        with constants(scheduling, REGISTER=register, LEVEL=level, CARRY=carry):
            ratios = [
                count(record, plans_of(record), stated, kernel_at(record.clock))["ffs"] / record.figures["ffs"]
                for record in records
            ]
        worst = max(abs(ratio - 1) for ratio in ratios)
        print(f"REGISTER {register} LEVEL {level} CARRY {carry}: FFs within {worst:.0%}")


def _listed(records: Sequence[Record], name: str, kernel: Kernel) -> str:
    """Return a figure of each record, counted and recorded."""
    stated = kernels.PRODUCT_ADDERS, kernels.REGISTER_COPIES
    counted = [count(record, plans_of(record), stated, kernel)[name] for record in records]
    pairs = zip(counted, records, strict=True)
    return f"{name} " + " ".join(f"{mine:.0f}/{record.figures[name]:g}" for mine, record in pairs)


@contextmanager
def constants(module: Any, **values: float) -> Iterator[None]:
    """Set constants of a module for a while."""
    former = {name: getattr(module, name) for name in values}
    try:
        for name, value in values.items():
            setattr(module, name, value)
        yield
    finally:
        for name, value in former.items():
            setattr(module, name, value)


def train(source: Path) -> None:
    """Train the course's networks by its recipe, and write them beside the records."""
    with tempfile.TemporaryDirectory() as folder:
        for seed, (name, words) in itertools.product(SEEDS, TRAININGS.items()):
            run = Path(folder, f"{name}_{seed}")
            arguments = words.format(float=Path(folder, f"course_float_{seed}", "best.ckpt")).split()
            arguments += [f"data.source={source}", f"output={run}", f"seed={seed}", "evaluate=false", *STEPS.split()]
            subprocess.run([sys.executable, ROOT / "train.py", *arguments], check=True, stdout=subprocess.DEVNULL)
            write_qonnx(load_trained(run / "best.ckpt").network, RECORDS / f"{run.name}.onnx")


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description="The structural count beside the vendor's records.")
    parser.add_argument("--fit", action="store_true", help="print the constants that fit best; takes minutes")
    parser.add_argument("--train", type=Path, metavar="JETS", help="train the course's networks anew on this file")
    given = parser.parse_args()
    if given.train:
        train(given.train.resolve())
    paths = [path for path in sorted(RECORDS.glob("*.json")) if path.name != RATIOS]
    records = [read_record(path) for path in paths]
    counts = [counts_of(record) for record in records]
    ratios = compare(counts, (kernels.PRODUCT_ADDERS, kernels.REGISTER_COPIES, kernels.KERNELS[1].shell.aluts or 0))
    write_json(RECORDS / RATIOS, ratios)
    for clock, error in errors(ratios).items():
        print(f"error at {clock:g} MHz: " + ", ".join(f"{name} {value:.0%}" for name, value in error.items()))
    if given.fit:
        print_fit(records, counts)


if __name__ == "__main__":
    main()
