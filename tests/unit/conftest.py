"""Networks of integer words, networks written as QONNX, and few events: what tests of several folders need."""

import numpy as np
import pytest
import torch

from nanotrigger.firmware.qonnx import write_qonnx
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.quantize import Conversion
from nanotrigger.networks import MLP
from nanotrigger.numbers import FixedPoint
from nanotrigger.tasks.anomaly.data import EventData
from tests.made_events import make_events, write_events
from tests.made_graphs import Layer, Result, chain

WORD = FixedPoint(8, 8)


@pytest.fixture(scope="session")
def write_network(tmp_path_factory):
    """Write an MLP of random weights as QONNX; return the file."""

    def write(*, seed=1, sparsity=0.0, **formats):
        torch.manual_seed(seed)
        formats = {
            "input": FixedPoint(8, 4),
            "weight": FixedPoint(4, 2, narrow=True),
            "bias": FixedPoint(6, 1),
            "activation": FixedPoint(6, 2, signed=False),
            "output": FixedPoint(10, 5),
            **formats,
        }
        network = MLP(6, (8, 7), 3, **formats)
        for parameter in network.parameters():
            torch.nn.init.normal_(parameter)
            parameter.data *= torch.rand_like(parameter) >= sparsity
        path = tmp_path_factory.mktemp("structural") / "model.onnx"
        write_qonnx(network.eval(), path)
        return path

    return write


@pytest.fixture(scope="session")
def float_model(tmp_path_factory):
    """A float network of 3 inputs and 2 outputs."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("float") / "model.onnx"
    write_qonnx(MLP(3, (4,), 2).eval(), path)
    return path


@pytest.fixture(scope="session")
def quantized_model(write_network):
    return write_network()


@pytest.fixture(scope="session")
def one_layer():
    """Make one dense layer of integers."""
    return _one_layer


@pytest.fixture(scope="session")
def recorded_dense():
    """Make the Dense layer of the vendor's records."""
    return _recorded_dense


def _one_layer(weights, bias=None, *, number=WORD, results=()) -> Graph:
    """Return one dense layer of integers, `weights` of shape (inputs, outputs)."""
    weights = np.array(weights, np.int64)
    bias = np.zeros(weights.shape[1], np.int64) if bias is None else np.array(bias, np.int64)
    return chain(number, [Layer("dense", weights, 1.0, bias, 1.0, results=results)])


def _recorded_dense(weights, *, relu: bool) -> Graph:
    """Return the Dense layer of the vendor's records, all fixed<16,6>, from weights of shape (1, outputs)."""
    number = FixedPoint(16, 6)
    words = np.floor(np.asarray(weights) / number.step).astype(np.int64)
    cast = Conversion(number, exact=False)
    results = (Result(number, exact=False), Result(number, relu=relu, exact=False))
    bias = np.zeros(words.shape[1], np.int64)
    return chain(number, [Layer("dense", words, number.step, bias, number.step, cast, results)])


@pytest.fixture(scope="session")
def few_events(tmp_path_factory) -> EventData:
    """300 background events, 192 of them for training, in batches of 32."""
    path = write_events(tmp_path_factory.mktemp("few") / "few.h5", background=make_events(300))
    return EventData(str(path), batch_size=32)
