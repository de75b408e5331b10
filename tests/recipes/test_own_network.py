"""A module outside the repository, as docs/own_network.md has it: trained, resumed, exported and verified."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with the page's module and configuration."""
    folder, page = tmp_path_factory.mktemp("own"), (ROOT / "docs/own_network.md").read_text(encoding="utf-8")
    for file, language in (("my_networks.py", "python"), ("own.yaml", "yaml")):
        (folder / file).write_text(re.findall(rf"```{language}\n(.*?)```", page, flags=re.DOTALL)[0], encoding="utf-8")
    return folder


def run(folder: Path, script: str, *words: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, *script.split(), *words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Warning" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def trained(folder) -> Path:
    quiet = ("trainer.enable_progress_bar=false", "evaluate=false")
    said = run(folder, f"{ROOT}/train.py", "fit", "--config=own.yaml", "output=run", "trainer.max_epochs=1", *quiet)
    assert "network: Net 16-24-24-5, 1,136 parameters, quantizers of its own" in said
    run(folder, f"{ROOT}/train.py", "ckpt_path=run/last.ckpt", "trainer.max_epochs=2", *quiet)
    assert (folder / "run" / "metrics.csv").read_text().count("\n") == 3
    return folder


def test_it_is_proven_and_verified(trained):
    said = run(trained, f"{ROOT}/export.py", "ckpt=run/best.ckpt")
    assert "0 of 55,125 output words differ between torch, QONNX, datapath and firmware" in said
    parity = json.loads((trained / "run" / "export" / "parity.json").read_text())
    assert parity["differing_words_of"] == {"torch": 0, "qonnx": 0, "datapath": 0, "firmware": 0}
    assert "WRONG" not in run(trained, "-m nanotrigger.verify", "run/export")
    rtl = trained / "run" / "export" / "rtl"
    verilog = (rtl / f"{json.loads((rtl / 'module.json').read_text())['name']}.v").read_text()
    assert "second" in verilog and "head" in verilog


def test_its_arguments_are_keys(folder):
    words = ("--config=own.yaml", "output=narrow", "trainer.fast_dev_run=true", "network.width=7")
    assert "network: Net 16-7-7-5," in run(folder, f"{ROOT}/train.py", "fit", *words)
    said = run(folder, f"{ROOT}/train.py", "fit", *words[:-1], "network.widht=7", code=2)
    assert "network.widht" in said and "did you mean network.width" in said


def test_where_it_cannot_be_imported_the_commands_say_so(trained, tmp_path):
    said = run(tmp_path, f"{ROOT}/export.py", f"ckpt={trained}/run/best.ckpt", code=2)
    assert "network my_networks.Net cannot be imported (No module named 'my_networks')" in said


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("return self.head(hidden) if hidden.sum() > 0 else features", "cannot be exported"),
        ("return self.head(hidden)[:, :3]", "network.classes=3: simulated has 5 classes"),
    ],
)
def test_what_cannot_be_trained_is_refused_first(folder, tmp_path, line, reason):
    module = (folder / "my_networks.py").read_text(encoding="utf-8")
    changed = module.replace("return self.head(self.sum(hidden + self.second(hidden)))", line)
    (tmp_path / "my_networks.py").write_text(changed, encoding="utf-8")
    said = run(tmp_path, f"{ROOT}/train.py", "fit", f"--config={folder}/own.yaml", "output=run", code=2)
    assert reason in said
    assert len(said.strip().splitlines()[-1]) < 400
    assert not (tmp_path / "run" / "best.ckpt").exists()


def test_default_scales_are_told_before_the_training(folder, tmp_path):
    module = (folder / "my_networks.py").read_text(encoding="utf-8")
    (tmp_path / "my_networks.py").write_text(module.replace("weight_quant=Weight, ", ""), encoding="utf-8")
    words = (f"--config={folder}/own.yaml", "output=run", "trainer.fast_dev_run=true")
    said = run(tmp_path, f"{ROOT}/train.py", "fit", *words)
    assert "warning: network my_networks.Net: its firmware will not be proven (" in said


def test_a_float_module_is_trained_and_told_to_have_no_firmware(folder, tmp_path):
    plain = (folder / "my_networks.py").read_text(encoding="utf-8").partition("class Net")[2]
    plain = re.sub(r"qnn.QuantIdentity\(.*\)", "nn.Identity()", plain)
    plain = re.sub(r"qnn.QuantReLU\(.*\)", "nn.ReLU()", plain).replace("linear(", "nn.Linear(")
    (tmp_path / "my_networks.py").write_text(f"from torch import Tensor, nn\n\n\nclass Net{plain}", encoding="utf-8")
    words = (f"--config={folder}/own.yaml", "output=run", "trainer.max_epochs=1", "trainer.enable_progress_bar=false")
    said = run(tmp_path, f"{ROOT}/train.py", "fit", *words)
    assert "warning: network my_networks.Net: it has no quantizers, so it is trained but has no firmware" in said
    said = run(tmp_path, f"{ROOT}/export.py", "ckpt=run/best.ckpt", code=2)
    assert "a float network that is no chain of linear layers has no firmware" in said
