"""The numbers of the documents, written from the records in checkpoints/reference: python docs/tables.py.

`<!-- NAME WORDS -->…<!-- end -->` in a document holds what `NUMBERS[NAME](*WORDS)` returns: a number, or a whole table.
"""

import json
import re
import statistics
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from nanotrigger.evaluation.figures.scan_axis import name_of
from nanotrigger.scan.curves import drawable
from nanotrigger.scan.quality import quality_of
from nanotrigger.scan.results import read_study
from nanotrigger.tasks.anomaly.comparison import read_detectors

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "checkpoints" / "reference"
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), REFERENCE / "README.md")

DETECTORS = ("ad_ae", "ad_ae_qat", "ad_ae_qat_pruned", "ad_vae", "ad_vae_qat")
RECONSTRUCTION = "reconstruction error"

_MARKED = re.compile(r"(<!-- (\w+)((?: [^ >]+)*) -->)(\n?).*?(<!-- end -->)", re.DOTALL)


def rendered(document: str) -> str:
    """Return a document with its numbers written anew."""

    def write_one(found: re.Match[str]) -> str:
        return f"{found[1]}{found[4]}{NUMBERS[found[2]](*found[3].split())}{found[5]}"

    return _MARKED.sub(write_one, document)


def write() -> None:
    """Write all numbers into the documents."""
    for path in DOCUMENTS:
        path.write_text(rendered(path.read_text(encoding="utf-8")), encoding="utf-8")


def _read(*path: str) -> Any:
    return json.loads(REFERENCE.joinpath(*path).read_text(encoding="utf-8"))


def _table(heads: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(str(cell) for cell in line)} |\n" for line in lines)


def _with_interval(record: Any) -> str:
    low, high = (100 * end for end in record["accuracy_interval"])
    return f"{100 * record['accuracy']:.2f} % ({low:.2f} to {high:.2f})"


def _area(score: Any) -> str:
    low, high = score["auc_interval"]
    return f"{score['auc']:.3f} ± {(high - low) / 2:.3f}"


def _rate(score: Any, false_positive_rate: str) -> str:
    point = next(p for p in score["working_points"] if p["false_positive_rate"] == float(false_positive_rate))
    if point["true_positive_rate"] is None:
        return "–"
    middle, low, high = (100 * rate for rate in (point["true_positive_rate"], *point["interval"]))
    return f"{middle:.2f} (+{high - middle:.2f} −{middle - low:.2f})"


def accuracy(name: str) -> str:
    """Return the accuracy of a network on the test split, with its 68 % interval."""
    return _with_interval(_read(name, "test.json"))


def firmware_accuracy(name: str) -> str:
    """Return the same of its firmware."""
    return _with_interval(_read(name, "export", "emulation.json"))


def used(name: str, unit: str) -> str:
    """Return how many of `aluts`, `ffs` and so on its firmware takes."""
    return f"{_read(name, 'export', 'resources.json')['reports'][0]['used'][unit]:,}"


def share(name: str) -> str:
    """Return ALUT % + FF %."""
    report = _read(name, "export", "resources.json")["reports"][0]
    return f"{sum(100 * report['used'][unit] / report['available'][unit] for unit in ('aluts', 'ffs')):.3f}"


def parity(name: str) -> str:
    """Return how many words of how many differ between the four witnesses."""
    record = _read(name, "export", "parity.json")
    return f"{record['differing_words']:,} of {record['words']:,}"


def zeros(name: str) -> str:
    """Return the share of zeros among the integer weights, or among the weights of a float network."""
    total = _read(name, "test.json")["sparsity"]["total"]
    count = total["zeros"] if total["integer_zeros"] is None else total["integer_zeros"]
    return f"{100 * count / total['weights']:.1f} %"


def auc(name: str, signal: str, *score: str) -> str:
    """Return the area under a ROC curve; by default that of the reconstruction error."""
    return _area(_read(name, "test.json")["signals"][signal][" ".join(score) or RECONSTRUCTION])


def tpr(name: str, signal: str, false_positive_rate: str, *score: str) -> str:
    """Return a true-positive rate in %, with its 68 % interval."""
    found = _read(name, "test.json")["signals"][signal][" ".join(score) or RECONSTRUCTION]
    return _rate(found, false_positive_rate)


def study(name: str) -> str:
    """Return the table of a study: the means over its seeds."""
    found = read_study(REFERENCE / "studies" / name)
    axis = found.scanned[0]
    quality = quality_of(found.complete[0])
    rows = []
    for value in axis.values:
        same = [row for row in found.complete if axis.value_at(row) == value]
        mean = {unit: statistics.mean(row[unit] for row in same) for unit in (quality, "aluts", "ffs")}
        label = name_of(drawable(value))
        rows.append((label, f"{100 * mean[quality]:.1f} %", f"{mean['aluts']:,.0f}", f"{mean['ffs']:,.0f}"))
    return _table([axis.name, quality, "ALUTs", "FFs"], rows)


def contest() -> str:
    """Return the contest's leaderboard."""
    rows = (
        (
            f"{100 * entry['threshold']:.0f} %{'' if entry['confirmed'] else ', not confirmed'}",
            f"{entry['contest_figure']:.3f} %",
            f"{entry['aluts']:,}",
            f"{entry['ffs']:,}",
            *(f"{entry['synthesis'][unit]:,}" for unit in ("aluts", "ffs")),
            *(_with_interval(entry[split]) for split in ("validation", "test")),
            f"{entry['differing_words']:,} of {entry['words']:,}",
        )
        for entry in _read("leaderboard.json")["entries"]
    )
    cost = ("ALUT % + FF %", "ALUTs", "FFs", "datapath by Yosys", "its FFs")
    heads = ["above", *cost, "validation accuracy", "test accuracy", "words that differ"]
    return _table(heads, rows)


def detectors(what: str) -> str:
    """Return the table of all detectors: `auc`, or true-positive rates at a false-positive rate such as `1e-3`."""
    found = read_detectors([REFERENCE / name for name in DETECTORS])
    cell: Callable[[Any], str] = _area if what == "auc" else lambda score: _rate(score, what)
    signals = list(found[0].signals)
    rows = ([one.label.replace("_", r"\_"), *(cell(one.signals[signal]) for signal in signals)] for one in found)
    return _table(["run, score", *signals], rows)


def printed(name: str) -> str:
    """Return what train.py and export.py print of a run; the count's details are left out."""
    lines = (REFERENCE / name / "printed.txt").read_text(encoding="utf-8").splitlines()
    details = next(place for place, line in enumerate(lines) if line.startswith("source"))
    return "\n".join(["```", *lines[:details], "…", lines[-1], "```", ""])


NUMBERS: dict[str, Callable[..., str]] = {
    number.__name__: number
    for number in (
        *(accuracy, firmware_accuracy, used, share, parity, zeros, auc, tpr),
        *(study, contest, detectors, printed),
    )
}

if __name__ == "__main__":
    write()
