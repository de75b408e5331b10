"""Data: where events come from, and how they reach the device."""

from nanotrigger.data.jets import JetSample, read_jets
from nanotrigger.data.module import JetData

__all__ = ["JetData", "JetSample", "read_jets"]
