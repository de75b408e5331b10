"""Points of a scan: how their keys reach training and export."""

from pathlib import Path

import pytest

from nanotrigger.cli.arguments import export_arguments, point_arguments
from nanotrigger.scan.plan import Axis, Plan

CONFIGS = Path(__file__).parents[3] / "configs"
PLAN = Plan(name="points", axes=(Axis(("seed",), (1, 2)),), experiments=("jets_budget",))


def test_keys_of_the_export_have_the_budget_count_for_its_target():
    keys = {"seed": 1, "export.clock_period": 2.5, "export.fpga_part": "AGFB014R24A", "export.report": "yosys"}
    words = point_arguments(PLAN, keys, Path("run"), CONFIGS)
    assert [word for word in words if word.startswith(("--export", "--budget"))] == [
        "--budget.target.clock_period=2.5",
        "--budget.target.fpga_part=AGFB014R24A",
    ]
    assert export_arguments(keys, Path("best.ckpt"))[1:] == [
        "--clock_period=2.5",
        "--fpga_part=AGFB014R24A",
        "--report=yosys",
    ]


@pytest.mark.parametrize("keys", [{"seed": 1}, {"seed": 1, "export.report": "yosys"}])
def test_nothing_is_said_of_a_target_that_is_not_given(keys):
    assert not any("target" in word for word in point_arguments(PLAN, keys, Path("run"), CONFIGS))


def test_a_target_of_the_budget_itself_comes_last():
    keys = {"budget.target.clock_period": 4.0, "export.clock_period": 2.5}
    words = point_arguments(PLAN, keys, Path("run"), CONFIGS)
    assert words.index("--budget.target.clock_period=2.5") < words.index("--budget.target.clock_period=4.0")
