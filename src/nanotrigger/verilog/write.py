"""Write a datapath as Verilog, with a testbench that checks itself."""

from collections.abc import Iterator
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.operations import Input, Offset, Operation, Range, Select, Sum
from nanotrigger.datapath.schedule import Schedule, schedule
from nanotrigger.files import whole_folder, write_text
from nanotrigger.verilog.names import signal_names
from nanotrigger.verilog.wires import (
    Wire,
    assigned,
    literal,
    offset_expression,
    quantize_statements,
    select_statements,
    sum_expression,
)

DATAPATH_MODULE = "nanotrigger_datapath"


def datapath_module(plan: Schedule) -> str:
    """Return a Verilog module that computes a datapath, with a register where a stage of its schedule ends.

    Its ports are `clock`, `features` and `outputs`, words side by side, the first in the lowest bits. Every output has
    the width of the widest one. There is no reset: what the registers hold is gone after as many cycles as stages.
    """
    datapath, signals = plan.datapath, Signals(plan)
    lines = [
        f"module {DATAPATH_MODULE} (",
        "    input  wire clock,",
        f"    input  wire [{datapath.inputs * datapath.input_width - 1}:0] features,",
        f"    output reg  [{len(datapath.outputs) * output_width(datapath) - 1}:0] outputs",
        ");",
    ]
    section = None
    for position, operation in enumerate(datapath.operations):
        if not datapath.bits[position]:
            continue
        if operation.layer != section:
            section = operation.layer
            lines += ["", *(f"    // {' '.join(remark.splitlines())}" for remark in datapath.remarks.get(section, ()))]
        lines += [f"    {statement}" for statement in signals.statements(position, operation)]
    lines += ["", "    // Output register"]
    lines += [f"    {statement}" for statement in signals.output_statements()]
    return "\n".join([*lines, "endmodule", ""])


def has_negative_outputs(datapath: Datapath) -> bool:
    """Whether any output can be negative: then all of them are two's complement."""
    return any(datapath.operations[output].range.low < 0 for output in datapath.outputs)


def output_width(datapath: Datapath) -> int:
    """Return the bits of an output word at the port: those of the widest."""
    signed = has_negative_outputs(datapath)
    ranges = [datapath.operations[output].range for output in datapath.outputs]
    needed = [Range(min(words.low, 0), max(words.high, 0)).bits + (signed and words.low >= 0) for words in ranges]
    return max(*needed, *datapath.output_bits, 1)


class Signals:
    """The signals of a datapath as wires, with their delayed copies."""

    def __init__(self, plan: Schedule) -> None:
        self._datapath = plan.datapath
        self._names = signal_names(plan.datapath)
        self._plan = plan
        self._input_width = plan.datapath.input_width

    def output_statements(self) -> Iterator[str]:
        """Yield a wire for each output word, and the register that takes them."""
        bits = output_width(self._datapath)
        for number, output in enumerate(self._datapath.outputs):
            source = self._wire(output, self._plan.count - 1)
            word = source.name if source.bits else literal(source.range.low % (1 << bits), bits, signed=False)
            yield f"wire [{bits - 1}:0] output_{number} = {word};"
        words = ", ".join(f"output_{number}" for number in reversed(range(len(self._datapath.outputs))))
        yield f"always @(posedge clock) outputs <= {{{words}}};"

    def statements(self, position: int, operation: Operation) -> Iterator[str]:
        """Yield the declarations of a signal and of its registers."""
        stage = self._plan.stages[position]
        result = self._wire(position, stage)
        operands = [self._wire(operand, stage) for operand in operation.operands]
        if isinstance(operation, Input):
            low = operation.column * self._input_width
            yield assigned(result, f"features[{low + result.bits - 1}:{low}]")
        elif isinstance(operation, Sum):
            yield assigned(result, sum_expression(operation, operands))
        elif isinstance(operation, Offset):
            yield assigned(result, offset_expression(operation, result.bits, operands[0]))
        elif isinstance(operation, Select):
            yield from select_statements(operation, result, operands)
        else:
            yield from quantize_statements(operation, result, operands[0])
        for later in range(stage + 1, self._plan.kept_until[position] + 1):
            former, held = self._wire(position, later - 1), self._wire(position, later)
            yield f"reg {held.type} {held.name}; always @(posedge clock) {held.name} <= {former.name};"

    def _wire(self, position: int, stage: int) -> Wire:
        """Return a signal as it is seen in a stage."""
        delay = stage - self._plan.stages[position]
        words: Range = self._datapath.operations[position].range
        name = self._names[position] + (f"_d{delay}" if delay else "")
        return Wire(name, self._datapath.bits[position], words)


VERILOG, TESTBENCH = "nanotrigger.v", "testbench.v"


def write_rtl(datapath: Datapath, folder: Path, *, clock_period: float = 5.0, levels: int | None = None) -> None:
    """Write nanotrigger.v, testbench.v and README.md into `folder`, which appears whole or stays as it was.

    The Verilog is the datapath that is counted: the same operations, with the same widths and registers. The testbench
    reads the test vectors in `../tb_data`.

    Args:
        datapath: of the network.
        folder: to write, or to replace if it holds a nanotrigger.v.
        clock_period: in ns, into which every stage fits.
        levels: levels of adders between two registers instead.

    Raises:
        InputError: `levels` is below 1, or the folder has other content.
    """
    plan = schedule(datapath, levels, clock_period=clock_period)
    with whole_folder(folder, marker=VERILOG) as new:
        write_text(new / VERILOG, verilog(plan))
        write_text(new / TESTBENCH, verilog_testbench(plan))
        write_text(new / "README.md", _filled("README.md", _values(plan)))


def verilog(plan: Schedule) -> str:
    """Return the modules `nanotrigger`, with a valid bit beside the data, and `nanotrigger_datapath`."""
    return _filled("top.v", {**_values(plan), "datapath": datapath_module(plan)})


def verilog_testbench(plan: Schedule) -> str:
    """Return a module that feeds test vectors to `nanotrigger` and checks its outputs."""
    return _filled(TESTBENCH, _values(plan))


def _values(plan: Schedule) -> dict[str, Any]:
    """Return what the templates leave open."""
    datapath = plan.datapath
    inputs, outputs, width = datapath.inputs, len(datapath.outputs), output_width(datapath)
    signed = has_negative_outputs(datapath)
    kind = "two's complement" if signed else "unsigned"
    return {
        "inputs": inputs,
        "input_width": datapath.input_width,
        "input_format": "; ".join(_format_words(datapath)),
        "features_high": inputs * datapath.input_width - 1,
        "outputs": outputs,
        "output_width": width,
        "output_format": f"{kind}: a word is worth {_step_words(datapath)}",
        "outputs_high": outputs * width - 1,
        "sign": "$signed" if signed else "$unsigned",
        "latency": plan.count,
        "rule": plan.rule,
    }


def _format_words(datapath: Datapath) -> Iterator[str]:
    """Yield what a word of each input is worth."""
    for number in dict.fromkeys(datapath.input_formats):
        yield f"type {number}: a word is worth {number.step:g}"


def _step_words(datapath: Datapath) -> str:
    """Return what an output word is worth; one after the other if they differ."""
    return ", ".join(
        f"{step:g} ({len(list(same))} words)" for step, same in groupby(datapath.output_steps)
    ).removesuffix(f" ({len(datapath.outputs)} words)")


def _filled(template: str, values: dict[str, Any]) -> str:
    return files(__package__).joinpath(template).read_text(encoding="utf-8").format_map(values)
