"""Networks: layers only, no loss and no logging. `NETWORKS` lists them; another one is an entry more."""

from pydoc import locate
from typing import Any

import torch
from torch import Tensor, nn

from nanotrigger.errors import InputError
from nanotrigger.networks.autoencoder import Autoencoder, VariationalAutoencoder
from nanotrigger.networks.chain import Chain
from nanotrigger.networks.conv_net import ConvNet
from nanotrigger.networks.deep_sets import DeepSets
from nanotrigger.networks.mlp import MLP
from nanotrigger.networks.network import Network
from nanotrigger.networks.own import OwnNetwork
from nanotrigger.networks.residual_mlp import ResidualMLP
from nanotrigger.numbers import FixedPoint

__all__ = [
    "MLP",
    "NETWORKS",
    "Autoencoder",
    "Chain",
    "ConvNet",
    "DeepSets",
    "Network",
    "OwnNetwork",
    "ResidualMLP",
    "VariationalAutoencoder",
    "build_network",
    "check_listed",
    "check_rebuilt",
]

_ROWS = 64  # on which outputs are compared

NETWORKS: dict[str, type[Network]] = {
    kind.__name__: kind
    for kind in (MLP, ResidualMLP, DeepSets, ConvNet, Autoencoder, VariationalAutoencoder, OwnNetwork)
}


def build_network(configuration: dict[str, Any]) -> Network:
    """Return the network whose `configuration` attribute equals `configuration`, freshly initialized.

    Raises:
        InputError: an unknown network, or arguments that it does not take.
    """
    name = configuration.get("network")
    if name not in NETWORKS:
        raise InputError(
            f"network {name!r} is unknown; this version has {', '.join(NETWORKS)}; one of your own must be imported "
            "before (CONTRIBUTING.md, Recipes)"
        )
    try:
        return NETWORKS[name](**{key: _restored(value) for key, value in configuration.items() if key != "network"})
    except TypeError as error:
        raise InputError(f"network {name}: {error}; was the checkpoint written by another version?") from None


def check_listed(path: str) -> None:
    """Check that checkpoints can name a class of networks.

    Raises:
        InputError: it is not in `NETWORKS`.
    """
    name, kind = path.rpartition(".")[2], locate(path)
    is_other = isinstance(kind, type) and issubclass(kind, nn.Module) and not issubclass(kind, Network)
    if NETWORKS.get(name) is kind or is_other:
        return  # what is none of our networks becomes an `OwnNetwork`
    raise InputError(
        f"network.class_path={path}: none of the networks {', '.join(NETWORKS)} that a checkpoint can name; give "
        f'it a name of its own and add nanotrigger.networks.NETWORKS["{name}"] = {name} to its module'
    )


def check_rebuilt(network: Network) -> None:
    """Check that a checkpoint can hold a network: built anew from its `configuration`, it computes the same.

    Raises:
        InputError: it does not, and could not be tested or exported after its training.
    """
    kind = type(network).__name__
    reason = "computes other outputs"
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        features = torch.randn(_ROWS, network.features)
        try:
            copy = build_network(network.configuration)
            copy.load_state_dict(network.state_dict())
            is_same = type(copy) is type(network) and torch.equal(_outputs(copy, features), _outputs(network, features))
        except (InputError, RuntimeError) as error:
            is_same, reason = False, f"is another one ({' '.join(str(error).split())})"
    if not is_same:
        raise InputError(
            f"network {kind}: built anew from its `configuration`, as from a checkpoint, it {reason}; have the "
            "configuration hold every argument of the class (CONTRIBUTING.md, A network)"
        )


def _outputs(network: Network, features: Tensor) -> Tensor:
    is_trained = network.training
    outputs: Tensor = network.eval()(features)
    network.train(is_trained)
    return outputs


def _restored(value: Any) -> Any:
    """Return formats, which are stored as dictionaries, alone or in lists."""
    if isinstance(value, list):
        return [_restored(item) for item in value]
    if isinstance(value, dict) and not {"width", "integer"} <= value.keys():  # formats by the names of tensors
        return {name: _restored(item) for name, item in value.items()}
    return FixedPoint(**value) if isinstance(value, dict) else value
