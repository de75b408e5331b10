"""The figures of an anomaly-detection run."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

from nanotrigger.data.level1 import in_physical_units
from nanotrigger.data.particles import FEATURE_NAMES
from nanotrigger.evaluation.figures import (
    Sample,
    detection_roc,
    efficiency_over_rate,
    input_distributions,
    latent_scatter,
    momentum_distributions,
    quantized_inputs,
    reconstructed_momenta,
    score_histograms,
)
from nanotrigger.evaluation.figures.inputs import LEADING_OBJECTS
from nanotrigger.evaluation.pca import PrincipalComponents
from nanotrigger.networks import Autoencoder
from nanotrigger.tasks.anomaly.data import EventData
from nanotrigger.training.checkpoint import predict

Array = NDArray[np.float64]

_MOST_AXES = 3  # of a latent space that is drawn

# Quantity → its symbol and unit as the network sees it: pT standardized, or all in units of the trigger's integers.
_UNITS = {"pt": r"$p_\mathrm{T}$ [standard deviations]", "eta": r"$\eta$", "phi": r"$\phi$ [rad]"}
_HARDWARE_UNITS = {"pt": r"$p_\mathrm{T}$ [32 GeV]", "eta": r"$\eta$ [2.78]", "phi": r"$\phi$ [2.79 rad]"}


def anomaly_figures(
    data: EventData,
    network: Autoencoder,
    features: Tensor,
    outputs: Tensor,
    labels: Tensor,
    scores: Mapping[str, Array],
    baseline: PrincipalComponents,
) -> dict[str, Figure]:
    """Return the figures of a run by file name.

    Args:
        data: of the run, set up.
        network: of the run.
        features: standardized, of background and signals, shape (events, 57).
        outputs: reconstructions of these, the same shape.
        labels: places in the data's class names, shape (events,).
        scores: of the events, by name.
        baseline: principal components of the training split.
    """
    sample = Sample(data.description, len(labels), "test", unit="events")
    names: dict[str, Any] = {"class_names": data.class_names, "sample": sample}
    truth = labels.numpy()
    figures = {
        "inputs": input_distributions(_measured(features, data), truth, feature_names=FEATURE_NAMES, **names),
        **_detection(scores, truth, names, data),
        **_momenta(data, features[labels == 0], outputs[labels == 0]),
        **_latent(network, features, baseline, truth, names),
    }
    return figures | _quantized_inputs(network, features, data, sample)


def _detection(
    scores: Mapping[str, Array], labels: NDArray[np.int64], names: dict[str, Any], data: EventData
) -> dict[str, Figure]:
    """Return what the scores do to the signals, if there are any."""
    if len(names["class_names"]) < 2:
        return {}
    first, accepted = next(iter(scores)), data.accepted("test")
    rate: dict[str, Any] = {
        **{"score_name": first, "crossings": data.crossings},
        "accepted": None if accepted is None else accepted.numpy(),
    }
    return {
        "scores": score_histograms(scores, labels, **names),
        "roc": detection_roc(scores, labels, **names),
        "trigger_rate": efficiency_over_rate(scores[first], labels, **rate, **names),
    }


def _measured(features: Tensor, data: EventData) -> Array:
    """Return features in GeV and radians; absent objects are zeros, which standardization leaves but for rounding."""
    scaling = data.standardization
    values = (features.double() * scaling.scale + scaling.mean).numpy()
    if data.in_hardware_units:
        return in_physical_units(values)
    return np.where(np.abs(values) < 1e-4, 0.0, values)


def _momenta(data: EventData, features: Tensor, outputs: Tensor) -> dict[str, Figure]:
    """Return reconstructed against true momenta, and their distributions."""
    columns = [FEATURE_NAMES.index(f"{name}_pt") for name in LEADING_OBJECTS]
    true, found = (_measured(values, data)[:, columns] for values in (features, outputs))
    sample = Sample(data.description, len(features), "test", unit="background events")
    names: dict[str, Any] = {"object_names": list(LEADING_OBJECTS.values()), "sample": sample}
    return {
        "reconstruction": reconstructed_momenta(true, found, **names),
        "momenta": momentum_distributions(true, found, **names),
    }


def _latent(
    network: Autoencoder,
    features: Tensor,
    baseline: PrincipalComponents,
    labels: NDArray[np.int64],
    names: dict[str, Any],
) -> dict[str, Figure]:
    """Return scatter plots of the latent space and of the principal components, if there are two or more."""
    size = min(network.latent_size, _MOST_AXES)
    if size < 2:
        return {}
    spaces = {
        "latent": ("Latent value", predict(network.encode, features).double().numpy()),
        "pca": ("Principal component", baseline.project(features.double().numpy())),
    }
    return {
        file: latent_scatter(
            values[:, :size], labels, axis_names=[f"{axis} {place}" for place in range(1, size + 1)], **names
        )
        for file, (axis, values) in spaces.items()
    }


def _quantized_inputs(network: Autoencoder, features: Tensor, data: EventData, sample: Sample) -> dict[str, Figure]:
    """Return what the input's quantizer does, for a quantized network; not of inputs that are always the same."""
    if not network.formats:
        return {}
    units = _HARDWARE_UNITS if data.in_hardware_units else _UNITS
    objects = {name: word for name, word in LEADING_OBJECTS.items() if name != "met"} | {"met": "MET"}
    named = {
        FEATURE_NAMES.index(f"{name}_{quantity}"): f"{word} {unit}"
        for name, word in objects.items()
        for quantity, unit in units.items()
    }
    values = features.double().numpy()
    columns = [column for column in named if np.ptp(values[:, column])]
    before, number = values[:, columns], network.formats["input"]
    names = [named[column] for column in columns]
    after = number.quantize(before)
    return {"input_quantizer": quantized_inputs(before, after, number=number, feature_names=names, sample=sample)}
