"""last.ckpt: where an interrupted run goes on."""

from pathlib import Path

import lightning
from lightning.pytorch.callbacks import ModelCheckpoint


class LastCheckpoint(ModelCheckpoint):
    """Write last.ckpt before the first step and after every epoch.

    ModelCheckpoint's own `save_last` skips epochs that did not improve the monitored metric.

    Args:
        folder: where last.ckpt is written.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(
            dirpath=folder,
            filename="last",
            monitor=None,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        )

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Write the first one, so that a run interrupted in its first epoch can be resumed too."""
        super().on_train_start(trainer, pl_module)
        if trainer.ckpt_path is None and not trainer.fast_dev_run:
            self._save_checkpoint(trainer, self.format_checkpoint_name({}))
