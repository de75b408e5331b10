"""A datapath computes its words in any number of parts."""

import numpy as np


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
