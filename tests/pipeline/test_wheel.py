"""The wheel: built, installed into a new environment, and used from an empty folder."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from tests.command import ROOT

pytestmark = pytest.mark.slow

COPIED = ("src", "configs", "checkpoints/reference")
FILES = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def run(*words, cwd) -> str:
    """Run a command in an environment without a path to the repository, and return what it printed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    """The folder of the commands of a new environment with the wheel, which sees the packages of this one."""
    source, folder = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("environment")
    for name in COPIED:  # a former build must not get into the wheel
        shutil.copytree(
            ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", "*_export")
        )
    for name in FILES:
        shutil.copy(ROOT / name, source)
    run(*PIP, "wheel", "--no-index", "--no-deps", "--no-build-isolation", "--wheel-dir=.", ".", cwd=source)
    (wheel,) = source.glob("*.whl")
    assert wheel.stat().st_size < 8_000_000
    venv.create(folder)
    own = sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)})
    # of a folder named so, packages that are installed in editable form stay out
    Path(own, "packages.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    python = folder / "bin" / "python"
    run(PIP[0], "-m", "pip", "--python", python, *PIP[3:], "install", "--no-index", "--no-deps", wheel, cwd=source)
    return folder / "bin"


def test_jets_from_an_empty_folder(commands, tmp_path):
    short = (
        "trainer.max_epochs=1",
        "trainer.limit_train_batches=2",
        "trainer.enable_progress_bar=false",
        "evaluate=false",
    )
    said = run(commands / "nanotrigger", "train", "experiment=jets_qat_pruned", *short, "output=run", cwd=tmp_path)
    assert "data: Simulated jets (Pythia 8, shipped sample), 50,000 jets" in said
    config = (tmp_path / "run" / "config.yaml").read_text(encoding="utf-8")
    assert (
        str(commands.parent) in config.partition("warm_start:")[2].partition("\n\n")[0]
    )  # its own reference checkpoint
    assert "deterministic: true" in config  # of base.yaml
    assert (tmp_path / "run" / "best.ckpt").is_file()


def test_the_other_commands_answer(commands, tmp_path):
    said = run(commands / "nanotrigger", cwd=tmp_path)
    for name in ("train", "export", "scan", "verify", "overlay", "fetch", "simulate"):
        assert f"\n  {name} " in said
    found = "from nanotrigger.cli.configs import *; from nanotrigger.scan.grammar import *; " + (
        "plan = compose_plan(read_study_file(find_configuration('study', 'post_training')), {}); "
        "print(plan.checkpoint.is_file())"
    )
    assert run(commands / "python", "-c", found, cwd=tmp_path) == "True\n"
