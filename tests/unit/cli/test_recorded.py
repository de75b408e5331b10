"""What a run folder says is compared with what trained, and not with the settings."""

import pytest
import torch
import yaml

from nanotrigger.cli.recorded import check_point, check_recorded, first_rate
from nanotrigger.errors import TrainingError
from nanotrigger.networks import Autoencoder
from nanotrigger.tasks import AnomalyDetection
from nanotrigger.training.requirement import Requirement
from tests.unit.training.fits import trainer

RATE = 4e-8  # so small that plateau halves it


@pytest.fixture(scope="module", params=["cosine", "constant", "plateau"])
def trained(few_events, tmp_path_factory, request):
    """A trainer whose training of seven epochs has ended."""
    torch.manual_seed(1)
    network = Autoencoder(hidden=[4], batch_norm=False)
    task = AnomalyDetection(network, learning_rate=RATE, schedule=request.param)
    done = trainer(7, tmp_path_factory.mktemp("trained"))
    done.fit(task, datamodule=few_events)
    return done


def write(folder, group=None, **changes):
    config = {
        "trainer": {"max_epochs": 7, "limit_train_batches": None},
        "model": {"class_path": "AnomalyDetection", "init_args": {"learning_rate": RATE}},
        "data": {"class_path": "EventData", "init_args": {"batch_size": 32}},
        "network": {"class_path": "Autoencoder", "init_args": {"hidden": [4], "weight": None, "features": 57}},
    }
    if group is not None:
        inside = config[group]
        inside.get("init_args", inside).update(changes)
    (folder / "config.yaml").write_text(yaml.safe_dump(config))


def test_the_truth_is_accepted(trained, tmp_path):
    write(tmp_path)
    check_recorded(tmp_path, trained)


@pytest.mark.parametrize(
    ("group", "changes", "message"),
    [
        ("model", {"learning_rate": 1e-9}, "config.yaml says model.learning_rate=1e-09, and the training had 4e-08"),
        ("data", {"batch_size": 1024}, "config.yaml says data.batch_size=1024, and the training had 32"),
        ("trainer", {"max_epochs": 9}, "config.yaml says trainer.max_epochs=9, and the training had 7"),
        ("network", {"hidden": [4, 4]}, r"config.yaml says network.hidden=\[4, 4\], and the training had \[4\]"),
    ],
)
def test_a_record_of_something_else_is_an_error(trained, tmp_path, group, changes, message):
    write(tmp_path, group, **changes)
    with pytest.raises(TrainingError, match=message):
        check_recorded(tmp_path, trained)


def test_the_learning_rate_is_that_of_the_optimizer(trained, tmp_path):
    """Not of the task, which would say what was asked for."""
    write(tmp_path)
    (group,) = trained.optimizers[0].param_groups
    former = dict(group)
    try:
        group.update(lr=3e-9, **({"initial_lr": 3e-9} if "initial_lr" in group else {}))
        assert first_rate(trained) == 3e-9
        with pytest.raises(TrainingError, match="learning_rate=4e-08, and the training had 3e-09"):
            check_recorded(tmp_path, trained)
    finally:
        group.update(former)


class Wanted(Requirement):
    """A requirement that no network meets."""

    shortfall = " that is good enough"

    def failure(self, best):
        return f"{best.name} is not good enough"


def test_what_was_required_and_is_not_there_is_an_error(trained, tmp_path):
    write(tmp_path)
    trained.callbacks.append(Wanted())
    try:
        with pytest.raises(TrainingError, match=r"no epoch was trained and validated that is good enough: .* no best"):
            check_recorded(tmp_path, trained)
        (tmp_path / "best.ckpt").touch()
        with pytest.raises(TrainingError, match=r"^best.ckpt is not good enough$"):
            check_recorded(tmp_path, trained)
    finally:
        trained.callbacks.pop()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", 2),
        ("network.weight.width", 3),
        ("network.hidden", [8, 9]),
        ("model.learning_rate", 0.1),
        ("trainer.max_epochs", 3),
    ],
)
def test_a_point_of_a_scan_was_trained_with_what_its_row_says(tmp_path, key, value):
    config = {
        "seed_everything": 1,
        "trainer": {"max_epochs": 2},
        "model": {"class_path": "JetTagging", "init_args": {"learning_rate": 0.01}},
        "network": {"class_path": "MLP", "init_args": {"hidden": [8, 8], "weight": {"width": 4, "integer": 2}}},
    }
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(config))
    same = {
        "seed": 1,
        "network.weight": {"width": 4},
        "network.hidden": [8, 8],
        "model.learning_rate": 1e-2,
        "trainer.max_epochs": 2,
        "data.source": "simulated",  # texts are resolved
    }
    check_point(same, file)
    with pytest.raises(TrainingError, match=f"the scan sets {key}="):
        check_point({**same, key: value}, file)
