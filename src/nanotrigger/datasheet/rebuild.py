"""How to build the same firmware again: commands and versions."""

import platform
import shlex
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from nanotrigger.firmware.backends import Backend, backend_named
from nanotrigger.firmware.target import Target


@dataclass(frozen=True)
class Command:
    """A line for the shell, and what it is for."""

    purpose: str
    line: str


def rebuild_commands(checkpoint: Path, target: Target, *, data: str | None = None) -> tuple[Command, ...]:
    """Return the commands from the training, if its config.yaml lies beside the checkpoint, to the vendor's report."""
    config = checkpoint.parent / "config.yaml"
    training = [Command("Train the network", _line("train.py", "fit", "--config", str(config), "--output", "NEW_RUN"))]
    build = backend_named(target.backend).build
    return (
        *(training if config.is_file() else []),
        Command("Export the firmware and prove it", export_line(checkpoint, target, data=data)),
        *([] if build is None else [Command("Compile for the FPGA: the compiler's resource estimate", build)]),
    )


def export_line(checkpoint: Path, target: Target, *, data: str | None = None) -> str:
    """Return the command that exports a checkpoint for `target`; defaults are left out.

    >>> export_line(Path("run/best.ckpt"), Target(reuse_factor=2, precision="fixed<12,5>"))
    "python export.py ckpt=run/best.ckpt reuse_factor=2 'precision=fixed<12,5>'"
    """
    default = asdict(Target())
    differing = [f"{key}={_spelled(value)}" for key, value in asdict(target).items() if value != default[key]]
    source = [] if data is None else [f"data={data}"]
    return _line("export.py", f"ckpt={checkpoint}", *differing, *source)


def tool_versions(backend: Backend) -> dict[str, str]:
    """Return the versions of Python and of the packages that determine the firmware."""
    packages = ("nanotrigger", "torch", "brevitas", "qonnx", *backend.packages, "onnx", "numpy")
    return {"python": platform.python_version(), **{name: version(name) for name in packages}}


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _line(script: str, *words: str) -> str:
    return shlex.join(["python", script, *words])
