"""Training: how networks learn."""

from nanotrigger.training.tasks import JetTagging

__all__ = ["JetTagging"]
