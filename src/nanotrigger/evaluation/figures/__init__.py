"""Figures: pure functions that return a matplotlib Figure; only `save_figure` writes.

They use neither pyplot's state nor a display, and need no file but the fonts that mplhep installs.
"""

from nanotrigger.evaluation.figures.confusion import confusion_figure
from nanotrigger.evaluation.figures.features import feature_distributions
from nanotrigger.evaluation.figures.history import training_history
from nanotrigger.evaluation.figures.probabilities import probability_histograms
from nanotrigger.evaluation.figures.roc import pairwise_roc_curves, roc_curves
from nanotrigger.evaluation.figures.sample import Sample
from nanotrigger.evaluation.figures.save import save_figure
from nanotrigger.evaluation.figures.scan import ScanCurve, scan_curves
from nanotrigger.evaluation.figures.staircase import quantizer_staircases
from nanotrigger.evaluation.figures.tradeoff import TradeoffPoints, tradeoff_figure
from nanotrigger.evaluation.figures.weights import weight_histograms

__all__ = [
    "Sample",
    "ScanCurve",
    "TradeoffPoints",
    "confusion_figure",
    "feature_distributions",
    "pairwise_roc_curves",
    "probability_histograms",
    "quantizer_staircases",
    "roc_curves",
    "save_figure",
    "scan_curves",
    "tradeoff_figure",
    "training_history",
    "weight_histograms",
]
