"""Requirements of a training: what a network must have to be the best, and what is left to do when it has ended."""

from pathlib import Path

import lightning


class Requirement(lightning.Callback):
    """A callback that best.ckpt has to meet, and that may go on with it after the training."""

    @property
    def is_complete(self) -> bool:
        """Whether the network that was validated last meets it."""
        return True

    @property
    def shortfall(self) -> str:
        """What to say if no network met it, after "no epoch was trained and validated"; empty if nothing is asked."""
        return ""

    def failure(self, best: Path) -> str:
        """Return in what best.ckpt does not meet it; empty if it does, by the network in the file and no record."""
        return ""

    @property
    def has_work(self) -> bool:
        """Whether `after_training` has something to do."""
        return False

    def after_training(self, trainer: lightning.Trainer, folder: Path, *, seed: int) -> None:
        """Go on with what a training has left; the folder is held.

        Args:
            trainer: whose training has ended.
            folder: of the run.
            seed: of the run.
        """

    def remark(self, best: Path) -> str:
        """Return a line about best.ckpt for the terminal; empty if there is nothing to say."""
        return ""
