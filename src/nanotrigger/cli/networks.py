"""Networks of a training: ours, or any module of the user's."""

from collections.abc import Sequence
from pydoc import locate
from typing import Any

from torch import nn

from nanotrigger.cli.arguments import config_files
from nanotrigger.cli.given import Given
from nanotrigger.data.split_data import SplitData
from nanotrigger.firmware.qonnx import check_exported
from nanotrigger.networks import DenseNetwork, OwnNetwork


def network_kind(arguments: Sequence[str]) -> type[nn.Module]:
    """Return of what class the network must be that arguments of LightningCLI name: any module, if it is none of ours.

    Then `as_network` makes it a network.
    """
    given = Given(arguments, config_files(arguments), "")
    path = given.value("network.class_path") or given.value("network")
    kind = locate(path) if isinstance(path, str) and "." in path else None
    return nn.Module if isinstance(kind, type) and not issubclass(kind, DenseNetwork) else DenseNetwork


def as_network(module: nn.Module, described: Any) -> DenseNetwork:
    """Return a network; a module of the user's as one that a checkpoint can name.

    Args:
        module: that was made.
        described: its `class_path` and `init_args`.
    """
    if isinstance(module, DenseNetwork):
        return module
    return OwnNetwork(described.class_path, described.init_args.as_dict(), module=module)


def fit_to_data(network: DenseNetwork, data: SplitData) -> None:
    """Give a module of the user's events of the data's shape, and check before the training that it can be exported.

    Raises:
        InputError: it cannot.
    """
    if not isinstance(network, OwnNetwork):
        return
    data.setup("fit")
    network.fit_shape(data.shape)
    for remark in check_exported(network):
        print(f"warning: {remark}")
