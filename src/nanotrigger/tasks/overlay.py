"""Runs over each other: their histories, their weights and, of anomaly detectors, their ROC curves."""

import json
from collections.abc import Sequence
from pathlib import Path

import yaml

from nanotrigger.evaluation.figures import save_figure, training_history, weight_comparison
from nanotrigger.networks.weights import layer_weights
from nanotrigger.tasks import TASKS
from nanotrigger.tasks.anomaly.comparison import read_detectors, write_comparison
from nanotrigger.training.checkpoint import load_trained
from nanotrigger.training.run_checkpoints import read_history


def write_overlay(runs: Sequence[Path], folder: Path) -> tuple[Path, ...]:
    """Write the figures of runs into a folder, and return the paths.

    Args:
        runs: folders with metrics.csv, and with best.ckpt or a checkpoint `RUN.ckpt` beside it if weights are wanted.
        folder: to write into.

    Raises:
        InputError: a file that is damaged.
    """
    named = dict(zip(_names(runs), runs, strict=True))
    histories = {name: read_history(run / "metrics.csv") for name, run in named.items()}
    history = training_history(histories, notes=_notes(runs), panels=_panels(runs))
    paths = save_figure(history, folder / "overlay_history")
    checkpoints = {name: path for name, run in named.items() if (path := _checkpoint(run)) is not None}
    weights = {
        name: {layer.name: layer.values for layer in layer_weights(load_trained(path).network)}
        for name, path in checkpoints.items()
    }
    if any(weights.values()):
        paths += save_figure(weight_comparison(weights), folder / "overlay_weights")
    if all((run / "roc.csv").is_file() for run in runs):
        paths += write_comparison(read_detectors(runs), folder)
    return paths


def _names(runs: Sequence[Path]) -> list[str]:
    """Return the names of folders, with the folder above where two have the same."""
    names = [run.resolve().name for run in runs]
    return names if len(set(names)) == len(names) else ["/".join(run.resolve().parts[-2:]) for run in runs]


def _checkpoint(run: Path) -> Path | None:
    """Return a run's best checkpoint, or the one of its name beside it."""
    return next((path for path in (run / "best.ckpt", run.parent / f"{run.name}.ckpt") if path.is_file()), None)


def _panels(runs: Sequence[Path]) -> dict[str, str]:
    """Return the panels of the tasks of all runs: metric → label of its axis."""
    panels: dict[str, str] = {}
    for run in runs:
        config = run / "config.yaml"
        model = yaml.safe_load(config.read_text(encoding="utf-8"))["model"] if config.is_file() else {}
        task = TASKS.get(str(model.get("class_path")).rpartition(".")[2])
        panels |= {"loss": "Loss"} if task is None else task.history_panels
    return panels


def _notes(runs: Sequence[Path]) -> list[str]:
    """Return on which files the runs were tested, as far as they were."""
    tests = [json.loads(path.read_text(encoding="utf-8")) for run in runs if (path := run / "test.json").is_file()]
    return list(dict.fromkeys(f"Data: {Path(test['data']['source']).name}" for test in tests)) or ["Trainings"]
