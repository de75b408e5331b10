"""Everything that parses foreign input, each with valid input to begin from."""

import contextlib
import functools
import io
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import torch
from jsonargparse import ArgumentParser

from nanotrigger.cli import training
from nanotrigger.cli.arguments import config_files, train_arguments
from nanotrigger.cli.configuration import MODE
from nanotrigger.cli.keys import check_keys
from nanotrigger.cli.wording import said_plainly
from nanotrigger.command import PARSER_SETTINGS, one_line
from nanotrigger.cost.sources.oneapi.counts import read_estimate, read_fit
from nanotrigger.cost.sources.oneapi.records import read_schedule
from nanotrigger.data.level1 import read_accepted, read_objects
from nanotrigger.data.parquet import event_names
from nanotrigger.data.particles import particle_sets, read_particles
from nanotrigger.firmware.qonnx import write_qonnx
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.networks import MLP, Network
from nanotrigger.numbers import FixedPoint
from nanotrigger.scan.grammar import read_arguments, read_study_file
from nanotrigger.scan.results import read_study
from nanotrigger.tasks.jets.sample import read_jets
from nanotrigger.training.checkpoint import load_trained
from nanotrigger.training.slim import slim
from tests.command import ROOT
from tests.fuzz.tables import made_tables
from tests.made_events import make_events, write_events
from tests.made_models import Maker
from tests.made_parquet import make_columns, write_archive, write_parquet

REPORTS = ROOT / "tests" / "reference" / "oneapi_reports"
CONFIGS = ROOT / "configs"
STUDY = ROOT / "checkpoints" / "reference" / "studies" / "qat_width"


@dataclass(frozen=True)
class Target:
    """A parser.

    Attributes:
        name: of the target.
        seeds: valid input.
        read: parses a file with the input; raises whatever it raises.
        share: how often it is chosen.
    """

    name: str
    seeds: list[bytes]
    read: Callable[[Path], object]
    share: float


def outcome(target: Target, data: bytes) -> str:
    """Return `read`, or the one line with which the input is refused.

    Raises:
        Exception: anything else that a user would see as a traceback.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "input")
        path.write_bytes(data)
        try:
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                target.read(path)
        except (Exception, SystemExit) as error:
            line = one_line(error)
            if line is None and not (isinstance(error, SystemExit) and error.code in (0, 2)):
                raise
            return line or "help"
    return "read"


@functools.cache
def targets() -> tuple[Target, ...]:
    """Return all of them."""
    with tempfile.TemporaryDirectory() as folder:
        return (
            Target("jets", [_jets(Path(folder, "jets.h5"))], lambda path: read_jets(str(path)), 1),
            Target("events", [_events(Path(folder, "events.h5"))], _read_events, 1),
            Target("constituents", [_constituents(Path(folder, "constituents.h5"))], _read_image, 1),
            Target("jets of numpy", [_arrays(np.savez, **_JETS)], lambda path: read_jets(str(_named(path, ".npz"))), 1),
            Target(
                "events of numpy",
                [_arrays(np.save, make_events(5))],
                lambda path: _read_events(_named(path, ".npy")),
                1,
            ),
            Target(
                "events of parquet",
                [write_parquet(Path(folder, "a.parquet"), make_columns(5)).read_bytes()],
                lambda path: _read_objects(_named(path, ".parquet")),
                1,
            ),
            Target(
                "archive of parquet",
                [write_archive(Path(folder, "a.tar"), {"zerobias/run/test": make_columns(5)}).read_bytes()],
                lambda path: _read_objects(_named(path, ".tar")),
                1,
            ),
            *(Target(name, [content], read, 0.3) for name, content, read in made_tables()),
            Target("checkpoint", [_checkpoint(Path(folder, "slim.ckpt"))], load_trained, 0.5),
            Target("qonnx", [_qonnx(Path(folder, "model.onnx")), _convolutional()], _read_graph, 1),
            *_reports(),
            Target("results", [(STUDY / "results.csv").read_bytes()], _read_results, 0.5),
            Target("plan", [(STUDY / "study.json").read_bytes()], _read_plan, 0.5),
            Target("study", _texts(CONFIGS / "study"), _read_study, 1),
            Target("scan", [b"seed=1,2,3 network.weight.width,network.bias.width=3,4 l1=1e-3"], _read_scan, 1),
            Target("precision", [b"fixed<16,6>", b"ufixed<8,0>", b"fixed<16,6,TRN,WRAP>"], _read_precision, 2),
            Target("experiment", _texts(CONFIGS / "experiment"), _read_config, 0.02),
            Target("arguments", [_ARGUMENTS], _read_command, 0.02),
            Target("names", [_ARGUMENTS], _read_names, 2),
            Target("formats", _FORMATS, _read_formats, 0.2),
        )


_ARGUMENTS = (
    b"experiment=jets_qat data.source=simulated network.weight.width=6 pruning.sparsity=0.5 trainer.max_epochs=2"
)


_FORMATS = [
    b"[fixed<4,2>,{width: 3, integer: 1},fixed<4,2,RND_CONV,SAT_SYM>]",
    b"fixed<4,2>",
    b"ufixed<8,0>",
    b"{width: 4, integer: 2, narrow: true}",
    b"[fixed<4, 2>, 'fixed<6,-1>', \"ufixed<8,1>\"]",
]
_JETS = {"X": np.linspace(0, 1, 12).reshape(6, 2), "y": np.array(["g", "q"] * 3), "class_names": ["g", "q"]}


def _arrays(save: Callable[..., None], *arrays: object, **named: object) -> bytes:
    file = io.BytesIO()
    save(file, *arrays, **named)
    return file.getvalue()


def _named(path: Path, suffix: str) -> Path:
    return path.rename(path.with_suffix(suffix))


def _texts(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.glob("*.yaml"))]


def _text(path: Path) -> str:
    return path.read_text(errors="replace")


def _words(path: Path) -> list[str]:
    try:
        return shlex.split(_text(path))
    except ValueError:
        return _text(path).split()


def _jets(path: Path) -> bytes:
    with h5py.File(path, "w") as file:
        file.attrs["feature_names"], file.attrs["class_names"] = ["a", "b"], ["g", "q"]
        file.create_dataset("X", data=np.linspace(0, 1, 12).reshape(6, 2), compression="gzip")
        file["y"] = np.array([0, 1, 0, 1, 0, 1])
    return path.read_bytes()


def _constituents(path: Path) -> bytes:
    with h5py.File(path, "w") as file:
        file.attrs["class_names"] = ["g", "q"]
        file.create_dataset("constituents", data=np.linspace(0, 1, 36).reshape(6, 2, 3), compression="gzip")
        file["y"] = np.array([0, 1, 0, 1, 0, 1])
    return path.read_bytes()


def _read_image(path: Path) -> None:
    read_jets(str(path), "image", constituents=2)


def _events(path: Path) -> bytes:
    return write_events(path, background=make_events(5), signal=make_events(3)).read_bytes()


def _read_events(path: Path) -> None:
    for name in particle_sets(path):
        read_particles(path, name)


def _read_objects(path: Path) -> None:
    for name in event_names(path):
        read_objects(path, name)
        read_accepted(path, name)


def _checkpoint(path: Path) -> bytes:
    slim(ROOT / "checkpoints" / "reference" / "jets_qat.ckpt", path)
    return path.read_bytes()


def _qonnx(path: Path) -> bytes:
    number, narrow = FixedPoint(8, 3), FixedPoint(4, 2, narrow=True)
    formats = {"weight": narrow, "bias": narrow, "activation": FixedPoint(4, 1, signed=False)}
    torch.manual_seed(0)
    write_qonnx(MLP(3, [4], 2, input=number, output=number, **formats).eval(), path)
    return path.read_bytes()


def _convolutional() -> bytes:
    """Return a network of others: a convolution, pooling, a residual, and a shape that is computed."""
    maker, generator = Maker(), np.random.default_rng(0)
    x = maker.quant(maker.input(2, 6), 5, 0.5)
    x = maker.add("Conv", x, maker.weights(generator, 2, 2, 3), kernel_shape=[3], pads=[1, 1])
    x = maker.quant(maker.add("Relu", x), 4, [[[0.5], [1.0]]], signed=0)
    x = maker.add("MaxPool", x, kernel_shape=[2], strides=[2])
    x = maker.add("Add", x, maker.add("Clip", x, maker.constant(0.0), maker.constant(1.0)))
    shape = maker.add("Concat", maker.constant([1], np.int64), maker.constant([-1], np.int64), axis=0)
    x = maker.add("Gemm", maker.add("Reshape", x, shape), maker.weights(generator, 3, 6), transB=1)
    return maker.model(maker.add("Softmax", x), batch="batch").SerializeToString()


def _read_graph(path: Path) -> None:
    read_graph(path)


def _reports() -> list[Target]:
    readers = {"estimate": read_estimate, "fit": read_fit, "schedule": read_schedule}
    folder = REPORTS / "dense_relu_io_stream"
    files = ("summary", "quartus", "loop_attr")
    seeds = [(folder / f"{name}.ndjson").read_bytes() for name in files]
    return [Target(name, seeds[place : place + 1], read, 0.5) for place, (name, read) in enumerate(readers.items())]


def _read_results(path: Path) -> None:
    shutil.copy(STUDY / "study.json", path.parent)
    path.rename(path.with_name("results.csv"))
    read_study(path.parent)


def _read_plan(path: Path) -> None:
    shutil.copy(STUDY / "results.csv", path.parent)
    path.rename(path.with_name("study.json"))
    read_study(path.parent)


def _read_study(path: Path) -> None:
    path.rename(path.with_name("input.yaml"))
    read_study_file(path.parent / "input.yaml")


def _read_scan(path: Path) -> None:
    read_arguments({key: value for key, _, value in (word.partition("=") for word in _words(path))})


def _read_precision(path: Path) -> None:
    FixedPoint.parse(_text(path))


def _read_config(path: Path) -> None:
    _check(["fit", f"--config={path}"])


def _read_command(path: Path) -> None:
    _check(train_arguments(_words(path), CONFIGS))


def _read_names(path: Path) -> None:
    arguments = train_arguments(_words(path), CONFIGS)
    check_keys(arguments, config_files(arguments))


def _read_formats(path: Path) -> None:
    """Build the network whose weights have the formats of a text."""
    parser = ArgumentParser(parser_mode=MODE, **PARSER_SETTINGS)
    parser.add_subclass_arguments(Network, "network", required=True)
    others = {"hidden": "[8,8]", "input": "fixed<9,4>", "bias": "fixed<6,2>", "activation": "ufixed<6,1>"}
    words = ["--network=nanotrigger.networks.MLP", *(f"--network.{name}={value}" for name, value in others.items())]
    words.append(f"--network.weight={_text(path)}")
    with said_plainly(words):
        parser.instantiate(parser.parse_args(words))


def _check(arguments: list[str]) -> None:
    """Do all that train.py does with arguments, but train."""
    before = sys.argv
    sys.argv = ["train.py"]
    try:
        training.train(arguments, cli=training.CheckCLI)
    finally:
        sys.argv = before
