"""Witnesses: what torch, qonnx and the datapath compute, which must be what the integer graph computes."""

import copy
import math
import warnings
from collections.abc import Mapping
from functools import partial

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.change_batchsize import ChangeBatchSize
from qonnx.util.cleanup import cleanup_model

from nanotrigger.firmware.comparison import Expected, Witness, graph_nodes
from nanotrigger.firmware.datapaths import firmware_datapath, verilog_datapath
from nanotrigger.firmware.inputs import by_input
from nanotrigger.firmware.qonnx import firmware_network
from nanotrigger.firmware.target import Target
from nanotrigger.graph.from_network import graph_of
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.normalize import shapes
from nanotrigger.networks import Network
from nanotrigger.networks.trace import layer_outputs

Array = NDArray[np.float64]

_ROWS = 65_536  # at once
_VALUES = 1 << 23  # of the largest tensor, at once
_SINGLE = 64  # events that qonnx computes one by one
_ROUNDED = 0.01  # by which outputs may differ that float32 cannot hold, as a share of the largest
EXACT_IN_FLOAT32, EXACT_IN_FLOAT64 = 2**24, 2**53  # every integer up to here


def torch_witness(expected: Expected, network: Network) -> Witness:
    """Return what the trained layers compute in float64; if it cannot hold the sums, those of a chain in integers."""
    is_exact = expected.largest_sum <= EXACT_IN_FLOAT64
    if is_exact or not network.is_chain:
        outputs = torch_outputs(network, expected.inputs)
    else:
        outputs = Expected(torch_graph(network), expected.inputs).outputs

    def nodes(row: Array) -> dict[str, Array]:
        is_exact = Expected(expected.graph, row).largest_sum <= EXACT_IN_FLOAT64
        as_floats = is_exact or not network.is_chain
        return torch_nodes(network, row) if as_floats else graph_nodes(torch_graph(network), row)

    facts = {"torch_float64_is_exact": is_exact}
    return Witness("torch", outputs, nodes, is_exact=is_exact or network.is_chain, facts=facts)


def qonnx_witness(expected: Expected, model: onnx.ModelProto, values: Array) -> Witness:
    """Return what qonnx computes in float32: of all events, or of a few (see `qonnx_rows`).

    Where float32 can hold the sums of those few only, they are all that is computed.

    Args:
        expected: of the graph of `model`.
        model: with the graph's inputs and outputs, for a batch of one.
        values: that the model reads, shape (rows, values of all inputs).
    """
    graph, few = expected.graph, spread(len(values))
    is_exact = expected.largest_sum <= EXACT_IN_FLOAT32
    if not is_exact and Expected(graph, expected.inputs[few]).largest_sum <= EXACT_IN_FLOAT32:
        is_exact, rows, outputs = True, few, qonnx_rows(model, by_input(graph, values[few]))[1]
    else:
        rows, outputs = qonnx_rows(model, by_input(graph, values), tolerance=0.0 if is_exact else _ROUNDED)
    is_all = len(rows) == len(values)
    facts = {
        "qonnx_float32_is_exact": is_exact,
        "qonnx_float32_largest_deviation": _farthest(outputs, expected.outputs[rows]),
        **({} if is_all else {"qonnx_samples": len(rows)}),
    }
    nodes = partial(qonnx_nodes, model, graph)
    return Witness("qonnx", outputs, nodes, None if is_all else rows, is_exact, facts)


def qonnx_rows(
    model: onnx.ModelProto, features: Mapping[str, Array], *, tolerance: float = 0.0
) -> tuple[NDArray[np.intp], Array]:
    """Return which events qonnx computes, and its outputs side by side for these.

    They are all if batches of events give what single events give, else a few, spread over all of them.

    Args:
        model: for a batch of one.
        features: of each input, shape (events, *shape), by its name.
        tolerance: by which outputs may differ because float32 rounds, as a share of the largest.
    """
    events = len(next(iter(features.values())))
    few = spread(events)
    single = [qonnx_outputs(model, {name: values[row : row + 1] for name, values in features.items()}) for row in few]
    outputs = np.concatenate(single)
    batched = _in_batches(model, features)
    if batched is not None and _farthest(batched[few], outputs) <= tolerance * np.abs(outputs).max():
        return np.arange(events), batched
    return few, outputs


def spread(events: int) -> NDArray[np.intp]:
    """Return a few of so many rows, spread over all of them."""
    return np.unique(np.linspace(0, events - 1, _SINGLE).astype(np.intp))


def datapath_witness(expected: Expected, target: Target) -> Witness:
    """Return what the operations compute from which ALUTs and Verilog come.

    These are two datapaths where only the Verilog shares adders: the outputs are those of the first that differs, or of
    the last.
    """
    graph, words = expected.graph, expected.graph.input_words(by_input(expected.graph, expected.inputs))
    for datapath in (firmware_datapath(graph, target), verilog_datapath(graph, target)):
        outputs = datapath.evaluate(words).astype(np.float64) * datapath.output_step
        if (outputs != expected.outputs).any():
            break

    def nodes(row: Array) -> dict[str, Array]:
        found = datapath.evaluate_nodes(graph.input_words(by_input(graph, row)))
        return {node.name: graph.values(node.output, found[node.name]) for node in graph.nodes}

    return Witness("datapath", outputs, nodes)


def torch_outputs(network: Network, features: Array) -> Array:
    """Return the network's outputs in float64, shape (events, outputs)."""
    exact = _double(network)
    with torch.inference_mode():
        rows = torch.from_numpy(np.asarray(features, np.float64)).split(_ROWS)
        return np.concatenate([exact(part).numpy() for part in rows])


def torch_nodes(network: Network, features: Array) -> dict[str, Array]:
    """Return what every layer computes in float64, each of shape (events, *shape), by its name and in order.

    Args:
        network: is left as it was.
        features: shape (events, features).
    """
    values = torch.from_numpy(np.asarray(features, np.float64))
    return {name: outputs.numpy() for name, outputs in layer_outputs(_double(network), values).items()}


def torch_graph(network: Network) -> Graph:
    """Return the trained layers as an integer graph, for sums that float64 cannot hold."""
    return graph_of(firmware_network(network))


def qonnx_outputs(model: onnx.ModelProto, features: Array | Mapping[str, Array]) -> Array:
    """Return the model's outputs as qonnx itself computes them in float32, side by side, shape (events, words).

    Args:
        model: for a batch of one.
        features: of the only input, shape (events, *shape); or of each, by its name.
    """
    arriving = features if isinstance(features, Mapping) else {model.graph.input[0].name: features}
    return _execute(model, _with_batch(model, len(next(iter(arriving.values())))), arriving)


def qonnx_nodes(model: onnx.ModelProto, graph: Graph, inputs: Array) -> dict[str, Array]:
    """Return what qonnx computes for the nodes of the integer graph, for one event of shape (1, inputs), by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        features = {name: values.astype(np.float32) for name, values in by_input(graph, inputs).items()}
        tensors = execute_onnx(ModelWrapper(model), features, return_full_exec_context=True)
    found = {node: np.asarray(tensors[node.output], np.float64) for node in graph.nodes if node.output in tensors}
    return {node.name: values for node, values in found.items() if values.size == graph.tensors[node.output].size}


def _in_batches(model: onnx.ModelProto, features: Mapping[str, Array]) -> Array | None:
    """Return what qonnx computes for all events in batches; None if it cannot."""
    tensors = [shape for shape in shapes(model.graph).values() if shape[:1] == (1,)]
    rows = max(min(_ROWS, _VALUES // max(math.prod(filter(None, shape)) for shape in tensors)), 1)
    starts = range(0, len(next(iter(features.values()))), rows)
    parts = [{name: values[at : at + rows] for name, values in features.items()} for at in starts]
    try:
        sizes = {len(next(iter(part.values()))) for part in parts}
        batched = {size: _with_batch(model, size) for size in sizes}
        return np.concatenate([_execute(model, batched[len(next(iter(part.values())))], part) for part in parts])
    except Exception:  # of qonnx or onnxruntime, which stop where a node has its batch of one in a constant
        return None


def _execute(model: onnx.ModelProto, batched: ModelWrapper, features: Mapping[str, Array]) -> Array:
    """Return what qonnx computes with a model that has another batch size, and maybe other names."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = zip(batched.graph.input, model.graph.input, strict=True)
        outputs = execute_onnx(batched, {new.name: features[old.name].astype(np.float32) for new, old in names})
    events = len(next(iter(features.values())))
    values = [outputs[value.name].reshape(events, -1) for value in batched.graph.output]
    return np.concatenate(values, axis=1).astype(np.float64)


def _farthest(found: Array, outputs: Array) -> float:
    """Return the largest deviation of outputs; infinite if they have other shapes."""
    return float(np.abs(found - outputs).max()) if found.shape == outputs.shape else math.inf


def _with_batch(model: onnx.ModelProto, events: int) -> ModelWrapper:
    """Return a model for a batch of events."""
    if events == 1:
        return ModelWrapper(model)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batched = ModelWrapper(model).transform(ChangeBatchSize(events))
        for value in (*batched.graph.input, *batched.graph.output):  # qonnx changes the first ones only
            value.type.tensor_type.shape.dim[0].dim_value = events
        return cleanup_model(batched)


def _double(network: Network) -> Network:
    return copy.deepcopy(network).double().eval()
