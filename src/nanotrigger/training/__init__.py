"""Training: how networks learn."""

from nanotrigger.training.anomaly_detection import AnomalyDetection
from nanotrigger.training.jet_tagging import JetTagging

__all__ = ["AnomalyDetection", "JetTagging"]
