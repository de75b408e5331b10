"""key=value becomes --key=value, experiments become config files, in order."""

from pathlib import Path

import pytest

from nanotrigger.cli.arguments import train_arguments
from nanotrigger.errors import InputError

CONFIGS = Path(__file__).parents[3] / "configs"
QAT = f"--config={CONFIGS}/experiment/jets_qat.yaml"
COURSE = f"--config={CONFIGS}/experiment/course.yaml"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["experiment=jets_qat"], ["fit", QAT, "--experiment=jets_qat"]),
        (["--experiment=jets_qat"], ["fit", QAT, "--experiment=jets_qat"]),
        (["experiment=jets_qat", "a.b=c=d"], ["fit", QAT, "--a.b=c=d", "--experiment=jets_qat"]),
        (["experiment=jets_qat", "experiment=course"], ["fit", QAT, COURSE, "--experiment=jets_qat+course"]),
        (["test", "experiment=jets_qat"], ["test", QAT, "--experiment=jets_qat"]),
        (["fit", "--config", "my.yaml", "--a.b", "c"], ["fit", "--config", "my.yaml", "--a.b", "c"]),
        (["fit", "--config", "my.yaml", "seed=3"], ["fit", "--config", "my.yaml", "--seed_everything=3"]),
        (
            ["experiment=jets_qat", "budget.share=0.1"],
            [
                *("fit", QAT, "--budget.share=0.1"),
                *("--budget.aluts=null", "--budget.ffs=null", "--budget.ebops=null", "--experiment=jets_qat"),
            ],
        ),
        # as Lightning starts the other processes
        (["fit", QAT, COURSE, "--experiment=jets_qat+course"], ["fit", QAT, COURSE, "--experiment=jets_qat+course"]),
        (["--help"], ["--help"]),
        (["fit", "--help"], ["fit", "--help"]),
    ],
)
def test_rewrites(given, expected):
    assert train_arguments(given, CONFIGS) == expected


@pytest.mark.parametrize("name", ["jets_qta", "", "../base", "jets_qat/../jets_qat", "a b"])
def test_unknown_experiments_list_the_known_ones(name):
    with pytest.raises(
        InputError,
        match="is unknown; choose one of ad_ae, ad_ae_budget, ad_ae_qat, ad_vae, ad_vae_qat, course, "
        "course_pruned, course_qat, jets_budget, jets_cnn, jets_",
    ):
        train_arguments([f"experiment={name}"], CONFIGS)


def test_a_checkpoint_brings_its_config(tmp_path):
    checkpoint = f"ckpt_path={tmp_path}/last.ckpt"
    with pytest.raises(InputError, match="no .*config.yaml beside it; give experiment= as well"):
        train_arguments([checkpoint], CONFIGS)
    (tmp_path / "config.yaml").touch()
    assert train_arguments([checkpoint], CONFIGS) == ["fit", f"--config={tmp_path}/config.yaml", f"--{checkpoint}"]


def test_nothing_to_run():
    with pytest.raises(InputError, match="experiment= is missing; choose one of"):
        train_arguments(["trainer.max_epochs=3"], CONFIGS)
