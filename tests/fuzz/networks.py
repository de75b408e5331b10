"""Export random networks and compare every word: python -m tests.fuzz.networks --networks 300.

Of all shapes, formats of 1 to 18 bits and sparsities; each is either computed exactly by its firmware, or refused.
"""

import argparse
import collections
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from nanotrigger.data.split import Events, Standardization
from nanotrigger.errors import InputError
from nanotrigger.firmware.backends import backend_named
from nanotrigger.firmware.proof import judge
from nanotrigger.firmware.qonnx import write_qonnx
from nanotrigger.firmware.target import Target, input_format
from nanotrigger.networks import MLP
from nanotrigger.networks.weights import weighted_layers
from nanotrigger.numbers import FixedPoint
from nanotrigger.training.checkpoint import TrainedNetwork

EVENTS = 2000


@st.composite
def formats(draw: st.DrawFn, *, signed: bool = True, narrow: bool = False, least: int = 1) -> FixedPoint:
    """Return a format of at most 18 bits."""
    width = draw(st.integers(least, 18))
    integer = draw(st.integers(max(width - 24, -6), min(width, 10)))
    return FixedPoint(width, integer, signed=signed, narrow=narrow and width > 1)


@st.composite
def networks(draw: st.DrawFn) -> dict[str, Any]:
    """Return arguments of `build`."""
    hidden = draw(st.lists(st.integers(1, 64), max_size=5))
    depth = len(hidden) + 1
    return {
        "features": draw(st.integers(1, 64)),
        "hidden": hidden,
        "classes": draw(st.integers(2, 8)),
        "input": draw(formats(least=2)),
        "weight": [draw(formats(narrow=True)) for _ in range(depth)],
        "bias": [draw(formats(narrow=True)) for _ in range(depth)],
        "activation": [draw(formats(signed=False, least=2)) for _ in hidden],
        "output": draw(st.none() | formats(least=2)),
        "sparsity": draw(st.floats(0, 1)),
        "seed": draw(st.integers(0, 2**32 - 1)),
    }


def build(*, sparsity: float, seed: int, **arguments: Any) -> MLP:
    """Return a network with random weights, some of them zero and some beyond their format's range."""
    network = MLP(**arguments)
    torch.manual_seed(seed)
    for name, layer in weighted_layers(network).items():
        numbers = (network.formats[f"{name}.{kind}"] for kind in ("weight", "bias"))
        for parameter, number in zip((layer.weight, layer.bias), numbers, strict=True):
            scale = max(abs(number.minimum), number.maximum)
            kept = torch.rand_like(parameter) >= sparsity
            parameter.data = torch.randn_like(parameter) * scale * kept
    return network.eval()


def end_of(network: MLP, folder: Path) -> str:
    """Return `exact`, or why the network is refused.

    Raises:
        AssertionError: the firmware computes something else.
    """
    number: FixedPoint = network.formats["input"]
    features = np.random.default_rng(0).normal(scale=number.maximum / 2, size=(EVENTS, network.features))
    classes = network.configuration["classes"]
    names = tuple(f"class_{place}" for place in range(classes))
    labels = np.arange(EVENTS) % classes
    events = Events(features.astype(np.float32).astype(float), labels, names, "random inputs", "0" * 64)
    standardization = Standardization(torch.zeros(network.features), torch.ones(network.features))
    trained = TrainedNetwork(network, "JetTagging", {"class_names": names}, standardization, 0, "0" * 64)
    target = Target()
    try:
        write_qonnx(network, folder / "model.onnx")
        backend = backend_named(target.backend)
        model, project, number = folder / "model.onnx", folder / backend.folder, input_format(network, target)
        firmware = backend.convert(model, project, target, name="random", input_format=number)
    except InputError as error:
        return str(error)
    parity = judge(trained, events, target, firmware, folder).parity
    assert parity["differing_words"] == 0, parity
    return "exact"


def check(count: int) -> collections.Counter[str]:
    """Export so many networks and return how they ended."""
    ends: collections.Counter[str] = collections.Counter()

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(networks())
    def export(arguments: dict[str, Any]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            ends[end_of(build(**arguments), Path(folder))] += 1

    export()
    return ends


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.networks", description=__doc__)
    parser.add_argument("--networks", type=int, default=300)
    begin = time.monotonic()
    for end, count in check(parser.parse_args().networks).most_common():
        print(f"{count:5}  {end}")
    print(f"{time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
