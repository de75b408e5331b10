"""Effort: large networks are compared on fewer events; what firmware cannot hold is refused before any work."""

import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.firmware.effort import most_events
from nanotrigger.graph.normalize import normalized
from tests.made_models import Maker


def graph(*shape, kind, constants=None, **attributes):
    maker = Maker()
    given = [] if constants is None else [maker.constant(np.zeros(constants))]
    return normalized(maker.model(maker.add(kind, maker.input(*shape), *given, name="layer", **attributes))).graph


def test_events_grow_fewer_with_operations_and_with_values():
    convolution = graph(16, 24, 24, kind="Conv", constants=(8, 16, 9, 9))
    in_groups = graph(16, 24, 24, kind="Conv", constants=(8, 2, 9, 9), group=8)  # hls4ml gets all channels
    assert most_events(convolution) == most_events(in_groups) == 2**31 // (8 * 16 * 16 * 16 * 81)
    averages = graph(16, 32, 32, kind="GlobalAveragePool")
    assert most_events(averages) == 2**24 // (16 * 32 * 32 + 16)


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (graph(4, 200, 200, kind="Conv", constants=(8, 4, 3, 3)), "node layer: with it the network has 11,290,752 op"),
        (graph(64, 100, 100, kind="GlobalAveragePool"), "node layer: with it the network has 40,960,000 operations"),
        (graph(2049, kind="MatMul", constants=(2049, 2048)), "4,196,352 constants, most of them read by node layer"),
    ],
)
def test_what_is_too_large_is_refused_by_its_node(network, message):
    with pytest.raises(InputError, match=message):
        most_events(network)
