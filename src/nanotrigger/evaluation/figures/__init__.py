"""Figures: pure functions that return a matplotlib Figure; only `save_figure` writes.

They use neither pyplot's state nor a display, and need no file but the fonts that mplhep installs.
"""

from nanotrigger.evaluation.figures.anomaly_roc import detection_roc
from nanotrigger.evaluation.figures.confusion import confusion_figure
from nanotrigger.evaluation.figures.detectors import DetectorCurve, detector_comparison
from nanotrigger.evaluation.figures.events import input_distributions
from nanotrigger.evaluation.figures.features import feature_distributions
from nanotrigger.evaluation.figures.history import training_history
from nanotrigger.evaluation.figures.latent import latent_scatter
from nanotrigger.evaluation.figures.probabilities import probability_histograms
from nanotrigger.evaluation.figures.quantized_inputs import quantized_inputs
from nanotrigger.evaluation.figures.reconstruction import reconstructed_momenta
from nanotrigger.evaluation.figures.roc import pairwise_roc_curves, roc_curves
from nanotrigger.evaluation.figures.sample import Sample
from nanotrigger.evaluation.figures.save import save_figure
from nanotrigger.evaluation.figures.scan import ScanCurve, scan_curves
from nanotrigger.evaluation.figures.score_histograms import score_histograms
from nanotrigger.evaluation.figures.staircase import quantizer_staircases
from nanotrigger.evaluation.figures.tradeoff import TradeoffPoints, tradeoff_figure
from nanotrigger.evaluation.figures.trigger_rate import efficiency_over_rate
from nanotrigger.evaluation.figures.weights import weight_histograms

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
    "pairwise_roc_curves",
    "probability_histograms",
    "quantized_inputs",
    "quantizer_staircases",
    "reconstructed_momenta",
    "roc_curves",
    "save_figure",
    "scan_curves",
    "score_histograms",
    "tradeoff_figure",
    "training_history",
    "weight_histograms",
]
