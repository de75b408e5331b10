"""Python, as in a notebook: load, build, train, predict, judge, export and verify without another import."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
import yaml
from matplotlib.figure import Figure
from matplotlib.text import Text

import nanotrigger as nt
from nanotrigger.cost.report import Resources
from tests.command import ROOT

REFERENCE = str(ROOT / "checkpoints/reference/jets_qat.ckpt")
FORMATS = {"input": "fixed<12,4>", "weight": "fixed<4,2>", "bias": "fixed<4,2>", "activation": "ufixed<8,1>"}
SHORT = {"trainer.max_epochs": 1, "data.source": "simulated", "trainer.limit_train_batches": 3, "evaluate": False}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of a network that was built in Python."""
    network = nt.build_network("MLP", hidden=[8], **FORMATS)
    return nt.train("jets_qat", SHORT, network=network, output=str(tmp_path_factory.mktemp("api") / "run"))


def test_importing_it_is_light():
    program = "import sys, nanotrigger as nt; assert {*nt.__all__} < {*dir(nt)}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
    with pytest.raises(AttributeError, match="no attribute 'fit'"):
        nt.fit  # noqa: B018


def test_every_name_is_explained():
    from nanotrigger import api

    assert nt.__all__ == api.__all__
    assert all(getattr(nt, name).__doc__ for name in nt.__all__)


def test_data_are_as_measured():
    jets = nt.load_data("simulated", split="validation")
    assert jets.features.shape == (10_000, 16)
    assert jets.features.dtype == np.float64
    assert jets.feature_names[0] == "zlogz"
    assert jets.features[:, jets.feature_names.index("multiplicity")].min() >= 1  # a count, not standardized
    events = nt.load_data("simulated", task="AnomalyDetection")
    assert events.features.shape[1] == len(events.feature_names) == 57
    assert events.class_names[0] == "background"


def test_the_network_that_was_built_is_trained(run):
    assert nt.verify(str(run))[1].text == (
        "MLP 16-8-5, 181 parameters, input fixed<12,4>, weight fixed<4,2>, bias fixed<4,2>, activation ufixed<8,1>"
    )


def test_a_training_leaves_the_process_as_it_was(tmp_path):
    before = list(sys.argv), torch.get_num_threads(), dict(os.environ)
    with pytest.raises(nt.InputError, match="unknown key trainer.max_epoch; did you mean trainer.max_epochs?"):
        nt.train("jets_qat", {"trainer.max_epoch": 1}, output=tmp_path / "run")
    with pytest.raises(nt.InputError, match="trainer.max_epochs=many: must be a whole number"):
        nt.train("jets_qat", {"trainer.max_epochs": "many"}, output=tmp_path / "run")
    assert before == (sys.argv, torch.get_num_threads(), dict(os.environ))
    assert not (tmp_path / "run").exists()


def test_predictions_are_those_that_are_judged():
    jets = nt.load_data("simulated")
    outputs = nt.predict(REFERENCE, jets.features)
    assert isinstance(outputs, np.ndarray)
    assert outputs.shape == (10_000, 5)
    accuracy = float(np.mean(outputs.argmax(axis=1) == jets.labels))
    assert nt.evaluate(REFERENCE, data="simulated")["accuracy"] == nt.evaluate(REFERENCE)["accuracy"]
    assert 0.6 < accuracy < 1


@pytest.mark.parametrize(
    ("features", "message"),
    [(np.zeros((3, 15)), r"shape \(3, 15\); give \(events, 16\)"), ([[np.nan] * 16], "16 features are not finite")],
)
def test_wrong_features_are_refused(features, message):
    with pytest.raises(nt.InputError, match=message):
        nt.predict(REFERENCE, features)


def test_particles_of_jets(tmp_path):
    settings = {**SHORT, "data.inputs": "constituents", "data.constituents": 4, "network.features": 12}
    run = nt.train("jets_float", settings, output=tmp_path / "run")
    assert yaml.safe_load((run / "config.yaml").read_text())["data"]["init_args"]["source"] == "simulated_constituents"
    jets = nt.load_data("simulated", inputs="constituents", constituents=4)
    assert jets.feature_names[-1] == "particle_4_phi"
    outputs = nt.predict(run, jets.features)
    np.testing.assert_array_equal(nt.predict(run, jets.features.reshape(-1, 4, 3)), outputs)
    accuracy = float(np.mean(outputs.argmax(axis=1) == jets.labels))
    assert nt.evaluate(run)["accuracy"] == nt.evaluate(run, data="simulated")["accuracy"] == accuracy
    with pytest.raises(nt.InputError, match=r"shape \(10000, 3, 4\); give \(events, 4, 3\)"):
        nt.predict(run, jets.features.reshape(-1, 3, 4))
    features = nt.load_data("simulated")
    np.testing.assert_array_equal(features.labels, jets.labels)  # the same jets
    with pytest.raises(nt.InputError, match=r"shape \(10000, 16\); give \(events, 4, 3\)"):
        nt.predict(run, features.features)


def test_evaluate_and_draw(run):
    found = nt.evaluate(run)
    jets = nt.load_data("simulated")
    right = nt.predict(run, jets.features).argmax(axis=1) == jets.labels
    assert found["accuracy"] == right.mean()
    assert found["events"].endswith("test split, 10,000 jets")
    figures = nt.draw(run, split="validation")
    assert {"roc", "confusion", "weights", "quantizers"} == set(figures)
    assert all(isinstance(figure, Figure) for figure in figures.values())
    assert any("Trained network" in text.get_text() for text in figures["roc"].findobj(Text))


def test_export_report_and_verify(run, capsys):
    folder = nt.export(run, clock_period=4.0)
    assert folder == run / "export"
    assert "parity        0 of 55,125 output words differ" in capsys.readouterr().out
    counted, verilog = nt.report(run)
    assert (counted, verilog) == nt.report(str(folder))
    assert (counted.scope, verilog.scope) == ("whole IP", "Verilog")
    assert isinstance(counted.used, Resources)
    assert counted.clock == 250
    assert all(finding.holds for finding in nt.verify(run))
    with pytest.raises(nt.InputError, match="clock is none of fpga_part, clock_period"):
        nt.export(run, clock=4)


def test_wrong_names_are_refused():
    with pytest.raises(nt.InputError, match="split_sead is none of source, features, label, "):
        nt.load_data("simulated", split_sead=1)
    with pytest.raises(nt.InputError, match="network 'MPL' is unknown; this version has MLP"):
        nt.build_network("MPL")
    with pytest.raises(nt.InputError, match="task JetTager is none of JetTagging"):
        nt.load_data(task="JetTager")


def test_verify_is_a_function_whatever_was_imported(run):
    import nanotrigger.verify

    assert nanotrigger.verify(str(run)) == nt.verify(run)


def test_formats_are_texts_in_settings(tmp_path):
    formats = ["fixed<4,2>", {"width": 3, "integer": 1}, "fixed<4,2,RND_CONV,SAT_SYM>", "fixed<5,2>"]
    settings = {"network.weight": formats, "network.bias": "fixed<6,2>", "trainer.max_epochs": 1}
    quick = {"trainer.limit_train_batches": 2, "data.source": "simulated", "trainer.enable_progress_bar": False}
    run = nt.train("jets_qat", {**settings, **quick, "evaluate": False}, output=tmp_path / "run")
    recorded = yaml.safe_load((run / "config.yaml").read_text())["network"]["init_args"]
    assert recorded["bias"] == {"width": 6, "integer": 2, "signed": True, "narrow": False, "rounding": "nearest"}
    assert [number["narrow"] for number in recorded["weight"]] == [False, True, True, False]
    assert nt.verify(run)[1].holds  # config.yaml builds the network of best.ckpt
    with pytest.raises(nt.InputError, match="^network.weight has fixed<4;2>, which is no format; write each"):
        nt.build_network("MLP", **{**FORMATS, "weight": "fixed<4;2>"})
