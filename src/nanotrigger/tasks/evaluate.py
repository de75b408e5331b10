"""Test the best checkpoint of a run, as its task wants it."""

from pathlib import Path

import lightning

from nanotrigger.tasks.anomaly.data import EventData
from nanotrigger.tasks.anomaly.evaluation import evaluate_events
from nanotrigger.tasks.jets.evaluation import evaluate_jets


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
