"""A network of the user's own, as CONTRIBUTING.md has it: trained, resumed, exported and verified."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFIG = """
model:
  class_path: nanotrigger.tasks.JetTagging
data:
  class_path: nanotrigger.tasks.JetData
  init_args: {source: simulated, batch_size: 512}
network:
  class_path: funnel.Funnel
  init_args:
    widest: 12
    input: {width: 8, integer: 4}
    weight: {width: 4, integer: 1}
    bias: {width: 6, integer: 2}
    activation: {width: 5, integer: 1, signed: false}
trainer: {enable_progress_bar: false}
"""
SCRIPTS = {
    "train.py": f"from nanotrigger.cli.train import main\nsys.exit(main(Path({str(ROOT)!r})))\n",
    "export.py": "from nanotrigger.cli.export import main\nsys.exit(main())\n",
    "verify.py": "from nanotrigger.verify import main\nsys.exit(main())\n",
}

pytestmark = pytest.mark.slow


def recipe() -> str:
    """Return the module of the recipe `A network`."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("### A network")[2]
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with the module, a config, and scripts of three lines."""
    folder = tmp_path_factory.mktemp("own")
    (folder / "funnel.py").write_text(recipe(), encoding="utf-8")
    (folder / "funnel.yaml").write_text(CONFIG, encoding="utf-8")
    for name, text in SCRIPTS.items():
        (folder / name).write_text(f"import sys\nfrom pathlib import Path\nimport funnel\n{text}", encoding="utf-8")
    return folder


def run(folder: Path, script: str, *words: str) -> str:
    done = subprocess.run([sys.executable, script, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_trains_resumes_and_is_proven(folder):
    words = ("fit", "--config=funnel.yaml", "output=run")
    said = run(folder, "train.py", *words, "trainer.max_epochs=1")
    assert "network: Funnel 16-12-6-5, " in said
    run(folder, "train.py", "ckpt_path=run/last.ckpt", "trainer.max_epochs=2")
    assert (folder / "run" / "metrics.csv").read_text().count("\n") == 3
    run(folder, "export.py", "ckpt=run/best.ckpt")
    assert json.loads((folder / "run" / "export" / "parity.json").read_text())["differing_words"] == 0
    assert "WRONG" not in run(folder, "verify.py", "run")


def test_its_bits_can_be_learned(folder):
    words = ("fit", "--config=funnel.yaml", "network.learned_bits=weight", "budget.ebops=5000", "output=learned")
    said = run(folder, "train.py", *words, "trainer.max_epochs=1", "evaluate=false")
    assert "budget.ebops=5000" in said
    assert (folder / "learned" / "best.ckpt").is_file()
    assert list((folder / "learned" / "front").iterdir())


def test_without_the_import_its_checkpoint_is_refused_in_one_line(folder):
    done = subprocess.run(
        [sys.executable, ROOT / "export.py", "ckpt=run/best.ckpt"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "network 'Funnel' is unknown; this version has MLP, ResidualMLP, DeepSets, ConvNet, " in done.stderr
