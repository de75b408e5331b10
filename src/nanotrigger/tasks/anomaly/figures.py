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
        "reconstruction": _momenta(data, features[labels == 0], outputs[labels == 0]),
        **_latent(network, features, baseline, truth, names),
    }
    return figures | _quantized_inputs(network, features, sample)


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


def _momenta(data: EventData, features: Tensor, outputs: Tensor) -> Figure:
    columns = [FEATURE_NAMES.index(f"{name}_pt") for name in LEADING_OBJECTS]
    true, found = (_measured(values, data)[:, columns] for values in (features, outputs))
    sample = Sample(data.description, len(features), "test", unit="background events")
    return reconstructed_momenta(true, found, object_names=list(LEADING_OBJECTS.values()), sample=sample)


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


def _quantized_inputs(network: Autoencoder, features: Tensor, sample: Sample) -> dict[str, Figure]:
    """Return what the input's quantizer does, for a quantized network."""
    if not network.formats:
        return {}
    names = [f"{name}_{quantity}" for name in LEADING_OBJECTS for quantity in ("pt", "eta", "phi")]
    columns = [FEATURE_NAMES.index(name) for name in names]
    before = features[:, columns].double().numpy()
    number = network.formats["input"]
    return {
        "input_quantizer": quantized_inputs(
            before,
            number.quantize(before),
            number=number,
            feature_names=names,
            sample=sample,
        )
    }
