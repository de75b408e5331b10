"""Convert a QONNX network into a firmware project for oneAPI."""

import hashlib
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path

import onnx

from nanotrigger.errors import InputError
from nanotrigger.files import whole_folder
from nanotrigger.firmware.backends.oneapi.model_graph import build_model_graph, layers_of
from nanotrigger.firmware.backends.oneapi.radius import append_radius
from nanotrigger.firmware.backends.oneapi.softmax import LAYER as SOFTMAX
from nanotrigger.firmware.backends.oneapi.softmax import append_softmax
from nanotrigger.firmware.record import FILE, Firmware, write_record
from nanotrigger.graph.onnx_file import input_format, is_quantized, load_model, output_format
from nanotrigger.numbers import FixedPoint

_PRECISION = re.compile(
    r"u?fixed<\d+,-?\d+(,(TRN|TRN_ZERO|RND|RND_ZERO|RND_INF|RND_MIN_INF|RND_CONV)(,(WRAP|SAT|SAT_ZERO|SAT_SYM))?)?>"
)
_SETTINGS = "hls4ml_config.yml"
_NAME = re.compile(r"(?!(defines|parameters|nnet_\w*)$)[a-z][a-z0-9_]*")  # not that of a generated header


def convert(
    model: Path,
    project: Path,
    *,
    name: str = "nanotrigger",
    precision: str | None = None,
    input_precision: str | None = None,
    softmax: bool = False,
    radius: bool = False,
    part: str = "Agilex7",
    clock_period: float = 5.0,
    io_type: str = "io_parallel",
    reuse_factor: int = 1,
) -> Firmware:
    """Write the C++ of a network and its build files into a folder; compile nothing.

    In a quantized network every type is that of its quantizers, and sums are wide enough to be exact. The
    folder appears whole or stays as it was; the same arguments give the same files. A vendor build of
    former firmware in the folder goes with it, lest its reports be taken for this one's.

    Args:
        model: cleaned QONNX file with one input and one output, shape (1, values).
        project: folder to write, or to replace if it holds a firmware project.
        name: of the project, in lower case; the kernel is its PascalCase.
        precision: type of everything in a float network, such as `fixed<16,6>`; hls4ml truncates and wraps
            unless the type says otherwise. A quantized network has its own types.
        input_precision: type of the inputs; by default that of the input quantizer, or `precision`.
        softmax: append a softmax to the logits; its probabilities are within about 0.02 of the exact ones.
        radius: append the sum of the squares of all outputs, in words wide enough to be exact.
        part: FPGA family or part number.
        clock_period: target, in ns.
        io_type: `io_parallel` or `io_stream`.
        reuse_factor: how often to use each multiplier. hls4ml takes the nearest value that a layer allows;
            the layers returned say which.

    Raises:
        InputError: an argument is wrong, or hls4ml cannot convert the network.
    """
    _check_name(name)
    _check_target(part, clock_period, io_type, reuse_factor)
    network = _load(model)
    graph = network.graph
    _check_precision(graph, precision)
    precision = precision and _fixed(precision)
    input_precision = _fixed(input_precision or precision or input_format(graph).hls4ml)
    added = {SOFTMAX: append_softmax(graph, _logits_format(graph, precision))} if softmax else {}
    if radius:
        append_radius(graph)
    with whole_folder(project, marker=FILE) as folder:
        with _quiet(model):
            hls = build_model_graph(
                network,
                folder,
                name=name,
                precision=precision,
                input_precision=input_precision,
                added=added,
                part=part,
                clock_period=clock_period,
                io_type=io_type,
                reuse_factor=reuse_factor,
            )
            hls.write()
        _settle(folder, project, hls.config.get_config_value("Stamp"))
        firmware = Firmware(name, part, clock_period, io_type, layers_of(hls, graph))
        write_record(firmware, folder)
    return firmware


def _load(model: Path) -> onnx.ModelProto:
    network = load_model(model)
    ends = len(network.graph.input), len(network.graph.output)
    if ends != (1, 1):
        raise InputError(f"{model} has {ends[0]} inputs and {ends[1]} outputs; firmware has one of each")
    return network


def _logits_format(graph: onnx.GraphProto, precision: str | None) -> FixedPoint:
    number = output_format(graph)
    if number is not None:
        return number
    if precision is None:
        raise InputError("softmax needs logits of a known type; give the network an output format such as fixed<12,6>")
    return FixedPoint.parse(re.sub(r"(,[A-Z_]+)+>", ">", precision))


@contextmanager
def _quiet(model: Path) -> Iterator[None]:
    """Hold back what hls4ml prints; if it fails, say why in one line."""
    with redirect_stdout(StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except Exception as error:  # hls4ml raises plain exceptions of any type
            raise InputError(f"{model}: hls4ml cannot convert it: {type(error).__name__}: {error}") from error


def _settle(folder: Path, project: Path, stamp: str) -> None:
    """Replace the temporary folder's name and hls4ml's random stamp by what the arguments determine."""
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(folder.rglob("*")) if path.is_file()}
    settings = folder / _SETTINGS
    texts[settings] = re.sub(r"(?ms)^OutputDir: .*?(?=^\S)", f"OutputDir: {project.name}\n", texts[settings])
    texts[settings] = re.sub(r"(?m)^Stamp: .*$", f"Stamp: '{stamp}'", texts[settings])  # PyYAML quotes digits alone
    stampless = "".join(texts.values()).replace(stamp, "")
    settled = hashlib.sha256(stampless.encode()).hexdigest()[: len(stamp)]
    for path, text in texts.items():
        path.write_text(text.replace(stamp, settled), encoding="utf-8")


def is_project_name(name: str) -> bool:
    """Whether generated C++ can bear a name: small letters, digits and _, and no name of a generated header."""
    return _NAME.fullmatch(name) is not None


def _check_name(name: str) -> None:
    if not is_project_name(name):
        raise InputError(f"project name {name!r}: use small letters, digits and _, and no name of a generated header")


def _check_target(part: str, clock_period: float, io_type: str, reuse_factor: int) -> None:
    if not re.fullmatch(r"[\w:.-]+", part):
        raise InputError(f"part {part!r} is not a name; write it like Agilex7 or AGFB014R24A2E2V")
    if not clock_period > 0:
        raise InputError(f"clock_period {clock_period}: must be above 0 ns")
    if io_type not in ("io_parallel", "io_stream"):
        raise InputError(f"io_type {io_type!r}: must be io_parallel or io_stream")
    if reuse_factor < 1:
        raise InputError(f"reuse_factor {reuse_factor}: must be at least 1")


def _check_precision(graph: onnx.GraphProto, precision: str | None) -> None:
    if precision is None and not is_quantized(graph):
        raise InputError("the network has no quantizers; give a precision such as fixed<16,6>")
    if precision is not None and is_quantized(graph):
        raise InputError(f"precision {precision} is for float networks; this one has quantizers, omit it")


def _fixed(precision: str) -> str:
    if not _PRECISION.fullmatch(precision):
        raise InputError(f"precision {precision!r} is not a type; write it like fixed<16,6> or fixed<8,4,RND_CONV,SAT>")
    return precision
