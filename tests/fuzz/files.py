"""Export ONNX files that are changed at random: python -m tests.fuzz.files --files 1000.

File number N of a seed is always the same: a random network, or one of a kind of node, with an attribute, a shape, an
operator, an edge, a constant, a name or an end changed, a few at a time; one in five has its bytes damaged instead.
Each is proven, or refused with exit code 2 in one line; nothing else, in limited memory and time, and nothing stays on
disk of what is refused.
"""

import argparse
import collections
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from nanotrigger.cost.sources.structural import structural_report
from nanotrigger.datapath.schedule import schedule
from nanotrigger.errors import InputError
from nanotrigger.firmware.flat import Flat
from nanotrigger.firmware.target import Target
from nanotrigger.graph.from_qonnx import READERS, TABLES, read_graph
from nanotrigger.verilog.write import verilog
from tests.command import forked, limit_memory, run_script
from tests.fuzz.graphs import RandomNetwork
from tests.fuzz.mutations import mutate
from tests.made_models import Maker
from tests.unit.graph.test_nodes import CASES

MEMORY, SECONDS = 4 << 30, 300  # beyond what Python has; for one file
_OPERATORS = (*READERS, *TABLES, "Gemm", "Constant", "Shape", "If", "LSTM", "Einsum", "TopK", "Cast", "Where", "Odd")
_INTEGERS = (0, 1, -1, 2, 3, 7, -100, 1000, 1 << 31, (1 << 63) - 1, -(1 << 63))
_FLOATS = (0.0, 1.0, -1.0, 0.5, 0.1, 1e-40, 1e38, float("nan"), float("inf"), 64.0, 2.0**-60)
_NAMES = ("", "x", "a b", "é", "x\ny", "../..", "int", "features", "0", "/a/b.c", "n" * 300, "%s {} <b>")
_TYPES = (TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64, TensorProto.UINT8, TensorProto.STRING, 22, 99)

Change = Callable[[onnx.GraphProto, random.Random], None]


def changed_attribute(graph: onnx.GraphProto, chance: random.Random) -> None:
    """Change, remove or add an attribute of a node."""
    node = chance.choice(graph.node)
    if not node.attribute or chance.random() < 0.2:
        name = chance.choice(("axis", "kernel_shape", "pads", "strides", "group", "alpha", "to", "perm", "odd"))
        values: list[object] = [chance.choice(_INTEGERS), [chance.choice(_INTEGERS)] * 2, chance.choice(_FLOATS)]
        node.attribute.append(helper.make_attribute(name, chance.choice(values)))
        return
    attribute = chance.choice(node.attribute)
    if chance.random() < 0.2:
        node.attribute.remove(attribute)
    elif attribute.ints:
        attribute.ints[chance.randrange(len(attribute.ints))] = chance.choice(_INTEGERS)
        del attribute.ints[chance.choice((len(attribute.ints), 1)) :]
    elif attribute.type == onnx.AttributeProto.INT:
        attribute.i = chance.choice(_INTEGERS)
    elif attribute.type == onnx.AttributeProto.FLOAT:
        attribute.f = chance.choice(_FLOATS)
    else:
        attribute.s = chance.choice(_NAMES).encode()


def changed_shape(graph: onnx.GraphProto, chance: random.Random) -> None:
    """Change the shape of a constant or an input, as it is written."""
    if graph.input and chance.random() < 0.3:
        tensor = chance.choice(graph.input).type.tensor_type
        if chance.random() < 0.2 or not tensor.shape.dim:
            tensor.elem_type = chance.choice(_TYPES)
        else:
            chance.choice(tensor.shape.dim).dim_value = chance.choice(_INTEGERS)
        return
    constant = chance.choice(graph.initializer)
    sizes = list(constant.dims)
    chance.shuffle(sizes)
    sizes = chance.choice((sizes, sizes[1:], [1, *sizes], [chance.choice(_INTEGERS), *sizes[1:]], []))
    constant.dims[:] = sizes


def changed_operator(graph: onnx.GraphProto, chance: random.Random) -> None:
    """Make a node one of another kind, or of another domain."""
    node = chance.choice(graph.node)
    if chance.random() < 0.8:
        node.op_type = chance.choice(_OPERATORS)
    else:
        node.domain = chance.choice(("", "ai.onnx", "qonnx.custom_op.general", "qonnx.custom_op.channels_last", "odd"))


def changed_edge(graph: onnx.GraphProto, chance: random.Random) -> None:
    """Let a node read something else, more, or less."""
    node, other = chance.choice(graph.node), chance.choice(graph.node)
    tensors = [*other.output, *other.input, *(value.name for value in graph.input), "", "nowhere"]
    choice = chance.randrange(4)
    if choice == 0 or not node.input:
        node.input.append(chance.choice(tensors))
    elif choice == 1:
        del node.input[chance.randrange(len(node.input)) :]
    else:
        node.input[chance.randrange(len(node.input))] = chance.choice(tensors)


def changed_constant(graph: onnx.GraphProto, chance: random.Random) -> None:
    """Change values or type of a constant, or remove it."""
    constant = chance.choice(graph.initializer)
    choice = chance.randrange(5)
    if choice == 0:
        graph.initializer.remove(constant)
    elif choice == 1:
        constant.data_type = chance.choice(_TYPES)
    else:
        try:
            values = np.array(numpy_helper.to_array(constant))
        except (LookupError, TypeError, ValueError):  # of a shape or type that was changed before
            return
        if choice == 2 and values.size:
            number = chance.choice(_INTEGERS if values.dtype.kind == "i" else _FLOATS)
            values.flat[chance.randrange(values.size)] = number
        elif choice == 3:
            kinds = (np.float64, np.float16, np.int64, np.int8, np.bool_)
            with np.errstate(all="ignore"):
                values = values.astype(chance.choice(kinds))
        else:
            values = values * values.dtype.type(chance.choice((0, 2, 3)))
        constant.CopyFrom(numpy_helper.from_array(values, constant.name))


def changed_order(graph: onnx.GraphProto, chance: random.Random) -> None:
    """Remove a node, repeat one, or turn their order around."""
    choice = chance.randrange(3)
    if choice == 0:
        graph.node.remove(chance.choice(graph.node))
    elif choice == 1:
        graph.node.append(chance.choice(graph.node))
    else:
        nodes = list(reversed(graph.node))
        del graph.node[:]
        graph.node.extend(nodes)


def changed_name(graph: onnx.GraphProto, chance: random.Random) -> None:
    """Call a node otherwise, or a tensor everywhere."""
    name = chance.choice(_NAMES)
    if chance.random() < 0.5:
        chance.choice(graph.node).name = name
        return
    former = chance.choice([*(value.name for value in (*graph.input, *graph.output)), *graph.node[0].output])
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [name if other == former else other for other in names]
    for value in (*graph.input, *graph.output):
        value.name = name if value.name == former else value.name


def changed_ends(graph: onnx.GraphProto, chance: random.Random) -> None:
    """Add, repeat or remove an output or an input."""
    ends = chance.choice((graph.output, graph.input))
    if ends and chance.random() < 0.5:
        ends.pop()
    else:
        name = chance.choice([*chance.choice(graph.node).output, "nowhere", graph.input[0].name])
        ends.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, None))


CHANGES: tuple[Change, ...] = (
    *(changed_attribute, changed_attribute, changed_shape, changed_operator, changed_edge, changed_edge),
    *(changed_constant, changed_order, changed_name, changed_ends),
)


def file_number(seed: int, number: int) -> bytes:
    """Return the content of a changed file."""
    chance = random.Random(f"{seed} {number}")
    if chance.random() < 0.5:
        network = RandomNetwork(chance.randrange(1000))
        model = network.maker.model(*network.outputs, batch="batch")
    else:
        maker = Maker(chance.randrange(13, 22))
        model = maker.model(chance.choice(CASES)(maker, np.random.default_rng(number)), batch="batch")
    if chance.random() < 0.2:
        content = model.SerializeToString()
        return mutate(content, [content], chance)
    for _ in range(chance.choice((1, 1, 2, 4))):
        if model.graph.node and model.graph.initializer and model.graph.input and model.graph.output:
            chance.choice(CHANGES)(model.graph, chance)
    return model.SerializeToString()


def read_file(path: Path) -> str:
    """Read and count a file, and write its Verilog and the network for hls4ml; return `read` or `refused`."""
    try:
        graph = read_graph(path)
        verilog(schedule(graph.unroll(), 8))
        structural_report(graph.unroll(), Target())
        Flat(graph).write(path.with_name("hls4ml.onnx"))
    except InputError as error:
        assert str(error).strip(), "no reason"
        return "refused"
    return "read"


def export_file(path: Path) -> str:
    """Export a file as a user does; return `proven`, `refused`, or what happened instead."""
    before = sorted(path.parent.rglob("*"))
    done = forked(_limited, f"qonnx={path}")
    if done.returncode == 0:
        return "proven"
    if done.returncode == 2 and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1:
        left = sorted(path.parent.rglob("*"))
        return "refused" if left == before else f"left on disk: {left}"
    return f"exit code {done.returncode}: {done.stderr[-1500:]}"


def _limited(*arguments: str) -> None:
    limit_memory(MEMORY)
    signal.alarm(SECONDS)  # ends the process
    run_script("export.py", *arguments)


def main() -> int:
    """Run the command line; return 1 if a file came to a bad end."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.files", description=__doc__)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="folder for files that came to a bad end")
    options = parser.parse_args()
    begin, ends = time.monotonic(), collections.Counter[str]()
    for number in range(options.first, options.first + options.files):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "made.onnx")
            path.write_bytes(file_number(options.seed, number))
            end = export_file(path)
            ends[end if end in ("proven", "refused") else "bad"] += 1
            if end not in ("proven", "refused"):
                print(f"file {number}: {end}", file=sys.stderr, flush=True)
                if options.keep:
                    (options.keep / f"{number}.onnx").write_bytes(file_number(options.seed, number))
    counts = ", ".join(f"{ends[end]:,} {end}" for end in ("proven", "refused", "bad"))
    print(f"{ends.total():,} files: {counts}; {time.monotonic() - begin:.0f} s")
    return 1 if ends["bad"] else 0


if __name__ == "__main__":
    sys.exit(main())
