"""A task from a file outside the package: trained, tested, exported, costed, described and measured as the others."""

import importlib
import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import yaml

from nanotrigger.cli.scanning import measure_point
from nanotrigger.cost.record import read_reports
from nanotrigger.scan.quality import is_result, qualities, quality_of
from nanotrigger.scan.results import read_study, write_results
from nanotrigger.tasks import TASKS
from tests.command import ROOT, command

pytestmark = pytest.mark.slow

TASK = '''
"""Points: whether one of four features is far from zero, as two classes that are judged alike."""

from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from nanotrigger.data.split import Events, Standardization, random_split
from nanotrigger.data.split_data import SplitData, rows_of_split
from nanotrigger.errors import InputError
from nanotrigger.evaluation.intervals import binomial_interval
from nanotrigger.evaluation.performance import Performance, Quality
from nanotrigger.files import sha256
from nanotrigger.networks import MLP
from nanotrigger.tasks import TASKS, Task

CLASSES = ("near", "far")


class PointData(SplitData):
    """Rows of a .npy file, shape (points, 5): four features and the class."""

    def __init__(self, source: str, *, batch_size: int = 100, test: float = 0.25, validation: float = 0.25,
                 split_seed: int = 0) -> None:
        super().__init__(source, batch_size=batch_size, test=test, validation=validation, split_seed=split_seed)

    @staticmethod
    def path_of(source):
        return Path(source)

    def setup(self, stage=None):
        features, self.labels = read(self.source)
        self.split = random_split(
            len(features), test=self.test, validation=self.validation, seed=self.split_seed
        )
        self.standardization = Standardization.fit(features[self.split.train])
        self.features = self.standardization.apply(features)

    def rows(self, split):
        rows = getattr(self.split, split)
        return self.features[rows], self.labels[rows]

    def record(self):
        return {
            "source": self.source,
            "description": "points",
            "sha256": sha256(Path(self.source)),
            "points": len(self.labels),
            "test": self.test,
            "validation": self.validation,
            "split_seed": self.split_seed,
            "feature_names": ["a", "b", "c", "d"],
            "standardization": self.standardization.state(),
        }

    def check_network(self, shape, outputs):
        if (*shape, outputs) != (4, 2):
            raise InputError("points have 4 features and 2 classes; set network.features=4 network.classes=2")

    @classmethod
    def read_judged(cls, origin, record, standardization, split):
        features, labels = read(origin.source)
        digest = sha256(Path(origin.source))
        rows, which = rows_of_split(record, len(labels), digest, split)
        scaled = standardization.apply(features[rows]).double().numpy()
        return Events(scaled, labels[rows].numpy(), CLASSES, f"{which} points{origin.remark}", digest)


class PointTagging(Task):
    """Tell points apart."""

    title = "Point tagging"
    data_module = PointData
    unit = "points"
    quality = Quality("mean_recall", "Mean recall")
    result_columns = ("mean_recall_*",)
    history_panels = {"loss": "Cross-entropy [nats]"}

    def __init__(self, network: MLP, *, learning_rate: float = 1e-2) -> None:
        super().__init__(network, learning_rate=learning_rate, schedule="constant")

    def objective(self, network, batch):
        features, labels = batch
        loss = cross_entropy(network(features), labels)
        return self.with_price(network, loss), {"loss": loss}

    def criterion(self, batch, outputs):
        return lambda logits: cross_entropy(logits, batch[1]).item()

    @classmethod
    def performance(cls, trained, events, outputs):
        right = outputs.argmax(axis=1) == events.labels
        parts = {name: float(right[events.labels == place].mean()) for place, name in enumerate(CLASSES)}
        mean = float(np.mean(list(parts.values())))
        interval = binomial_interval(round(mean * len(right)), len(right))
        return Performance(cls.quality, mean, interval, parts=parts)

    @classmethod
    def meaning(cls, trained, ending=None):
        return "logits of near and far"


def read(source):
    table = torch.from_numpy(np.load(source))
    return table[:, :4].float(), table[:, 4].long()


TASKS["PointTagging"] = PointTagging
'''
CONFIGURATION = {
    "trainer": {"max_epochs": 30},
    "model": {"class_path": "points.PointTagging"},
    "data": {"class_path": "points.PointData", "init_args": {"source": "points.npy"}},
    "network": {
        "class_path": "nanotrigger.networks.MLP",
        "init_args": {
            "features": 4,
            "hidden": [8],
            "classes": 2,
            "input": {"width": 8, "integer": 3},
            "weight": {"width": 6, "integer": 2, "narrow": True},
            "bias": {"width": 6, "integer": 2},
            "activation": {"width": 8, "integer": 3, "signed": False},
            "output": {"width": 12, "integer": 5},
        },
    },
    "checkpoint": {"monitor": "val_loss", "mode": "min"},
}
SCRIPT = "import sys\nimport points\nfrom nanotrigger.cli.{0} import main\nsys.exit(main({1}))\n"


def run(folder: Path, script: str, *arguments: str) -> subprocess.CompletedProcess:
    return command(str(folder / script), *arguments, cwd=folder, env=dict(os.environ))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Where a user keeps the task, its events and the two scripts."""
    folder = tmp_path_factory.mktemp("mine")
    (folder / "points.py").write_text(TASK)
    (folder / "points.yaml").write_text(yaml.safe_dump(CONFIGURATION))
    (folder / "train.py").write_text(SCRIPT.format("train", f"__import__('pathlib').Path({str(ROOT)!r})"))
    (folder / "export.py").write_text(SCRIPT.format("export", ""))
    features = np.random.default_rng(3).normal(size=(4000, 4)).astype(np.float32)
    np.save(folder / "points.npy", np.column_stack([features, np.abs(features[:, 1]) > 0.7]))
    return folder


@pytest.fixture(scope="module")
def trained(folder) -> Path:
    done = run(folder, "train.py", "fit", "--config=points.yaml", "output=run", "trainer.enable_progress_bar=false")
    assert done.returncode == 0, done.stderr
    assert "test mean recall 0." in done.stdout
    return folder / "run"


@pytest.fixture
def registered(folder, monkeypatch) -> None:
    """The task is known in this process, and only during a test."""
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setitem(TASKS, "PointTagging", importlib.import_module("points").PointTagging)


def test_the_run_is_tested(trained):
    result = json.loads((trained / "test.json").read_text())
    assert result["samples"] == 1000
    assert result["mean_recall"] > 0.8
    assert set(result["mean_recall_of"]) == {"near", "far"}
    assert "auc_of" not in result
    assert {path.stem for path in (trained / "figures").iterdir()} == {"history", "weights", "quantizers"}


def test_the_firmware_is_proven_costed_and_described(folder, trained):
    done = run(folder, "export.py", f"ckpt={trained / 'best.ckpt'}")
    assert done.returncode == 0, done.stderr
    export = trained / "export"
    parity = json.loads((export / "parity.json").read_text())
    assert (parity["differing_words"], parity["words"]) == (0, 2 * parity["samples"])
    assert parity["inputs"]["events"]["description"] == "test split, 1,000 points"
    tested, emulated = (json.loads(path.read_text()) for path in (trained / "test.json", export / "emulation.json"))
    assert emulated["mean_recall"] == tested["mean_recall"]
    assert read_reports(export)[0].used.aluts > 10
    page = (export / "datasheet.html").read_text()
    assert "Point tagging" in page
    assert "Mean recall, of the firmware, emulated: <strong>" in page
    assert "Mean recall of each signal." in page
    assert "4,000 points" in page


def test_a_row_of_a_scan_is_measured(folder, trained, registered, monkeypatch):
    monkeypatch.chdir(folder)
    row = measure_point({}, trained / "best.ckpt", folder / "measured", split="validation")
    assert quality_of(row) == "mean_recall"
    assert qualities()["mean_recall"] == "Mean recall"
    assert row["mean_recall_low"] < row["mean_recall"] < row["mean_recall_high"]
    assert 0.5 < row["mean_recall_far"] <= 1
    assert is_result("mean_recall_far")
    write_results([{"state": "complete", "seed": 1, **row}], folder / "results.csv")
    (folder / "study.json").write_text(json.dumps({"name": "points", "axes": [{"keys": ["seed"], "values": [1]}]}))
    assert read_study(folder).rows[0]["mean_recall_far"] == row["mean_recall_far"]


def test_a_task_that_is_not_listed_is_refused_before_it_is_trained(folder):
    (folder / "unlisted.py").write_text(
        "from points import PointTagging\n\n\nclass Unlisted(PointTagging):\n    pass\n"
    )
    done = run(folder, "train.py", "--config=points.yaml", "--model=unlisted.Unlisted", "output=refused")
    assert done.returncode == 2
    assert done.stderr == (
        "error: model.class_path=unlisted.Unlisted: none of the tasks JetTagging, AnomalyDetection, PointTagging; "
        'add it by nanotrigger.tasks.TASKS["Unlisted"] = Unlisted\n'
    )
    assert not (folder / "refused").exists()


def test_a_task_learns_from_its_own_data(folder):
    done = run(folder, "train.py", "--config=points.yaml", "--data=nanotrigger.tasks.JetData", "output=refused")
    assert done.returncode == 2
    assert done.stderr == (
        "error: data.class_path=nanotrigger.tasks.JetData: PointTagging learns from the features of PointData; "
        "give that\n"
    )
