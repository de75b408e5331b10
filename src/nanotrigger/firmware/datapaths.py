"""Datapaths: which operations the firmware's C++ and the Verilog are made of."""

from nanotrigger.datapath.datapath import Datapath
from nanotrigger.firmware.target import SHARED, UNSHARED, Target
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.share_adders import digit_pairs, shared_datapath
from nanotrigger.tools import working

_LONG = 500_000  # pairs of digits, for which a terminal shows that something is done


def firmware_datapath(graph: Graph, target: Target) -> Datapath:
    """Return the datapath of the C++: each neuron has adders of its own, as hls4ml has it, unless `target` shares."""
    return _shared(graph, target) if target.adders == SHARED else graph.unroll()


def verilog_datapath(graph: Graph, target: Target) -> Datapath:
    """Return the datapath of the Verilog: with shared adders, unless `target` says otherwise."""
    return graph.unroll() if target.adders == UNSHARED else _shared(graph, target)


def _shared(graph: Graph, target: Target) -> Datapath:
    with working("shares adders", show=digit_pairs(graph) > _LONG):
        return shared_datapath(graph, clock_period=target.clock_period)
