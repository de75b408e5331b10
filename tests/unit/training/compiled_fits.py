"""The same training compiled and not: tasks of every kind, and how two runs are compared."""

from pathlib import Path

import lightning
import pytest
import torch

from nanotrigger.networks import MLP, Autoencoder, VariationalAutoencoder
from nanotrigger.networks.weights import weighted_layers
from nanotrigger.numbers import FixedPoint
from nanotrigger.tasks import AnomalyDetection, EventData, JetData, JetTagging
from nanotrigger.training import blocks
from nanotrigger.training.module import TrainingModule
from nanotrigger.training.run_checkpoints import History, LastCheckpoint, read_history

NUMBER, NARROW = FixedPoint(16, 6), FixedPoint(4, 2, narrow=True)
QUANTIZED = {"input": NUMBER, "weight": NARROW, "bias": NARROW, "activation": FixedPoint(8, 1, signed=False)}
JETS, EVENTS = JetData("simulated", batch_size=3000), EventData("simulated", batch_size=1500)


def jets(**options) -> TrainingModule:
    return JetTagging(MLP(hidden=[8, 6], **QUANTIZED), **options)


def anomalies(kind: type[Autoencoder], formats: dict, **options) -> TrainingModule:
    return AnomalyDetection(kind(hidden=(8, 4), latent_size=2, **formats), **options)


def normalized() -> TrainingModule:
    """Without the biases in front of BatchNorm, which takes them away: their gradient is nothing but rounding."""
    task = anomalies(Autoencoder, {}, angular_phi=True)
    for layer in list(weighted_layers(task.network).values())[:-1]:
        layer.bias.requires_grad_(False)
    return task


def learned() -> TrainingModule:
    """With bits that are learned and have a price."""
    task = JetTagging(MLP(hidden=[8, 6], **{**QUANTIZED, "weight": FixedPoint(9, 3)}, learned_bits="weight"))
    task.network.price.rate.fill_(1e-4)
    return task


TASKS = {
    "jets": jets,
    "jets learned": learned,
    "jets plateau": lambda: jets(schedule="plateau"),
    "jets float": lambda: JetTagging(MLP(hidden=[8, 6]), schedule="constant", l1=0.0),
    "autoencoder": lambda: anomalies(Autoencoder, QUANTIZED, schedule="cosine", masked=True, positive_pt=True),
    "batch norm": normalized,
    "variational": lambda: anomalies(VariationalAutoencoder, QUANTIZED),
}


class Stop(lightning.Callback):
    """End the training after its first epoch."""

    def on_train_epoch_end(self, trainer, pl_module) -> None:
        trainer.should_stop = trainer.current_epoch == 0


def fit(
    make, folder: Path, *callbacks, compiled: bool, ckpt: Path | None = None, epochs: int = 3, accelerator: str = "cpu"
) -> TrainingModule:
    """Train for a few epochs of ten steps."""
    lightning.seed_everything(3, verbose=False)
    task = make()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "_WORTH_COMPILING", 0.0 if compiled else torch.inf)
        patch.setattr("nanotrigger.training.module.STEPS_PER_BLOCK", 7)  # ten steps are two blocks
        data = JETS if isinstance(task, JetTagging) else EVENTS
        trainer = lightning.Trainer(
            accelerator=accelerator,
            devices=1,
            deterministic=accelerator == "gpu",
            callbacks=[*callbacks, History(folder / "metrics.csv"), LastCheckpoint(folder)],
            max_epochs=epochs,
            num_sanity_val_steps=0,
            logger=False,
            enable_progress_bar=False,
            enable_model_summary=False,
        )
        trainer.fit(task, datamodule=data, ckpt_path=ckpt, weights_only=True)
    assert task.automatic_optimization != compiled
    return task


def assert_equal_runs(one: Path, other: Path) -> None:
    first, second = (read_history(folder / "metrics.csv") for folder in (one, other))
    assert first.keys() == second.keys()
    for name, values in first.items():
        assert values == pytest.approx(second[name], rel=2e-3, abs=2e-3), name
    states = [torch.load(folder / "last.ckpt", weights_only=True) for folder in (one, other)]
    assert states[0]["global_step"] == states[1]["global_step"]
    for name, tensor in states[0]["state_dict"].items():
        torch.testing.assert_close(tensor, states[1]["state_dict"][name], rtol=1e-3, atol=0.02, msg=name)
