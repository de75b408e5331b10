"""Accuracy against ALUTs, side by side with HGQ2 and PQuantML: python benchmarks/pareto.py --jets FILE.

All train on the training split of the same file, for the same time of one processor; networks are chosen by their
accuracy on the validation split, and scored on the test split. Ours is `train.py experiment=jets_budget` and the
refinement of networks of its front; the peers pass their networks while the price of bits rises (settings:
references/hgq2_pareto.py and references/pquant_pareto.py, after their authors' own jet examples). Their networks are
written as Verilog by their own adder optimizer, alkaid, ours by `nanotrigger.verilog`; the words of the inputs are
given, and registers, after five levels of adders, do not count. Yosys maps each, by our flow (a carry chain for each
sum) and by its own (which merges sums into compressors); the smaller count of ALUTs is taken, for every tool. alkaid
joins sums of three terms, which ALMs could add in one chain; Yosys does not.

One function counts the effective bit operations of all: `product_bit_operations`, from the integer weights and the bits
of every signal. The peers are LGPL and Apache, and installed only into environments that this command makes.
"""

import argparse
import json
import math
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from matplotlib.figure import Figure
from training import REFERENCES, ROOT, archive, environment

from nanotrigger.cost.sources.yosys import LOG, count, map_to_cells
from nanotrigger.datapath.schedule import schedule
from nanotrigger.errors import FirmwareError
from nanotrigger.evaluation.figures import save_figure
from nanotrigger.evaluation.figures.page import HALF_WIDTH, drawn, line_style, new_page
from nanotrigger.firmware.datapaths import verilog_datapath
from nanotrigger.firmware.target import SHARED, Target
from nanotrigger.graph.dense import product_bit_operations
from nanotrigger.graph.from_network import graph_of
from nanotrigger.networks.learned import frozen
from nanotrigger.networks.network import WHOLE
from nanotrigger.precision.allowance import cost_of, shell_cost
from nanotrigger.precision.budget import Budget
from nanotrigger.precision.names import FRONT
from nanotrigger.precision.run import refinement
from nanotrigger.tasks import JetTagging
from nanotrigger.tasks.jets.data import JetData
from nanotrigger.training.checkpoint import network_of, read_checkpoint
from nanotrigger.verilog.write import verilog

BUDGETS = (300, 565, 1000, 1500, 2500, 3500, 5000)  # ALUTs
SCORES = (74, 75, 76)  # per cent
TOOLS = ("Nanotrigger", "HGQ2", "PQuantML")
TARGET = Target(adders=SHARED)
SHELL = shell_cost(TARGET).aluts  # which a budget includes, but Yosys does not see
OURS = ("experiment=jets_budget", "budget.target.adders=shared")
EPOCHS, EPOCHS_BEFORE_REFINEMENT, ROUNDS = 600, 400, 90
LARGER = 1.3  # than its ALUTs by Yosys is what a tool takes a network for, at most
LEVELS = 5  # of adders between two registers, as the peers have them
GRID = 2.0**-20  # finer than any weight of the peers
VISIBLE = (64, 77.5)  # per cent; what is below serves no trigger
YOSYS = """
read_verilog -sv nanotrigger.v
synth_intel_alm -family cyclonev -top nanotrigger_datapath -nodsp -nobram -nolutram -noiopad -noclkbuf
tee -q -o statistics.json stat -json
"""
# EBOPs and accuracy of HGQ2 with alkaid: long trainings on the real jets of hls4ml's data set, not on these
PUBLISHED = ((530, 73.3), (1572, 75.0), (2571, 75.8), (7229, 76.8), (13285, 77.1))


class Candidate(NamedTuple):
    """A network before it is mapped; `size` is what its own tool takes for its ALUTs."""

    size: float
    ebops: int
    validation: float
    test: float
    text: str  # Verilog


class Point(NamedTuple):
    """A mapped network."""

    aluts: int
    ebops: int
    validation: float
    test: float


def candidate(network: torch.nn.Module, data: JetData) -> Candidate:
    """Return a network of ours, of fixed formats."""
    cost = cost_of(network, TARGET)
    plan = schedule(verilog_datapath(graph_of(network.section(WHOLE)), TARGET), levels=LEVELS)
    scores = []
    for part in ("validation", "test"):
        features, labels = data.rows(part)
        with torch.no_grad():
            scores.append((network(features).argmax(dim=1) == labels).double().mean().item())
    return Candidate(cost.aluts, cost.ebops, *scores, verilog(plan))


def refined(source: str, folder: Path, aluts: int, seed: int) -> list[Candidate]:
    """Return what a refinement to so many ALUTs of the datapath passes, on one thread."""
    torch.set_num_threads(1)
    data = JetData(source)
    data.setup()
    callback = Budget(aluts=aluts + SHELL, rounds=ROUNDS, target=TARGET)
    callback.front = read_checkpoint(folder / "last.ckpt")["callbacks"]["Budget"]["front"]
    if callback.start is None:
        return []
    checkpoint = read_checkpoint(folder / FRONT / callback.start)
    task = JetTagging(network_of(checkpoint), l1=0.0)
    networks = refinement(checkpoint, task, data, callback.allowance, rounds=ROUNDS, seed=seed)
    return [candidate(network, data) for _, network in networks]


def processor_time() -> float:
    """Return the seconds of processor time of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def ours(source: Path, seed: int, folder: Path, budgets: list[int]) -> tuple[float, list[Candidate]]:
    """Return the processor seconds of a training and its refinements, and the networks on the way."""
    begin = processor_time()
    options = [*OURS, f"data.source={source}", f"seed={seed}", f"output={folder}", f"budget.aluts={BUDGETS[0] + SHELL}"]
    options += [f"trainer.max_epochs={EPOCHS_BEFORE_REFINEMENT if budgets else EPOCHS}", "budget.rounds=0"]
    options += ["evaluate=false", "trainer.enable_progress_bar=false"]
    environs = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run(
        [sys.executable, "train.py", *options], cwd=ROOT, env=environs, check=True, stdout=subprocess.DEVNULL
    )
    found = []
    with ProcessPoolExecutor(1) as pool:
        for aluts in budgets:
            found += pool.submit(refined, str(source), folder, aluts, seed).result()
    seconds = processor_time() - begin
    data = JetData(str(source))
    data.setup()
    for path in sorted((folder / FRONT).iterdir()):
        found.append(candidate(frozen(network_of(read_checkpoint(path))).eval(), data))
    return seconds, found


def theirs(name: str, python: Path, arrays: Path, seconds: float, seed: int, folder: Path) -> list[Candidate]:
    """Return the networks of a peer on its way down for which it wrote Verilog."""
    script = REFERENCES / f"{name.lower().removesuffix('ml')}_pareto.py"
    folder.mkdir()
    command = [str(python), str(script), str(arrays), str(seconds), str(seed), str(folder)]
    pinned = ["taskset", "-c", "0"] if shutil.which("taskset") else []  # JAX would use all cores
    subprocess.run([*pinned, *command], check=True, capture_output=True)
    return list(recorded(folder))


def recorded(folder: Path) -> Iterator[Candidate]:
    """Yield what a peer left in a folder (see references/alkaid_verilog.py)."""
    kept = np.load(folder / "networks.npz")
    for number in sorted(int(path.name) for path in folder.iterdir() if path.is_dir()):
        files = [path for path in sorted((folder / str(number) / "src").rglob("*.v")) if "wrapper" not in path.name]
        ebops = 0
        for depth in range(sum(name.startswith("weights") and name.endswith(f"_{number}") for name in kept)):
            words = np.rint(kept[f"weights_{depth}_{number}"].astype(np.float64) / GRID).astype(np.int64)
            ebops += product_bit_operations(words, kept[f"bits_{depth}_{number}"].astype(np.int64))
        size, *scores = (float(kept[f"{part}_{number}"]) for part in ("size", "validation", "test"))
        yield Candidate(size, ebops, *scores, "\n".join(path.read_text(encoding="utf-8") for path in files))


def front(candidates: list[Candidate]) -> list[Candidate]:
    """Return those that are better on the validation split than all that their tool takes for smaller."""
    kept: list[Candidate] = []
    for each in sorted(candidates, key=lambda each: (each.size, -each.validation)):
        if not kept or each.validation > kept[-1].validation:
            kept.append(each)
    return kept


def mapped(network: Candidate) -> Point:
    """Return a network with its ALUTs by Yosys, the fewer of two flows."""
    with tempfile.TemporaryDirectory() as temporary:
        log = Path(temporary) / LOG
        try:
            aluts = count(map_to_cells(network.text, log)).aluts
        except FirmwareError:  # our flow leaves alkaid's tables of single bits as memories
            aluts = math.inf
        own = count(map_to_cells(network.text, log, script=YOSYS)).aluts
    return Point(min(aluts, own), network.ebops, network.validation, network.test)


def points_of(candidates: list[Candidate]) -> list[Point]:
    """Return mapped networks of the front: for each budget the better ones, until one is within it."""
    kept = front(candidates)
    points: dict[int, Point] = {}
    for budget in BUDGETS:
        for place in reversed([place for place, each in enumerate(kept) if each.size <= LARGER * budget]):
            if place not in points:
                points[place] = mapped(kept[place])
            if points[place].aluts <= budget:
                break
    return [points[place] for place in sorted(points)]


def best(points: list[Point], budget: int) -> float:
    """Return the test accuracy of the network that does best on the validation split within a budget; NaN if none."""
    within = [point for point in points if point.aluts <= budget]
    return max(within, key=lambda point: point.validation).test if within else math.nan


def least(points: list[Point], score: float) -> float:
    """Return the fewest ALUTs of the mapped networks with such a test accuracy; infinite if none has it."""
    return min((point.aluts for point in points if point.test >= score), default=math.inf)


def table(results: dict[str, list[list[Point]]]) -> str:
    """Return mean and range of the test accuracy within each budget, and the fewest ALUTs for each accuracy."""
    lines = [" ALUTs  " + "".join(f"{name:32}" for name in results).rstrip()]
    for budget in BUDGETS:
        columns = (_shown([100 * best(points, budget) for points in runs], 2) for runs in results.values())
        lines.append(f"{budget:6,}  " + "".join(f"{column:32}" for column in columns).rstrip())
    lines += ["", "accuracy, ALUTs"]
    for score in SCORES:
        columns = (_shown([least(points, score / 100) for points in runs], 0) for runs in results.values())
        lines.append(f"  {score} %  " + "".join(f"{column:32}" for column in columns).rstrip())
    return "\n".join(lines)


def _shown(values: list[float], digits: int) -> str:
    found = [value for value in values if math.isfinite(value)]
    if not found:
        return "none"
    missing = f", {len(values) - len(found)} none" if len(found) < len(values) else ""
    mean, low, high = (f"{value:,.{digits}f}" for value in (statistics.mean(found), min(found), max(found)))
    return f"{mean} ({low} to {high}){missing}"


@drawn
def figure(text: str) -> Figure:
    """Draw a table as `table` returns it: the mean of the seeds within each budget, and their smallest to largest."""
    notes = ["Simulated jets, test split; bands: all seeds", "Dotted: published, real jets, against EBOPs"]
    page, body = new_page(width=HALF_WIDTH, height=2.8, notes=notes)
    axes = body.subplots()
    header = next(line for line in text.splitlines() if line.startswith(" ALUTs  "))
    cell = r"(?:none|([\d.]+) \(([\d.]+) to ([\d.]+)\)(?:, \d none)?)"
    names = header.split()[1:]
    rows = re.findall(rf"^ *([\d,]+)  {' +'.join([cell] * len(names))}$", text, re.MULTILINE)
    numbers = np.array([[float(value.replace(",", "") or "nan") for value in row] for row in rows])
    for index, name in enumerate(names):
        mean, low, high = numbers[:, 1 + 3 * index : 4 + 3 * index].T
        style = line_style(index)
        axes.fill_between(numbers[:, 0], low, high, color=style["color"], alpha=0.2, linewidth=0)
        axes.plot(numbers[:, 0], mean, marker="osD"[index], label=name, **style)
    style = line_style(len(names))
    axes.plot(*zip(*PUBLISHED, strict=True), color=style["color"], linestyle=":", label="HGQ2, published")
    axes.set(xscale="log", xlim=(250, 6_000), ylim=VISIBLE, xlabel="ALUTs by Yosys", ylabel="Test accuracy [%]")
    axes.set_xticks([300, 1000, 3000], ["300", "1,000", "3,000"])
    axes.tick_params(axis="x", which="minor", labelbottom=False)
    axes.legend(loc="lower right")
    return page


def race(options: argparse.Namespace, folder: Path) -> dict[str, list[list[Point]]]:
    """Run the tools that are wanted, one seed after the other; the points of the others are read from pareto.json."""
    record = options.output / "pareto.json"
    known = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    results = {name: [[Point(*point) for point in run] for run in known.get(name, [])] for name in TOOLS}
    results |= {name: [] for name in options.tools}
    arrays = archive(JetData(str(options.jets)), folder / "jets.npz", parts=("train", "validation", "test"))
    for seed in options.seeds:
        seconds = options.seconds
        for name in (name for name in TOOLS if name in options.tools):
            place = folder / f"{name}-{seed}"
            if name == "Nanotrigger":
                taken, found = ours(options.jets.resolve(), seed, place, options.refined)
                seconds = seconds or taken
                print(f"seed {seed}: {taken:.0f} s of one processor", flush=True)
            else:
                python = environment(options.environments, "pquant" if name == "PQuantML" else "hgq2-alkaid")
                found = theirs(name, python, arrays, seconds or 90.0, seed, place)
            results[name].append(points_of(found))
            record.write_text(json.dumps(results), encoding="utf-8")
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--jets", type=Path, help="HDF5 file of jets")
    wanted.add_argument("--draw", type=Path, help="only draw the table in this file, such as benchmarks/RESULTS.md")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument(
        "--refined", type=int, nargs="+", default=[], help="ALUTs of the firmware to which ours is refined as well"
    )
    parser.add_argument("--seconds", type=float, help="of one processor for each peer; by default what ours took")
    parser.add_argument(
        "--tools", nargs="+", choices=TOOLS, default=list(TOOLS), help="others are read from the output"
    )
    parser.add_argument("--environments", type=Path, default=ROOT / ".venv-references")
    parser.add_argument("--output", type=Path, default=Path("pareto"), help="folder for pareto.json and pareto.png")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    if options.draw is not None:
        text = options.draw.read_text(encoding="utf-8")
    else:
        with tempfile.TemporaryDirectory() as temporary:
            text = table(race(options, Path(temporary)))
        print(text)
    save_figure(figure(text), options.output / "pareto", pdf=False)


if __name__ == "__main__":
    main()
