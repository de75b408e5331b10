"""A point of a scan: checked before the first one runs, trained as by train.py, exported and costed as by export.py."""

import time
from pathlib import Path
from typing import Any

from nanotrigger.cli.arguments import export_arguments, point_arguments
from nanotrigger.cli.cost import report_cost
from nanotrigger.cli.export import export_parser, read_target
from nanotrigger.cli.training import CheckCLI, train
from nanotrigger.command import as_input_error
from nanotrigger.cost.sources import sources_asked
from nanotrigger.data.judged_events import JudgedSplit
from nanotrigger.errors import FirmwareError
from nanotrigger.files import write_checksums
from nanotrigger.firmware.backends import backend_named
from nanotrigger.firmware.export import export
from nanotrigger.firmware.target import input_format, settled
from nanotrigger.scan.measure import measure
from nanotrigger.scan.plan import Plan, Value
from nanotrigger.training.checkpoint import load_trained


def check_plan(plan: Plan, configs: Path) -> None:
    """Build what each value of each axis leads to, the other axes at their first value, without training.

    Raises:
        InputError: a value that cannot be used; names it and its key.
    """
    for keys in plan.samples:
        with as_input_error():
            _check(plan, keys, configs)


def _check(plan: Plan, keys: dict[str, Value], configs: Path) -> None:
    checkpoint = Path(plan.ckpt or "best.ckpt")
    settings = export_parser().parse_args(export_arguments(keys, checkpoint))
    target = read_target(settings)
    backend_named(target.backend).check(target)
    sources_asked(settings.report)
    if plan.ckpt is None:
        train(point_arguments(plan, keys, Path("unused"), configs), configs, cli=CheckCLI)
        return
    network = load_trained(checkpoint).network
    input_format(network, settled(network, target))


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
    split: JudgedSplit = "validation" if plan.contest else "test"
    return {"seconds_training": seconds} | measure_point(keys, checkpoint, folder / "export", split=split)


def measure_point(keys: dict[str, Value], checkpoint: Path, output: Path, *, split: JudgedSplit) -> dict[str, Any]:
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
