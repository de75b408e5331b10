"""The count of the networks of which the vendor's compiler made a report, and the errors that are stated."""

import json
from pathlib import Path

import pytest

from nanotrigger.cost.sources.kernel import KERNELS
from nanotrigger.cost.sources.structural import structural_report
from nanotrigger.firmware.target import Target
from nanotrigger.graph.from_qonnx import read_graph

ROOT = Path(__file__).parents[4]
RECORDS = ROOT / "benchmarks" / "records"
NAMES = ("course_tenth_16", "course_qat", "course_float_8")  # the quickest


@pytest.mark.parametrize("name", NAMES)
def test_whole_networks(name):
    record = json.loads((RECORDS / f"{name}.json").read_text())
    target, said = Target(**record["target"]), record["figures"]
    datapath = read_graph(RECORDS / record["networks"][0], target.precision).unroll()
    report = structural_report(datapath, target)
    used = report.used
    assert (used.aluts, used.ffs) == (pytest.approx(said["aluts"], rel=0.1), pytest.approx(said["ffs"], rel=0.2))
    assert (used.rams, used.mlabs) == (said["rams"], pytest.approx(said["mlabs"], abs=4))
    if "latency_cycles" in said:
        assert report.latency_cycles == pytest.approx(said["latency_cycles"], rel=0.15)
    assert report.error == KERNELS[1].error


def test_errors_are_those_of_the_benchmark(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    import vendor

    ratios = json.loads((RECORDS / vendor.RATIOS).read_text())
    assert vendor.errors(ratios) == {kernel.clock: kernel.error for kernel in KERNELS}
    records = (json.loads(path.read_text()) for path in RECORDS.glob("*.json") if path.name != vendor.RATIOS)
    assert sorted(record["name"] for record in records) == sorted(item["name"] for item in ratios["records"])


def test_no_record_no_error(quantized_model):
    datapath = read_graph(quantized_model).unroll()
    between = structural_report(datapath, Target(clock_period=3.0))
    assert between.error == {} and any("no record at 333.3 MHz" in note for note in between.assumptions)
    assert structural_report(datapath, Target(), is_recorded=False).error == {}
    assert structural_report(datapath, Target(), scope="datapath").error == {}
