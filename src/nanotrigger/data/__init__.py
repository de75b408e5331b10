"""Data: where events come from, and how they reach the device."""

from nanotrigger.data.events import EventData
from nanotrigger.data.jets import JetSample, read_jets
from nanotrigger.data.module import JetData

__all__ = ["EventData", "JetData", "JetSample", "read_jets"]
