"""Datasheet page: one self-contained HTML file that an FPGA engineer can be handed."""

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from nanotrigger.cost.contest import CONTEST_LABEL, contest_figure
from nanotrigger.cost.devices import labels_of
from nanotrigger.cost.record import with_error
from nanotrigger.cost.report import NAMES, SCOPES
from nanotrigger.cost.sources import source_named
from nanotrigger.datasheet.facts import FILTERS, bars, key_facts, layer_costs, warnings_of
from nanotrigger.datasheet.network import network_picture, tensor_formats
from nanotrigger.datasheet.sheet import Datasheet
from nanotrigger.datasheet.words import word_rows
from nanotrigger.files import write_text

FILE = "datasheet.html"

_TEMPLATE = "datasheet.html.j2"
_WITNESSES = {
    "torch": "the trained network (torch, float64)",
    "qonnx": "its QONNX file (qonnx, float32)",
    "datapath": "the datapaths that are counted and written as Verilog",
    "firmware": "the firmware's C++, compiled and run on a computer",
}


def write_datasheet(sheet: Datasheet, folder: Path) -> Path:
    """Write datasheet.html into a folder, whole or not at all; return its path."""
    path = folder / FILE
    write_text(path, render(sheet))
    return path


def render(sheet: Datasheet) -> str:
    """Return the page: it loads nothing, runs nothing, and the same datasheet gives the same bytes."""
    return (
        _environment()
        .get_template(_TEMPLATE)
        .render(
            sheet=sheet,
            facts=key_facts(sheet),
            warnings=warnings_of(sheet),
            picture=network_picture(sheet.firmware, sheet.nodes),
            tensors=tensor_formats(sheet.firmware),
            witnesses=[_WITNESSES.get(name, name) for name in sheet.parity.get("differing_words_of", ())],
            witness_names=_WITNESSES,
        )
    )


def _environment() -> Environment:
    """Return templates in which every value is escaped and a missing one is an error."""
    environment = Environment(
        loader=PackageLoader("nanotrigger.datasheet"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(FILTERS)
    environment.globals.update(
        bars=bars,
        layer_costs=layer_costs,
        source_named=source_named,
        labels_of=labels_of,
        contest_figure=contest_figure,
        contest_label=CONTEST_LABEL,
        scopes=SCOPES,
        resource_names=NAMES,
        word_rows=word_rows,
        with_error=with_error,
    )
    return environment
