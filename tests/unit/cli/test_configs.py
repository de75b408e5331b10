"""Own configurations: a file, a folder, a base; and reference checkpoints wherever one stands."""

import pytest

from nanotrigger.cli.arguments import train_arguments
from nanotrigger.cli.configs import SHIPPED, find_configuration, find_file
from nanotrigger.cli.scan import _parser, _plan, _split
from nanotrigger.cli.wording import read_settings
from nanotrigger.errors import InputError

QAT = f"--config={SHIPPED}/experiment/jets_qat.yaml"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Stand in a folder with experiments and a study of one's own."""
    monkeypatch.chdir(tmp_path)
    for name in ("wide.yaml", "kinds/experiment/wide.yaml", "kinds/study/widths.yaml", "based/base.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("seed_everything: 7\n", encoding="utf-8")
    (tmp_path / "widths.yaml").write_text(
        "experiment: [jets_qat, ./wide.yaml]\nscan: {seed: [1, 2]}\n", encoding="utf-8"
    )
    return tmp_path


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["experiment=./wide.yaml"], ["fit", "--config=wide.yaml", "--experiment=wide"]),
        (
            ["experiment=jets_qat", "experiment=wide.yaml"],
            ["fit", QAT, "--config=wide.yaml", "--experiment=jets_qat+wide"],
        ),
        (["configs=.", "experiment=wide"], ["fit", "--config=wide.yaml", "--experiment=wide"]),
        (["--configs=kinds", "experiment=wide"], ["fit", "--config=kinds/experiment/wide.yaml", "--experiment=wide"]),
        (["configs=kinds", "experiment=jets_qat"], ["fit", QAT, "--experiment=jets_qat"]),
        (["configs=based", "experiment=jets_qat"], ["fit", "--config=based/base.yaml", QAT, "--experiment=jets_qat"]),
    ],
)
def test_own_experiments(given, expected):
    assert train_arguments(given) == expected


def test_what_is_not_there_is_said():
    with pytest.raises(InputError, match=r"experiment=wdie is unknown; choose one of ad_ae, .*, wide, widths, or give"):
        train_arguments(["configs=.", "experiment=wdie"])
    with pytest.raises(InputError, match=r"experiment=none.yaml: no such file"):
        train_arguments(["experiment=none.yaml"])
    with pytest.raises(InputError, match=r"configs=none: no such folder"):
        train_arguments(["configs=none", "experiment=jets_qat"])


def test_own_studies(folder, monkeypatch):
    assert find_configuration("study", "widths", folder / "kinds") == folder / "kinds" / "study" / "widths.yaml"
    monkeypatch.chdir("kinds")
    own, experiments, keys = _split(["study=../widths.yaml", "seed=3,4"])
    plan = _plan(read_settings(_parser(), own), experiments, keys, SHIPPED)
    assert plan.name == "widths"
    assert plan.experiments == ("jets_qat", str(folder / "wide.yaml"))


def test_reference_checkpoints_are_found_everywhere(folder):
    name = "checkpoints/reference/jets_float.ckpt"
    assert find_file(name) == str(SHIPPED.parent / name)
    assert f"--warm_start.ckpt={SHIPPED.parent / name}" in train_arguments(
        ["experiment=jets_qat", f"warm_start.ckpt={name}"]
    )
    assert find_file("checkpoints/other/jets_float.ckpt") == "checkpoints/other/jets_float.ckpt"
    own = folder / name
    own.parent.mkdir(parents=True)
    own.touch()
    assert find_file(name) == name
