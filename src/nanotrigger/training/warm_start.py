"""Warm start: begin from the weights of another run, float or quantized."""

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import lightning
import torch
from torch import nn

from nanotrigger.errors import InputError
from nanotrigger.networks import Network
from nanotrigger.networks.layers import NORMS, WEIGHTED
from nanotrigger.networks.network import folded
from nanotrigger.networks.start import fitted
from nanotrigger.networks.weights import weighted_layers
from nanotrigger.numbers import FixedPoint
from nanotrigger.training.checkpoint import load_trained

_SPLIT_KEYS = ("split_seed", "test", "validation")


class WarmStart(lightning.Callback):
    """Copy weights and biases, layer by layer and by name, before the first step.

    It does nothing when a run is resumed.

    Args:
        ckpt: checkpoint of the run to start from; None starts afresh.
    """

    def __init__(self, ckpt: str | None = None) -> None:
        self.ckpt = ckpt

    def setup(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str) -> None:
        """Copy the weights.

        Raises:
            InputError: a checkpoint that cannot be read, other layer shapes, or a split of the same data
                in which this run's test events were trained on.
        """
        if stage != "fit" or self.ckpt is None or trainer.ckpt_path is not None:
            return
        trained = load_trained(Path(self.ckpt))
        _check_split(self.ckpt, trained.data, trainer.datamodule.record())
        copy_layers(trained.network, pl_module.network)
        fit_to_formats(pl_module.network, trained.network.formats)


def copy_layers(source: nn.Module, target: nn.Module) -> None:
    """Copy weight and bias of every layer with weights of `source` to the layer of that name in `target`.

    BatchNorm is copied too if `target` has it, else it is folded into the weights and biases.

    Raises:
        InputError: the layers' names or shapes differ.
    """
    has_norms = any(isinstance(layer, NORMS) for layer in target.modules())
    layers = _named(source if has_norms else _folded(source))
    targets = _named(target)
    shapes, target_shapes = _shapes(layers), _shapes(targets)
    if shapes != target_shapes:
        raise InputError(
            f"warm_start.ckpt: its layers are {list(shapes.values())}, this network's "
            f"{list(target_shapes.values())}; make network.hidden equal"
        )
    with torch.no_grad():
        for name, layer in layers.items():
            if isinstance(layer, WEIGHTED):
                targets[name].get_parameter("weight").copy_(layer.weight)
                targets[name].get_parameter("bias").copy_(layer.get_parameter("bias"))
            elif name in targets:
                targets[name].load_state_dict(layer.state_dict())


def fit_to_formats(network: Network, before: Mapping[str, FixedPoint]) -> None:
    """Let weights survive a format that is not the one in which they were trained.

    Args:
        network: with the weights that were copied.
        before: the formats in which they were trained, by tensor.
    """
    layers = weighted_layers(network) | {name: network.get_submodule(name) for name in network.heads}
    for name, layer in layers.items():
        tensor = f"{network.heads.get(name, name)}.weight"
        number = network.formats.get(tensor)
        if number is not None and number != before.get(tensor):
            weight = layer.get_parameter("weight")
            with torch.no_grad():
                weight.copy_(fitted(weight.flatten(1), number).view_as(weight))


def _named(network: nn.Module) -> dict[str, nn.Module]:
    return {name: layer for name, layer in network.named_modules() if isinstance(layer, (*WEIGHTED, *NORMS))}


def _shapes(layers: Mapping[str, nn.Module]) -> dict[str, tuple[int, ...]]:
    """Return the shapes of the weights of all layers that have some, by name."""
    return {name: tuple(layer.weight.shape) for name, layer in layers.items() if isinstance(layer, WEIGHTED)}


def _folded(network: nn.Module) -> nn.Module:
    """Return the network with its layers' BatchNorm folded; what else it has stays as it is."""
    if not isinstance(network, Network):
        return network
    plain = copy.copy(network)
    plain._modules = {**network._modules, "layers": folded(network).layers}
    return plain


def _check_split(ckpt: str, before: dict[str, Any], now: dict[str, Any]) -> None:
    if before["sha256"] != now["sha256"]:
        return
    for key in _SPLIT_KEYS:
        if before[key] != now[key]:
            raise InputError(
                f"warm_start.ckpt={ckpt} was trained with data.{key}={before[key]}, this run has {now[key]}: "
                "it would be tested on events it was trained on; use the same split"
            )
