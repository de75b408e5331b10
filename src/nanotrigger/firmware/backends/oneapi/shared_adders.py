"""Shared adders in hls4ml's C++: a layer as a function of one assignment for each adder, in exact widths."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from hls4ml.model import ModelGraph

from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.operations import Kind, Offset, Operation, Range, Sum, unshifted
from nanotrigger.errors import InputError
from nanotrigger.firmware.datapaths import firmware_datapath
from nanotrigger.firmware.target import Target
from nanotrigger.graph.dense import Dense
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.node import Tensor
from nanotrigger.numbers import FixedPoint
from nanotrigger.verilog.names import identifier, signal_names

HEADER = "shared_adders.h"

_INCLUDE = '#include "parameters.h"\n'
_CALL = r"nnet::\w+<\w+, \w+, config{index}>\((\w+), (\w+), w\d+, b\d+\);"  # of a layer with constants
_TOP = """\
#ifndef SHARED_ADDERS_H_
#define SHARED_ADDERS_H_

// Layers whose neurons share adders: an assignment for each adder, in the width that its result needs. The names are
// those of the Verilog.

#include "defines.h"

namespace nanotrigger {

template <int W, int I, bool S, class Value> ac_int<W, S> word_of(const Value &value) {
    return ac_fixed<W, I, S>(value).template slc<W>(0);
}

template <int I, int W, bool S> ac_fixed<W, I, S> value_of(const ac_int<W, S> &word) {
    ac_fixed<W, I, S> value = 0;
    value.set_slc(0, word);
    return value;
}
"""
_END = "\n} // namespace nanotrigger\n\n#endif\n"
_DIGITS = 60  # bits of a constant in one literal


def label_of(layer: Any) -> str:
    """Return the name of the node that a layer was made of; with its constants hls4ml calls it `Dense_dense_1`."""
    label: str = layer.name.removeprefix(f"{layer.class_name.removeprefix('Pointwise')}_")
    return label


def integers_of(model: Path, inputs: str | None) -> Graph:
    """Return the integer graph of a file.

    Args:
        model: that hls4ml converts.
        inputs: type of inputs that no quantizer reads first.

    Raises:
        InputError: it has a node that has no integers, such as a maximum of two tensors.
    """
    try:
        return read_graph(model, input_format=None if inputs is None else FixedPoint.parse(inputs))
    except InputError as error:
        raise InputError(f"adders=shared: {error}; leave adders out") from None


def write_shared_adders(sources: Path, model: ModelGraph, graph: Graph, target: Target) -> None:
    """Let a kernel call functions with shared adders for the layers that have them, and write these into a header.

    Args:
        sources: folder of the kernel that hls4ml wrote.
        model: hls4ml's, of which it was written.
        graph: the same network as integers.
        target: says how adders are shared.

    Raises:
        InputError: hls4ml has made something else of a layer.
    """
    kernel, datapath = f"{model.config.get_project_name()}.cpp", firmware_datapath(graph, target)
    indices = {label_of(layer): layer.index for layer in model.get_layers()}
    shared = {operation.layer for operation in datapath.operations if operation.kind == Kind.SHARED}
    nodes = [node for node in graph.nodes if isinstance(node, Dense) and node.layer in shared]
    names = signal_names(datapath)
    text = (sources / kernel).read_text(encoding="utf-8").replace(_INCLUDE, f'{_INCLUDE}#include "{HEADER}"\n')
    functions = []
    for node in nodes:
        call = f"nanotrigger::{identifier(node.name)}(\\1, \\2);"
        text, found = re.subn(_CALL.format(index=indices.get(node.name)), call, text)
        if found != 1:
            raise InputError(f"adders=shared: layer {node.name} is no call of its own in {kernel}; leave adders out")
        functions.append("\n".join(_function(node, graph, datapath, names)))
    (sources / kernel).write_text(text, encoding="utf-8")
    (sources / HEADER).write_text("\n".join([_TOP, *functions, _END]), encoding="utf-8")


def _function(node: Dense, graph: Graph, datapath: Datapath, names: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a layer's function."""
    signals = {section.node: section.signals for section in datapath.sections}
    before = next(one for one in graph.nodes if one.output == node.inputs[0])
    (source,), result = graph.inputs_of(node), graph.tensors[node.output]
    channels_last = node.gather is not None and node.gather.windows is not None
    arriving: dict[int, tuple[int, int]] = {}
    for padded, place in zip(signals[before.name], _order(source, channels_last), strict=True):
        inner, zeros = unshifted(datapath.operations, padded)
        arriving |= {padded: (place, source.exponent), inner: (place, source.exponent + zeros)}
    leaving = zip(signals[node.name], _order(result, channels_last), strict=True)
    inside = _inside(datapath, signals[node.name], set(arriving))
    yield "template <class Values, class Results>"
    yield f"inline void {identifier(node.name)}(const Values &values, Results &results) {{"
    for position in inside:
        operation = datapath.operations[position]
        kind = _type(operation.range)
        if position in arriving:
            bits, signed = _width(operation.range), _word(operation.range.low < 0)
            place, exponent = arriving[position]
            expression = f"word_of<{bits}, {bits + exponent}, {signed}>(values[{place}])"
        else:
            expression = _expression(operation, kind, [names[operand] for operand in operation.operands])
        yield f"    const {kind} {names[position]} = {expression};"
    for position, place in leaving:
        bits = _width(datapath.operations[position].range)
        yield f"    results[{place}] = value_of<{bits + result.exponent}>({names[position]});"
    yield "}\n"


def _order(tensor: Tensor, channels_last: bool) -> list[int]:
    """Return where hls4ml has each value of a tensor, whose channels are the graph's first axis."""
    if not channels_last:
        return list(range(tensor.size))
    places = np.arange(tensor.size).reshape(*tensor.shape[1:], tensor.shape[0])
    order: list[int] = np.moveaxis(places, -1, 0).ravel().tolist()
    return order


def _inside(datapath: Datapath, results: Sequence[int], arriving: set[int]) -> list[int]:
    """Return the signals that a layer computes or reads, each after its operands."""
    found: set[int] = set()
    open_ends = list(results)
    while open_ends:
        position = open_ends.pop()
        if position not in found:
            found.add(position)
            open_ends += [] if position in arriving else datapath.operations[position].operands
    return sorted(found)


def _expression(operation: Operation, kind: str, operands: Sequence[str]) -> str:
    """Return a sum; as it fits the type, it is the same modulo the type's size, in which it is calculated."""
    if isinstance(operation, Sum):
        left, right = (f"{kind}({operand})" for operand in operands)
        right = f"({right} << {operation.shift})" if operation.shift else right
        if operation.left_sign < 0:
            return f"{right} - {left}"
        return f"{left} {'+' if operation.right_sign > 0 else '-'} {right}"
    assert isinstance(operation, Offset)
    constant = _constant(operation.constant, kind)
    if operation.source is None:
        return constant
    term = f"({kind}({operands[0]}) << {operation.shift})"
    return f"{constant} {'+' if operation.sign > 0 else '-'} {term}"


def _constant(word: int, kind: str) -> str:
    if -(1 << _DIGITS) < word < 1 << _DIGITS:
        return f"{kind}({word}LL)"
    return f"(({_constant(word >> _DIGITS, kind)} << {_DIGITS}) + {kind}({word & (1 << _DIGITS) - 1}LL))"


def _type(words: Range) -> str:
    return f"ac_int<{_width(words)}, {_word(words.low < 0)}>"


def _width(words: Range) -> int:
    """Return the bits of a word, also of a constant."""
    return max(words.bits_with_zero, 1)


def _word(value: bool) -> str:
    return "true" if value else "false"
