"""On a GPU: the same training as on a CPU, compiled or not, again and again the same bits, also when it is killed."""

import signal
import subprocess

import pytest
import torch

from nanotrigger.networks.weights import layer_weights
from nanotrigger.training.pruning import Pruning
from tests.command import command, start, wait_for
from tests.unit.training.compiled_fits import JETS, TASKS, Stop, assert_equal_runs, fit, jets

pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU"),
    pytest.mark.filterwarnings("ignore:Be aware that when using `ckpt_path`"),
    pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty"),
]
OPTIONS = ("data.source=simulated", "trainer.max_epochs=40", "trainer.accelerator=gpu", "evaluate=false")  # compiled
RUNS = {
    "jets_qat": ("pruning.sparsity=0.6", "pruning.frequency=7"),
    "ad_vae_qat": (),
    "jets_budget": ("budget.ebops=2000", "budget.rounds=0"),
}


@pytest.mark.parametrize("name", TASKS)
def test_equals_the_plain_training(name, tmp_path):
    plain = fit(TASKS[name], tmp_path / "plain", compiled=False, accelerator="gpu")
    compiled = fit(TASKS[name], tmp_path / "compiled", compiled=True, accelerator="gpu")
    assert_equal_runs(tmp_path / "plain", tmp_path / "compiled")
    for one, other in zip(layer_weights(plain.network), layer_weights(compiled.network), strict=True):
        assert one.number is None or (one.values == other.values).mean() > 0.98  # one on an edge may differ


@pytest.mark.parametrize("name", sorted(TASKS.keys() - {"variational"}))  # which draws other numbers there
def test_equals_the_training_on_a_cpu(name, tmp_path):
    for device in ("cpu", "gpu"):
        fit(TASKS[name], tmp_path / device, compiled=True, accelerator=device)
    assert_equal_runs(tmp_path / "cpu", tmp_path / "gpu")


def test_prunes_as_the_plain_training_does(tmp_path):
    networks = [
        fit(jets, tmp_path / str(compiled), Pruning(0.6, frequency=2), compiled=compiled, accelerator="gpu").network
        for compiled in (False, True)
    ]
    for one, other in zip(*(layer_weights(network) for network in networks), strict=True):
        assert one.float_zeros == other.float_zeros == -(-one.values.size * 6 // 10)
        assert ((one.values == 0) == (other.values == 0)).mean() > 0.9


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("name", ["jets", "variational"])
def test_resumes_bit_for_bit(name, compiled, tmp_path):
    whole = fit(TASKS[name], tmp_path / "whole", compiled=compiled, accelerator="gpu")
    fit(TASKS[name], tmp_path / "parts", Stop(), compiled=compiled, accelerator="gpu")
    last = tmp_path / "parts/last.ckpt"
    parts = fit(TASKS[name], tmp_path / "parts", compiled=compiled, accelerator="gpu", ckpt=last)
    for key, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, parts.network.state_dict()[key]), key
    assert (tmp_path / "whole/metrics.csv").read_text() == (tmp_path / "parts/metrics.csv").read_text()


def test_same_words_for_same_weights(tmp_path):
    """Products and sums of what is quantized are exact in float32, in whatever order a device adds them."""
    network = fit(jets, tmp_path, compiled=True, accelerator="gpu").network.eval()
    features = JETS.rows("test")[0]
    with torch.no_grad():
        on_cpu, on_gpu = network.cpu()(features), network.cuda()(features.cuda())
    assert torch.equal(on_cpu, on_gpu.cpu())


@pytest.mark.slow
@pytest.mark.parametrize("experiment", RUNS)
def test_same_seed_and_a_killed_run_give_the_same_files(experiment, tmp_path, monkeypatch):
    """In processes of their own, each of which compiles, and chooses its kernels, itself."""
    words = (f"experiment={experiment}", *OPTIONS, *RUNS[experiment], "trainer.enable_progress_bar=false")

    def begin(name: str, *more: str) -> subprocess.Popen:
        monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / f"cache {len(list(tmp_path.iterdir()))}"))
        return start("train.py", *words, f"output={tmp_path / name}", *more)

    def end(process: subprocess.Popen) -> None:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
        assert "not compiled" not in errors

    one, other, killed = map(begin, ("one", "other", "killed"))
    wait_for(tmp_path / "killed" / "best.ckpt", killed)
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    resumed = begin("killed", "ckpt_path=last")
    for process in (one, other, resumed):
        end(process)
    for name in ("other", "killed"):
        for file in ("last.ckpt", "best.ckpt", "metrics.csv"):
            assert (tmp_path / "one" / file).read_bytes() == (tmp_path / name / file).read_bytes(), (name, file)


@pytest.mark.slow
def test_a_scan_shares_the_card(tmp_path):
    words = ("experiment=jets_qat", "network.weight.width=3,4", "seed=1,2", "workers=4", *OPTIONS[:2])
    done = command("scan.py", *words, f"output={tmp_path / 'scan'}")
    assert done.returncode == 0, done.stderr
