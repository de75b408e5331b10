"""The progress of a training: an epoch's bar and its metrics in one line of 80 columns."""

from typing import Any

from lightning.pytorch import Trainer
from lightning.pytorch.callbacks import RichProgressBar
from lightning.pytorch.callbacks.progress.rich_progress import CustomBarColumn, RichProgressBarTheme
from rich.progress import TextColumn, TimeRemainingColumn


class OneLineProgress(RichProgressBar):
    """Lightning's bar without batches, rate and elapsed time, which would wrap, and without one for validation."""

    def __init__(self) -> None:
        super().__init__(refresh_rate=10, theme=RichProgressBarTheme(metrics_text_delimiter=" ", metrics_format=".3f"))

    def configure_columns(self, trainer: Trainer) -> list[Any]:
        """Return the columns before the metrics."""
        bar = CustomBarColumn(bar_width=12)
        return [TextColumn("[progress.description]{task.description}"), bar, TimeRemainingColumn(compact=True)]

    def _get_train_description(self, current_epoch: int) -> str:
        """Return the number of the epoch, without that of the last one where steps are counted instead."""
        return super()._get_train_description(current_epoch).replace("/-2", "")

    def on_validation_batch_start(self, trainer: Trainer, *arguments: Any) -> None:
        """Show nothing while an epoch is validated."""
        if trainer.state.fn != "fit":
            super().on_validation_batch_start(trainer, *arguments)


def progress_bars(settings: Any) -> list[OneLineProgress]:
    """Return the bar that goes with a trainer's settings: none if it is to have none, or has one of its own."""
    has_own = "ProgressBar" in str(settings.callbacks)
    return [] if has_own or settings.enable_progress_bar is False else [OneLineProgress()]
