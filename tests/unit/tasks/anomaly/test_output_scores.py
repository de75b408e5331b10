"""Scores of what a network, a part of it or its firmware returned."""

import numpy as np
import pytest
import torch

from nanotrigger.data.split import Standardization
from nanotrigger.tasks.anomaly.scores import MASKED, RADIUS, RECONSTRUCTION, output_scores

SCALING = Standardization(
    torch.tensor([10.0, 0, 0, 20.0, 0, 0]).double(), torch.tensor([10.0, 1, 1, 10.0, 1, 1]).double()
)
FEATURES = np.array([[0.0, 1.0, 3.0, -2.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.5, 0.0, 0.0]])  # -1 and -2 are 0 GeV
OUTPUTS = np.array([[1.0, 1.0, -3.0, -3.0, 2.0, 0.0], [1.0, 0.0, 0.0, 0.5, 3.0, 0.0]])
SETTINGS = {"masked": False, "angular_phi": False, "positive_pt": False, "kl_weight": 0.02}


def test_a_reconstruction_has_two_errors():
    found = output_scores(FEATURES, OUTPUTS, SCALING, SETTINGS)
    assert list(found) == [RECONSTRUCTION, MASKED]
    np.testing.assert_allclose(found[RECONSTRUCTION], [42 / 6, 9 / 6])
    np.testing.assert_allclose(found[MASKED], [37 / 3, 9 / 6])
    assert found[MASKED].dtype == np.float64


def test_the_error_that_was_trained_for_comes_first():
    plain, masked = (output_scores(FEATURES, OUTPUTS, SCALING, {**SETTINGS, "masked": on}) for on in (False, True))
    assert list(masked) == [MASKED, RECONSTRUCTION]
    for name, score in plain.items():
        np.testing.assert_array_equal(masked[name], score)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [({"positive_pt": True}, 41 / 6), ({"angular_phi": True}, (6 + (2 * np.pi - 6) ** 2) / 6)],
)
def test_events_are_compared_as_in_the_training(settings, expected):
    found = output_scores(FEATURES, OUTPUTS, SCALING, {**SETTINGS, **settings})
    assert found[RECONSTRUCTION][0] == pytest.approx(expected)


def test_objects_that_are_absent_in_float32_are_masked():
    scaling = Standardization(torch.tensor([31.7, 0, 0]).double(), torch.tensor([12.3, 1, 1]).double())
    features = scaling.apply(torch.zeros(1, 3)).double().numpy()
    found = output_scores(features, features + 1, scaling, SETTINGS)
    assert (found[RECONSTRUCTION].tolist(), found[MASKED].tolist()) == ([1.0], [0.0])


def test_latent_values_have_a_radius():
    found = output_scores(FEATURES, np.array([[3.0, 4.0], [0.0, 1.0]]), SCALING, SETTINGS)
    assert {name: score.tolist() for name, score in found.items()} == {RADIUS: [25.0, 1.0]}
