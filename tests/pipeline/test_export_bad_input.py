"""Whatever is wrong with a QONNX file for export.py: one line that names it, exit code 2, nothing on disk."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.command import forked, limit_memory, run_script
from tests.made_models import Maker

MEMORY = 3 << 30  # bytes, beyond what Python has


def limited(*arguments: str) -> None:
    """Be export.py with little memory."""
    limit_memory(MEMORY)
    run_script("export.py", *arguments)


def small() -> tuple[Maker, str]:
    """Return a maker of a dense layer between quantizers, and its output."""
    maker = Maker()
    x = maker.add("MatMul", maker.quant(maker.input(4), 6, 0.25), maker.weights(np.random.default_rng(0), 4, 3))
    return maker, maker.quant(x, 8, 0.25, name="last")


def written(change: Callable[[onnx.ModelProto], None]) -> Callable[[Path], None]:
    """Return what writes the small network, changed."""

    def write(path: Path) -> None:
        maker, output = small()
        model = maker.model(output, batch="batch")
        change(model)
        path.write_bytes(model.SerializeToString())

    return write


def weights_of(model: onnx.ModelProto) -> TensorProto:
    return next(constant for constant in model.graph.initializer if list(constant.dims) == [4, 3])


def content(data: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(data)


def behind(kind: str, *inputs: str, **attributes) -> Callable[[Path], None]:
    """Return what writes the small network with one more node."""

    def write(path: Path) -> None:
        maker, output = small()
        maker.write(path, maker.add(kind, output, *(inputs or ()), name="odd", **attributes))

    return write


def reads(kind: str, *constants, shape: tuple = (4,), **attributes) -> Callable[[Path], None]:
    """Return what writes a node that reads the input's words, and constants."""

    def write(path: Path) -> None:
        maker = Maker()
        x = maker.quant(maker.input(*shape), 6, 0.25, name="first")
        x = maker.add(kind, x, *(maker.constant(*constant) for constant in constants), name="odd", **attributes)
        maker.write(path, maker.quant(x, 6, 0.25))

    return write


def outside(location: str, prepare: Callable[[Path], object] = lambda folder: None, **entries: str):
    """Return what writes the small network with its weights in another file."""

    def change(model: onnx.ModelProto) -> None:
        weights = weights_of(model)
        weights.ClearField("raw_data")
        weights.data_location = TensorProto.EXTERNAL
        for key, value in {"location": location, **entries}.items():
            weights.external_data.add(key=key, value=value)

    def write(path: Path) -> None:
        prepare(path.parent)
        written(change)(path)

    return write


def linked(folder: Path) -> None:
    (folder / "secret").write_bytes(bytes(48))
    (folder / "link").symlink_to(folder / "secret")


def two_gb(path: Path) -> None:
    """Write a network of weights of 2 GB in a sparse file."""
    maker = Maker()
    maker.constants.append(TensorProto(name="many", data_type=TensorProto.FLOAT, dims=[4, 1 << 27]))
    model = maker.model(maker.add("MatMul", maker.quant(maker.input(4), 6, 0.25), "many"), batch="batch")
    many = next(constant for constant in model.graph.initializer if constant.name == "many")
    many.data_location = TensorProto.EXTERNAL
    many.external_data.add(key="location", value="many.data")
    with (path.parent / "many.data").open("wb") as file:
        file.truncate(1 << 31)
    path.write_bytes(model.SerializeToString())


def sparse_gb(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 31)


def ten_million(path: Path) -> None:
    maker, generator = Maker(), np.random.default_rng(0)
    x = maker.quant(maker.input(32, 32, 32), 6, 0.25)
    maker.write(path, maker.add("Conv", x, maker.weights(generator, 64, 32, 3, 3), kernel_shape=[3, 3], name="large"))


def one_after_another(kind: str, times: int, *constants) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        maker = Maker()
        x = maker.quant(maker.input(4), 6, 0.25)
        for place in range(times):
            x = maker.add(kind, x, *map(maker.constant, constants), name=f"{kind.lower()}_{place + 1}")
        maker.write(path, maker.quant(x, 6, 0.25))

    return write


def growing_constant(path: Path) -> None:
    maker, output = small()
    x = maker.constant(np.ones((1, 3)))
    for _ in range(40):
        x = maker.add("Concat", x, x, axis=1)
    maker.write(path, maker.add("Add", output, maker.add("ReduceSum", x, maker.constant([1], np.int64))))


def cycle(model: onnx.ModelProto) -> None:
    model.graph.node.append(helper.make_node("Add", ["last_out", "second_out"], ["first_out"], "first"))
    model.graph.node.append(helper.make_node("Relu", ["first_out"], ["second_out"], "second"))
    model.graph.output[0].name = "first_out"


def opset(version: int) -> Callable[[onnx.ModelProto], None]:
    def change(model: onnx.ModelProto) -> None:
        model.opset_import[0].version = version

    return change


def of_shape(*axes: int | str) -> Callable[[onnx.ModelProto], None]:
    return lambda model: model.graph.input[0].CopyFrom(
        helper.make_tensor_value_info("features", TensorProto.FLOAT, axes)
    )


def weights_as(change: Callable[[TensorProto], object]) -> Callable[[Path], None]:
    return written(lambda model: change(weights_of(model)) and None)


def same_weights(**fields) -> Callable[[TensorProto], None]:
    def change(weights: TensorProto) -> None:
        for field, value in fields.items():
            setattr(weights, field, value)

    return change


def filled(value: float) -> Callable[[TensorProto], None]:
    def change(weights: TensorProto) -> None:
        weights.raw_data = np.full((4, 3), value, np.float32).tobytes()

    return change


BODY = helper.make_graph([], "body", [], [])
VALID = written(lambda model: None)

FILES = [
    (lambda path: None, "made.onnx: no such QONNX file"),
    (lambda path: path.mkdir(), "made.onnx: a folder; give a QONNX file"),
    (lambda path: os.mkfifo(path), "made.onnx: no such QONNX file"),
    (content(b""), "made.onnx: no network, or no ONNX file"),
    (content(b"\n"), "made.onnx: damaged, or no ONNX file"),
    (content(b"<!doctype html><title>404</title>"), "made.onnx: damaged, or no ONNX file"),
    (sparse_gb, "made.onnx: larger than 256 MB"),
    (two_gb, "made.onnx: its constants take more than 256 MB"),
    (outside("../secret"), "the constant 'constant_3' lies in another file; save the model in one file"),
    (outside("/etc/passwd"), "the constant 'constant_3' lies in another file; save the model in one file"),
    (outside("link", linked), "the constant 'constant_3' lies in another file; save the model in one file"),
    (outside("gone.data"), "no file gone.data beside it, which holds the constant 'constant_3'; put it there"),
    (outside("short", lambda folder: (folder / "short").write_bytes(bytes(5))), "does not hold the constant"),
    (outside("pipe", lambda folder: os.mkfifo(folder / "pipe")), "no file pipe beside it"),
    (behind("If", then_branch=BODY, else_branch=BODY), "node odd: If is control flow"),
    (behind("Loop", body=BODY), "node odd: Loop is control flow"),
    (behind("Scan", body=BODY, num_scan_inputs=1), "node odd: Scan is control flow"),
    (behind("Frobnicate"), "node odd: Frobnicate is no operator of ONNX"),
    (behind("FusedMatMul", domain="com.microsoft"), "node odd: FusedMatMul is no operator of ONNX"),
    (behind("Round"), "node odd: Round is not among"),
    (written(opset(7)), "ONNX opset 7; export the network with opset 9 to 24"),
    (written(opset(1000)), "ONNX opset 1000; export the network with opset 9 to 24"),
    (written(lambda model: model.ClearField("opset_import")), "ONNX opset 0; export the network with opset 9 to 24"),
    (reads("MatMul", (np.ones((5, 3)),)), "shapes do not fit: "),
    (reads("Gather", ([99], np.int64), axis=1), "node odd: Gather cannot be computed"),
    (weights_as(filled(np.nan)), "constant 'constant_3' of quant_1: 12 of 12 values are NaN or infinite; train"),
    (weights_as(filled(np.inf)), "constant 'constant_3' of quant_1: 12 of 12 values are NaN or infinite; train"),
    (written(cycle), "a cycle: first reads second reads first; only networks without feedback can be read"),
    (written(lambda model: model.graph.ClearField("output")), "the network has no input or no output"),
    (written(lambda model: model.graph.ClearField("input")), "the network has no input or no output"),
    (written(lambda model: model.graph.ClearField("node")), "made.onnx: no network"),
    (written(lambda model: model.graph.output.append(model.graph.output[0])), "output 'last_out' of the network is"),
    (
        written(lambda model: model.graph.input.append(model.graph.input[0])),
        "input 'features' of the network is listed",
    ),
    (written(lambda model: model.graph.initializer.append(weights_of(model))), "there are two constants 'constant_3'"),
    (written(lambda model: model.graph.node.append(model.graph.node[-1])), "another node computes last_out as well"),
    (
        written(lambda model: model.graph.initializer.append(numpy_helper.from_array(np.ones(1), "last_out"))),
        "node last: an input or a constant is called last_out as well; export",
    ),
    (written(of_shape("batch", "length")), "input 'features': axis 1 has no fixed size; only the batch may vary"),
    (written(of_shape(4)), "input 'features': its shape must be (batch, values, …)"),
    (written(of_shape("batch", 1 << 40)), "shapes do not fit: "),
    (
        written(lambda model: setattr(model.graph.input[0].type.tensor_type, "elem_type", TensorProto.UINT8)),
        "input 'features' is of type UINT8; export it with float32",
    ),
    (
        written(lambda model: model.graph.initializer.remove(weights_of(model))),
        "node quant_1 reads constant_3, which nothing computes; export the network again",
    ),
    (weights_as(same_weights(raw_data=bytes(7))), "constant 'constant_3' of quant_1 is damaged, or no plain numbers"),
    (weights_as(same_weights(data_type=TensorProto.STRING)), "constant 'constant_3' of quant_1 is damaged"),
    (weights_as(same_weights(data_type=99)), "constant 'constant_3' of quant_1 is damaged, or no plain numbers"),
    (reads("Add", ([1] * 4, np.int64)), "node odd reads constant_3 of type INT64; export the network with float32"),
    (reads("Quant", (np.ones((1, 7)),), (0.0,), (4.0,), domain="q"), "node odd: formats of shape (1, 7) do not fit"),
    (
        reads("Conv", (np.ones((2, 1, 3, 3)),), shape=(1, 6, 6), kernel_shape=[2, 2]),
        "node odd: its kernel_shape is not that of its constants; export it again",
    ),
    (
        reads("MaxPool", shape=(1, 6, 6), kernel_shape=[1 << 20] * 2, pads=[(1 << 20) - 1] * 4),
        "node odd: with it the network has",
    ),
    (reads("Tile", ([1, 1 << 40], np.int64)), "node odd: with it the network has 4,398,046,511,104 values, at most"),
    (ten_million, "node large: with it the network has"),
    (one_after_another("Relu", 10_000), "10,002 nodes; at most 10,000 can be read"),
    (one_after_another("Mul", 600, 0.5), "the network has 602 nodes, in firmware at most 500"),
    (one_after_another("Mul", 20, 2.0**100), "node mul_11: words of 6 bits that are worth 2^1098"),
    (growing_constant, "with it the file computes more than 16,777,216 constants"),
]


@pytest.mark.parametrize(("write", "message"), FILES)
def test_a_file_is_refused_in_one_line(write, message, tmp_path):
    refused(tmp_path, write, message)


@pytest.mark.parametrize("share", np.linspace(0.02, 0.98, 12))
def test_a_file_that_ends_too_early(share, tmp_path):
    def write(path: Path) -> None:
        VALID(path)
        path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])

    refused(tmp_path, write, "made.onnx: damaged, or no ONNX file; export the network again")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"X": np.zeros((5, 7))}, "data.npz: X has shape (5, 7) of float64; the network reads (events, 4)"),
        ({"X": np.zeros((0, 4))}, "data.npz: X has shape (0, 4) of float64; the network reads (events, 4)"),
        ({"X": np.full((5, 4), np.nan)}, "data.npz: X[0] has nan; clean the data"),
        ({"X": np.full((5, 4), 1e300)}, "data.npz: X[0] has inf; clean the data"),
        ({"X": np.full((5, 4), "a")}, "data.npz: X has shape (5, 4) of <U1; the network reads (events, 4)"),
        ({"Y": np.zeros((5, 4))}, "data.npz: there is no X; write the network's inputs under that name"),
    ],
)
def test_data_that_are_not_the_networks(arrays, message, tmp_path):
    np.savez(tmp_path / "data.npz", **arrays)
    refused(tmp_path, VALID, message, f"data={tmp_path / 'data.npz'}")


def refused(folder: Path, write: Callable[[Path], object], message: str, *arguments: str) -> None:
    """Check that a file ends in one line, and leaves nothing behind."""
    write(folder / "made.onnx")
    before = sorted(folder.rglob("*"))
    done = forked(limited, f"qonnx={folder / 'made.onnx'}", *arguments)
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
    assert sorted(folder.rglob("*")) == before
