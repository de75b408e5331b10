"""Networks: layers only, no loss and no logging."""

from nanotrigger.networks.autoencoder import Autoencoder
from nanotrigger.networks.build import build_network
from nanotrigger.networks.dense import DenseNetwork
from nanotrigger.networks.mlp import MLP
from nanotrigger.networks.variational_autoencoder import VariationalAutoencoder

__all__ = ["MLP", "Autoencoder", "DenseNetwork", "VariationalAutoencoder", "build_network"]
