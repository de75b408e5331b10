"""Firmware of an integer graph through hls4ml, and in how many words it differs."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanotrigger.firmware.backends import backend_named
from nanotrigger.firmware.flat import Flat
from nanotrigger.firmware.inputs import input_values
from nanotrigger.firmware.target import Target
from nanotrigger.graph.graph import Graph

Array = NDArray[np.float64]


def differing(graph: Graph, features: dict[str, Array], folder: Path, **target: str) -> int:
    """Return in how many words the firmware differs from the graph."""
    events = len(next(iter(features.values())))
    flat, backend = Flat(graph, target.get("io_type", "io_parallel")), backend_named("oneapi")
    folder.mkdir(exist_ok=True)
    flat.write(folder / "flat.onnx")
    settings = {"name": "made", "input_format": flat.number, "formats": flat.exact}
    backend.convert(folder / "flat.onnx", folder / "hls", Target(**target), **settings)
    inputs = input_values(graph, graph.input_words(features))
    found = backend.emulate(folder / "hls", inputs).outputs
    expected = graph.run_all(features)
    return int((found != np.concatenate([part.reshape(events, -1) for part in expected.values()], axis=1)).sum())
