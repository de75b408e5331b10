"""The datasheet's page says what the datasheet holds, loads nothing and is the same every time."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from nanotrigger.cost.report import ResourceRow, Resources
from nanotrigger.cost.sources import SOURCES
from nanotrigger.cost.sources.oneapi.vendor import EarlyEstimate
from nanotrigger.datasheet.page import FILE, render, write_datasheet
from nanotrigger.datasheet.sheet import Command, Feature
from tests.unit.datasheet.conftest import make_firmware, make_parity, make_report

VOID = {"meta", "link", "img", "br", "path", "rect"}
HOSTILE = "<script>alert(1)</script> & \"quoted\" 'twice' {{ 7 * 7 }}"


class Page(HTMLParser):
    """Elements, visible text and addresses of a page; complains of tags that do not match."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open
        self.text = re.sub(r"\s+", " ", " ".join(self.words))

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)

    def attributes(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.elements if name in attributes]

    def tags(self, name: str) -> list[dict]:
        return [attributes for tag, attributes in self.elements if tag == name]


def page(sheet) -> Page:
    return Page(render(sheet))


def test_quantized_network(quantized_sheet):
    text = page(quantized_sheet).text
    for words in (
        "jets_qat Jet tagging · network 16-32-32-32-5 · Agilex7 at 200 MHz",
        "69.64 %",
        "69.43 % to 69.84 %",
        "Proven word by word. None of 6,625 output words differs",
        "q" * 64,
        "ALUTs 974,400 4,287 0.440 %",
        "Structural count 3 15 1 200 whole IP",
        "dense_1 4,192",
        "adder tree 3,931",
        "256 bits",
        "80 bits",
        "1,325 events",
        "python export.py ckpt=run/best.ckpt",
    ):
        assert words in text


def test_who_gets_only_the_folder_finds_the_way(quantized_sheet, float_sheet):
    text = page(quantized_sheet).text
    for words in (
        "cd rtl && iverilog -g2012 -o testbench.vvp jets_qat.v testbench.v && vvp -n testbench.vvp",
        "sh hls/host_sycl/run.sh",
        "python -m nanotrigger.verify .",
        "features in 256 16 words of 16 bits",
        "its outputs come 3 cycles later: 15 ns at a clock period of 5 ns",
        "reset in 1 synchronous, active high",
        f"Nanotrigger 0.1.0, commit {'c' * 40} of https://example.org/nanotrigger.git",
        "Latency: estimated, whole IP 15 ns",
    ):
        assert words in text
    assert "rtl/" not in page(float_sheet).text


def test_an_image_is_one_row(quantized_sheet):
    cells = tuple(Feature(f"cell_{row}_{column}", 0.5, 2.0) for row in range(16) for column in range(16))
    text = page(replace(quantized_sheet, features=cells)).text
    assert "Word Feature Mean Scale 0 … 255 cell_0_0 … cell_15_15 0.5 2 Output words" in text


def test_saturating_quantizer_is_a_warning(quantized_sheet):
    text = page(quantized_sheet).text
    assert "Warnings Quantizer relu_1_quantizer: 50.00% of the values saturate at ufixed<8,1>" in text
    assert "Quantizer input" not in text


def test_float_network(float_sheet):
    text = page(float_sheet).text
    assert "Not proven word by word: quantized after training." in text
    assert "99.27 % of the events" in text
    assert "probabilities deviate by 0.017 at most" in text
    assert "The network has no quantizers of its own" in text
    assert "table of exponentials" in text
    assert "resources and latency are unknown" in text


def test_difference_is_named(quantized_sheet):
    difference = {"witness": "firmware", "event": 1_234, "node": "relu_2"}
    parity = make_parity() | {"differing_words": 7, "first_difference": difference}
    text = page(replace(quantized_sheet, parity=parity)).text
    assert (
        "7 of 6,625 output words differ. firmware differs from the integer graph first in event 1,234, node relu_2"
        in text
    )
    assert "does not compute what was trained" in text
    assert "Proven" not in text


def test_missing_parts(quantized_sheet):
    rows = (ResourceRow(name="dense_1", kind="", aluts=None, ffs=5, rams=None),)
    used = Resources(aluts=None, ffs=5, rams=None)
    unknown = make_report(EarlyEstimate.name, device="Stratix10", used=used, rows=rows, latency_cycles=None, clock=None)
    firmware = replace(quantized_sheet.firmware, io_type="io_stream", fpga_part="Stratix10")
    bare = make_report(rows=(), assumptions=())
    text = page(replace(quantized_sheet, firmware=firmware, reports=(bare, unknown))).text
    assert "The resources of the device Stratix10 are not known" in text
    assert "io_stream" in text
    assert "dense_1 unknown 5" in text
    assert "oneAPI early estimate unknown unknown 1 unknown whole IP" in text


def test_best_source_is_the_headline(quantized_sheet):
    estimate = make_report(EarlyEstimate.name, latency_cycles=12)
    text = page(replace(quantized_sheet, reports=(make_report(), estimate))).text
    assert (
        "Latency: estimated, whole IP 60 ns 12 cycles of 5 ns, a new input every cycle; oneAPI early estimate" in text
    )
    assert text.index("oneAPI early estimate whole IP") < text.index("Structural count whole IP")


@pytest.mark.parametrize("hidden", [1, 8])
def test_picture_has_every_layer(quantized_sheet, hidden):
    found = page(replace(quantized_sheet, firmware=make_firmware(hidden)))
    assert len([box for box in found.tags("rect") if "layer" in box.get("class", "")]) == hidden + 2
    assert f"dense_{hidden} (dense + ReLU) with 32 outputs of type ufixed<8,1>" in found.text


def test_hostile_strings_are_escaped(quantized_sheet):
    layers = tuple(replace(layer, label=HOSTILE) for layer in quantized_sheet.firmware.layers)
    sheet = replace(
        quantized_sheet,
        experiment=HOSTILE,
        task=HOSTILE,
        firmware=replace(quantized_sheet.firmware, fpga_part=HOSTILE, layers=layers),
        reports=(make_report(assumptions=(HOSTILE,), tool_version=HOSTILE),),
        performance_figures=(replace(quantized_sheet.performance_figures[0], description=HOSTILE),),
        commands=(Command(HOSTILE, HOSTILE),),
        versions={"nanotrigger": HOSTILE},
    )
    found = page(sheet)
    assert not found.tags("script")
    assert found.tags("img")[1]["alt"] == HOSTILE
    assert found.text.count(HOSTILE) > 8


def test_nothing_is_loaded_or_run(quantized_sheet, float_sheet):
    for sheet in (quantized_sheet, float_sheet):
        found = page(sheet)
        assert not {tag for tag, _ in found.elements} & {"script", "iframe", "object", "embed", "form", "base"}
        assert all(address.startswith(("data:", "#")) for name in ("src", "href") for address in found.attributes(name))
        assert not [name for _, attributes in found.elements for name in attributes if name.startswith("on")]
        assert not re.findall(r"@import|url\((?!#)", render(sheet))


def test_accessible(quantized_sheet):
    found = page(quantized_sheet)
    assert found.tags("html") == [{"lang": "en"}]
    assert all(image["alt"] for image in found.tags("img"))
    assert all(cell.get("scope") in ("row", "col") for cell in found.tags("th"))
    assert all(image["role"] == "img" for image in found.tags("svg"))
    names = found.attributes("id")
    assert len(names) == len(set(names))
    assert {address[1:] for address in found.attributes("href") if address[0] == "#"} <= set(names)


def test_same_bytes_every_time(quantized_sheet):
    assert render(quantized_sheet) == render(quantized_sheet)


def test_no_estimate_is_called_a_measurement(quantized_sheet):
    reports = tuple(make_report(source.name) for source in SOURCES)
    text = page(replace(quantized_sheet, reports=reports)).text
    assert "None of these numbers is a measurement" in text
    assert text.count("measure") == 1


def test_written_whole(quantized_sheet, tmp_path):
    assert write_datasheet(quantized_sheet, tmp_path) == tmp_path / FILE
    assert (tmp_path / FILE).read_text(encoding="utf-8") == render(quantized_sheet)
    assert [path.name for path in tmp_path.iterdir()] == [FILE]
