"""Pruning: the smallest weights become zero while the network is trained."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import lightning
import torch
from torch import Tensor, nn
from torch.nn.utils import prune

from nanotrigger.errors import InputError
from nanotrigger.networks import Network
from nanotrigger.networks.weights import layer_weights, weighted_layers
from nanotrigger.training.blocks import AfterStep
from nanotrigger.training.checkpoint import network_of, read_checkpoint
from nanotrigger.training.requirement import Requirement
from nanotrigger.training.sparsity_schedule import SparsitySchedule, zeros_for


class Pruning(Requirement, AfterStep):
    """Multiply the weights of linear layers with masks that `torch.nn.utils.prune` finds by magnitude.

    The masks are chosen anew as the training goes on, from the weights that lie behind them, so that a pruned
    weight can come back. They exist during the training only: a checkpoint's `state_dict`, and the network that is
    left behind, have ordinary weights, zeros among them. Only networks of the final sparsity become best.ckpt.

    Args:
        sparsity: share of zeros in the end, at least 0 and below 1; 0 prunes nothing.
        schedule: `polynomial` prunes more and more (Zhu and Gupta, arXiv 1710.01878); `constant` prunes to the
            final sparsity at once.
        initial_sparsity: where the polynomial begins.
        begin_step: optimizer step at which the pruning begins; a tenth of all steps if not given.
        end_step: step at which the polynomial has the final sparsity, and after which the masks stay as they are;
            half of all steps if not given.
        frequency: steps from one choice of the masks to the next.
        power: of the polynomial.
        scope: `layer` gives every layer the same sparsity; `global` compares the weights of all layers.
        exclude: names of layers that are not pruned, such as dense_4.

    Raises:
        InputError: a value out of range.
    """

    def __init__(
        self,
        sparsity: float = 0.0,
        schedule: Literal["polynomial", "constant"] = "polynomial",
        *,
        initial_sparsity: float = 0.0,
        begin_step: int | None = None,
        end_step: int | None = None,
        frequency: int = 10,
        power: float = 3.0,
        scope: Literal["layer", "global"] = "layer",
        exclude: Sequence[str] = (),
    ) -> None:
        _check(sparsity, "sparsity", "at least 0 and below 1", 0 <= sparsity < 1)
        _check(
            initial_sparsity, "initial_sparsity", "at least 0 and at most sparsity", 0 <= initial_sparsity <= sparsity
        )
        _check(begin_step, "begin_step", "at least 0", begin_step is None or begin_step >= 0)
        _check(end_step, "end_step", "at least 1", end_step is None or end_step >= 1)
        _check(frequency, "frequency", "at least 1", frequency >= 1)
        _check(power, "power", "positive and finite", 0 < power < math.inf)
        self.settings: dict[str, Any] = {
            "sparsity": sparsity,
            "schedule": schedule,
            "initial_sparsity": initial_sparsity,
            "begin_step": begin_step,
            "end_step": end_step,
            "frequency": frequency,
            "power": power,
            "scope": scope,
            "exclude": list(exclude),
        }
        self.is_on = sparsity > 0
        self._is_final = not self.is_on
        self._layers: dict[str, nn.Linear] = {}  # by name, while they have masks
        self._hooks: list[Any] = []
        self._restored: dict[str, Any] = {}

    @property
    def is_complete(self) -> bool:
        """Whether the latest validation was of a network of the final sparsity."""
        return self._is_final

    @property
    def shortfall(self) -> str:
        """What to say if no network had the final sparsity."""
        return " with the final sparsity" if self.is_on else ""

    def failure(self, best: Path) -> str:
        """Return that the best network has fewer zeros than it should; empty if it has enough."""
        if not self.is_on:
            return ""
        layers = weighted_layers(network_of(read_checkpoint(best)))
        pruned = [layer.weight for name, layer in layers.items() if name not in self.settings["exclude"]]
        zeros = sum(int((weight == 0).sum()) for weight in pruned) / sum(weight.numel() for weight in pruned)
        wanted = self.settings["sparsity"]
        return f"best.ckpt has {zeros:.1%} zeros, fewer than pruning.sparsity={wanted}" if zeros < wanted else ""

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Check that the network and the number of steps allow what is asked for, before anything is written.

        Raises:
            InputError: unknown or no layers, weights without a zero, or a training too short for the schedule.
        """
        if self.is_on:
            _check_layers(pl_module.network, self.settings["exclude"])
            self.schedule = self._schedule(pl_module.total_steps)

    def on_train_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Put masks on the layers: now that the optimizer is there, its parameters keep their order."""
        if not self.is_on:
            return
        for name, layer in weighted_layers(pl_module.network).items():
            if name not in self.settings["exclude"]:
                self._layers[name] = prune.identity(layer, "weight")
                self._hooks.append(layer.register_state_dict_post_hook(_fold_state))
        for name, tensors in self._restored.get("layers", {}).items():
            _restore(self._layers[name], **tensors)
        self.prune(trainer.global_step)

    def is_due(self, step: int) -> bool:
        """Return whether the masks are chosen anew."""
        return self.is_on and self.schedule.is_due(step)

    def after_step(self, step: int) -> None:
        """Choose the masks anew if the schedule says so."""
        if self.is_due(step):
            self.prune(step)

    def on_validation_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Note whether a network of the final sparsity is validated."""
        if self._layers:
            self._is_final = trainer.global_step >= self.schedule.final_step

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Log the share of zeros among the weights of all linear layers."""
        if not self.is_on:
            return
        if not trainer.enable_validation:
            self._is_final = trainer.global_step >= self.schedule.final_step
        weights = [_weight(layer).flatten() for layer in weighted_layers(pl_module.network).values()]
        pl_module.log("sparsity", (torch.cat(weights) == 0).float().mean(), sync_dist=True)

    def on_exception(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, exception: BaseException
    ) -> None:
        """Leave an ordinary network behind."""
        self._fold()

    def teardown(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str) -> None:
        """Leave an ordinary network behind."""
        self._fold()

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs: the settings, the steps they came to, the masks and what lies behind them.

        Empty if nothing is pruned.
        """
        if not self._layers:
            return {}
        layers = {
            name: {
                "original": layer.get_parameter("weight_orig").detach(),
                "mask": layer.get_buffer("weight_mask").bool(),
            }
            for name, layer in self._layers.items()
        }
        return {
            "settings": self.settings,
            "begin": self.schedule.begin,
            "end": self.schedule.end,
            "layers": layers,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Keep the state for `on_train_start`."""
        self._restored = state_dict

    def on_load_checkpoint(
        self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Refuse to go on with other settings than those of the checkpoint.

        Raises:
            InputError: a setting differs.
        """
        before = checkpoint["callbacks"].get(self.state_key, {}).get("settings", {"sparsity": 0.0})
        if not trainer.training or (not self.is_on and before["sparsity"] == 0):
            return
        for name, now in self.settings.items():
            if before.get(name) != now:
                raise InputError(
                    f"the checkpoint was trained with pruning.{name}={before.get(name)}, and this run has {now}; "
                    "use the run's own config.yaml, or begin a new run with warm_start.ckpt"
                )

    def _schedule(self, steps: float) -> SparsitySchedule:
        """Return the schedule for a training of so many steps; a resumed run keeps the one it had."""
        settings = self.settings
        rises = settings["schedule"] == "polynomial"
        begin, end = settings["begin_step"], settings["end_step"] if rises else None
        if steps == math.inf and (begin is None or (rises and end is None)):
            raise InputError("trainer.max_epochs=-1: give pruning.begin_step and pruning.end_step")
        if self._restored:
            begin, end = self._restored["begin"], self._restored["end"]
        else:
            begin = int(steps) // 10 if begin is None else begin
            end = max(int(steps) // 2, 1) if rises and end is None else end
        _check_steps(begin, end, steps)
        return SparsitySchedule(
            final=settings["sparsity"],
            begin=begin,
            end=end,
            initial=settings["initial_sparsity"],
            power=settings["power"],
            frequency=settings["frequency"],
        )

    def prune(self, step: int) -> None:
        """Choose the masks anew if the schedule says so for this number of optimizer steps."""
        if self.schedule.is_due(step):
            layers = list(self._layers.values())
            groups = [layers] if self.settings["scope"] == "global" else [[layer] for layer in layers]
            for group in groups:
                _mask_smallest(group, self.schedule.sparsity(step))

    def _fold(self) -> None:
        for layer in self._layers.values():
            prune.remove(layer, "weight")
        for hook in self._hooks:
            hook.remove()
        self._layers, self._hooks = {}, []


def _mask_smallest(layers: Sequence[nn.Linear], sparsity: float) -> None:
    """Mask the weights of smallest magnitude among all of these layers, at least the share `sparsity`."""
    originals = [layer.get_parameter("weight_orig").detach() for layer in layers]
    weights = torch.cat([original.flatten() for original in originals])
    smallest = prune.L1Unstructured(amount=zeros_for(sparsity, weights.numel()))
    mask = smallest.compute_mask(weights, torch.ones_like(weights))
    for layer, part in zip(layers, mask.split([original.numel() for original in originals]), strict=True):
        buffer = layer.get_buffer("weight_mask")
        buffer.copy_(part.view_as(buffer))


def _weight(layer: nn.Linear) -> Tensor:
    """Return the weights as the next forward pass takes them; `layer.weight` is that of the last one."""
    if not prune.is_pruned(layer):
        return layer.weight.detach()
    return layer.get_parameter("weight_orig").detach() * layer.get_buffer("weight_mask")


def _fold_state(layer: nn.Module, state: dict[str, Tensor], prefix: str, _: Any) -> None:
    """Have the layer's `state_dict` hold its masked weights, under the name that they have without pruning."""
    state[f"{prefix}weight"] = state.pop(f"{prefix}weight_orig") * state.pop(f"{prefix}weight_mask")


def _restore(layer: nn.Linear, original: Tensor, mask: Tensor) -> None:
    with torch.no_grad():
        layer.get_parameter("weight_orig").copy_(original)
        layer.get_buffer("weight_mask").copy_(mask)


def _check(value: float | None, name: str, range_: str, holds: bool) -> None:
    if not holds:
        raise InputError(f"pruning.{name}={value}: must be {range_}")


def _check_layers(network: Network, exclude: Iterable[str]) -> None:
    layers = {layer.name: layer for layer in layer_weights(network)}
    for name in exclude:
        if name not in layers:
            raise InputError(f"pruning.exclude={name}: no such layer; the network has {', '.join(layers)}")
    pruned = [layer for name, layer in layers.items() if name not in exclude]
    if not pruned:
        raise InputError("pruning.exclude: names every layer; leave one out or set pruning.sparsity=0")
    for layer in pruned:
        if layer.number is not None and layer.number.is_binary:
            raise InputError(
                f"pruning.sparsity: {layer.name} has 1-bit weights, which have no zero; give them two bits or "
                "name the layer in pruning.exclude"
            )


def _check_steps(begin: int, end: int | None, steps: float) -> None:
    """Check that there are steps left to train with the final sparsity; a training of one step need not have any."""
    last = max(steps, 2)
    remedy = "change it or trainer.max_epochs"
    if end is None and begin >= last:
        raise InputError(f"pruning.begin_step={begin}: must be below the {steps} steps of this training; {remedy}")
    if end is not None and not begin < end < last:
        raise InputError(
            f"pruning.end_step={end}: must lie above pruning.begin_step={begin} and below the {steps} steps of this "
            f"training; {remedy}"
        )
