"""Comparison: what is counted, of which witnesses, and which node is named."""

import numpy as np
import pytest

from nanotrigger.firmware.comparison import Difference, Expected, Witness, compare, first_difference, graph_nodes
from nanotrigger.graph.from_qonnx import graph_of_model
from nanotrigger.graph.normalize import normalized
from tests.made_models import Maker


@pytest.fixture(scope="module")
def expected():
    maker, generator = Maker(), np.random.default_rng(0)
    name = maker.quant(maker.input(2, 3), 6, 0.25, name="input")
    name = maker.quant(maker.add("Relu", name), 6, 0.25, signed=0, name="activation")
    name = maker.add("MatMul", maker.add("Flatten", name), maker.weights(generator, 6, 2), name="dense")
    graph = graph_of_model(normalized(maker.model(maker.quant(name, 8, 0.25, name="output"))))
    return Expected(graph, generator.normal(0, 3, (20, 6)))


def true(expected, name="firmware", **changes):
    return Witness(
        name, **{"outputs": expected.outputs, "nodes": lambda row: graph_nodes(expected.graph, row)} | changes
    )


def changed(expected, *places):
    outputs = expected.outputs.copy()
    for place in places:
        outputs[place] += 0.25
    return outputs


def test_nothing_differs(expected):
    record, difference = compare(expected, [true(expected, facts={"bits": 6})])
    assert record == {
        "differing_words": 0,
        "differing_words_of": {"firmware": 0},
        "bits": 6,
        "first_difference": None,
    }
    assert difference is None


def test_words_in_which_any_witness_differs_are_counted_once(expected):
    one = true(expected, "datapath", outputs=changed(expected, (3, 0), (5, 1)))
    other = true(expected, outputs=changed(expected, (5, 1), (7, 0)))
    record, difference = compare(expected, [one, other])
    assert record["differing_words"] == 3
    assert record["differing_words_of"] == {"datapath": 2, "firmware": 2}
    assert difference == Difference("datapath", 3, "output")
    assert record["first_difference"] == {"witness": "datapath", "event": 3, "node": "output"}


def test_what_is_no_number_differs(expected):
    record, _ = compare(expected, [true(expected, outputs=np.full_like(expected.outputs, np.nan))])
    assert record["differing_words"] == expected.outputs.size


def test_a_witness_of_a_few_rows_names_the_row_of_all(expected):
    rows = np.array([2, 9, 19])
    found = changed(expected, (9, 0))[rows]
    record, difference = compare(expected, [true(expected, "qonnx", outputs=found, rows=rows)])
    assert record["differing_words"] == 1
    assert difference == Difference("qonnx", 9, "output")


def test_what_cannot_compute_exactly_is_no_witness(expected):
    record, difference = compare(
        expected, [true(expected, "qonnx", outputs=changed(expected, 0), is_exact=False, facts={"deviation": 0.25})]
    )
    assert (record["differing_words_of"], record["deviation"], difference) == ({}, 0.25, None)


def test_the_first_node_that_differs_is_asked_of_the_witness(expected):
    def nodes(row):
        found = graph_nodes(expected.graph, row)
        return {name: values.reshape(-1) + (name in ("dense", "output")) for name, values in found.items()}

    _, difference = compare(expected, [true(expected, outputs=changed(expected, (4, 1)), nodes=nodes)])
    assert difference == Difference("firmware", 4, "dense")
    assert str(difference) == "firmware differs from the integer graph first in event 4, node dense"


def test_a_difference_that_no_layer_shows_is_the_last_layer():
    layers = {"dense_1": np.array([[2.0]]), "output": np.array([[2.0]])}
    assert first_difference("firmware", 0, layers, layers).node == "output"


def test_layers_that_a_witness_does_not_know_are_skipped():
    layers = {"dense_1": np.array([[2.0]]), "output": np.array([[2.0]])}
    assert first_difference("qonnx", 0, layers, {"output": np.array([[1.0]])}).node == "output"
