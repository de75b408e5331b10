from dataclasses import replace

from nanotrigger.cost.report import ResourceRow, Resources
from nanotrigger.cost.sources import SOURCES
from nanotrigger.datasheet.facts import bars, layer_costs
from tests.unit.datasheet.conftest import make_report


def test_parts_are_layers_without_empty_rows():
    empty = ResourceRow(name="dense_4", kind="activation")
    report = replace(make_report(), rows=(*make_report().rows, empty))
    assert [(layer.name, layer.used.aluts, len(layer.kinds)) for layer in layer_costs(report)] == [
        ("dense_1", 4_192, 2),
        ("kernel", 95, 1),
    ]


def test_unknown_counts_are_kept():
    (layer,) = layer_costs(make_report(rows=(ResourceRow(name="all", kind="", aluts=None),)))
    assert layer.used.aluts is None


def test_bars_reach_to_a_round_share_of_the_device():
    scale = bars(make_report(), "aluts")  # the largest part takes 0.43 % of 974,400
    assert scale.label == "0.5\N{NO-BREAK SPACE}% of the device"
    assert scale.full == 4_872
    assert scale.percent(4_872) == 100
    assert scale.percent(None) == 0


def test_bars_of_an_unknown_device_reach_to_the_largest_part():
    assert bars(make_report(available=None), "aluts").label == "4,192"
    assert bars(make_report(available=Resources()), "rams").percent(0) == 0


def test_every_source_is_explained():
    for texts in zip(*((source.name, source.title, source.meaning) for source in SOURCES), strict=True):
        assert all(texts) and len(set(texts)) == len(SOURCES)
