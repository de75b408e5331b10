"""How well a detector finds signals: the true-positive rate at a low false-positive rate, and what shows it."""

import numpy as np
from numpy.typing import NDArray

from nanotrigger.data.split import Events
from nanotrigger.evaluation.figures import Sample, detection_roc, score_histograms
from nanotrigger.evaluation.figures.illustration import Illustration
from nanotrigger.evaluation.performance import Performance, Quality
from nanotrigger.evaluation.roc import area_under_curve
from nanotrigger.evaluation.working_point import supported_rate, working_point
from nanotrigger.tasks.anomaly.scores import output_scores
from nanotrigger.training.checkpoint import TrainedNetwork

Array = NDArray[np.float64]

TRUE_POSITIVE_RATE = Quality("tpr", "True-positive rate")
FALSE_POSITIVE_RATE = 1e-3  # at which detectors are compared, if the background supports it
RADIUS = "radius"  # the ending that adds the squares of latent means

_JUDGED = ("reconstruction", "latent_means")  # outputs that have a score
_MEANINGS = {
    "reconstruction": "the reconstruction of the inputs: the larger its distance from them, the more unusual the event",
    "latent_values": "latent values of the autoencoder",
    "latent_means": "latent means: the sum of their squares is the score, the larger the more unusual",
    RADIUS: "the sum of the squares of the latent means: the larger, the more unusual",
}


def meaning_of(output_name: str, ending: str | None) -> str:
    """Return what the outputs of a network, or of firmware with an ending, are, in words."""
    return _MEANINGS[RADIUS if ending == RADIUS else output_name]


def scores_of(trained: TrainedNetwork, events: Events, outputs: Array) -> dict[str, Array]:
    """Return the scores that outputs allow, each of shape (events,); the one that was trained for first."""
    return output_scores(events.features, outputs, trained.standardization, trained.settings)


def detection_performance(trained: TrainedNetwork, events: Events, outputs: Array) -> Performance | None:
    """Return the mean true-positive rate of all signals by the first score; None without a score or signals.

    The interval adds those of the signals in quadrature: they share no event.
    """
    if trained.network.output_name not in _JUDGED or len(events.class_names) < 2:
        return None
    name, score = next(iter(scores_of(trained, events, outputs).items()))
    background = score[events.labels == 0]
    rate = max(FALSE_POSITIVE_RATE, supported_rate(len(background)))
    of = {signal: score[events.labels == place] for place, signal in enumerate(events.class_names[1:], start=1)}
    points = {signal: working_point(background, values, rate) for signal, values in of.items()}
    found = [point.true_positive_rate for point in points.values()]
    mean = float(np.mean(found))
    distances = np.array([np.subtract(point.true_positive_rate, point.interval) for point in points.values()])
    low, high = (float(np.sqrt(np.sum(distances[:, end] ** 2))) / len(found) for end in (0, 1))
    return Performance(
        TRUE_POSITIVE_RATE,
        mean,
        (max(mean - low, 0.0), min(mean + high, 1.0)),
        circumstances=f" at a false-positive rate of {rate:.1e} by {name}, mean of {len(found)} signals",
        parts=dict(zip(points, found, strict=True)),
        areas={signal: area_under_curve(background, values) for signal, values in of.items()},
    )


def illustrate_detection(
    trained: TrainedNetwork, events: Events, outputs: Array, source: str
) -> dict[str, Illustration]:
    """Return ROC curves of the signals and histograms of the scores."""
    sample = Sample(source, size=len(events.labels), split="evaluation", unit="events")
    scores, names = scores_of(trained, events, outputs), ", ".join(events.class_names)
    roc = detection_roc(scores, events.labels, class_names=events.class_names, sample=sample)
    histograms = score_histograms(scores, events.labels, class_names=events.class_names, sample=sample)
    return {
        "roc": Illustration(
            roc,
            "True-positive rate of each signal over the false-positive rate, both logarithmic, and the area under the "
            "curve (AUC).",
            "ROC curves of the signals, one panel each, with their areas in the legend.",
        ),
        "scores": Illustration(
            histograms,
            "Scores of background and signals. The larger, the less an event looks like background.",
            f"Histograms of the scores of {names}.",
        ),
    }
