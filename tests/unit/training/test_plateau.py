"""The plateau schedule: when it halves the learning rate, and that a resumed training does it at the same time."""

import pytest
import torch

from nanotrigger.networks import Autoencoder
from nanotrigger.tasks import AnomalyDetection
from nanotrigger.training.run_checkpoints import History, LastCheckpoint, read_history
from tests.unit.training.fits import trainer

STILL = 4e-8  # a learning rate at which the loss stays where it is


def fit(data, folder, epochs, *, ckpt_path=None, **options) -> list[float]:
    """Train for some epochs and return their learning rates."""
    torch.manual_seed(1)
    task = AnomalyDetection(Autoencoder(hidden=[4], batch_norm=False), learning_rate=STILL)
    callbacks = [History(folder / "metrics.csv"), LastCheckpoint(folder)]
    trainer(epochs, folder, callbacks, **options).fit(task, datamodule=data, ckpt_path=ckpt_path)
    return read_history(folder / "metrics.csv")["learning_rate"]


def test_halves_behind_the_fourth_epoch_without_improvement(few_events, tmp_path):
    assert fit(few_events, tmp_path, 7) == pytest.approx([STILL] * 5 + [STILL / 2] * 2)


@pytest.mark.filterwarnings("ignore:Checkpoint directory .* exists and is not empty")
@pytest.mark.parametrize("epochs", [1, 4, 5])
def test_a_resumed_training_halves_it_at_the_same_time(few_events, tmp_path, epochs):
    fit(few_events, tmp_path, epochs)
    assert fit(few_events, tmp_path, 6, ckpt_path=tmp_path / "last.ckpt") == pytest.approx([STILL] * 5 + [STILL / 2])


def test_epochs_without_validation_do_not_count(few_events, tmp_path):
    rates = fit(few_events, tmp_path, 11, check_val_every_n_epoch=2)
    assert rates == pytest.approx([STILL] * 10 + [STILL / 2])
