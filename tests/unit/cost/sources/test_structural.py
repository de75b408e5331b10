"""The report of the structural count, its pipeline, and what it refuses."""

import pytest

from nanotrigger.cost.sources.kernel import KERNELS
from nanotrigger.cost.sources.source import refusal
from nanotrigger.cost.sources.structural import StructuralCount, structural_report
from nanotrigger.datapath.schedule import schedule
from nanotrigger.errors import InputError
from nanotrigger.firmware.target import Target
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.numbers import FixedPoint
from tests.made_graphs import Result


def test_report(quantized_model):
    report = structural_report(read_graph(quantized_model).unroll(), Target())
    assert report.source == StructuralCount.name
    assert (report.scope, report.initiation_interval, report.clock) == ("whole IP", 1, 200.0)
    assert report.used.mlabs == 2  # 3 words of 10 bits
    assert {row.name for row in report.rows} == {"input", "dense_1", "dense_2", "dense_3", "output", "kernel"}
    assert {row.kind for row in report.rows} == {
        "products",
        "adder tree",
        "activation",
        "registers",
        "shell",
        "output pipe",
    }
    assert "not a measurement" in report.assumptions[0]


def test_the_datapath_alone_has_no_kernel(quantized_model):
    datapath = read_graph(quantized_model).unroll()
    whole = structural_report(datapath, Target())
    alone = structural_report(datapath, Target(), scope="datapath")
    assert {row.name for row in whole.rows} - {row.name for row in alone.rows} == {"kernel"}
    assert whole.latency_cycles - alone.latency_cycles == KERNELS[0].latency
    assert alone.used.mlabs == 0


def test_latency_is_the_number_of_stages(quantized_model):
    datapath = read_graph(quantized_model).unroll()
    one, all_at_once = (structural_report(datapath, Target(), scope="datapath", levels=levels) for levels in (1, 1000))
    assert one.latency_cycles == datapath.depth
    assert all_at_once.latency_cycles == 1
    assert all_at_once.used.ffs == 3 * 10


def test_more_stages_need_more_flip_flops(quantized_model):
    datapath = read_graph(quantized_model).unroll()
    counts = [sum(schedule(datapath, levels).flip_flops) for levels in (1, 2, 4, 8)]
    assert counts == sorted(counts, reverse=True)


def test_a_faster_clock_means_more_stages(quantized_model):
    datapath = read_graph(quantized_model).unroll()
    slow, fast = (structural_report(datapath, Target(clock_period=period)) for period in (5.0, 2.0))
    assert fast.latency_cycles > slow.latency_cycles


def test_flip_flops_by_hand(one_layer):
    # x + y, then + z: with a register after each adder, z of 8 bits waits for x + y of 9 bits.
    datapath = one_layer([[1], [1], [1]], results=(Result(FixedPoint(12, 12)),)).unroll()
    assert schedule(datapath, 1).count == 2
    assert sum(schedule(datapath, 1).flip_flops) == 8 + 9
    assert sum(schedule(datapath, 2).flip_flops) == 0


@pytest.mark.parametrize("change", [{"io_type": "io_stream"}, {"reuse_factor": 2}, {"radius": True}])
def test_what_is_not_known_is_refused(quantized_model, change):
    target = Target(**change)
    reason = refusal(target)
    assert reason.startswith(next(iter(change)))
    with pytest.raises(InputError, match="structural count"):
        structural_report(read_graph(quantized_model).unroll(), target)


def test_nothing_is_refused_without_reason():
    assert refusal(Target()) is None


def test_levels_must_be_positive(quantized_model):
    with pytest.raises(InputError, match="at least one level"):
        structural_report(read_graph(quantized_model).unroll(), Target(), levels=0)
