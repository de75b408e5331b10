"""Write a datapath as Verilog, with a testbench that checks itself."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.schedule import Schedule, schedule
from nanotrigger.files import whole_folder, write_text
from nanotrigger.verilog.module import datapath_module, has_negative_outputs, output_width

VERILOG, TESTBENCH = "nanotrigger.v", "testbench.v"


def write_rtl(datapath: Datapath, folder: Path, *, levels: int) -> None:
    """Write nanotrigger.v, testbench.v and README.md into `folder`, which appears whole or stays as it was.

    The Verilog is the datapath that is counted: the same operations, with the same widths and registers. The testbench
    reads the test vectors in `../tb_data`.

    Args:
        datapath: of the network.
        folder: to write, or to replace if it holds a nanotrigger.v.
        levels: levels of adders between two registers.

    Raises:
        InputError: `levels` is below 1, or the folder has other content.
    """
    plan = schedule(datapath, levels)
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
    datapath, number = plan.datapath, plan.datapath.input_format
    inputs, outputs, width = datapath.inputs, len(datapath.outputs), output_width(datapath)
    signed = has_negative_outputs(datapath)
    kind = "two's complement" if signed else "unsigned"
    return {
        "inputs": inputs,
        "input_width": number.width,
        "input_format": f"type {number}: a word is worth {number.step:g}",
        "features_high": inputs * number.width - 1,
        "outputs": outputs,
        "output_width": width,
        "output_format": f"{kind}: a word is worth {datapath.output_step:g}",
        "outputs_high": outputs * width - 1,
        "sign": "$signed" if signed else "$unsigned",
        "latency": plan.count,
        "levels": plan.levels,
    }


def _filled(template: str, values: dict[str, Any]) -> str:
    return files(__package__).joinpath(template).read_text(encoding="utf-8").format_map(values)
