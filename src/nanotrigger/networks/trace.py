"""Trace: what every layer of a network computes."""

from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial

import torch
from torch import Tensor, nn

from nanotrigger.networks.network import Network


def layer_names(parent: nn.Module, path: str = "") -> Iterator[str]:
    """Yield the names of layers and of the blocks that hold them; not those of the parts of a quantized layer."""
    for name, module in parent.named_children():
        yield path + name
        if not any(hasattr(module, quantizer) for quantizer in ("weight_quant", "act_quant")):
            yield from layer_names(module, f"{path}{name}.")


def layer_outputs(network: Network, features: Tensor) -> dict[str, Tensor]:
    """Return what every layer and block gives when it is first called, by its name and in the order of the data.

    Args:
        network: is left as it was.
        features: shape (events, features).
    """
    outputs: dict[str, Tensor] = {}

    def note(name: str, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        outputs.setdefault(name, output)

    with ExitStack() as hooks, torch.inference_mode():
        for name in layer_names(network.layers):
            handle = network.layers.get_submodule(name).register_forward_hook(partial(note, name))
            hooks.callback(handle.remove)
        network(features)
    return outputs
