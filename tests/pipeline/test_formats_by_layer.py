"""A format for each layer: trained, resumed, warm-started and exported as a user does it."""

import json
import re
import shutil

import pytest
import yaml

from nanotrigger.training.checkpoint import load_trained
from tests.command import command
from tests.conftest import train

pytestmark = pytest.mark.slow
WEIGHTS = "network.weight=[{width: 4}, {width: 1, integer: 1}, {width: 2, integer: 1}, {width: 6}]"
ACTIVATIONS = "network.activation=[{width: 8}, {width: 5, integer: 2, rounding: down}, {width: 6, integer: 3}]"
RUN = ("experiment=jets_qat", "data.source=simulated", WEIGHTS, ACTIVATIONS, "network.bias.width=6")


def test_trains_resumes_and_exports(float_run, tmp_path):
    run, export = tmp_path / "run", tmp_path / "run" / "export"
    done = train(*RUN, f"output={run}", f"warm_start.ckpt={float_run / 'best.ckpt'}", "trainer.max_epochs=1")
    assert done.returncode == 0, done.stderr
    assert "weight fixed<4,2> fixed<1,1> fixed<2,1> fixed<6,2>, bias fixed<6,2>, activation" in done.stdout
    settings = yaml.safe_load((run / "config.yaml").read_text())["network"]["init_args"]
    assert [number["width"] for number in settings["weight"]] == [4, 1, 2, 6]
    assert settings["bias"] == {"width": 6, "integer": 2, "signed": True, "narrow": True, "rounding": "nearest"}
    assert (run / "figures" / "quantizers.png").stat().st_size > 0
    shutil.copytree(run, tmp_path / "again")
    done = train(f"ckpt_path={tmp_path / 'again' / 'last.ckpt'}", "trainer.max_epochs=2", "evaluate=false")
    assert done.returncode == 0, done.stderr
    assert load_trained(tmp_path / "again" / "last.ckpt").epoch == 1
    done = command("export.py", f"ckpt={run / 'best.ckpt'}")
    assert done.returncode == 0, done.stderr
    parity = json.loads((export / "parity.json").read_text())
    assert parity["differing_words_of"] == {"torch": 0, "qonnx": 0, "datapath": 0, "firmware": 0}
    page = (export / "datasheet.html").read_text()
    assert re.search(
        r'dense_2</th><td class="n">1,024</td><td class="n">0</td><td class="n">.*?</td><td class="n">2<', page
    )
    assert 'dense_3_weight</th><td class="mono">fixed&lt;2,1&gt;' in page
