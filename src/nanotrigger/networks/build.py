"""Rebuild a network from the configuration that its checkpoint holds."""

from typing import Any

from nanotrigger.errors import InputError
from nanotrigger.networks.mlp import MLP
from nanotrigger.numbers import FixedPoint

_NETWORKS = {"MLP": MLP}


def build_network(configuration: dict[str, Any]) -> MLP:
    """Return the network whose `configuration` attribute equals `configuration`, freshly initialized.

    Raises:
        InputError: an unknown network, or arguments that it does not take.
    """
    arguments = dict(configuration)
    name = arguments.pop("network", None)
    if name not in _NETWORKS:
        raise InputError(f"network {name!r} is unknown; this version has {', '.join(_NETWORKS)}")
    for key, value in arguments.items():
        if isinstance(value, dict):
            arguments[key] = FixedPoint(**value)
    try:
        return _NETWORKS[name](**arguments)
    except TypeError as error:
        raise InputError(f"network {name}: {error}; was the checkpoint written by another version?") from None
