"""best.ckpt and last.ckpt of a run folder."""

import shutil
from pathlib import Path
from typing import Any

import lightning
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor

from nanotrigger.training.pruning import Pruning

_PATHS = ("best_model_path", "kth_best_model_path", "last_model_path")


class BestCheckpoint(ModelCheckpoint):
    """ModelCheckpoint that keeps its best score when a run is resumed in a folder that was moved, or in another one.

    Lightning forgets the score there, and the first epoch after the resume would replace a better checkpoint.
    A network that is pruned is not considered before it has its final sparsity, however good it is.
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over the score; bring best.ckpt along if it is not in this folder yet."""
        folder = Path(self.dirpath)
        best = Path(state_dict["best_model_path"])
        if best.is_file() and not (folder / best.name).exists():
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy2(best, folder / best.name)
        state = dict(state_dict, dirpath=self.dirpath)
        state.update({key: self._rebased(state_dict[key]) for key in _PATHS})
        state["best_k_models"] = {self._rebased(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict(state)

    def _save_topk_checkpoint(self, trainer: lightning.Trainer, monitor_candidates: dict[str, Tensor]) -> None:
        if all(callback.is_complete for callback in trainer.callbacks if isinstance(callback, Pruning)):
            super()._save_topk_checkpoint(trainer, monitor_candidates)

    def _rebased(self, path: str) -> str:
        return str(Path(self.dirpath) / Path(path).name) if path else path


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
