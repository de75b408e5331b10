"""Networks: layers only, no loss and no logging. `NETWORKS` lists them; another one is an entry more."""

from typing import Any

from nanotrigger.errors import InputError
from nanotrigger.networks.autoencoder import Autoencoder, VariationalAutoencoder
from nanotrigger.networks.chain import Chain
from nanotrigger.networks.dense import DenseNetwork
from nanotrigger.networks.mlp import MLP
from nanotrigger.numbers import FixedPoint

__all__ = ["MLP", "NETWORKS", "Autoencoder", "Chain", "DenseNetwork", "VariationalAutoencoder", "build_network"]

NETWORKS: dict[str, type[DenseNetwork]] = {kind.__name__: kind for kind in (MLP, Autoencoder, VariationalAutoencoder)}


def build_network(configuration: dict[str, Any]) -> DenseNetwork:
    """Return the network whose `configuration` attribute equals `configuration`, freshly initialized.

    Raises:
        InputError: an unknown network, or arguments that it does not take.
    """
    name = configuration.get("network")
    if name not in NETWORKS:
        raise InputError(f"network {name!r} is unknown; this version has {', '.join(NETWORKS)}")
    try:
        return NETWORKS[name](**{key: _restored(value) for key, value in configuration.items() if key != "network"})
    except TypeError as error:
        raise InputError(f"network {name}: {error}; was the checkpoint written by another version?") from None


def _restored(value: Any) -> Any:
    """Return formats, which are stored as dictionaries, alone or in lists."""
    if isinstance(value, list):
        return [_restored(item) for item in value]
    if isinstance(value, dict) and "width" not in value:  # formats by the names of tensors
        return {name: _restored(item) for name, item in value.items()}
    return FixedPoint(**value) if isinstance(value, dict) else value
