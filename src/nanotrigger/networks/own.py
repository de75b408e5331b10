"""Own: a network that is any torch module, of Brevitas or plain layers, which a checkpoint names by its class."""

import importlib
from collections.abc import Mapping, Sequence
from typing import Any

import brevitas.config
import torch
from brevitas.proxy.quant_proxy import QuantProxyFromInjector
from torch import Tensor, nn

from nanotrigger.command import import_from_here
from nanotrigger.errors import InputError
from nanotrigger.networks.network import Network


class OwnNetwork(Network):
    """A module of the user's, given events of their own shape, (batch, *shape).

    Its numbers are those that Brevitas' quantizers say; `formats` knows nothing of them.

    Args:
        class_path: of the module, such as `my_networks.Net`; it is imported from the current folder too.
        init_args: the module's arguments.
        shape: of an event; the data say it before a training.
        module: if it was made already.

    Raises:
        InputError: it cannot be imported, or made with these arguments.
    """

    is_own = True

    def __init__(
        self,
        class_path: str,
        init_args: Mapping[str, Any] | None = None,
        shape: Sequence[int] = (1,),
        *,
        module: nn.Module | None = None,
    ) -> None:
        init_args = dict(init_args or {})
        made: Any = made_of(class_path, init_args) if module is None else module
        super().__init__(made, {}, shape=shape, output_name="outputs", endings=("softmax",))
        self.configuration = {
            "network": type(self).__name__,
            "class_path": class_path,
            "init_args": init_args,
            "shape": list(shape),
        }

    def fit_shape(self, shape: Sequence[int]) -> None:
        """Take events of this shape."""
        self.shape = tuple(shape)
        self.configuration["shape"] = list(shape)

    @property
    def is_quantized(self) -> bool:
        """Whether any of its numbers are quantized."""
        return any(isinstance(part, QuantProxyFromInjector) and part.is_quant_enabled for part in self.modules())

    @property
    def description(self) -> str:
        """The network in one line."""
        kind = self.configuration["class_path"].rpartition(".")[2]
        described = self.describe("quantizers of its own" if self.is_quantized else "")
        return described.replace(type(self).__name__, kind, 1)

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        is_trained = self.training
        with torch.inference_mode():
            outputs = self.eval()(torch.zeros(1, self.features))
        self.train(is_trained)
        return int(outputs.shape[1])

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """Load weights; scales that Brevitas finds in its first batches are missing in a state from before them."""
        before, brevitas.config.IGNORE_MISSING_KEYS = brevitas.config.IGNORE_MISSING_KEYS, True
        try:
            return super().load_state_dict(state_dict, strict, assign)
        finally:
            brevitas.config.IGNORE_MISSING_KEYS = before

    def forward(self, features: Tensor) -> Tensor:
        """Return outputs, shape (batch, outputs), for features of shape (batch, values of an event)."""
        outputs: Tensor = self.layers(features if len(self.shape) == 1 else features.unflatten(1, self.shape))
        return outputs


def made_of(class_path: str, init_args: Mapping[str, Any]) -> nn.Module:
    """Return the module of a class.

    Raises:
        InputError: it cannot be imported, or made with these arguments; or it is none.
    """
    import_from_here()
    module, _, name = class_path.rpartition(".")
    try:
        kind = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(
            f"network {class_path} cannot be imported ({error}); run this where its module lies, or put its folder "
            "into PYTHONPATH"
        ) from None
    try:
        made = kind(**init_args)
    except TypeError as error:
        raise InputError(f"network {class_path}: {error}; has its class changed since the training?") from None
    if not isinstance(made, nn.Module):
        raise InputError(f"network {class_path} is no torch.nn.Module")
    return made
