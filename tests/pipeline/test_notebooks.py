"""The notebooks: stored as they were executed, and executed again with short settings."""

import nbformat
import pytest

from tests.command import ROOT

FOLDER = ROOT / "docs" / "notebooks"
QUICK = '"data.source": "simulated", "trainer.max_epochs": 1, "trainer.check_val_every_n_epoch": 1'
PARAMETERS = {
    "jet_tagging": f"""
SETTINGS = {{{QUICK}, "network.hidden": [8, 8, 8]}}
PRECISIONS, WIDTHS, SPARSITIES = [16], [], [0.9]
BUDGET, RUNS = {{"budget.aluts": 200_000, "budget.rounds": 0}}, "runs"
""",
    "anomaly_detection": f"""
SETTINGS = {{{QUICK}, "network.hidden": [8, 6], "data.events": 3000}}
PRECISIONS, RUNS = [], "runs"
""",
}


def outputs(notebook) -> list[dict]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def check_outputs(notebook) -> None:
    """Every cell ran, in order, and libraries said nothing."""
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    found = outputs(notebook)
    assert {output.get("name", "stdout") for output in found} == {"stdout"}
    assert not [output for output in found if output.output_type == "error"]
    assert sum("image/png" in output.get("data", {}) for output in found) >= 10
    said = "".join([output.get("text", "") + output.get("data", {}).get("text/html", "") for output in found])
    assert "WRONG" not in said
    assert "Warning" not in said


def test_there_are_no_others():
    assert {path.stem for path in FOLDER.glob("*.ipynb")} == {*PARAMETERS}


@pytest.mark.parametrize("name", PARAMETERS)
def test_it_is_stored_with_its_outputs(name):
    path = FOLDER / f"{name}.ipynb"
    assert path.stat().st_size < 1_500_000
    check_outputs(nbformat.read(path, as_version=4))


@pytest.mark.slow
@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning:jupyter_client", "ignore::DeprecationWarning:zmq")
def test_it_runs(name, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    from execute import executed

    check_outputs(executed(FOLDER / f"{name}.ipynb", tmp_path, parameters=PARAMETERS[name]))
