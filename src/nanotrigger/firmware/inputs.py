"""Inputs: the events by which a network is judged, and extreme ones, in the order of the network's inputs."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nanotrigger.data.hdf5 import data_set, opened, values_or_texts
from nanotrigger.data.numpy_files import headers, is_numpy, read_array
from nanotrigger.data.split import Events
from nanotrigger.errors import InputError
from nanotrigger.evaluation.performance import Performance
from nanotrigger.files import sha256
from nanotrigger.firmware.vectors import extreme_inputs, spread
from nanotrigger.graph.graph import Graph
from nanotrigger.numbers import FixedPoint
from nanotrigger.tasks.jets.measures import accuracy_of

Array = NDArray[np.float64]

EXTREME_SEED = 0
LEAST_WORDS = 10_000  # of output that are compared, if no events are given
_EXTREMES = 1024
_MOST = {"nodes": 500, "inputs": 1 << 16}  # of a network whose proof ends


class Side(NamedTuple):
    """An input of a network: the format of its words, and its shape without the batch."""

    number: FixedPoint
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Number of values."""
        return math.prod(self.shape)


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a network is judged by.

    Attributes:
        values: shape (rows, values of all inputs of the network), events first.
        events: how many rows are events; the others are extreme.
        description: which these are.
        sha256: of the file that they come from; None if they are random.
        classes: to which the events belong, shape (events,); None if they are not known.
        remark: why the labels of the file are no classes of the network; empty if they are, or if there are none.
    """

    values: Array
    events: int
    description: str
    sha256: str | None = None
    classes: NDArray[np.int64] | None = None
    remark: str = ""

    def of(self, rows: NDArray[np.intp]) -> "Inputs":
        """Return some of the events; there must be no extreme ones."""
        classes = None if self.classes is None else self.classes[rows]
        return replace(self, values=self.values[rows], events=len(rows), classes=classes)

    @property
    def record(self) -> dict[str, Any]:
        """What parity.json says of them."""
        return {
            "events": {"samples": self.events, "description": self.description},
            "extremes": {"samples": len(self.values) - self.events, "seed": EXTREME_SEED},
        }


def by_input(graph: Graph, values: Array) -> dict[str, Array]:
    """Return the features of each input, shape (rows, *shape), by its name in the file."""
    ends = np.cumsum([node.size for node in graph.inputs])[:-1]
    parts = np.split(values, ends, axis=1)
    return {
        node.inputs[0]: part.reshape(len(values), *node.shape) for node, part in zip(graph.inputs, parts, strict=True)
    }


def input_values(graph: Graph, words: NDArray[Any]) -> Array:
    """Return what input words are worth, shape (rows, values of all inputs)."""
    steps = np.concatenate([np.full(node.size, node.number.step) for node in graph.inputs])
    return np.asarray(words.astype(np.float64) * steps)


def check_size(what: str, size: int) -> None:
    """Check that firmware and proof of a network end: of its `nodes`, or of its `inputs`.

    Raises:
        InputError: they are too many.
    """
    if size > (most := _MOST[what]):
        raise InputError(f"the network has {size:,} {what}, in firmware at most {most:,}; export a smaller network")


def sides_of(graph: Graph) -> tuple[Side, ...]:
    """Return the inputs of a graph."""
    return tuple(Side(node.number, node.shape) for node in graph.inputs)


def random_inputs(
    sides: Sequence[Side],
    words: int,
    *,
    within: FixedPoint,
    extreme: bool = True,
    normal: bool = False,
    most: int | None = None,
) -> Inputs:
    """Return random values within the formats, then extreme ones.

    Args:
        sides: inputs of the network.
        words: of output, of an event.
        within: what is said of the range of the values.
        extreme: whether there are extreme ones.
        normal: whether values are of a standard normal distribution, as those of a float network usually are.
        most: how many events there may be.
    """
    extremes = _extremes(sides) if extreme else np.empty((0, sum(side.size for side in sides)))
    events = max(math.ceil(LEAST_WORDS / words) - len(extremes), _EXTREMES)
    events = events if most is None else min(events, most)
    generator = np.random.default_rng(EXTREME_SEED)
    if normal:
        parts = [generator.normal(size=(events, side.size)) for side in sides]
    else:
        parts = [generator.uniform(side.number.minimum, side.number.maximum, (events, side.size)) for side in sides]
    drawn = np.concatenate(parts, axis=1).astype(np.float32).astype(np.float64)
    distribution = "standard normal" if normal else f"uniform within {within}"
    description = f"{events:,} random inputs, {distribution}, seed {EXTREME_SEED}"
    return Inputs(np.concatenate([drawn, extremes]), events, description)


def read_inputs(
    file: Path, sides: Sequence[Side], words: int, *, extreme: bool = True, most: int | None = None
) -> Inputs:
    """Return the events of a file with their labels, if it has some, then extreme values; arguments as above.

    If there are more events than `most`, they are some that are spread over the file.

    Raises:
        InputError: there is no such file, it does not hold finite inputs of this network, or labels of other classes.
    """
    if not file.is_file():
        raise InputError(f"data={file}: no such file; give one with the network's inputs")
    values, labels = _read(file)
    size = sum(side.size for side in sides)
    if not len(values) or not _has_shape(values, sides, size) or values.dtype.kind not in "fiu":
        shapes = " and ".join(str(("events", *side.shape)).replace("'", "") for side in sides)
        raise InputError(
            f"data={file}: X has shape {values.shape} of {values.dtype}; the network reads {shapes}: bring the axes of "
            f"X into this order, or give (events, {size}) numbers in this order"
        )
    if labels is not None and len(labels) != len(values):
        raise InputError(f"data={file}: {len(values):,} events X, but {len(labels):,} labels y; give one for each")
    with np.errstate(over="ignore"):  # infinite, which is refused
        values = values.reshape(len(values), -1).astype(np.float32).astype(np.float64)
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        raise InputError(f"data={file}: X[{wrong[0][0]}] has {values[tuple(wrong[0])]}; clean the data")
    description, classes = f"{file.name}, all {len(values):,}", _classes(labels)
    remark = _misfit(file, labels, classes, words)
    classes = None if remark else classes
    if most is not None and most < len(values):
        rows = spread(len(values), most)
        description = f"{file.name}, {len(rows):,} of {len(values):,}, because the network is large"
        values, classes = values[rows], None if classes is None else classes[rows]
    if not extreme:
        return Inputs(values, len(values), description, sha256(file), classes, remark)
    return Inputs(np.concatenate([values, _extremes(sides)]), len(values), description, sha256(file), classes, remark)


def accuracy_of_classes(inputs: Inputs, outputs: Array) -> Performance | None:
    """Return how well outputs of shape (rows, outputs) classify the events; None without classes, or of one output."""
    classes = inputs.classes
    if classes is None or outputs.shape[1] < 2:
        return None
    names = tuple(map(str, range(outputs.shape[1])))
    events = Events(inputs.values[: inputs.events], classes, names, inputs.description, inputs.sha256 or "")
    return accuracy_of(events, outputs[: inputs.events])


def accuracies(inputs: Inputs, reference: Array, outputs: Array) -> dict[str, float]:
    """Return how well the file and the firmware classify the events, for parity.json; arguments as above."""
    found = {"file": accuracy_of_classes(inputs, reference), "firmware": accuracy_of_classes(inputs, outputs)}
    return {f"{figure.key}_{name}": figure.value for name, figure in found.items() if figure is not None}


def _read(file: Path) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return `X`, and `y` if the file has it."""
    if is_numpy(file):
        named = file.suffix.lower() == ".npz"
        labels = read_array(file, "y") if named and "y" in headers(file) else None
        if named and "X" not in headers(file):
            raise InputError(f"data={file}: there is no X; write the network's inputs under that name")
        return np.asarray(read_array(file, "X" if named else file.stem)), labels
    with opened(file, layout="X (events, ...), and y (events) if there are labels") as content:
        labels = values_or_texts(content, "y") if "y" in content else None
        return np.asarray(data_set(content, "X")[:]), labels


def _classes(labels: NDArray[Any] | None) -> NDArray[np.int64] | None:
    """Return the class of each event, of its number or of a column for each class; None if they are something else."""
    if labels is None or labels.dtype.kind not in "fiub":
        return None
    if labels.ndim == 2 and labels.shape[1] > 1:
        is_one = ((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()
        return labels.argmax(axis=1) if is_one else None
    numbers = labels.reshape(len(labels), -1)
    if numbers.shape[1] != 1 or not (numbers >= 0).all() or not (numbers == np.rint(numbers)).all():
        return None
    return numbers[:, 0].astype(np.int64)


def _has_shape(values: NDArray[Any], sides: Sequence[Side], size: int) -> bool:
    """Whether events are flat, or have the shape of the only input; axes of size one, which move nothing, apart."""
    flat = values.shape[1:] == (size,)
    shapes = [tuple(axis for axis in shape if axis != 1) for shape in (values.shape[1:], sides[0].shape)]
    return flat or (values.ndim > 1 and len(sides) == 1 and shapes[0] == shapes[1])


def _misfit(file: Path, labels: NDArray[Any] | None, classes: NDArray[np.int64] | None, words: int) -> str:
    """Say why labels are no classes of a network with so many outputs; nothing if they are, or if it has one only.

    Raises:
        InputError: they are integers, but not those of the outputs.
    """
    if labels is None or words < 2:
        return ""
    remedy = f"give classes 0 to {words - 1}, one for each output, or leave y out"
    numbers = labels.ravel() if labels.dtype.kind in "iu" and labels.size == len(labels) else classes
    if numbers is not None and labels.dtype.kind in "iub":
        wrong = numbers[(numbers < 0) | (numbers >= words)]
        if wrong.size:
            raise InputError(f"data={file}: y has label {wrong[0]}, but the network {words} outputs; {remedy}")
    if classes is None or classes.max() >= words:
        return f"data={file}: the labels y are no classes, so there is no accuracy; {remedy}"
    return ""


def _extremes(sides: Sequence[Side]) -> Array:
    """Return extreme values of all inputs, each for its own format."""
    parts = [extreme_inputs(side.number, side.size, rows=_EXTREMES, seed=EXTREME_SEED) for side in sides]
    least = min(len(part) for part in parts)
    return np.concatenate([part[len(part) - least :] for part in parts], axis=1)
