"""Networks of a training: ours, or any module of the user's."""

from collections.abc import Callable, Sequence
from pydoc import locate
from typing import Any

from lightning.pytorch.cli import LightningArgumentParser
from torch import nn

from nanotrigger.cli.arguments import config_files
from nanotrigger.cli.given import Given
from nanotrigger.data.split_data import SplitData
from nanotrigger.errors import InputError
from nanotrigger.firmware.qonnx import check_exported
from nanotrigger.networks import Network, OwnNetwork


def add_network(parser: LightningArgumentParser, arguments: Sequence[str], described: Callable[[], Any]) -> None:
    """Add the group of the network, linked into the model.

    Args:
        parser: of a training.
        arguments: of LightningCLI. If the network that they name is none of ours, it may be any module.
        described: returns the `class_path` and `init_args` that were parsed.
    """
    given = Given(arguments, config_files(arguments), "")
    path = given.value("network.class_path") or given.value("network")
    kind = locate(path) if isinstance(path, str) and "." in path else None
    is_other = isinstance(kind, type) and issubclass(kind, nn.Module) and not issubclass(kind, Network)
    parser.add_subclass_arguments(nn.Module if is_other else Network, "network", required=True, help="the network")

    def as_network(module: nn.Module) -> Network:
        if isinstance(module, Network):
            return module
        arguments = described().get("init_args")
        return OwnNetwork(described().class_path, arguments and arguments.as_dict(), module=module)

    parser.link_arguments("network", "model.init_args.network", compute_fn=as_network, apply_on="instantiate")


def fit_to_data(network: Network, data: SplitData) -> None:
    """Give a module of the user's events of the data's shape; check before the training that it fits and is exported.

    Raises:
        InputError: it does not, or cannot be.
    """
    if not isinstance(network, OwnNetwork):
        return
    data.setup("fit")
    network.fit_shape(data.shape)
    try:
        data.check_network(network.shape, network.outputs)
    except Exception as error:  # the module's own, of any kind
        reason = " ".join(str(error).split())
        raise InputError(
            f"network {network.configuration['class_path']}, given events of shape {list(data.shape)}: {reason}"
        ) from error
    for remark in check_exported(network):
        print(f"warning: {remark}")
