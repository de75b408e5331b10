"""Reconstruction: how far what an autoencoder returns is from what it was given."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from nanotrigger.data.split import Standardization

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
