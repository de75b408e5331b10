"""Witnesses: what torch, qonnx and the datapath compute, which must be what the integer graph computes."""

import copy
import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.change_batchsize import ChangeBatchSize
from qonnx.util.cleanup import cleanup_model

from nanotrigger.datapath.datapath import Datapath
from nanotrigger.firmware.qonnx import firmware_network
from nanotrigger.graph.from_network import graph_of
from nanotrigger.graph.graph import Graph
from nanotrigger.networks import DenseNetwork
from nanotrigger.networks.trace import layer_outputs

Array = NDArray[np.float64]

_ROWS = 65_536  # at once
EXACT_IN_FLOAT32, EXACT_IN_FLOAT64 = 2**24, 2**53  # every integer up to here


@dataclass(frozen=True)
class Difference:
    """Where a witness first differs from the integer graph.

    Attributes:
        witness: `torch`, `qonnx`, `datapath` or `firmware`.
        event: row of the inputs.
        node: the first one, in the order in which the data flow, whose output differs for that event.
    """

    witness: str
    event: int
    node: str

    def __str__(self) -> str:
        return f"{self.witness} differs from the integer graph first in event {self.event}, node {self.node}"


def first_difference(witness: str, event: int, expected: Mapping[str, Array], found: Mapping[str, Array]) -> Difference:
    """Name the first node in which a witness differs from the integer graph for one event.

    Args:
        witness: who computed `found`.
        event: row that both computed, and in which their outputs differ.
        expected: what every node computes for that event alone, by name and in order, each of shape (1, size).
        found: the witness' nodes, by the same names; nodes that it does not know are skipped. If none of them differs
            (the witness gave its outputs by other means), the last node is named.
    """
    differing = [name for name, values in expected.items() if name in found and (found[name] != values).any()]
    return Difference(witness, event, differing[0] if differing else list(expected)[-1])


def differing_words(expected: Array, found: Array) -> int:
    """Return in how many outputs two arrays of shape (events, outputs) differ; NaN always does."""
    return int(np.count_nonzero(expected != found))


def graph_nodes(graph: Graph, features: Array | Mapping[str, Array]) -> dict[str, Array]:
    """Return what every node of the graph computes, each of shape (events, size), by its name and in order."""
    words = graph.words(features)
    return {node.name: graph.values(node.output, words[node.output]) for node in graph.nodes}


def torch_outputs(network: DenseNetwork, features: Array) -> Array:
    """Return the network's outputs in float64, shape (events, outputs)."""
    exact = _double(network)
    with torch.inference_mode():
        rows = torch.from_numpy(np.asarray(features, np.float64)).split(_ROWS)
        return np.concatenate([exact(part).numpy() for part in rows])


def torch_nodes(network: DenseNetwork, features: Array) -> dict[str, Array]:
    """Return what every layer computes in float64, each of shape (events, *shape), by its name and in order.

    Args:
        network: is left as it was.
        features: shape (events, features).
    """
    values = torch.from_numpy(np.asarray(features, np.float64))
    return {name: outputs.numpy() for name, outputs in layer_outputs(_double(network), values).items()}


def torch_graph(network: DenseNetwork) -> Graph:
    """Return the trained layers as an integer graph, for sums that float64 cannot hold."""
    return graph_of(firmware_network(network))


def qonnx_outputs(model: onnx.ModelProto, features: Array) -> Array:
    """Return the model's output as qonnx itself computes it, in float32; shape (events, outputs)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batched = cleanup_model(ModelWrapper(model).transform(ChangeBatchSize(len(features))))
        inputs = {batched.graph.input[0].name: features.astype(np.float32)}
        outputs: dict[str, Array] = execute_onnx(batched, inputs)
    return outputs[batched.graph.output[0].name].astype(np.float64)


def qonnx_nodes(model: onnx.ModelProto, graph: Graph, features: Array) -> dict[str, Array]:
    """Return what qonnx computes for the nodes of the integer graph, for one event of shape (1, inputs), by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        inputs = {model.graph.input[0].name: features.astype(np.float32)}
        tensors = execute_onnx(ModelWrapper(model), inputs, return_full_exec_context=True)
    return {node.name: np.asarray(tensors[node.output], np.float64) for node in graph.nodes if node.output in tensors}


def datapath_outputs(datapath: Datapath, graph: Graph, features: Array) -> Array:
    """Return what the operations compute from which ALUTs and Verilog come, shape (events, *shape)."""
    words = datapath.evaluate(graph.input_words(features))
    values = np.asarray(words.astype(np.float64) * datapath.output_step)
    return values.reshape(len(values), *graph.tensors[graph.output].shape)


def datapath_nodes(datapath: Datapath, graph: Graph, features: Array) -> dict[str, Array]:
    """Return what the operations compute that nodes of the integer graph became, by their names."""
    words = datapath.evaluate_nodes(graph.input_words(features))
    return {node.name: graph.values(node.output, words[node.name]) for node in graph.nodes}


def _double(network: DenseNetwork) -> DenseNetwork:
    return copy.deepcopy(network).double().eval()
