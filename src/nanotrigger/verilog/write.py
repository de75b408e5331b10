"""Write the network as Verilog, with a testbench that checks itself."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.schedule import schedule
from nanotrigger.files import whole_folder, write_text
from nanotrigger.graph.layers import IntegerNetwork
from nanotrigger.verilog.circuit import datapath_module
from nanotrigger.verilog.signals import has_negative_outputs, output_width

VERILOG, TESTBENCH = "nanotrigger.v", "testbench.v"


def write_rtl(datapath: Datapath, network: IntegerNetwork, *, folder: Path, levels: int) -> None:
    """Write nanotrigger.v, testbench.v and README.md into `folder`, which appears whole or stays as it was.

    The Verilog is the datapath of the structural count: the same operations, with the same widths and registers. The
    testbench reads the test vectors in `../tb_data`.

    Args:
        datapath: of the network.
        network: from which the datapath was unrolled.
        folder: to write, or to replace if it holds a nanotrigger.v.
        levels: levels of adders between two registers.

    Raises:
        InputError: `levels` is below 1, or the folder has other content.
    """
    with whole_folder(folder, marker=VERILOG) as new:
        write_text(new / VERILOG, verilog(datapath, network, levels=levels))
        write_text(new / TESTBENCH, verilog_testbench(datapath, network, levels=levels))
        write_text(new / "README.md", _filled("README.md", _values(datapath, network, levels)))


def verilog(datapath: Datapath, network: IntegerNetwork, *, levels: int) -> str:
    """Return the modules `nanotrigger`, with a valid bit beside the data, and `nanotrigger_datapath`.

    Args:
        datapath: of the network.
        network: for the widths of the ports, and names and formats in comments.
        levels: levels of adders between two registers.

    Raises:
        InputError: `levels` is below 1.
    """
    module = datapath_module(datapath, network, levels=levels)
    return _filled("top.v", {**_values(datapath, network, levels), "datapath": module})


def verilog_testbench(datapath: Datapath, network: IntegerNetwork, *, levels: int) -> str:
    """Return a module that feeds test vectors to `nanotrigger` and checks its outputs; arguments as `verilog`."""
    return _filled(TESTBENCH, _values(datapath, network, levels))


def _values(datapath: Datapath, network: IntegerNetwork, levels: int) -> dict[str, Any]:
    """Return what the templates leave open."""
    inputs, outputs = len(network.layers[0].weights), len(datapath.outputs)
    input_width, width = network.number.width, output_width(datapath)
    signed = has_negative_outputs(datapath)
    kind = "two's complement" if signed else "unsigned"
    return {
        "inputs": inputs,
        "input_width": input_width,
        "input_format": f"type {network.number}: a word is worth {network.number.step:g}",
        "features_high": inputs * input_width - 1,
        "outputs": outputs,
        "output_width": width,
        "output_format": f"{kind}: a word is worth {datapath.output_step:g}",
        "outputs_high": outputs * width - 1,
        "sign": "$signed" if signed else "$unsigned",
        "latency": schedule(datapath, levels).count,
        "levels": levels,
    }


def _filled(template: str, values: dict[str, Any]) -> str:
    return files(__package__).joinpath(template).read_text(encoding="utf-8").format_map(values)
