"""Principal components of data whose directions are known."""

import math

import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.evaluation.pca import PrincipalComponents

# Around (1, 2, 3): 6 along (3, 4, 0)/5, 2 along (-4, 3, 0)/5, 1 along (0, 0, 1); variances 2·36/5, 2·4/5, 2/5.
ALONG = np.array([[0.6, 0.8, 0.0], [-0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])
STEPS = np.array([[6, 0, 0], [-6, 0, 0], [0, 2, 0], [0, -2, 0], [0, 0, 1], [0, 0, -1]])
CENTRE = np.array([1.0, 2.0, 3.0])
DATA = CENTRE + STEPS @ ALONG


def test_directions_and_variances_by_hand() -> None:
    found = PrincipalComponents.fit(DATA, 2)
    np.testing.assert_allclose(found.mean, CENTRE)
    np.testing.assert_allclose(np.abs(found.directions @ ALONG[:2].T), np.eye(2), atol=1e-12)
    np.testing.assert_allclose(found.variances, [14.4, 1.6])


def test_projection_and_scores_by_hand() -> None:
    found = PrincipalComponents.fit(DATA, 2)
    events = CENTRE + np.array([[3.0, 4.0, 6.0], [0.0, 0.0, 0.0]]) @ ALONG
    np.testing.assert_allclose(np.abs(found.project(events)), [[3, 4], [0, 0]], atol=1e-12)
    np.testing.assert_allclose(found.reconstruction_error(events), [36 / 3, 0], atol=1e-12)
    np.testing.assert_allclose(found.mahalanobis(events), [math.sqrt(9 / 14.4 + 16 / 1.6), 0], atol=1e-12)


def test_all_components_reconstruct_everything() -> None:
    random = np.random.default_rng(0)
    features = random.normal(size=(200, 5)) @ random.normal(size=(5, 5))
    found = PrincipalComponents.fit(features, 5)
    np.testing.assert_allclose(found.reconstruction_error(features + 7), 0, atol=1e-20)
    centred = features - features.mean(axis=0)
    whitened = np.einsum("ei,ij,ej->e", centred, np.linalg.inv(np.cov(features.T)), centred)
    np.testing.assert_allclose(found.mahalanobis(features) ** 2, whitened)


def test_error_of_the_training_data_is_the_variance_left_over() -> None:
    features = np.random.default_rng(1).normal(size=(300, 6)) * [5, 4, 3, 2, 1, 0.5]
    kept, every = PrincipalComponents.fit(features, 3), PrincipalComponents.fit(features, 6)
    left_over = every.variances[3:].sum() * 299 / 300 / 6
    assert kept.reconstruction_error(features).mean() == pytest.approx(left_over)


def test_constant_features_do_no_harm_unless_a_direction_is_missing() -> None:
    constant = np.column_stack([DATA, np.zeros(6)])
    assert PrincipalComponents.fit(constant, 3).variances.min() > 0
    with pytest.raises(InputError, match="vary in fewer than 4 directions"):
        PrincipalComponents.fit(constant, 4)
    with pytest.raises(InputError, match="all 5 events are equal"):
        PrincipalComponents.fit(np.ones((5, 3)), 1)


@pytest.mark.parametrize("components", [0, 4])
def test_impossible_numbers_of_components_are_refused(components: int) -> None:
    with pytest.raises(InputError, match=rf"{components} principal components of data \(6, 3\); give 1 to 3"):
        PrincipalComponents.fit(DATA, components)


def test_wrong_features_are_refused() -> None:
    found = PrincipalComponents.fit(DATA, 2)
    with pytest.raises(InputError, match=r"features have shape \(6, 2\); give \(events, 3\)"):
        found.project(DATA[:, :2])
    broken = DATA.copy()
    broken[2, 1] = np.nan
    with pytest.raises(InputError, match="features of 1 of 6 events are NaN"):
        found.mahalanobis(broken)
