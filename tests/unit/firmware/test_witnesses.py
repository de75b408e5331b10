"""Witnesses: qonnx computes all events of a file at once, or a few where a batch gives something else."""

import numpy as np
import pytest

from nanotrigger.firmware.comparison import Expected, compare
from nanotrigger.firmware.target import Target
from nanotrigger.firmware.witnesses import datapath_witness, qonnx_witness
from nanotrigger.graph.from_qonnx import graph_of_model
from nanotrigger.graph.normalize import normalized
from tests.made_models import Maker


def two_inputs(maker, generator):
    left = maker.quant(maker.input(4, name="left"), 6, 0.25, name="left_input")
    right = maker.quant(maker.input(2, 2, name="right"), 5, 0.5, name="right_input")
    dense = maker.add("MatMul", left, maker.weights(generator, 4, 3), name="dense")
    sums = maker.add("Add", maker.add("Flatten", right), left, name="sums")
    return maker.quant(dense, 8, 0.25, name="first"), maker.quant(sums, 8, 0.25, name="second")


def reshaped(maker, generator):
    name = maker.quant(maker.input(2, 3), 6, 0.25, name="input")
    name = maker.add("Reshape", name, maker.constant([1, 6], np.int64), name="flat")
    name = maker.add("MatMul", name, maker.weights(generator, 6, 2), name="dense")
    return (maker.quant(maker.add("Reshape", name, maker.constant([1, 2, 1], np.int64)), 8, 0.25, name="output"),)


def one_event_by_its_place(maker, generator):
    name = maker.quant(maker.input(6), 6, 0.25, name="input")
    first = (maker.constant([value], np.int64) for value in (0, 1, 0))
    name = maker.add("MatMul", maker.add("Slice", name, *first), maker.weights(generator, 6, 2), name="dense")
    return (maker.quant(name, 8, 0.25, name="output"),)


def wide(maker, generator):
    name = maker.quant(maker.input(4), 20, 1.0, name="input")
    return (maker.add("MatMul", name, maker.weights(generator, 4, 2, bits=8), name="dense"),)


def made(network, scale=4.0):
    maker, generator = Maker(), np.random.default_rng(1)
    model = normalized(maker.model(*network(maker, generator)))
    graph = graph_of_model(model)
    size = sum(node.size for node in graph.inputs)
    inputs = generator.normal(0, scale, (200, size)).astype(np.float32).astype(np.float64)
    return model, Expected(graph, inputs)


@pytest.mark.parametrize("network", [two_inputs, reshaped])
def test_all_events_at_once(network):
    model, expected = made(network)
    qonnx = qonnx_witness(expected, model, expected.inputs)
    assert qonnx.rows is None
    np.testing.assert_array_equal(qonnx.outputs, expected.outputs)
    record, difference = compare(expected, [qonnx, datapath_witness(expected, Target())])
    assert (record["differing_words_of"], difference) == ({"qonnx": 0, "datapath": 0}, None)
    assert "qonnx_samples" not in record


def test_a_few_where_a_batch_cannot_be_computed():
    model, expected = made(one_event_by_its_place)
    qonnx = qonnx_witness(expected, model, expected.inputs)
    np.testing.assert_array_equal(qonnx.outputs, expected.outputs[qonnx.rows])
    assert compare(expected, [qonnx])[0]["qonnx_samples"] == len(qonnx.rows) == 64


def test_every_node_that_qonnx_knows_is_that_of_the_graph():
    model, expected = made(two_inputs)
    nodes = qonnx_witness(expected, model, expected.inputs).nodes(expected.inputs[7:8])
    assert {"left_input", "dense", "first", "second"} <= set(nodes)
    outputs = np.concatenate([nodes["first"].ravel(), nodes["second"].ravel()])
    np.testing.assert_array_equal(outputs, expected.outputs[7])


def test_only_events_whose_sums_float32_can_hold():
    model, expected = made(wide, scale=100.0)
    inputs = expected.inputs.copy()
    inputs[1] = 2.0**19 - 1  # none of the few
    record, _ = compare(some := Expected(expected.graph, inputs), [qonnx_witness(some, model, inputs)])
    assert record["differing_words_of"] == {"qonnx": 0}
    assert (record["qonnx_float32_is_exact"], record["qonnx_samples"]) == (True, 64)
    inputs[0] = 2.0**19 - 1
    record, _ = compare(none := Expected(expected.graph, inputs), [qonnx_witness(none, model, inputs)])
    assert record["differing_words_of"] == {}
    assert not record["qonnx_float32_is_exact"]
    assert "qonnx_samples" not in record
