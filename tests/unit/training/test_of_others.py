"""Tasks, data and callbacks of others make their own steps; what checkpoints cannot hold is refused before training."""

import lightning
import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from nanotrigger.errors import InputError
from nanotrigger.networks import Autoencoder
from nanotrigger.tasks import AnomalyDetection, EventData
from nanotrigger.training import module
from nanotrigger.training.run_checkpoints import LastCheckpoint
from tests.unit.training.fits import trainer


class OwnStep(AnomalyDetection):
    """A task that counts its steps."""

    seen = 0

    def training_step(self, batch, batch_index):
        self.seen += len(batch[0])
        return super().training_step(batch, batch_index)


class OwnValidation(AnomalyDetection):
    """A task that counts what it validates."""

    seen = 0

    def validation_step(self, batch, batch_index):
        self.seen += len(batch[0])
        return super().validation_step(batch, batch_index)


class OwnOptimizer(AnomalyDetection):
    """A task that is trained by another optimizer than Adam."""

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.0)


class OwnBatches(EventData):
    """Data that come in batches of their own."""

    def train_dataloader(self):
        return DataLoader(TensorDataset(*self.rows("train")), batch_size=64)


class Unrecorded(AnomalyDetection):
    """A task that forgets what makes a checkpoint one."""

    def on_save_checkpoint(self, checkpoint):
        checkpoint["mine"] = 1


class Holding(lightning.Callback):
    """A callback that has something in checkpoints, from some epoch on."""

    def __init__(self, value, epoch=0):
        self.value, self.epoch, self.epochs = value, epoch, 0

    def on_train_epoch_end(self, trainer, pl_module):
        self.epochs += 1

    def state_dict(self):
        return {"value": self.value if self.epochs >= self.epoch else 0}


def network():
    return Autoencoder(hidden=(4,), latent_size=2)


@pytest.fixture
def always(monkeypatch):
    """Compile every training that may be compiled."""
    monkeypatch.setattr(module, "pays_off", lambda *_, **__: True)


@pytest.mark.parametrize("kind", [OwnStep, OwnValidation, OwnOptimizer])
def test_a_task_makes_its_own_steps(always, few_events, tmp_path, kind):
    task = kind(network())
    before = task.network.state_dict()["layers.dense_1.weight"].clone()
    trainer(1, tmp_path).fit(task, datamodule=few_events)
    assert task._compiled is None
    assert getattr(task, "seen", 1) > 0
    assert torch.equal(before, task.network.state_dict()["layers.dense_1.weight"]) == (kind is OwnOptimizer)


def test_data_make_their_own_batches(always, few_events, tmp_path):
    task = AnomalyDetection(network())
    before = task.network.state_dict()["layers.dense_1.weight"].clone()
    trainer(1, tmp_path).fit(task, datamodule=OwnBatches(few_events.source, batch_size=32))
    assert task._compiled is None
    assert not torch.equal(before, task.network.state_dict()["layers.dense_1.weight"])


def test_ours_are_compiled(always, few_events, tmp_path):
    task = AnomalyDetection(network())
    task.trainer = trainer(1, tmp_path)
    few_events.setup()
    task.trainer._data_connector.attach_datamodule(task, few_events)
    task.setup("fit")
    assert task._compiled is not None


@pytest.mark.parametrize(
    ("task", "callbacks", "told"),
    [
        (Unrecorded, [], "Unrecorded.on_save_checkpoint: call super"),
        (AnomalyDetection, [Holding(np.float64(1))], "puts numpy.*scalar into checkpoints"),
        (AnomalyDetection, [Holding(lambda: 0)], "puts .*lambda.* into checkpoints"),
        (AnomalyDetection, [Holding(lightning.Callback())], "puts lightning.*Callback into checkpoints"),
    ],
)
def test_what_no_checkpoint_can_hold_is_refused_before_training(few_events, tmp_path, task, callbacks, told):
    last = LastCheckpoint(tmp_path)
    with pytest.raises(InputError, match=told):
        trainer(1, tmp_path, [*callbacks, last]).fit(task(network()), datamodule=few_events)
    assert not list(tmp_path.iterdir())
