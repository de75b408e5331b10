"""Short trainings on the CPU."""

from collections.abc import Sequence
from pathlib import Path

import lightning

from nanotrigger.tasks import AnomalyDetection
from nanotrigger.tasks.anomaly.data import EventData


def trainer(epochs: int, folder: Path, callbacks: Sequence = (), **options) -> lightning.Trainer:
    """Return a quiet trainer that writes nothing but what its callbacks write."""
    return lightning.Trainer(
        max_epochs=epochs,
        accelerator="cpu",
        devices=1,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=any(
            isinstance(callback, lightning.pytorch.callbacks.Checkpoint) for callback in callbacks
        ),
        num_sanity_val_steps=0,
        default_root_dir=folder,
        callbacks=list(callbacks),
        **options,
    )


def validation_loss(task: AnomalyDetection, data: EventData, folder: Path) -> float:
    """Return the loss of the validation split."""
    (found,) = trainer(1, folder).validate(task, datamodule=data, verbose=False)
    return found["val_loss"]
