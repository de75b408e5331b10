"""What the Verilog of an export offers to whoever instantiates it, kept beside it as module.json."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

from nanotrigger.files import write_json

FILE = "module.json"


@dataclass(frozen=True, kw_only=True)
class Module:
    """The top module in rtl/.

    Attributes:
        name: of the module and of its file, NAME.v.
        inputs: number of words at the port `features`.
        input_width: bits of each.
        outputs: number of words at the port `outputs`.
        output_width: bits of each.
        latency: clock cycles from inputs to outputs, from `in_valid` to `out_valid`.
        registered_inputs: whether the first of these cycles ends in a register of the inputs.
        clock_period: for which the registers were placed, in ns.
        exact: whether its words are those of the firmware.
    """

    name: str
    inputs: int
    input_width: int
    outputs: int
    output_width: int
    latency: int
    registered_inputs: bool
    clock_period: float
    exact: bool = True

    @property
    def simulation(self) -> str:
        """The command that checks it with Icarus Verilog, in its folder."""
        return f"iverilog -g2012 -o testbench.vvp {self.name}.v testbench.v && vvp -n testbench.vvp"

    @property
    def instance(self) -> str:
        """An instance of it, as a design has it."""
        return f"""\
{self.name} network (
    .clock(clock), .reset(reset), .in_valid(in_valid), .features(features),
    .out_valid(out_valid), .outputs(outputs)
);"""


def module_name(project: str) -> str:
    """Return the module's name in a project of that name: a single word, which may be Verilog's own, gets a second.

    >>> module_name("jets_qat"), module_name("table")
    ('jets_qat', 'table_network')
    """
    return f"{project}_network" if re.fullmatch("[a-z]+", project) else project


def write_module(module: Module, folder: Path) -> None:
    """Write the record into the folder of the Verilog."""
    write_json(folder / FILE, asdict(module))


def read_module(folder: Path) -> Module | None:
    """Return the record of a folder of Verilog; None if there is no Verilog."""
    path = folder / FILE
    return Module(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None
