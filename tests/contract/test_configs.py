"""Every shipped experiment trains for a batch, and what it trains exports."""

import pytest

from tests.command import ROOT, command
from tests.conftest import train

EXPERIMENTS = sorted(path.stem for path in (ROOT / "configs" / "experiment").glob("*.yaml"))
NO_CHAINS_OF_FLOATS = ("jets_cnn_float", "jets_deepsets_float")
OVERLAYS = {"course": "jets_qat"}  # overlay → what it is laid over


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_trains_and_exports(experiment, tmp_path):
    words = [f"experiment={name}" for name in (OVERLAYS.get(experiment), experiment) if name]
    budget = ("budget.aluts=1e9", "trainer.check_val_every_n_epoch=1") if experiment.endswith("_budget") else ()
    pruning = ("pruning.begin_step=0",) if experiment == "course_pruned" else ()
    limits = (
        *budget,
        *pruning,
        "data.source=simulated",
        "trainer.max_epochs=1",
        "trainer.limit_train_batches=1",
        "evaluate=false",
    )
    done = train(*words, *limits, f"output={tmp_path / 'run'}")
    assert done.returncode == 0, done.stderr
    done = command("export.py", f"ckpt={tmp_path / 'run' / 'best.ckpt'}")
    if experiment in NO_CHAINS_OF_FLOATS:
        assert done.returncode == 2
        assert "a float network that is no chain of linear layers has no firmware" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run" / "export" / "parity.json").is_file()


def test_experiment_names_suit_folders():
    assert EXPERIMENTS
    assert all(name.replace("_", "").isalnum() for name in EXPERIMENTS)
