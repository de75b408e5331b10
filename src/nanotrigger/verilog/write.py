"""Write a datapath as Verilog, with a testbench that checks itself."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.operations import Input, Offset, Operation, Range, Select, Sum
from nanotrigger.datapath.schedule import Schedule, schedule
from nanotrigger.files import whole_folder, write_text
from nanotrigger.verilog.names import signal_names
from nanotrigger.verilog.record import Module, write_module
from nanotrigger.verilog.wires import (
    Wire,
    assigned,
    literal,
    offset_expression,
    quantize_statements,
    select_statements,
    sum_expression,
)

TESTBENCH = "testbench.v"
VERILOG, _NAME = "nanotrigger.v", "nanotrigger"  # where a network has no name
_EXACT = "computes what `../model.onnx` does, word for word"
_ROUNDED = "rounds the network in other places than the firmware does, so that\nsome words differ"


def datapath_module(plan: Schedule, name: str = _NAME) -> str:
    """Return a Verilog module that computes a datapath, with a register where a stage of its schedule ends.

    It is `NAME_datapath`. Its ports are `clock`, `features` and `outputs`, words side by side, the first in the lowest
    bits. Every output has the width of the widest one. There is no reset: what the registers hold is gone after as many
    cycles as stages.
    """
    datapath, signals = plan.datapath, Signals(plan)
    lines = [
        f"module {name}_datapath (",
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


def write_rtl(
    datapath: Datapath,
    folder: Path,
    *,
    name: str = _NAME,
    clock_period: float = 5.0,
    levels: int | None = None,
    registered_inputs: bool = False,
    exact: bool = True,
) -> Module:
    """Write NAME.v, NAME.sdc, testbench.v, module.json and README.md into `folder`, which appears whole or not at all.

    The Verilog is the datapath that is counted: the same operations, with the same widths and registers. The testbench
    reads the test vectors in `../tb_data`.

    Args:
        datapath: of the network.
        folder: to write, or to replace if it holds a testbench.v.
        name: of the top module, as `module_name` gives it.
        clock_period: in ns, into which every stage fits; it is also that of the constraints.
        levels: levels of adders between two registers instead.
        registered_inputs: whether the inputs go into a register first.
        exact: whether the firmware computes the same words.

    Returns:
        what it offers.

    Raises:
        InputError: `levels` is below 1, or the folder has other content.
    """
    plan = schedule(datapath, levels, clock_period=clock_period)
    module = replace(_module(plan, name, clock_period, registered_inputs), exact=exact)
    values = _values(plan, module)
    with whole_folder(folder, marker=TESTBENCH) as new:
        write_text(new / f"{name}.v", verilog(plan, name, registered_inputs=registered_inputs))
        write_text(new / f"{name}.sdc", _filled("constraints.sdc", values))
        write_text(new / TESTBENCH, _filled(TESTBENCH, values))
        write_text(new / "README.md", _filled("README.md", values))
        write_module(module, new)
    return module


def verilog(plan: Schedule, name: str = _NAME, *, registered_inputs: bool = False) -> str:
    """Return the modules `NAME`, with a valid bit beside the data, and `NAME_datapath`."""
    values = _values(plan, _module(plan, name, 5.0, registered_inputs))
    return _filled("top.v", {**values, "datapath": datapath_module(plan, name)})


def verilog_testbench(plan: Schedule, name: str = _NAME) -> str:
    """Return a module that feeds test vectors to the module `NAME` and checks its outputs."""
    return _filled(TESTBENCH, _values(plan, _module(plan, name, 5.0, False)))


def _module(plan: Schedule, name: str, clock_period: float, registered_inputs: bool) -> Module:
    datapath = plan.datapath
    return Module(
        name=name,
        inputs=datapath.inputs,
        input_width=datapath.input_width,
        outputs=len(datapath.outputs),
        output_width=output_width(datapath),
        latency=plan.count + registered_inputs,
        registered_inputs=registered_inputs,
        clock_period=clock_period,
    )


def _values(plan: Schedule, module: Module) -> dict[str, Any]:
    """Return what the templates leave open."""
    datapath = plan.datapath
    signed = has_negative_outputs(datapath)
    kind = "two's complement" if signed else "unsigned"
    register = "    reg [{high}:0] held; always @(posedge clock) held <= features;  // the input register\n\n"
    high = module.inputs * module.input_width - 1
    return {
        **asdict(module),
        "simulation": module.simulation,
        "claim": _EXACT if module.exact else _ROUNDED,
        "input_format": "; ".join(_format_words(datapath)),
        "features_high": high,
        "output_format": f"{kind}: a word is worth {_step_words(datapath)}",
        "outputs_high": module.outputs * module.output_width - 1,
        "sign": "$signed" if signed else "$unsigned",
        "rule": plan.rule,
        "registered": ", the first of them in a register of the inputs" if module.registered_inputs else "",
        "input_register": register.format(high=high) if module.registered_inputs else "",
        "datapath_inputs": "held" if module.registered_inputs else "features",
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
