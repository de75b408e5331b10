"""A network whose layers share adders computes the same, as fast, in less."""

import numpy as np
import pytest

from nanotrigger.datapath.costs import aluts
from nanotrigger.datapath.operations import Kind, Quantize
from nanotrigger.datapath.schedule import schedule
from nanotrigger.graph import share_adders
from nanotrigger.graph.from_network import graph_of
from nanotrigger.graph.share_adders import shared_datapath
from nanotrigger.numbers import FixedPoint
from nanotrigger.training.checkpoint import load_trained
from tests.command import ROOT
from tests.made_graphs import Layer, Result, chain


def count(datapath):
    return sum(aluts(datapath, position) for position in range(len(datapath.operations)))


@pytest.mark.parametrize(("name", "less"), [("jets_qat", 0.15), ("jets_contest", 0.0)])
@pytest.mark.parametrize("slack", [0, None])
def test_reference_networks_take_fewer_aluts(name, less, slack):
    graph = graph_of(load_trained(ROOT / "checkpoints" / "reference" / f"{name}.ckpt").network)
    alone, shared = graph.unroll(), shared_datapath(graph, 8, slack)
    assert count(shared) <= (1 - less) * count(alone)
    assert schedule(shared, 8).count == schedule(alone, 8).count
    assert slack is None or shared.depth <= alone.depth
    words = graph.input_words(np.random.default_rng(0).normal(0, 3, (200, 16)))
    assert (shared.evaluate(words) == alone.evaluate(words)).all()
    assert shared.operations == shared_datapath.__wrapped__(graph, 8, slack).operations


def equal_neurons():
    relu = (Result(FixedPoint(8, 4, signed=False), relu=True),)
    first = Layer("a", np.array([[3, 3, 5], [7, 7, 1]]), 0.25, np.array([1, 1, 1]), 0.25, results=relu)
    return chain(FixedPoint(8, 4), (first, Layer("b", np.array([[1], [2], [1]]), 1.0, np.array([0]), 1.0)))


def test_equal_neurons_are_one():
    datapath = equal_neurons().unroll()
    assert sum(isinstance(operation, Quantize) for operation in datapath.operations) == 2


def test_a_layer_that_gains_nothing_or_has_too_many_digits_is_left_as_it_is(monkeypatch):
    graph = equal_neurons()
    monkeypatch.setattr(share_adders, "MOST_PAIRS", 0)
    assert shared_datapath(graph, 8).operations == graph.unroll().operations
    monkeypatch.undo()
    graph = equal_neurons()  # of a new one nothing is remembered
    assert not any(one.kind == Kind.SHARED and one.layer == "b" for one in shared_datapath(graph, 8).operations)
