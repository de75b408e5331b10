"""Known bits are what they are said to be, and idle ones change nothing, whatever the inputs."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nanotrigger.datapath.bits import Known
from nanotrigger.datapath.costs import aluts
from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.schedule import schedule
from nanotrigger.graph.quantize import HALF_EVEN
from nanotrigger.numbers import FixedPoint
from tests.made_graphs import Layer, Result, chain

WORDS = st.sampled_from([0, 0, 1, -1, 2, -3, 4, -4, 6, 16, -32, 64])
INPUTS = np.random.default_rng(0).integers(-16, 16, (500, 4))
PARTS = (
    st.lists(st.lists(WORDS, min_size=3, max_size=3), min_size=4, max_size=4),
    st.lists(st.lists(WORDS, min_size=2, max_size=2), min_size=3, max_size=3),
    st.lists(st.integers(-200, 200), min_size=5, max_size=5),
    st.booleans(),
    st.sampled_from([HALF_EVEN, "FLOOR"]),
)


def two_layers(first, second, biases, relu, rounding) -> Datapath:
    hidden = Result(FixedPoint(4, 2, signed=False), relu=True, rounding=rounding)
    last = hidden if relu else Result(FixedPoint(4, 2), rounding=rounding)
    layers = (
        Layer("a", np.array(first), 2**-4, np.array(biases[:3]), 2**-6, results=(hidden,)),
        Layer("b", np.array(second), 2**-4, np.array(biases[3:]), 2**-6, results=(last,)),
    )
    return chain(FixedPoint(5, 3), layers).unroll()


@given(*PARTS)
def test_known_bits_never_change(first, second, biases, relu, rounding):
    datapath, signals = two_layers(first, second, biases, relu, rounding), []
    for operation, known in zip(datapath.operations, datapath.known, strict=True):
        signals.append(operation.evaluate(signals, INPUTS))
        assert not (signals[-1] & known.zeros).any()
        assert not (~signals[-1] & known.ones).any()
        assert not known.zeros & known.ones


@given(*PARTS)
def test_idle_bits_change_no_output(first, second, biases, relu, rounding):
    datapath, signals = two_layers(first, second, biases, relu, rounding), []
    random = np.random.default_rng(1)
    for operation, idle in zip(datapath.operations, datapath.idle_bits, strict=True):
        words = operation.evaluate(signals, INPUTS)
        signals.append(words ^ random.integers(0, 1 << idle, len(words)))
    assert (np.stack([signals[output] for output in datapath.outputs], axis=1) == datapath.evaluate(INPUTS)).all()


@pytest.mark.parametrize(("rounding", "idle", "flip_flops"), [("FLOOR", 2, 11 - 2), (HALF_EVEN, 0, 11)])
def test_what_rounding_down_cuts_has_no_flip_flop(one_layer, rounding, idle, flip_flops):
    whole = Result(FixedPoint(6, 6), rounding=rounding)
    # in quarters, of which the second input's two lowest bits meet no carry
    datapath = one_layer([[4], [1]], number=FixedPoint(8, 6), results=(whole,)).unroll()
    assert datapath.idle_bits == (0, idle, idle, 0)
    assert schedule(datapath, 1).flip_flops == (0, 0, flip_flops, 0)


def test_parts_of_a_mask():
    known = Known(zeros=0b0011, ones=0b0100)
    assert (known.low, known.unknown(5), known.is_known(2), known.is_known(3)) == (3, 2, True, False)


def test_a_rounding_that_always_goes_up_is_an_incrementer():
    number, whole = FixedPoint(4, 2, signed=False), Result(FixedPoint(12, 12))
    layer = Layer("a", np.array([[16]]), 0.25, np.array([12]), 1 / 16, results=(whole,))
    datapath = chain(number, (layer,)).unroll()
    # 16 x + 12/16 rounds to x + 1: five bits, and as many by Yosys
    assert sum(aluts(datapath, position) for position in range(len(datapath.operations))) == 5


def test_what_is_known_costs_nothing(one_layer):
    half = Result(FixedPoint(4, 3, signed=False), relu=True)
    number = FixedPoint(4, 2, signed=False)  # with a step of 0.25 as of the weights: sums have a step of 1/16
    layer = Layer("a", np.array([[8], [-8]]), 0.25, np.array([0]), 0.25, results=(half,))
    datapath = chain(number, (layer,)).unroll()
    difference, words = 5 + 1, 4  # bits and carry-in; nothing is rounded, and a negative word becomes zero
    assert sum(aluts(datapath, position) for position in range(len(datapath.operations))) == difference + words
    shifted = one_layer([[64]], bias=[16]).unroll()
    assert shifted.known[shifted.outputs[0]] == Known(zeros=0b101111, ones=0b010000)
    assert sum(schedule(shifted, 1).flip_flops) == 0
