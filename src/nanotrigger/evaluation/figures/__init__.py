"""Figures: pure functions that return a matplotlib Figure; only `save_figure` writes.

They use neither pyplot's state nor a display, and need no file but the fonts that mplhep installs.
"""

from nanotrigger.evaluation.figures.autoencoder import (
    latent_scatter,
    momentum_distributions,
    reconstructed_momenta,
)
from nanotrigger.evaluation.figures.classification import (
    confusion_figure,
    pairwise_roc_curves,
    probability_histograms,
    roc_curves,
)
from nanotrigger.evaluation.figures.detection import DetectorCurve, detection_roc, detector_comparison
from nanotrigger.evaluation.figures.history import training_history
from nanotrigger.evaluation.figures.images import mean_images
from nanotrigger.evaluation.figures.inputs import feature_distributions, input_distributions
from nanotrigger.evaluation.figures.page import Sample, save_figure
from nanotrigger.evaluation.figures.quantization import quantized_inputs, quantizer_staircases, staircase_family
from nanotrigger.evaluation.figures.scan import ScanCurve, scan_curves
from nanotrigger.evaluation.figures.scores import efficiency_over_rate, score_histograms
from nanotrigger.evaluation.figures.tradeoff import TradeoffPoints, tradeoff_figure
from nanotrigger.evaluation.figures.weights import weight_comparison, weight_histograms

__all__ = [
    "DetectorCurve",
    "Sample",
    "ScanCurve",
    "TradeoffPoints",
    "confusion_figure",
    "detection_roc",
    "detector_comparison",
    "efficiency_over_rate",
    "feature_distributions",
    "input_distributions",
    "latent_scatter",
    "mean_images",
    "momentum_distributions",
    "pairwise_roc_curves",
    "probability_histograms",
    "quantized_inputs",
    "quantizer_staircases",
    "reconstructed_momenta",
    "roc_curves",
    "save_figure",
    "scan_curves",
    "score_histograms",
    "staircase_family",
    "tradeoff_figure",
    "training_history",
    "weight_comparison",
    "weight_histograms",
]
