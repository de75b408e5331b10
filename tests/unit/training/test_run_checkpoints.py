"""When last.ckpt and metrics.csv are written: of short epochs one a second, and the last one however it ends."""

import lightning
import pytest
import torch

from nanotrigger.training import run_checkpoints
from nanotrigger.training.run_checkpoints import History, LastCheckpoint, read_history
from tests.unit.training.compiled_fits import JETS, jets
from tests.unit.training.fits import trainer


class Noted(LastCheckpoint):
    """Notes after how many epochs it writes."""

    def __init__(self, folder) -> None:
        super().__init__(folder)
        self.epochs = []

    def _save_checkpoint(self, trainer, filepath) -> None:
        super()._save_checkpoint(trainer, filepath)
        self.epochs.append(trainer.fit_loop.epoch_progress.current.processed)


class StopAfter(lightning.Callback):
    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_epoch_end(self, trainer, pl_module) -> None:
        trainer.should_stop = trainer.current_epoch + 1 == self.epoch


@pytest.mark.parametrize(
    ("seconds", "callbacks", "options", "written", "rows"),
    [
        (0.0, [], {}, [0, 1, 2, 3, 4], 4),
        (1e9, [], {}, [0, 1, 4], 4),
        (1e9, [StopAfter(3)], {}, [0, 1, 3], 3),
        (1e9, [], {"max_steps": 25}, [0, 1, 3], 3),
    ],
    ids=["long", "short", "stopped", "max_steps"],
)
def test_written(seconds, callbacks, options, written, rows, tmp_path, monkeypatch):
    monkeypatch.setattr(run_checkpoints, "_SECONDS_BETWEEN", seconds)
    last = Noted(tmp_path)
    fitted = trainer(4, tmp_path, [*callbacks, History(tmp_path / "metrics.csv"), last], **options)
    fitted.fit(jets(), datamodule=JETS)
    assert last.epochs == written
    assert len(read_history(tmp_path / "metrics.csv")["epoch"]) == rows
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["global_step"] == fitted.global_step
