"""Known bits are what they are said to be, whatever the inputs."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nanotrigger.datapath.costs import aluts
from nanotrigger.datapath.datapath import Known
from nanotrigger.datapath.schedule import schedule
from nanotrigger.numbers import FixedPoint
from tests.made_graphs import Layer, Result, chain

RELU = FixedPoint(4, 2, signed=False)
WORDS = st.sampled_from([0, 0, 1, -1, 2, -3, 4, -4, 6, 16, -32, 64])


@given(
    st.lists(st.lists(WORDS, min_size=3, max_size=3), min_size=4, max_size=4),
    st.lists(st.lists(WORDS, min_size=2, max_size=2), min_size=3, max_size=3),
    st.lists(st.integers(-200, 200), min_size=5, max_size=5),
    st.booleans(),
)
def test_known_bits_never_change(first, second, biases, relu):
    number = FixedPoint(4, 2) if not relu else RELU
    layers = (
        Layer("a", np.array(first), 2**-4, np.array(biases[:3]), 2**-6, results=(Result(RELU, relu=True),)),
        Layer("b", np.array(second), 2**-4, np.array(biases[3:]), 2**-6, results=(Result(number, relu),)),
    )
    datapath = chain(FixedPoint(5, 3), layers).unroll()
    inputs, signals = np.random.default_rng(0).integers(-16, 16, (500, 4)), []
    for operation, known in zip(datapath.operations, datapath.known, strict=True):
        signals.append(operation.evaluate(signals, inputs))
        assert not (signals[-1] & known.zeros).any()
        assert not (~signals[-1] & known.ones).any()
        assert not known.zeros & known.ones


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


def test_few_samples_at_a_time_give_the_same(one_layer, monkeypatch):
    graph = one_layer([[3, -5], [7, 2]], bias=[1, -4])
    inputs = np.random.default_rng(0).integers(-8, 8, (50, 2))
    datapath, (node,) = graph.unroll(), [node.name for node in graph.nodes if node.output == graph.output]
    outputs, words = datapath.evaluate(inputs), datapath.evaluate_nodes(inputs)
    monkeypatch.setattr("nanotrigger.datapath.datapath._AT_ONCE", 7 * len(datapath.operations))
    assert (datapath.evaluate(inputs) == outputs).all()
    assert all((found == words[name]).all() for name, found in datapath.evaluate_nodes(inputs).items())
    assert (words[node] == outputs).all()
    assert len(set(outputs[:, 0])) > 10
