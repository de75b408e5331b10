"""Figures of studies: which there are, what they say, and the command line that writes them."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.text import Text

from nanotrigger.errors import InputError
from nanotrigger.numbers import FixedPoint
from nanotrigger.overlay import main
from nanotrigger.scan.curves import curves_along, notes_of, tradeoff_points
from nanotrigger.scan.draw import draw_figures
from nanotrigger.scan.results import read_study, write_results
from tests.unit.scan.made_studies import DATA, FORMATS, SEEDS, STRUCTURAL, WIDTHS, write_study

KEYS = ("network.weight", "network.bias")
SPARSITY = {"keys": ["pruning.sparsity"], "values": [0, 0.5]}
SEARCH = {"keys": ["hidden_1"], "low": 4, "high": 32}


def made(folder: Path, *axes, **options):
    return read_study(write_study(folder, *axes, **options))


def mixed(folder: Path):
    """Return a study of which the first seed was only counted."""
    write_study(folder, WIDTHS, SEEDS)
    with (folder / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    write_results(
        [row | ({"resource_source": STRUCTURAL} if row["seed"] == "1" else {}) for row in rows], folder / "results.csv"
    )
    return read_study(folder)


def legend(figure) -> list[str]:
    (found,) = figure.subfigs[1].legends
    return [text.get_text() for text in found.get_texts()]


def test_curve_has_the_numbers_of_the_file_in_the_order_of_the_axis(tmp_path: Path) -> None:
    study = made(tmp_path, WIDTHS | {"values": FORMATS[::-1]}, SEEDS, failed=(0, 20))
    (curve,) = curves_along(KEYS, [study])
    assert curve.values[:3] == [FixedPoint(16, 2, narrow=True)] * 2 + [FixedPoint(8, 2, narrow=True)]
    assert list(curve.quantities["quality"]) == [row["accuracy"] for row in study.complete]
    assert len(curve.values) == 19
    assert curve.label == "MLP 16-32-32-32-5 with 8-bit activations"


def test_two_axes_have_a_figure_each_with_a_curve_for_each_value_of_the_other(tmp_path: Path) -> None:
    figures = draw_figures([made(tmp_path, SPARSITY, WIDTHS | {"values": FORMATS[:3]}, SEEDS)])
    assert list(figures) == ["scan_pruning_sparsity", "scan_network_weight_bias", "tradeoff"]
    assert legend(figures["scan_pruning_sparsity"])[:3] == [
        "weights and biases binary",
        "weights and biases ternary",
        "weights and biases fixed<3,2>",
    ]
    assert legend(figures["scan_network_weight_bias"])[:2] == ["sparsity 0", "sparsity 0.5"]


def test_studies_share_the_figure_of_a_key_and_the_tradeoff(tmp_path: Path) -> None:
    studies = [
        made(tmp_path / "a", WIDTHS, SEEDS),
        made(tmp_path / "b", WIDTHS, name="one_seed"),
        made(tmp_path / "c", SPARSITY, SEEDS, name="pruned"),
        made(tmp_path / "d", SEARCH, name="contest"),
    ]
    figures = draw_figures(studies)
    assert list(figures) == ["scan_network_weight_bias", "scan_pruning_sparsity", "tradeoff"]
    assert legend(figures["scan_network_weight_bias"])[:2] == ["qat_width", "one_seed"]
    assert "mean over seeds" in legend(figures["scan_pruning_sparsity"])
    assert legend(figures["tradeoff"]) == ["qat_width", "one_seed", "pruned", "contest", "Pareto front"]


def test_formats_of_several_tensors_share_a_figure_over_their_widths(tmp_path: Path) -> None:
    precision = {"keys": ["export.precision"], "values": ["fixed<8,6>", "fixed<16,6>"]}
    studies = [made(tmp_path / "a", WIDTHS, SEEDS), made(tmp_path / "b", precision, name="post_training")]
    figure = draw_figures(studies)["scan_bit_width"]
    assert legend(figure)[:2] == ["qat_width", "post_training"]
    assert figure.axes[3].get_xlabel() == "Width of the formats [bits]"


def test_studies_of_one_name_are_told_apart(tmp_path: Path) -> None:
    studies = [made(tmp_path / name, WIDTHS) for name in ("a", "b")]
    label = legend(draw_figures(studies)["tradeoff"])[0]
    assert label.startswith("qat_width (/")
    assert label.endswith("/a)")  # the middle of a long path is cut out


def test_sources_of_resources_are_never_mixed(tmp_path: Path) -> None:
    study = mixed(tmp_path)
    curves = {curve.label: curve for curve in curves_along(KEYS, [study])}
    assert {label: len(curve.values) for label, curve in curves.items()} == {
        "Structural count": 7,
        "oneAPI early estimate": 14,
    }
    assert [(group.source, len(np.asarray(group.quality))) for group in tradeoff_points([study])] == [
        ("Structural count", 7),
        ("oneAPI early estimate", 14),
    ]
    assert notes_of([study])[-1] == "Resources: Structural count, oneAPI early estimate"


def test_without_resources_there_is_no_tradeoff(tmp_path: Path) -> None:
    figures = draw_figures([made(tmp_path, WIDTHS, SEEDS, source="")])
    (figure,) = figures.values()
    written = [text.get_text() for text in figure.findobj(Text)]
    assert written.count("not known") == 5
    assert "Resources: unknown" in "\n".join(written)


def test_points_without_resources_belong_to_the_only_source(tmp_path: Path) -> None:
    write_study(tmp_path, WIDTHS, SEEDS)
    with (tmp_path / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0] |= {"resource_source": "", "aluts": "", "ffs": ""}
    write_results(rows, tmp_path / "results.csv")
    (curve,) = curves_along(KEYS, [read_study(tmp_path)])
    assert len(curve.values) == 21
    assert np.isnan(np.asarray(curve.quantities["aluts"])).sum() == 1
    (group,) = tradeoff_points([read_study(tmp_path)])
    assert len(np.asarray(group.quality)) == 20


def test_notes_say_what_was_trained_how_much_and_who_counted(tmp_path: Path) -> None:
    study = made(tmp_path, WIDTHS, SEEDS, failed=(2,))
    assert notes_of([study]) == [
        "qat_width: MLP 16-32-32-32-5 with 8-bit activations; 21 points, 1 failed",
        DATA,
        "Resources: oneAPI early estimate",
    ]


def test_points_to_come_are_noted(tmp_path: Path) -> None:
    write_study(tmp_path, SEEDS)
    plan = json.loads((tmp_path / "study.json").read_text())
    (tmp_path / "study.json").write_text(json.dumps(plan | {"points": 9}))
    assert notes_of([read_study(tmp_path)])[0].endswith("; 3 of 9 points")


def test_nothing_to_draw_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of 3 points is complete"):
        draw_figures([made(tmp_path / "failed", SEEDS, failed=(0, 1, 2))])
    with pytest.raises(InputError, match="nothing is scanned and no resources are known"):
        draw_figures([made(tmp_path / "seeds", SEEDS, source="")])


def test_command_line_writes_beside_the_study(tmp_path: Path, capsys) -> None:
    write_study(tmp_path, SEARCH, points=4)
    assert main([str(tmp_path)]) == 0
    written = [tmp_path / "figures" / f"tradeoff.{suffix}" for suffix in ("png", "pdf")]
    assert capsys.readouterr().out.splitlines() == list(map(str, written))
    assert sorted((tmp_path / "figures").iterdir()) == sorted(written)


@pytest.mark.parametrize("option", [["output=OUT"], ["--output", "OUT"], ["--output=OUT"]])
def test_command_line_draws_several_studies_elsewhere(option: list[str], tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in "ab":
        write_study(Path(name), SEARCH, points=3)
    assert main(["a", *option, "b"]) == 0
    assert (tmp_path / "OUT" / "tradeoff.png").is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "FOLDER"),
        (["a", "a"], "output is missing for 2 folders"),
        (["b"], "b has no study.json"),
        (["a", "output="], "output"),
        (["a", "--out", "c"], "--out"),
        (["a", "output=a/study.json"], "study.json"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], message: str, tmp_path: Path, monkeypatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    write_study(Path("a"), SEARCH, points=3)
    assert main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert message in line


def test_help_explains(capsys) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(["--help"])
    assert exit_.value.code == 0
    assert "Pareto front" in capsys.readouterr().out
