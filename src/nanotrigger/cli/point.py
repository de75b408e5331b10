"""A point of a scan: trained as by train.py, exported and costed as by export.py."""

import json
import time
from pathlib import Path
from typing import Any

from nanotrigger.cli.arguments import train_arguments
from nanotrigger.cli.cost import report_cost
from nanotrigger.cli.errors import as_input_error
from nanotrigger.cli.export import export_parser, read_target
from nanotrigger.cli.train import train
from nanotrigger.errors import FirmwareError
from nanotrigger.files import write_checksums
from nanotrigger.firmware.events import Part
from nanotrigger.firmware.export import export
from nanotrigger.firmware.target import Target
from nanotrigger.precision.names import TARGET_KEY
from nanotrigger.scan.measure import measure
from nanotrigger.scan.plan import Plan, Value

EXPORT = "export."  # what a key for export.py begins with
_QUIET = ("evaluate=false", "trainer.enable_progress_bar=false")  # the export judges a point, nobody watches it


def run_point(plan: Plan, keys: dict[str, Value], folder: Path, *, configs: Path) -> dict[str, Any]:
    """Train a network in `folder`, or take the plan's, export it into `folder/export` and return its results.

    Args:
        plan: of the scan.
        keys: what this point sets.
        folder: of the point.
        configs: the folder that holds `experiment/NAME.yaml`.

    Raises:
        InputError: a setting that cannot be used.
        FirmwareError: the firmware does not build, or differs from the network.
    """
    seconds = None
    checkpoint = Path(plan.ckpt or folder / "best.ckpt")
    if plan.ckpt is None:
        start = time.monotonic()
        with as_input_error():
            train(point_arguments(plan, keys, folder, configs), configs)
        seconds = round(time.monotonic() - start, 2)
    split: Part = "validation" if plan.contest else "test"
    return {"seconds_training": seconds} | measure_point(keys, checkpoint, folder / "export", split=split)


def measure_point(keys: dict[str, Value], checkpoint: Path, output: Path, *, split: Part) -> dict[str, Any]:
    """Export a checkpoint with a point's keys and return its results on a split.

    Raises:
        InputError: a setting that cannot be used.
        FirmwareError: the firmware does not build, or differs from the network.
    """
    start = time.monotonic()
    settings = export_parser().parse_args(export_arguments(keys, checkpoint))
    result = export(checkpoint, output, target=read_target(settings), data=settings.data, split=split)
    difference = result.judgement.difference
    if difference is not None:
        raise FirmwareError(str(difference))
    row = measure(result, report_cost(result, settings.report))
    write_checksums(output)
    return {**row, "seconds_export": round(time.monotonic() - start, 2)}


def point_arguments(plan: Plan, keys: dict[str, Value], folder: Path, configs: Path) -> list[str]:
    """Return the arguments of LightningCLI with which a point is trained."""
    experiments = [f"experiment={name}" for name in plan.experiments]
    words = [f"{key}={_text(value)}" for key, value in keys.items() if not key.startswith(EXPORT)]
    return train_arguments([*experiments, *_QUIET, *_target_keys(keys), *words, f"output={folder}"], configs)


def export_arguments(keys: dict[str, Value], checkpoint: Path) -> list[str]:
    """Return the arguments of export.py among a point's keys."""
    words = {key.removeprefix(EXPORT): value for key, value in keys.items() if key.startswith(EXPORT)}
    return [f"--ckpt={checkpoint}", *(f"--{key}={_text(value)}" for key, value in words.items())]


def _target_keys(keys: dict[str, Value]) -> list[str]:
    """Return what has a budget of the training, if there is one, count for the firmware that is exported."""
    names = {f"{EXPORT}{name}": name for name in Target.__dataclass_fields__}
    return [f"{TARGET_KEY}.{names[key]}={_text(value)}" for key, value in keys.items() if key in names]


def _text(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value)
