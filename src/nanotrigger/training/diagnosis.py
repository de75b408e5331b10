"""Diagnosis of a training: signs that it learned nothing."""

import math
from collections.abc import Mapping, Sequence

from torch import Tensor

from nanotrigger.networks import Network
from nanotrigger.networks.layers import WEIGHTED
from nanotrigger.networks.trace import layer_outputs

_STILL = 1e-6  # share by which a loss moves that does not move
_EVENTS = 10_000  # that are looked at


def diagnose(network: Network, features: Tensor, history: Mapping[str, Sequence[float]]) -> tuple[str, ...]:
    """Return what says that nothing was learned, with a remedy, a sentence each; empty if nothing does.

    Args:
        network: as trained.
        features: of events, standardized, shape (events, features).
        history: columns of metrics.csv, a value for each epoch; empty if there are none.
    """
    signs = (_dead(network, features[:_EVENTS]), _still(history.get("val_loss", ())), _without_rate(history))
    return tuple(sign for sign in signs if sign)


def dead_layer(network: Network, features: Tensor) -> str | None:
    """Return the name of the first layer whose outputs are the same for all events; None if there is none."""
    outputs = layer_outputs(network, features).items()
    return next((name for name, values in outputs if (values == values[:1]).all()), None)


def _dead(network: Network, features: Tensor) -> str:
    name = dead_layer(network, features) if len(features) > 1 else None
    if name is None:
        return ""
    layer, number = network.layers.get_submodule(name), network.formats.get(f"{name}.weight")
    if isinstance(layer, WEIGHTED) and number is not None and not number.quantize(layer.weight.detach()).any():
        return f"{name}: all weights are zero in {number}; give network.weight more bits, or fewer integer bits"
    return (
        f"{name}: its outputs are the same for every event; lower model.learning_rate, or give the formats before it "
        "a wider range"
    )


def _still(losses: Sequence[float]) -> str:
    """Tell a loss of the same events that never moved; that of the training split is of other events each epoch."""
    known = [loss for loss in losses if not math.isnan(loss)]  # an epoch may have no validation
    if len(known) < 2 or max(known) - min(known) > _STILL * abs(max(known)):
        return ""
    return f"val_loss stayed at {known[-1]:.4g} in all {len(known)} epochs; raise model.learning_rate"


def _without_rate(history: Mapping[str, Sequence[float]]) -> str:
    """Tell epochs of a learning rate of zero: it was so at both ends, and the validation loss stayed the same.

    The loss decides where a resumed training has more epochs than its first part, and its schedule rises again.
    """
    rates, losses = history.get("learning_rate", ()), history.get("val_loss", ())
    ends = list(zip(rates, losses, strict=False))
    still = [epoch for epoch in range(1, len(ends)) if ends[epoch - 1] == ends[epoch] and rates[epoch] == 0]
    if not still:
        return ""
    return f"the learning rate was 0 from epoch {still[0]} on; train anew with trainer.max_epochs={len(rates)}"
