"""Witnesses: what torch, qonnx and the datapath compute, which must be what the integer graph computes."""

import copy
import math
import warnings
from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime  # type: ignore[import-untyped]
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
from nanotrigger.firmware.vectors import spread
from nanotrigger.graph.from_network import graph_of
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.normalize import shapes
from nanotrigger.networks import Network
from nanotrigger.networks.trace import layer_outputs

Array = NDArray[np.float64]

_ROWS = 65_536  # at once
_VALUES = 1 << 24  # of all tensors, at once
_SINGLE, _LEAST = 64, 4  # events that qonnx computes one by one
_NODES = 1000  # of which one event takes about 15 s
_FATAL = 4  # the only severity of which onnxruntime may write to the terminal: its errors are raised as well
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
    graph, few = expected.graph, spread(len(values), _few(model))
    is_exact = expected.largest_sum <= EXACT_IN_FLOAT32
    if not is_exact and Expected(graph, expected.inputs[few]).largest_sum <= EXACT_IN_FLOAT32:
        is_exact, rows, outputs = True, few, qonnx_rows(model, by_input(graph, values[few])).outputs
    else:
        rows, outputs, _ = qonnx_rows(model, by_input(graph, values), tolerance=0.0 if is_exact else _ROUNDED)
    is_all = len(rows) == len(values)
    facts = {
        "qonnx_float32_is_exact": is_exact,
        "qonnx_float32_largest_deviation": _farthest(outputs, expected.outputs[rows]),
        **({} if is_all else {"qonnx_samples": len(rows)}),
    }
    nodes = partial(qonnx_nodes, model, graph)
    return Witness("qonnx", outputs, nodes, None if is_all else rows, is_exact, facts)


class Computed(NamedTuple):
    """What qonnx computes.

    Attributes:
        rows: which events.
        outputs: for these, side by side.
        reach: largest value of any tensor.
    """

    rows: NDArray[np.intp]
    outputs: Array
    reach: float


def qonnx_rows(model: onnx.ModelProto, features: Mapping[str, Array], *, tolerance: float = 0.0) -> Computed:
    """Return which events qonnx computes, and what.

    They are all if batches of events give what single events give, else a few, spread over all of them.

    Args:
        model: for a batch of one.
        features: of each input, shape (events, *shape), by its name.
        tolerance: by which outputs may differ because float32 rounds, as a share of the largest.
    """
    events = len(next(iter(features.values())))
    few = spread(events, _few(model))
    one = _with_batch(model, 1)
    single = [_execute(model, one, features, row) for row in few.reshape(-1, 1)]
    outputs, reach = np.concatenate([found for found, _ in single]), max(reach for _, reach in single)
    batched = _in_batches(model, features)
    if batched is not None and _farthest(batched[0][few], outputs) <= tolerance * np.abs(outputs).max():
        return Computed(np.arange(events), *batched)
    return Computed(few, outputs, reach)


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
    rows = np.arange(len(next(iter(arriving.values()))))
    return _execute(model, _with_batch(model, len(rows)), arriving, rows)[0]


def qonnx_nodes(model: onnx.ModelProto, graph: Graph, inputs: Array) -> dict[str, Array]:
    """Return what qonnx computes for the nodes of the integer graph, for one event of shape (1, inputs), by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        features = {name: values.astype(np.float32) for name, values in by_input(graph, inputs).items()}
        tensors = execute_onnx(ModelWrapper(model), features, return_full_exec_context=True)
    found = {node: np.asarray(tensors[node.output], np.float64) for node in graph.nodes if node.output in tensors}
    return {node.name: values for node, values in found.items() if values.size == graph.tensors[node.output].size}


def _few(model: onnx.ModelProto) -> int:
    """Return how many events qonnx computes one by one, each in a time that grows with the square of the nodes."""
    return min(max(_NODES**2 // len(model.graph.node) ** 2, _LEAST), _SINGLE)


def _in_batches(model: onnx.ModelProto, features: Mapping[str, Array]) -> tuple[Array, float] | None:
    """Return what qonnx computes for all events in batches, and the largest value of any tensor; None if it cannot."""
    sizes = (math.prod(filter(None, shape)) for shape in shapes(model.graph).values() if shape[:1] == (1,))
    events, at_once = len(next(iter(features.values()))), max(min(_ROWS, _VALUES // sum(sizes)), 1)
    blocks = np.split(np.arange(events), range(at_once, events, at_once))
    try:
        batched = {size: _with_batch(model, size) for size in {len(rows) for rows in blocks}}
        parts = [_execute(model, batched[len(rows)], features, rows) for rows in blocks]
    except Exception:  # of qonnx or onnxruntime, which stop where a node has its batch of one in a constant
        return None
    return np.concatenate([outputs for outputs, _ in parts]), max(reach for _, reach in parts)


def _execute(
    model: onnx.ModelProto, batched: ModelWrapper, features: Mapping[str, Array], rows: NDArray[np.intp]
) -> tuple[Array, float]:
    """Return what qonnx computes for some rows with a model for as many, and the largest value of any tensor."""
    onnxruntime.set_default_logger_severity(_FATAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = zip(batched.graph.input, model.graph.input, strict=True)  # a batch may have other ones
        arriving = {new.name: features[old.name][rows].astype(np.float32) for new, old in names}
        tensors = execute_onnx(batched, arriving, return_full_exec_context=True)
    outputs = [tensors[value.name].reshape(len(rows), -1) for value in batched.graph.output]
    floats = [values for values in tensors.values() if values is not None and values.dtype.kind == "f" and values.size]
    return np.concatenate(outputs, axis=1).astype(np.float64), max(float(np.abs(values).max()) for values in floats)


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
