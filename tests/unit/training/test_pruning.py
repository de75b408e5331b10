"""Pruning: which weights become zero, when, and that checkpoints and what is left behind are ordinary networks."""

import re
from pathlib import Path

import lightning
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

from nanotrigger.errors import InputError
from nanotrigger.networks import MLP
from nanotrigger.networks.weights import layer_weights, weighted_layers
from nanotrigger.numbers import FixedPoint
from nanotrigger.tasks import JetTagging
from nanotrigger.tasks.jets.data import JetData
from nanotrigger.training.checkpoint import load_trained
from nanotrigger.training.pruning import Pruning, _mask_smallest
from nanotrigger.training.run_checkpoints import BestCheckpoint, History, LastCheckpoint

# Lightning's remarks on resuming in the same folder, and with other callbacks
pytestmark = [
    pytest.mark.filterwarnings("ignore:Be aware that when using `ckpt_path`"),
    pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty"),
]
BATCH = 3000  # 10 steps an epoch
QUANTIZED = {
    "input": FixedPoint(16, 6),
    "weight": FixedPoint(4, 2, narrow=True),
    "bias": FixedPoint(4, 2, narrow=True),
    "activation": FixedPoint(8, 1, signed=False),
}


@pytest.fixture(scope="module")
def data() -> JetData:
    data = JetData("simulated", batch_size=BATCH)
    data.setup()
    return data


def fit(data: JetData, *callbacks, network: MLP | None = None, ckpt: Path | None = None, **options) -> JetTagging:
    """Train a small network for four epochs, 40 steps."""
    lightning.seed_everything(3, verbose=False)
    task = JetTagging(MLP(hidden=[8, 6]) if network is None else network)
    options = {"max_epochs": 4, "num_sanity_val_steps": 0, **options}
    trainer = lightning.Trainer(
        accelerator="cpu",
        callbacks=list(callbacks),
        enable_checkpointing=any(isinstance(callback, LastCheckpoint | BestCheckpoint) for callback in callbacks),
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **options,
    )
    trainer.fit(task, datamodule=data, ckpt_path=ckpt, weights_only=True)
    return task


class StopAfter(lightning.Callback):
    """End the training after an epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_epoch_end(self, trainer, pl_module) -> None:
        trainer.should_stop = trainer.current_epoch == self.epoch


class Masks(lightning.Callback):
    """Note the number of masked weights after every optimizer step."""

    def __init__(self) -> None:
        self.zeros: dict[int, dict[str, int]] = {}

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx) -> None:
        layers = weighted_layers(pl_module.network)
        masks = {name: layer.weight_mask for name, layer in layers.items() if prune.is_pruned(layer)}
        self.zeros[trainer.global_step] = {name: int((mask == 0).sum()) for name, mask in masks.items()}


def layer_with_mask(weights: list[list[float]]) -> nn.Linear:
    layer = nn.Linear(len(weights[0]), len(weights))
    layer.weight.data = torch.tensor(weights)
    return prune.identity(layer, "weight")


def test_the_smallest_of_a_layer_are_masked():
    layer = layer_with_mask([[1.0, -4.0], [3.0, -2.0], [0.5, 8.0]])
    _mask_smallest([layer], 0.5)
    assert layer.weight_mask.tolist() == [[0, 1], [1, 0], [0, 1]]
    _mask_smallest([layer], 0.51)
    assert layer.weight_mask.tolist() == [[0, 1], [0, 0], [0, 1]]


def test_the_smallest_of_all_layers_are_masked():
    small, large = layer_with_mask([[1.0, -2.0], [3.0, 0.1]]), layer_with_mask([[-2.5, 5.0, 6.0, 7.0]])
    _mask_smallest([small, large], 0.5)
    assert small.weight_mask.tolist() == [[0, 0], [1, 0]]
    assert large.weight_mask.tolist() == [[0, 1, 1, 1]]


def test_a_pruned_weight_can_come_back():
    layer = layer_with_mask([[1.0, 4.0, 2.0, 3.0]])
    _mask_smallest([layer], 0.5)
    assert layer.weight_mask.tolist() == [[0, 1, 0, 1]]
    layer.weight_orig.data[0, 1] = 0.5
    _mask_smallest([layer], 0.5)
    assert layer.weight_mask.tolist() == [[0, 0, 1, 1]]


@pytest.mark.parametrize("network", [{}, QUANTIZED])
def test_every_layer_has_the_sparsity_and_is_ordinary(data, network):
    network = MLP(hidden=[8, 6], **network)
    before = network.state_dict().keys()
    fit(data, Pruning(0.7), network=network)
    assert [layer.float_zeros for layer in layer_weights(network)] == [90, 34, 21]  # of 128, 48 and 30
    assert all(layer.zeros >= layer.float_zeros for layer in layer_weights(network))
    assert network.state_dict().keys() == before
    assert not prune.is_pruned(network)
    assert all(isinstance(layer.weight, nn.Parameter) for layer in weighted_layers(network).values())


def test_sparsity_is_global_if_asked_for(data):
    layers = layer_weights(fit(data, Pruning(0.7, scope="global")).network)
    assert sum(layer.float_zeros for layer in layers) == 145  # of 206: at least 144.2
    assert [layer.float_zeros for layer in layers] != [90, 34, 21]


def test_excluded_layers_keep_their_weights(data):
    layers = layer_weights(fit(data, Pruning(0.7, exclude=["dense_2"])).network)
    assert [layer.float_zeros for layer in layers] == [90, 0, 21]


@pytest.mark.parametrize("accumulate", [1, 2])
def test_the_schedule_counts_optimizer_steps(data, accumulate):
    masks = Masks()
    pruning = Pruning(0.75, begin_step=2, end_step=10, frequency=4, initial_sparsity=0.25)
    fit(data, pruning, masks, accumulate_grad_batches=accumulate)
    of_first = {step: zeros["dense_1"] for step, zeros in masks.zeros.items()}
    assert max(of_first) == 40 // accumulate
    # step 6 is halfway: 0.75 - 0.5 / 8 = 0.6875 of 128
    expected = {1: 0, 2: 32, 5: 32, 6: 88, 9: 88, 10: 96, 20: 96}
    assert {step: of_first[step] for step in expected} == expected


def test_a_constant_schedule_prunes_at_once(data):
    masks = Masks()
    fit(data, Pruning(0.75, "constant", begin_step=5), masks)
    assert [masks.zeros[step]["dense_1"] for step in (4, 5, 40)] == [0, 96, 96]


def test_nothing_is_pruned_unless_asked_for(data, tmp_path):
    plain, off = (tmp_path / name for name in ("plain", "off"))
    without = fit(data, History(plain / "metrics.csv"), LastCheckpoint(plain))
    with_it = fit(data, Pruning(), History(off / "metrics.csv"), LastCheckpoint(off))
    assert same(without.network.state_dict(), with_it.network.state_dict())
    assert (plain / "metrics.csv").read_bytes() == (off / "metrics.csv").read_bytes()
    assert "Pruning" not in torch.load(off / "last.ckpt", weights_only=True)["callbacks"]


def test_the_sparsity_of_every_epoch_is_logged(data, tmp_path):
    history = History(tmp_path / "metrics.csv")
    fit(data, Pruning(0.75, begin_step=0, end_step=15, frequency=10), history)
    # after step 10, 1/3 of the way is left: 0.75 * (1 - 1/27) = 0.7222 of 128, 48 and 30 weights
    assert [row["sparsity"] for row in history.rows] == pytest.approx([(93 + 35 + 22) / 206] + 3 * [155 / 206])


@pytest.mark.parametrize("weights_only", [False, True])
def test_a_checkpoint_of_the_training_is_an_ordinary_network(data, tmp_path, weights_only):
    best = BestCheckpoint(tmp_path, "best", monitor="val_accuracy", mode="max", save_weights_only=weights_only)
    fit(data, Pruning(0.75, end_step=12), best, StopAfter(1))
    trained = load_trained(tmp_path / "best.ckpt")
    assert [layer.float_zeros for layer in layer_weights(trained.network)] == [96, 36, 23]
    state = torch.load(tmp_path / "best.ckpt", weights_only=True)["state_dict"]
    assert {name.rpartition(".")[2] for name in state} == {"weight", "bias"}


def test_best_is_of_the_final_sparsity(data, tmp_path):
    """The least sparse epoch would be the best one here, and it is the first one."""
    best = BestCheckpoint(tmp_path, "best", monitor="sparsity", mode="min", save_on_train_epoch_end=True)
    fit(data, Pruning(0.75, end_step=22), best)
    assert load_trained(tmp_path / "best.ckpt").epoch == 2


def test_an_accuracy_from_before_the_final_sparsity_does_not_count(data, tmp_path):
    """Epochs 1 and 3 are validated; in epoch 2 the sparsity is final, but the accuracy is still that of epoch 1."""
    best = BestCheckpoint(tmp_path, "best", monitor="val_accuracy", mode="max", save_on_train_epoch_end=True)
    fit(data, Pruning(0.75, end_step=22), best, check_val_every_n_epoch=2)
    assert load_trained(tmp_path / "best.ckpt").epoch == 3


@pytest.mark.parametrize("pruning", [{"end_step": 35}, {"schedule": "constant", "frequency": 3}, {"scope": "global"}])
@pytest.mark.parametrize("network", [{}, QUANTIZED])
def test_a_resumed_run_goes_on_as_if_nothing_had_happened(data, tmp_path, pruning, network):
    def run(folder: Path, *more, ckpt=None) -> tuple[Pruning, JetTagging]:
        lightning.seed_everything(3, verbose=False)  # before the network is made
        callback = Pruning(0.75, **{"frequency": 4, **pruning})
        standing = (History(folder / "metrics.csv"), LastCheckpoint(folder))
        task = fit(data, callback, *standing, *more, network=MLP(hidden=[8, 6], **network), ckpt=ckpt)
        return callback, task

    whole, parts = tmp_path / "whole", tmp_path / "parts"
    run(whole)
    run(parts, StopAfter(1))
    assert torch.load(parts / "last.ckpt", weights_only=True)["global_step"] == 20
    run(parts, ckpt=parts / "last.ckpt")
    one, other = (torch.load(folder / "last.ckpt", weights_only=True) for folder in (whole, parts))
    assert same(one["state_dict"], other["state_dict"])
    assert one["callbacks"]["Pruning"].keys() == {"settings", "begin", "end", "layers"}
    for name, tensors in one["callbacks"]["Pruning"]["layers"].items():
        assert same(tensors, other["callbacks"]["Pruning"]["layers"][name])
    assert (whole / "metrics.csv").read_bytes() == (parts / "metrics.csv").read_bytes()


def test_a_resumed_run_keeps_its_steps(data, tmp_path):
    """The pruning of four epochs ends at step 20, and so it does if two are added."""
    fit(data, Pruning(0.75), LastCheckpoint(tmp_path))
    pruning = Pruning(0.75)
    fit(data, pruning, ckpt=tmp_path / "last.ckpt", max_epochs=6)
    assert (pruning.schedule.begin, pruning.schedule.end) == (4, 20)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        ({"sparsity": 0.75}, {"sparsity": 0.5}, "with pruning.sparsity=0.75, and this run has 0.5"),
        ({"sparsity": 0.75}, {}, "with pruning.sparsity=0.75, and this run has 0.0"),
        ({}, {"sparsity": 0.75}, "with pruning.sparsity=0.0, and this run has 0.75"),
        ({"sparsity": 0.5}, {"sparsity": 0.5, "scope": "global"}, "with pruning.scope=layer, and this run has global"),
    ],
)
def test_other_settings_do_not_resume(data, tmp_path, first, second, message):
    fit(data, Pruning(**first), LastCheckpoint(tmp_path), max_epochs=1)
    with pytest.raises(InputError, match=re.escape(message)):
        fit(data, Pruning(**second), ckpt=tmp_path / "last.ckpt", max_epochs=2)


def test_an_interruption_leaves_an_ordinary_network(data):
    class Fail(lightning.Callback):
        def on_train_epoch_end(self, trainer, pl_module):
            raise ArithmeticError

    network = MLP(hidden=[8])
    with pytest.raises(ArithmeticError):
        fit(data, Pruning(0.5, end_step=8), Fail(), network=network)
    assert not prune.is_pruned(network)
    assert [layer.float_zeros for layer in layer_weights(network)] == [64, 20]
    network.load_state_dict(network.state_dict())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sparsity": 1.2}, "pruning.sparsity=1.2: must be at least 0 and below 1"),
        ({"sparsity": 1.0}, "pruning.sparsity=1.0: must be"),
        ({"sparsity": -0.1}, "pruning.sparsity=-0.1: must be"),
        ({"sparsity": float("nan")}, "pruning.sparsity=nan: must be"),
        ({"sparsity": 0.5, "initial_sparsity": 0.6}, "pruning.initial_sparsity=0.6: must be at least 0 and at most"),
        ({"initial_sparsity": -0.1}, "pruning.initial_sparsity=-0.1"),
        ({"begin_step": -1}, "pruning.begin_step=-1: must be at least 0"),
        ({"end_step": 0}, "pruning.end_step=0: must be at least 1"),
        ({"frequency": 0}, "pruning.frequency=0: must be at least 1"),
        ({"power": 0.0}, "pruning.power=0.0: must be positive and finite"),
        ({"power": float("inf")}, "pruning.power=inf: must be positive and finite"),
    ],
)
def test_values_out_of_range(arguments, message):
    with pytest.raises(InputError, match=re.escape(message)):
        Pruning(**arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"end_step": 40}, "pruning.end_step=40: must lie above pruning.begin_step=4 and below the 40 steps"),
        ({"begin_step": 20}, "pruning.end_step=20: must lie above pruning.begin_step=20 and below the 40 steps"),
        ({"begin_step": 40, "schedule": "constant"}, "pruning.begin_step=40: must be below the 40 steps"),
        ({"exclude": ["dense_9"]}, "pruning.exclude=dense_9: no such layer; the network has dense_1, dense_2, dense_3"),
        ({"exclude": ["dense_1", "dense_2", "dense_3"]}, "pruning.exclude: names every layer"),
    ],
)
def test_what_network_or_training_do_not_allow(data, tmp_path, arguments, message):
    with pytest.raises(InputError, match=re.escape(message)):
        fit(data, Pruning(0.5, **arguments), LastCheckpoint(tmp_path))
    assert not list(tmp_path.iterdir())


def test_a_training_without_end_needs_steps(data):
    with pytest.raises(InputError, match="trainer.max_epochs=-1: give pruning.begin_step and pruning.end_step"):
        network = MLP(hidden=[8])
        task_without_end(data, Pruning(0.5), network)
    task_without_end(data, Pruning(0.5, begin_step=0, end_step=5), network)
    assert [layer.float_zeros for layer in layer_weights(network)] == [64, 20]


def task_without_end(data: JetData, pruning: Pruning, network: MLP) -> None:
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_epochs=-1,
        callbacks=[pruning, StopAfter(0)],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    trainer.fit(JetTagging(network, schedule="constant"), datamodule=data)


def test_one_bit_has_no_zero(data):
    binary = QUANTIZED | {"weight": FixedPoint(1, 1)}
    with pytest.raises(InputError, match="dense_1 has 1-bit weights, which have no zero; give them two bits"):
        fit(data, Pruning(0.5), network=MLP(hidden=[8, 6], **binary))


def same(one: dict, other: dict) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_best_network_with_too_few_zeros_is_found(data, tmp_path):
    best, pruning = tmp_path / "best.ckpt", Pruning(0.5, "constant", begin_step=0)
    fit(data, pruning, BestCheckpoint(dirpath=tmp_path, filename="best", monitor="val_accuracy", mode="max"))
    assert pruning.failure(best) == ""
    assert Pruning(0.9).failure(best).startswith("best.ckpt has 5")
    assert Pruning(0.9).failure(best).endswith("zeros, fewer than pruning.sparsity=0.9")
    assert Pruning().failure(best) == ""
