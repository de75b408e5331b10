"""Rebuild a network from the configuration that its checkpoint holds."""

from typing import Any

from nanotrigger.errors import InputError
from nanotrigger.networks.autoencoder import Autoencoder
from nanotrigger.networks.mlp import MLP
from nanotrigger.networks.variational_autoencoder import VariationalAutoencoder
from nanotrigger.numbers import FixedPoint

Network = MLP | Autoencoder

_NETWORKS = {kind.__name__: kind for kind in (MLP, Autoencoder, VariationalAutoencoder)}


def build_network(configuration: dict[str, Any]) -> Network:
    """Return the network whose `configuration` attribute equals `configuration`, freshly initialized.

    Raises:
        InputError: an unknown network, or arguments that it does not take.
    """
    arguments = {key: _restored(value) for key, value in configuration.items()}
    name = arguments.pop("network", None)
    if name not in _NETWORKS:
        raise InputError(f"network {name!r} is unknown; this version has {', '.join(_NETWORKS)}")
    try:
        return _NETWORKS[name](**arguments)
    except TypeError as error:
        raise InputError(f"network {name}: {error}; was the checkpoint written by another version?") from None


def _restored(value: Any) -> Any:
    """Return formats, which are stored as dictionaries, alone or in lists."""
    if isinstance(value, list):
        return [_restored(item) for item in value]
    if isinstance(value, dict) and "width" not in value:  # formats by the names of tensors
        return {name: _restored(item) for name, item in value.items()}
    return FixedPoint(**value) if isinstance(value, dict) else value
