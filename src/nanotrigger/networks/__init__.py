"""Networks: layers only, no loss and no logging."""

from nanotrigger.networks.build import build_network
from nanotrigger.networks.mlp import MLP

__all__ = ["MLP", "build_network"]
