"""Scores of an anomaly detector: how unusual each event is, from what the network or its firmware returns."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from nanotrigger.data.split import Standardization
from nanotrigger.tasks.anomaly.reconstruction import Distance, reconstruction_error
from nanotrigger.tasks.anomaly.scores import rz
from nanotrigger.tasks.anomaly.task import absent_pt

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
