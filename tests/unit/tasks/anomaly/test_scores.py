"""Scores of the variational autoencoder, by hand and against a numerical integral."""

import math

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

from nanotrigger.errors import InputError
from nanotrigger.tasks.anomaly.scores import kl_divergence, rz

MEANS = [[1.0, -2.0], [0.0, 0.5]]
LOG_VARIANCES = [[0.0, math.log(4.0)], [math.log(0.25), 0.0]]


def test_rz_by_hand() -> None:
    np.testing.assert_allclose(rz(MEANS), [5.0, 0.25])
    np.testing.assert_allclose(rz(MEANS, LOG_VARIANCES), [1.0 + 1.0, 0.25])


def test_divergence_by_hand() -> None:
    # -1/2 (1 + ln s² - m² - s²) of (1, 1), (-2, 4), (0, 1/4) and (1/2, 1).
    first = 0.5 + -0.5 * (1 + math.log(4) - 4 - 4)
    second = -0.5 * (1 + math.log(0.25) - 0.25) + 0.125
    np.testing.assert_allclose(kl_divergence(MEANS, LOG_VARIANCES), [first, second])


def test_divergence_is_the_integral_that_defines_it() -> None:
    mean, deviation = 0.7, 0.4
    latent = scipy.stats.norm(mean, deviation)
    integral, _ = scipy.integrate.quad(
        lambda z: latent.pdf(z) * (latent.logpdf(z) - scipy.stats.norm.logpdf(z)), mean - 4, mean + 4
    )
    assert kl_divergence([[mean]], [[2 * math.log(deviation)]])[0] == pytest.approx(integral)


def test_divergence_with_unit_widths_orders_events_as_rz_does() -> None:
    means = np.random.default_rng(5).normal(size=(50, 3))
    np.testing.assert_allclose(kl_divergence(means, np.zeros_like(means)), rz(means) / 2)


def test_divergence_vanishes_for_the_standard_normal_only() -> None:
    assert kl_divergence([[0.0, 0.0]], [[0.0, 0.0]])[0] == 0
    assert kl_divergence([[0.0]], [[1e-9]])[0] == pytest.approx(0.25e-18, abs=1e-25)
    assert kl_divergence([[0.0]], [[-0.1]])[0] > 0


def test_shapes_are_checked() -> None:
    with pytest.raises(InputError, match=r"latent means have shape \(2,\)"):
        rz([1.0, 2.0])
    with pytest.raises(InputError, match=r"log-variances have shape \(1, 1\), means \(1, 2\)"):
        kl_divergence([[1.0, 2.0]], [[1.0]])
