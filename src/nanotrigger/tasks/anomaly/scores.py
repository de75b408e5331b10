"""Anomaly scores: how unusual each event is, from what the network or its firmware returns; reconstruction errors."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from nanotrigger.data.split import Standardization
from nanotrigger.errors import InputError

_OBJECT = 3  # columns of an object: pT, η, φ


@dataclass(frozen=True)
class Distance:
    """What counts as the distance of two events.

    Args:
        masked: leave out objects that are absent from the input.
        angular_phi: take the difference of two φ around the circle, at most π.
        positive_pt: raise reconstructed transverse momenta below 0 GeV to it.
    """

    masked: bool = False
    angular_phi: bool = False
    positive_pt: bool = False


def reconstruction_error(features: Tensor, outputs: Tensor, absent_pt: Tensor, distance: Distance) -> Tensor:
    """Return the mean squared distance of each event's features from their reconstruction, shape (batch,).

    With `distance.masked` the mean runs over the features of objects that are present.

    Args:
        features: shape (batch, features), pT, η and φ of each object, pT standardized.
        outputs: their reconstruction, same shape.
        absent_pt: what 0 GeV is after standardization, shape (objects,).
        distance: what is compared, and how.
    """
    if distance == Distance():
        return (outputs - features).square().mean(dim=1)
    reconstructed_pt = outputs[:, ::_OBJECT]
    if distance.positive_pt:
        reconstructed_pt = torch.maximum(reconstructed_pt, absent_pt)
    _, eta, phi = (outputs - features).unflatten(1, (-1, _OBJECT)).unbind(dim=2)
    if distance.angular_phi:
        phi = phi - 2 * math.pi * torch.round(phi / (2 * math.pi))
    squares = torch.stack([reconstructed_pt - features[:, ::_OBJECT], eta, phi]).square().sum(dim=0)
    if not distance.masked:
        return squares.sum(dim=1) / features.shape[1]
    present = features[:, ::_OBJECT] > absent_pt
    return (squares * present).sum(dim=1) / (_OBJECT * present.sum(dim=1)).clamp(min=1)


def absent_pt(standardization: Standardization) -> Tensor:
    """Return what 0 GeV is after standardization, shape (objects,), float32, exactly as absent objects have it."""
    return standardization.apply(torch.zeros(1, len(standardization.mean)))[0, ::_OBJECT]


Array = NDArray[np.float64]

RECONSTRUCTION, MASKED, RADIUS = "reconstruction error", "masked reconstruction error", "radius Rz"


def output_scores(
    features: Array, outputs: Array, standardization: Standardization, settings: Mapping[str, Any]
) -> dict[str, Array]:
    """Return the scores that outputs allow, by name and with the one that was trained for first, each (events,).

    A reconstruction is compared with the features; latent means of a variational autoencoder give their radius.

    Args:
        features: standardized, shape (events, features).
        outputs: of the network or firmware, shape (events, outputs).
        standardization: of the features.
        settings: of the task, as its checkpoint has them.
    """
    if outputs.shape[1] != features.shape[1]:
        return {RADIUS: rz(outputs)}
    inputs, reconstructed = torch.from_numpy(features), torch.from_numpy(outputs)
    absent = absent_pt(standardization).to(inputs)
    distance = {key: settings[key] for key in ("angular_phi", "positive_pt")}
    errors = {
        name: reconstruction_error(inputs, reconstructed, absent, Distance(masked=masked, **distance)).numpy()
        for name, masked in ((RECONSTRUCTION, False), (MASKED, True))
    }
    return dict(reversed(errors.items())) if settings["masked"] else errors


def rz(means: ArrayLike, log_variances: ArrayLike | None = None) -> Array:
    r"""Return R_z, the squared distance of the latent Gaussian from the origin, in its own widths.

    R_z = \sum_i \mu_i^2 / \sigma_i^2, E. Govorkova et al., arXiv:2108.03986. Without `log_variances` every
    width counts as one: \sum_i \mu_i^2, the part of the KL divergence that depends on the means, which a chip gets
    from half of the encoder's outputs.

    Args:
        means: of the latent Gaussian, shape (events, latent).
        log_variances: ln sigma², the same shape, or None.

    Returns:
        Shape (events,), larger is more anomalous.

    Raises:
        InputError: the shapes do not fit.

    >>> rz([[3.0, 4.0], [0.0, 1.0]])
    array([25.,  1.])
    >>> rz([[3.0, 4.0]], [[0.0, np.log(4.0)]])
    array([13.])
    """
    centres = _latent(means)
    if log_variances is None:
        return np.sum(centres**2, axis=1)
    return np.sum(centres**2 * np.exp(-_like(log_variances, centres)), axis=1)


def kl_divergence(means: ArrayLike, log_variances: ArrayLike) -> Array:
    r"""Return the Kullback-Leibler divergence of the latent Gaussian from a standard normal one, in nats.

    For scores: in double precision, and exact where a width is close to one. The loss has its own in torch
    (`task.kl_divergence`): differentiable, and as the published networks were trained with it.

    D = -1/2 \sum_i (1 + ln \sigma_i^2 - \mu_i^2 - \sigma_i^2), D. P. Kingma and M. Welling, arXiv:1312.6114,
    equation 10 and appendix B.

    Args:
        means: of the latent Gaussian, shape (events, latent).
        log_variances: ln sigma², the same shape.

    Returns:
        Shape (events,), not negative but for rounding; larger is more anomalous.

    Raises:
        InputError: the shapes do not fit.

    >>> kl_divergence([[0.0, 0.0], [1.0, 2.0]], [[0.0, 0.0], [0.0, 0.0]])
    array([0. , 2.5])
    """
    centres = _latent(means)
    logarithms = _like(log_variances, centres)
    # expm1 keeps the digits where a width is close to one.
    return 0.5 * np.sum(centres**2 + np.expm1(logarithms) - logarithms, axis=1)


def _latent(means: ArrayLike) -> Array:
    centres = np.asarray(means, np.float64)
    if centres.ndim != 2 or not centres.shape[1]:
        raise InputError(f"latent means have shape {centres.shape}; give (events, latent)")
    return centres


def _like(log_variances: ArrayLike, means: Array) -> Array:
    logarithms = np.asarray(log_variances, np.float64)
    if logarithms.shape != means.shape:
        raise InputError(
            f"log-variances have shape {logarithms.shape}, means {means.shape}; give both outputs of the encoder"
        )
    return logarithms
