from nanotrigger.cost.record import format_report, format_rows
from nanotrigger.cost.report import ResourceReport, ResourceRow, Resources
from nanotrigger.cost.sources.structural import StructuralCount

REPORT = ResourceReport(
    source=StructuralCount.name,
    tool_version=None,
    device="Agilex7",
    scope="datapath",
    used=Resources(aluts=3737, ffs=1124, rams=None, mlabs=52),
    available=Resources(aluts=974_400, ffs=1_948_800, rams=7_110, dsps=4_510, mlabs=24_360),
    latency_cycles=4,
    clock=200.0,
    assumptions=("A long sentence that says under which circumstances the numbers in this table hold at all.",),
)


def test_the_form_of_the_course():
    assert format_report(REPORT).splitlines()[:7] == [
        "                 available        used    percentage",
        "ALUTs              974,400       3,737       0.384 %",
        "FFs              1,948,800       1,124       0.058 %",
        "RAMs                 7,110     unknown       unknown",
        "DSPs                 4,510           0       0.000 %",
        "MLABs               24,360          52       0.213 %",
        "ALUT % + FF %                                0.441 %",
    ]


def test_the_source_goes_with_the_numbers():
    text = format_report(REPORT)
    assert "source      structural count\n" in text
    assert "scope       datapath: the C++ firmware without pipes and shell\n" in text
    assert "latency 4 cycles (20 ns), initiation interval unknown, clock 200 MHz" in text
    assert "measure" not in text


def test_80_columns_hold_it():
    row = ResourceRow(name="a_layer_of_a_very_long_name", kind="registers of the pipeline", aluts=10**6, ffs=2 * 10**6)
    for text in (format_report(REPORT), format_rows([row])):
        assert max(map(len, text.splitlines())) <= 80


def test_rows_line_up():
    rows = [ResourceRow(name="dense", kind="products", aluts=26_304, ffs=None, mlabs=2)]
    assert format_rows(rows).splitlines() == [
        "part                   kind                ALUTs      FFs   RAMs   DSPs  MLABs",
        "dense                  products           26,304  unknown      0      0      2",
    ]
