"""Circuit: the datapath as a Verilog module."""

from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.schedule import schedule
from nanotrigger.graph.layers import IntegerNetwork
from nanotrigger.verilog.comments import section_comments
from nanotrigger.verilog.signals import Signals, output_width

DATAPATH_MODULE = "nanotrigger_datapath"


def datapath_module(datapath: Datapath, network: IntegerNetwork, *, levels: int) -> str:
    """Return a Verilog module that computes a datapath, a register after every `levels` levels of adders.

    Its ports are `clock`, `features` and `outputs`, words side by side, the first in the lowest bits. Every output has
    the width of the widest one. There is no reset: what the registers hold is gone after as many cycles as stages.

    Raises:
        InputError: `levels` is below 1.
    """
    signals = Signals(datapath, network, schedule(datapath, levels))
    lines = [
        f"module {DATAPATH_MODULE} (",
        "    input  wire clock,",
        f"    input  wire [{len(network.layers[0].weights) * network.number.width - 1}:0] features,",
        f"    output reg  [{len(datapath.outputs) * output_width(datapath) - 1}:0] outputs",
        ");",
    ]
    section = None
    for position, operation in enumerate(datapath.operations):
        if not datapath.bits[position]:
            continue
        if operation.layer != section:
            section = operation.layer
            lines += ["", *(f"    // {comment}" for comment in section_comments(section, network))]
        lines += [f"    {statement}" for statement in signals.statements(position, operation)]
    lines += ["", "    // Output register"]
    lines += [f"    {statement}" for statement in signals.output_statements()]
    return "\n".join([*lines, "endmodule", ""])
