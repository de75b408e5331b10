"""Inputs: the events by which a network is judged, and extreme ones, in the order of the network's inputs."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotrigger.data.hdf5 import data_set, opened
from nanotrigger.data.numpy_files import is_numpy, read_array
from nanotrigger.errors import InputError
from nanotrigger.files import sha256
from nanotrigger.firmware.vectors import extreme_inputs
from nanotrigger.graph.graph import Graph
from nanotrigger.numbers import FixedPoint

Array = NDArray[np.float64]

EXTREME_SEED = 0
LEAST_WORDS = 10_000  # of output that are compared, if no events are given
_EXTREMES = 1024


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a network is judged by.

    Attributes:
        values: shape (rows, values of all inputs of the network), events first.
        events: how many rows are events; the others are extreme.
        description: which these are.
        sha256: of the file that they come from; None if they are random.
    """

    values: Array
    events: int
    description: str
    sha256: str | None = None

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


def random_inputs(graph: Graph, number: FixedPoint) -> Inputs:
    """Return random values within the formats, then extreme ones."""
    words = sum(graph.tensors[name].size for name in graph.outputs)
    extremes = _extremes(graph)
    events = max(math.ceil(LEAST_WORDS / words) - len(extremes), _EXTREMES)
    generator = np.random.default_rng(EXTREME_SEED)
    parts = [generator.uniform(node.number.minimum, node.number.maximum, (events, node.size)) for node in graph.inputs]
    drawn = np.concatenate(parts, axis=1).astype(np.float32).astype(np.float64)
    description = f"{events:,} random inputs, uniform within {number}, seed {EXTREME_SEED}"
    return Inputs(np.concatenate([drawn, extremes]), events, description)


def read_inputs(file: Path, graph: Graph) -> Inputs:
    """Return the events of a file, then extreme values.

    Raises:
        InputError: there is no such file, or it does not hold finite inputs of this network.
    """
    if not file.is_file():
        raise InputError(f"data={file}: no such file; give one with the network's inputs")
    if is_numpy(file):
        values = np.asarray(read_array(file, "X"))
    else:
        with opened(file, layout="X (events, ...)") as content:
            values = np.asarray(data_set(content, "X")[:])
    size = sum(node.size for node in graph.inputs)
    if values.ndim < 2 or not len(values) or math.prod(values.shape[1:]) != size or values.dtype.kind not in "fiu":
        shapes = " and ".join(str(("events", *node.shape)).replace("'", "") for node in graph.inputs)
        raise InputError(f"data={file}: X has shape {values.shape} of {values.dtype}; the network reads {shapes}")
    values = values.reshape(len(values), -1).astype(np.float32).astype(np.float64)
    wrong = np.argwhere(~np.isfinite(values))
    if len(wrong):
        raise InputError(f"data={file}: X[{wrong[0][0]}] has {values[tuple(wrong[0])]}; clean the data")
    description = f"{file.name}, all {len(values):,}"
    return Inputs(np.concatenate([values, _extremes(graph)]), len(values), description, sha256(file))


def _extremes(graph: Graph) -> Array:
    """Return extreme values of all inputs, each for its own format."""
    parts = [extreme_inputs(node.number, node.size, rows=_EXTREMES, seed=EXTREME_SEED) for node in graph.inputs]
    least = min(len(part) for part in parts)
    return np.concatenate([part[len(part) - least :] for part in parts], axis=1)
