"""Check a scan's plan before its first point: every value must give a network, a data set and a target."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nanotrigger.cli.errors import as_input_error
from nanotrigger.cli.export import export_parser, read_target
from nanotrigger.cli.point import EXPORT, export_arguments, point_arguments
from nanotrigger.cli.train import CheckCLI, train
from nanotrigger.errors import InputError
from nanotrigger.firmware.backends import backend_named
from nanotrigger.firmware.target import input_format, settled
from nanotrigger.scan.plan import Plan, Value
from nanotrigger.training.checkpoint import load_trained


def check_plan(plan: Plan, configs: Path) -> None:
    """Build what each value of each axis leads to, the other axes at their first value, without training.

    Raises:
        InputError: a key that does not exist, or a value that cannot be used; names both.
    """
    for keys in _samples(plan):
        with as_input_error():
            _check(plan, keys, configs)


def _check(plan: Plan, keys: dict[str, Value], configs: Path) -> None:
    checkpoint = Path(plan.ckpt or "best.ckpt")
    target = read_target(export_parser().parse_args(export_arguments(keys, checkpoint)))
    backend_named(target.backend).check(target)
    if plan.ckpt is None:
        train(point_arguments(plan, keys, Path("unused"), configs), configs, cli=CheckCLI)
        return
    others = [key for key in keys if not key.startswith(EXPORT)]
    if others:
        raise InputError(f"{others[0]}: with ckpt= nothing is trained; only export.KEY can be set")
    network = load_trained(checkpoint).network
    input_format(network, settled(network, target))


def _samples(plan: Plan) -> Iterator[dict[str, Any]]:
    """Yield a point for each value of each axis."""
    first = [axis.values[0] for axis in plan.axes]
    yield plan.keys(tuple(first))
    for place, axis in enumerate(plan.axes):
        for value in axis.values[1:]:
            yield plan.keys((*first[:place], value, *first[place + 1 :]))
