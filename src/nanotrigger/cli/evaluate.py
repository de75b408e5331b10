"""Test the best checkpoint of a run, as its task wants it."""

from pathlib import Path

import lightning

from nanotrigger.cli.evaluate_events import evaluate_events
from nanotrigger.cli.evaluate_jets import evaluate_jets
from nanotrigger.data import EventData


def evaluate_run(folder: Path, data: lightning.LightningDataModule) -> None:
    """Test `folder/best.ckpt` on the test split; write test.json and figures, print the result.

    Args:
        folder: a run folder with best.ckpt and metrics.csv.
        data: the run's data, set up.
    """
    if isinstance(data, EventData):
        evaluate_events(folder, data)
    else:
        evaluate_jets(folder, data)
