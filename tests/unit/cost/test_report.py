import json

import pytest

from nanotrigger.cost.contest import contest_figure
from nanotrigger.cost.devices import resources_of
from nanotrigger.cost.record import FILE, add_reports, read_reports, report_from_json, write_reports
from nanotrigger.cost.report import NAMES, ResourceReport, ResourceRow, Resources
from nanotrigger.cost.sources import SOURCES, best_first
from nanotrigger.cost.sources.oneapi.vendor import EarlyEstimate, QuartusFit
from nanotrigger.cost.sources.structural import StructuralCount
from nanotrigger.cost.sources.yosys import OpenSynthesis
from nanotrigger.errors import InputError


def report(**changes):
    values = {
        "source": EarlyEstimate.name,
        "tool_version": "2025.0",
        "device": "Agilex7",
        "scope": "whole IP",
        "used": Resources(aluts=3737, ffs=1124, mlabs=52),
        "available": resources_of("Agilex7"),
        "latency_cycles": 4,
        "initiation_interval": 1,
        "clock": 200.0,
        "assumptions": ("An estimate.",),
        "rows": (ResourceRow(name="dense", kind="adder tree", aluts=2819, ffs=1024),),
    }
    return ResourceReport(**{**values, **changes})


def test_shares_and_the_contest_figure():
    aluts, ffs = 100 * 3737 / 974_400, 100 * 1124 / 1_948_800
    assert report().share("aluts") == aluts
    assert contest_figure(report()) == aluts + ffs
    assert report().latency == 20


def test_shares_are_unknown_on_an_unknown_device():
    unknown = report(device="Stratix10", available=resources_of("Stratix10"))
    assert [unknown.share(name) for name in NAMES] == [None] * 5
    assert contest_figure(unknown) is None


def test_shares_are_unknown_where_the_source_does_not_say():
    partial = report(used=Resources(aluts=10, ffs=None))
    assert partial.share("ffs") is None
    assert contest_figure(partial) is None
    assert report(available=Resources(aluts=0)).share("aluts") is None


def test_a_circuit_may_be_larger_than_the_device():
    assert report(used=Resources(aluts=2 * 974_400)).share("aluts") == 200


@pytest.mark.parametrize(
    "changes", [{}, {"available": None, "latency_cycles": None, "initiation_interval": None, "clock": None, "rows": ()}]
)
def test_json_keeps_everything(changes):
    original = report(**changes)
    assert report_from_json(json.loads(json.dumps(original.to_json()))) == original


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"latency_cycles": -1}, "latency_cycles -1"),
        ({"initiation_interval": 1.5}, "initiation_interval 1.5"),
        ({"clock": 0.0}, "clock 0.0"),
        ({"clock": float("nan")}, "clock nan"),
        ({"scope": "kernel"}, "'kernel': must be one of whole IP, datapath"),
    ],
)
def test_impossible_values(changes, message):
    with pytest.raises(InputError, match=message):
        report(**changes)


@pytest.mark.parametrize("count", [-1, 2.0, "5", True])
def test_counts_are_whole_numbers(count):
    with pytest.raises(InputError, match="aluts"):
        Resources(aluts=count)


@pytest.mark.parametrize(
    "record",
    [
        None,
        [],
        {},
        {**report().to_json(), "source": "guess"},
        {**report().to_json(), "used": {"luts": 3}},
        {**report().to_json(), "used": {"aluts": "3"}},
        {**report().to_json(), "clock": "200"},
        {**report().to_json(), "surprise": 1},
    ],
)
def test_other_records_are_refused(record):
    with pytest.raises(InputError):
        report_from_json(record)


def test_the_best_source_comes_first():
    sources = [StructuralCount.name, EarlyEstimate.name, OpenSynthesis.name, QuartusFit.name]
    ordered = best_first(report(source=source) for source in sources)
    assert [one.source for one in ordered] == [source.name for source in SOURCES]


def test_reports_on_disk(tmp_path):
    reports = [report(source=StructuralCount.name, scope="datapath"), report()]
    write_reports(reports, tmp_path)
    assert read_reports(tmp_path) == tuple(reversed(reports))
    fit = report(source=QuartusFit.name)
    add_reports([fit], tmp_path)
    assert read_reports(tmp_path) == (fit, *reversed(reports))


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"reports": [{}]}', '{"reports": 3}'])
def test_damaged_file(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(InputError, match=FILE):
        read_reports(tmp_path)


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="export the network first"):
        read_reports(tmp_path)
