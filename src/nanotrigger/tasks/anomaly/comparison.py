"""Compare the tests of several anomaly-detection runs: one figure and one table."""

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nanotrigger.errors import InputError
from nanotrigger.evaluation.detection import cells
from nanotrigger.evaluation.figures import DetectorCurve, detector_comparison, save_figure
from nanotrigger.evaluation.working_point import WorkingPoint
from nanotrigger.files import write_text
from nanotrigger.tasks.anomaly.scores import MASKED

_BASELINE = "PCA"  # scores of principal components begin with it


@dataclass(frozen=True)
class Detector:
    """The test of one run by one score.

    Attributes:
        label: in table and legend.
        signals: signal → area, working points, as in test.json.
        curves: signal → rows of false- and true-positive rate.
        run: name of the run, or of the baseline.
        data: on what it was tested.
    """

    label: str
    signals: dict[str, Any]
    curves: dict[str, list[tuple[float, float]]]
    run: str
    data: str


def read_detectors(runs: Sequence[Path]) -> list[Detector]:
    """Return every run's scores but the masked ones, and those of the first run's principal components at the end.

    Raises:
        InputError: a folder without a test of an anomaly detector, or runs that were tested on different signals.
    """
    found: list[Detector] = []
    baseline: list[Detector] = []
    for run in runs:
        own = list(_detectors(run))
        found += [detector for detector in own if _BASELINE not in detector.label]
        baseline = baseline or [detector for detector in own if _BASELINE in detector.label]
    signals = list(found[0].signals)
    for detector in found:
        if list(detector.signals) != signals:
            raise InputError(
                f"{detector.label} was tested on {', '.join(detector.signals)}, {found[0].label} on "
                f"{', '.join(signals)}; compare runs on the same data"
            )
    return found + baseline


def markdown(detectors: Sequence[Detector]) -> str:
    """Return the table of all detectors in Markdown: a row for each signal and detector."""
    signals = detectors[0].signals
    points = next(iter(signals.values()))["working_points"]
    heads = ["signal", "detector", "AUC", *(f"TPR % at {point['false_positive_rate']:.0e}" for point in points)]
    lines = [heads, ["---"] * len(heads)]
    for signal in signals:
        lines += [[signal, detector.label, *cells(detector.signals[signal])] for detector in detectors]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def write_comparison(detectors: Sequence[Detector], folder: Path) -> tuple[Path, ...]:
    """Write the figure and the table into a folder, and return the paths."""
    notes = list(dict.fromkeys(detector.data for detector in detectors))
    signals = detectors[0].signals
    curves = {signal: [_curve(detector, signal) for detector in detectors] for signal in signals}
    paths = save_figure(detector_comparison(curves, notes=notes), folder / "detectors")
    write_text(folder / "detectors.md", markdown(detectors))
    return (*paths, folder / "detectors.md")


def _curve(detector: Detector, signal: str) -> DetectorCurve:
    false_positives, true_positives = zip(*detector.curves[signal], strict=True)
    points = [
        WorkingPoint(
            point["false_positive_rate"],
            point["threshold"],
            point["background_events"],
            point["true_positive_rate"],
            tuple(point["interval"]),
        )
        for point in detector.signals[signal]["working_points"]
        if point["reason"] is None
    ]
    return DetectorCurve(detector.label, false_positives, true_positives, points, run=detector.run)


def _detectors(run: Path) -> Iterator[Detector]:
    test, rows = _read(run)
    signals = test["signals"]
    for score in next(iter(signals.values())):
        if score == MASKED:
            continue
        curves: dict[str, list[tuple[float, float]]] = {signal: [] for signal in signals}
        for row in rows:
            if row["score"] == score:
                point = float(row["false_positive_rate"]), float(row["true_positive_rate"])
                curves[row["signal"]].append(point)
        is_baseline = score.startswith(_BASELINE)
        label = score if is_baseline else f"{run.name}, {score}"
        found = {signal: scores[score] for signal, scores in signals.items()}
        yield Detector(label, found, curves, _BASELINE if is_baseline else run.name, _data_of(test))


def _data_of(test: dict[str, Any]) -> str:
    """Return on what a run was tested: the file, and how many events of each class."""
    events = ", ".join(f"{count:,} {name}" for name, count in test["events"].items())
    return f"{Path(test['data']['source']).name}, {test['data']['split']} split: {events}"


def _read(run: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    try:
        test = json.loads((run / "test.json").read_text(encoding="utf-8"))
        with (run / "roc.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError) as error:
        raise InputError(f"{run} has no test of an anomaly detector ({error}); name the folder of such a run") from None
    if not test.get("signals") or not rows:
        raise InputError(f"{run}: its test has no signals; test with data.signals=FILE")
    return test, rows
