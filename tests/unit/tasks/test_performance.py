"""The one figure of a network: accuracy of a classifier, true-positive rate of an anomaly detector."""

import json

import numpy as np
import pytest
import torch

from nanotrigger.data.split import Events, Standardization
from nanotrigger.evaluation.classification import accuracy_interval
from nanotrigger.evaluation.intervals import binomial_interval
from nanotrigger.evaluation.performance import described
from nanotrigger.networks import MLP, Autoencoder, VariationalAutoencoder
from nanotrigger.tasks import task_of
from nanotrigger.training.checkpoint import TrainedNetwork

SETTINGS = {"masked": False, "angular_phi": False, "positive_pt": False, "kl_weight": 0.02}
NAMES = ("background", "a", "b")


def trained(network, task="AnomalyDetection") -> TrainedNetwork:
    scaling = Standardization(torch.zeros(6).double(), torch.ones(6).double())
    return TrainedNetwork(network, task, {}, scaling, epoch=0, sha256="", settings=SETTINGS)


def performance(trained, features, outputs, labels, *, class_names):
    return task_of(trained).performance(trained, Events(features, labels, class_names, "", ""), outputs)


def of_radii(background, *signals, network=None):
    """Return the performance of a latent mean that is the square root of these scores."""
    labels = np.repeat(np.arange(len(signals) + 1), [len(background), *map(len, signals)])
    means = np.sqrt(np.concatenate([background, *signals]))[:, None]
    network = network or VariationalAutoencoder(features=6, hidden=[4], latent_size=1).section("encoder")
    names = NAMES[: len(signals) + 1]
    return performance(trained(network), np.zeros((len(means), 6)), means, labels, class_names=names)


def test_a_classifier_has_an_accuracy():
    logits, labels = np.eye(3)[[0, 1, 2, 2]], np.array([0, 1, 2, 0])
    found = performance(trained(MLP(), "JetTagging"), np.zeros((4, 16)), logits, labels, class_names=NAMES)
    assert (found.key, found.title, found.value, found.parts) == ("accuracy", "Accuracy", 0.75, {})
    assert found.interval == accuracy_interval(logits, labels)
    assert described(found) == {"accuracy": 0.75, "accuracy_interval": list(found.interval)}


def test_a_detector_has_the_mean_true_positive_rate():
    found = of_radii(np.arange(2000.0), np.array([0.0, 1997, 1998, 5000]), np.array([9999.0, 1, 1, 1]))
    assert found.parts == {"a": 0.5, "b": 0.25}  # two background events pass: 1,998 and 1,999; the threshold is 1,997
    assert (found.key, found.value) == ("tpr", 0.375)
    assert found.title == "True-positive rate"
    assert found.name == "True-positive rate at a false-positive rate of 1.0e-03 by radius Rz, mean of 2 signals"
    low, high = found.interval
    assert 0 < low < 0.375 < high < 1
    record = described(found)
    assert json.loads(json.dumps(record)) == record
    assert record["tpr_of"] == {"a": 0.5, "b": 0.25}


def test_little_background_sets_the_rate():
    found = of_radii(np.arange(50.0), np.array([48.5, 20, 60, 49.5]))
    assert "at a false-positive rate of 2.0e-02 by" in found.name
    assert found.value == 0.75


def test_the_interval_of_one_signal_is_not_narrower_than_the_binomial_one():
    found = of_radii(np.arange(1000.0), np.array([998.5] * 30 + [0.0] * 70))
    low, high = binomial_interval(30, 100)
    assert found.interval[0] <= low + 1e-12
    assert found.interval[1] >= high - 1e-12


def test_a_reconstruction_is_judged_by_its_error():
    features, labels = np.zeros((1100, 6)), np.repeat([0, 1], [1000, 100])
    outputs = np.zeros((1100, 6))
    outputs[:, 1] = np.r_[np.arange(1000) / 1000, np.full(40, 2.0), np.zeros(60)]
    found = performance(trained(Autoencoder(features=6)), features, outputs, labels, class_names=NAMES[:2])
    assert found.value == pytest.approx(0.4)
    assert "by reconstruction error, mean of 1 signals" in found.name


def test_latent_values_and_background_alone_tell_nothing():
    encoder = Autoencoder(features=6, hidden=[4], latent_size=1).section("encoder")
    assert of_radii(np.arange(10.0), np.arange(10.0), network=encoder) is None
    assert of_radii(np.arange(10.0)) is None
    assert described(None) == {}
