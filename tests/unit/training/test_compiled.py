"""Compiled trainings equal plain ones: the same weights within float tolerance, the same steps, files and masks."""

import signal
from types import SimpleNamespace

import lightning
import pytest
import torch
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint, Timer
from torch._inductor import standalone_compile

from nanotrigger.data.loader import Block, TensorBatches
from nanotrigger.networks.weights import layer_weights, weighted_layers
from nanotrigger.tasks import JetTagging
from nanotrigger.training import blocks
from nanotrigger.training.compiled_step import CompiledStep
from nanotrigger.training.compiler import as_one_thread_may, uninterrupted
from nanotrigger.training.module import TrainingModule
from nanotrigger.training.pruning import Pruning
from tests.unit.training.compiled_fits import EVENTS, JETS, TASKS, Stop, assert_equal_runs, fit, jets

pytestmark = [
    pytest.mark.filterwarnings("ignore:Be aware that when using `ckpt_path`"),
    pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty"),
]


@pytest.fixture
def halved(monkeypatch):
    """Any batch is halved that can be."""
    monkeypatch.setattr("nanotrigger.training.compiled_step._WORTH_HALVING", 0)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def prepared(name: str) -> tuple[TrainingModule, CompiledStep, list]:
    """Return a task, its step and batches for it."""
    torch.manual_seed(3)
    task = TASKS[name]()
    data = JETS if isinstance(task, JetTagging) else EVENTS
    data.setup()
    task.trainer = SimpleNamespace(datamodule=data)
    batches = list(zip(*(rows[:1200].split(400) for rows in data.rows("train")), strict=True))
    step = CompiledStep(task.network.train(), task.objective)
    trained = [parameter for parameter in task.parameters() if parameter.requires_grad]
    step.prepare(torch.optim.Adam(trained, lr=1e-3), block_of(batches[0]))
    return task, step, batches


def block_of(batch: tuple) -> Block:
    return Block(batch, torch.arange(len(batch[0])), len(batch[0]))


def traced(graph: torch.fx.GraphModule, *_, **__) -> torch.fx.GraphModule:
    return graph


def failed(*_, **__) -> None:
    raise RuntimeError


@pytest.mark.parametrize(
    ("name", "compiler"),
    [("jets learned", standalone_compile), ("jets", failed), ("autoencoder", traced)],
)
@pytest.mark.filterwarnings("ignore:the training step is not compiled")
@pytest.mark.usefixtures("halved")
def test_halves_are_the_batch(name, compiler, monkeypatch):
    """Their mean gradient and metrics are those of the batch, whether one thread or two take them."""

    def trained(worth: float, cores: int) -> tuple[torch.Tensor, ...]:
        monkeypatch.setattr(torch._inductor, "standalone_compile", traced if worth else compiler)
        monkeypatch.setattr("nanotrigger.training.compiled_step._WORTH_HALVING", worth)
        monkeypatch.setattr("joblib.cpu_count", lambda: cores)
        task, step, batches = prepared(name)
        assert step.is_halved == (worth == 0)
        for batch in batches:
            step.train(block_of(batch), [1e-3])
        return (*task.network.parameters(), *step.take_metrics().values(), *step.evaluate(batches).values())

    one, two, whole = trained(0, 1), trained(0, 2), trained(torch.inf, 2)
    assert all(torch.equal(*pair) for pair in zip(one, two, strict=True))
    for first, second in zip(one, whole, strict=True):
        torch.testing.assert_close(first, second, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("name", ["batch norm", "variational"])
@pytest.mark.usefixtures("halved")
def test_a_batch_whose_rows_depend_on_each_other_or_on_draws_stays_whole(name, monkeypatch):
    monkeypatch.setattr("nanotrigger.training.compiled_step.compiled", lambda *_, **__: None)
    assert not prepared(name)[1].is_halved


@pytest.mark.usefixtures("halved")
def test_halved_it_resumes_bit_for_bit_too(tmp_path):
    test_resumes_bit_for_bit(tmp_path, [])


@pytest.mark.parametrize("name", TASKS)
def test_equals_the_plain_training(name, tmp_path):
    plain = fit(TASKS[name], tmp_path / "plain", compiled=False)
    compiled = fit(TASKS[name], tmp_path / "compiled", compiled=True)
    assert_equal_runs(tmp_path / "plain", tmp_path / "compiled")
    for one, other in zip(layer_weights(plain.network), layer_weights(compiled.network), strict=True):
        assert one.number is None or (one.values == other.values).mean() > 0.98  # one on an edge may differ


def test_one_step_equals_the_plain_step():
    task = jets()
    network = task.network
    JETS.setup()
    batch = tuple(rows[:3000] for rows in JETS.rows("train"))
    state = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    step = CompiledStep(network.train(), task.objective)
    optimizer = torch.optim.Adam(task.parameters(), lr=1e-2)
    step.prepare(optimizer, block_of(batch))
    step.train(block_of(batch), [1e-2])
    compiled = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    network.load_state_dict(state)
    plain = torch.optim.Adam(task.parameters(), lr=1e-2)
    objective, metrics = task.objective(network, batch)
    objective.backward()
    plain.step()
    for name, tensor in network.state_dict().items():
        torch.testing.assert_close(compiled[name], tensor, rtol=1e-5, atol=1e-6)
    for name, value in step.take_metrics().items():
        torch.testing.assert_close(value, metrics[name].detach())
    for name in ("step", "exp_avg", "exp_avg_sq"):
        for parameter in task.parameters():
            torch.testing.assert_close(optimizer.state[parameter][name], plain.state[parameter][name])


def test_metrics_of_batches_of_any_size():
    """Also where a later block of the validation has none of the size for which it was compiled."""
    task = jets()
    JETS.setup()
    rows = JETS.rows("validation")
    step = CompiledStep(task.network, task.objective)
    step.prepare(torch.optim.Adam(task.parameters()), block_of(tuple(part[:300] for part in rows)))
    for sizes in ([500, 500, 200], [70], [500], [800, 500]):
        batches = list(zip(*(part[: sum(sizes)].split(sizes) for part in rows), strict=True))
        found = step.evaluate(batches)
        with torch.no_grad():
            expected = task.objective(task.network.eval(), tuple(part[: sum(sizes)] for part in rows))[1]
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value)


def test_prunes_as_the_plain_training_does(tmp_path):
    networks = [
        fit(jets, tmp_path / str(compiled), Pruning(0.6, frequency=2), compiled=compiled).network
        for compiled in (False, True)
    ]
    for one, other in zip(*(layer_weights(network) for network in networks), strict=True):
        assert one.float_zeros == other.float_zeros == -(-one.values.size * 6 // 10)
        assert ((one.values == 0) == (other.values == 0)).mean() > 0.9
    assert all(type(layer.weight) is torch.nn.Parameter for layer in weighted_layers(networks[1]).values())


@pytest.mark.parametrize("pruning", [[], [{"sparsity": 0.6, "frequency": 2}]])
def test_resumes_bit_for_bit(tmp_path, pruning):
    def callbacks() -> list[Pruning]:
        return [Pruning(**settings) for settings in pruning]

    whole = fit(jets, tmp_path / "whole", *callbacks(), compiled=True)

    fit(jets, tmp_path / "parts", Stop(), *callbacks(), compiled=True)
    parts = fit(jets, tmp_path / "parts", *callbacks(), compiled=True, ckpt=tmp_path / "parts/last.ckpt")
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, parts.network.state_dict()[name]), name
    assert (tmp_path / "whole/metrics.csv").read_text() == (tmp_path / "parts/metrics.csv").read_text()


@pytest.mark.parametrize("pruning", [[], [{"sparsity": 0.6, "frequency": 2}]])
@pytest.mark.parametrize("first", [False, True])
def test_a_run_goes_on_either_way(tmp_path, first, pruning):
    def callbacks() -> list[Pruning]:
        return [Pruning(**settings) for settings in pruning]

    fit(jets, tmp_path / "whole", *callbacks(), compiled=False)
    fit(jets, tmp_path / "parts", Stop(), *callbacks(), compiled=first)
    fit(jets, tmp_path / "parts", *callbacks(), compiled=not first, ckpt=tmp_path / "parts/last.ckpt")
    assert_equal_runs(tmp_path / "whole", tmp_path / "parts")
    states = [torch.load(tmp_path / name / "last.ckpt", weights_only=True) for name in ("whole", "parts")]
    for one, other in zip(*(state["optimizer_states"][0]["state"].values() for state in states), strict=True):
        torch.testing.assert_close(one, other, rtol=0.02, atol=2e-3)


def test_trains_uncompiled_if_the_compiler_fails(tmp_path, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("fatal error: Python.h: No such file or directory\nmore")

    monkeypatch.setattr(torch._inductor, "standalone_compile", fail)
    with pytest.warns(UserWarning, match="training step is not compiled, and slower: .* Python.h: No such file or dir"):
        fit(jets, tmp_path / "failed", compiled=True)
    fit(jets, tmp_path / "plain", compiled=False)
    assert_equal_runs(tmp_path / "plain", tmp_path / "failed")


class JudgedBatches(lightning.Callback):
    """Wants to see every batch of the validation."""

    def on_validation_batch_end(self, trainer, pl_module, outputs, batch, batch_idx, dataloader_idx=0) -> None: ...


class Batches(lightning.Callback):
    """Wants to see every batch."""

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None: ...


def long_trainer(*callbacks, **options) -> lightning.Trainer:
    options = {"accelerator": "cpu", "max_epochs": 50, "logger": False, "num_sanity_val_steps": 0, **options}
    return lightning.Trainer(callbacks=list(callbacks), enable_checkpointing=bool(callbacks), **options)


def pays_off(trainer: lightning.Trainer, *, samples: int = 500_000, batch_size: int = 1000) -> bool:
    return blocks.pays_off(trainer, samples=samples, batch_size=batch_size)


def test_long_trainings_are_compiled():
    assert pays_off(long_trainer())
    assert pays_off(long_trainer(Pruning(0.5), EarlyStopping("val_loss"), ModelCheckpoint(monitor="val_loss")))
    assert pays_off(long_trainer(max_epochs=-1), samples=1000)
    assert not pays_off(long_trainer(), samples=10_000)
    assert pays_off(long_trainer(), samples=10_000, batch_size=50)
    assert pays_off(long_trainer(), batch_size=0)  # which the loader refuses


@pytest.mark.parametrize(
    "options",
    [
        {"gradient_clip_val": 0.1},
        {"accumulate_grad_batches": 2},
        {"limit_train_batches": 10},
        {"limit_val_batches": 10},
        {"num_sanity_val_steps": 2},
        {"max_steps": 10_000},
        {"val_check_interval": 0.5},
        {"overfit_batches": 2},
        {"profiler": "simple"},
        {"detect_anomaly": True},
        {"devices": 2},
        {"precision": "64-true"},
        {"fast_dev_run": True},
    ],
    ids=lambda options: next(iter(options)),
)
def test_what_looks_at_single_steps_is_not_compiled(options):
    assert not pays_off(long_trainer(**options))


@pytest.mark.parametrize(
    "callback", [Batches(), JudgedBatches(), Timer("00:01:00:00"), ModelCheckpoint(every_n_train_steps=5)]
)
def test_callbacks_that_want_single_batches_get_them(callback):
    assert not pays_off(long_trainer(callback))


def test_needs_a_compiler(monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    assert not pays_off(long_trainer())
    monkeypatch.delenv("CXX")
    monkeypatch.setenv("TORCH_COMPILE_DISABLE", "1")
    assert not pays_off(long_trainer())


@pytest.mark.parametrize(("threads", "is_deterministic"), [(1, False), (2, True)])
def test_only_one_thread_is_deterministic_by_itself(threads, is_deterministic, monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with as_one_thread_may():
            assert torch.are_deterministic_algorithms_enabled() == is_deterministic
        assert torch.is_deterministic_algorithms_warn_only_enabled()
    finally:
        torch.use_deterministic_algorithms(False)


def test_an_interruption_waits_for_the_compiler():
    done = False
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        signal.raise_signal(signal.SIGINT)
        done = True
    assert done and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_who_ignores_interruptions_still_does():
    """As a job that a shell runs in the background."""
    former = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with uninterrupted():
            signal.raise_signal(signal.SIGINT)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, former)


def test_an_interruption_that_ends_the_compiler_is_none_of_its_failures():
    with pytest.raises(KeyboardInterrupt), uninterrupted():
        signal.raise_signal(signal.SIGINT)
        raise RuntimeError("g++ was interrupted")


def test_a_block_is_as_many_batches():
    JETS.setup()
    rows = JETS.rows("train")
    single = TensorBatches(*rows, batch_size=700, shuffle=True, seed=5)
    block = TensorBatches(*rows, batch_size=700, shuffle=True, seed=5, steps_per_block=9)
    assert single.steps == block.steps == len(single)
    assert len(block) == -(-single.steps // 9)
    batches = [batch for one in block for batch in one]
    assert sum(len(one) for one in block) == 700 * len(batches) == 700 * single.steps
    for one, other in zip(single, batches, strict=True):
        assert all(torch.equal(*pair) for pair in zip(one, other, strict=True))
