"""Deep Sets: the same layers for every particle of a jet, a sum over the particles, and layers after it."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

from torch import nn

from nanotrigger.errors import InputError
from nanotrigger.networks.formats import LayerFormats
from nanotrigger.networks.layers import Granularity
from nanotrigger.networks.plan import Activation, End, Fixed, Linear, Norm
from nanotrigger.networks.planned import Planned
from nanotrigger.networks.structure import SetPool
from nanotrigger.numbers import FixedPoint


class DeepSets(Planned):
    """Map the particles of events, shape (batch, particles * features), to logits, shape (batch, classes).

    rho(sum of phi(particle)), which does not depend on the order of the particles (arXiv 1703.06114, theorem 2); phi
    and rho are linear layers with ReLU. Layers are numbered through. It is quantized if `input`, `weight`, `bias` and
    `activation` are given.

    Args:
        particles: of an event.
        features: of a particle.
        phi: widths of the layers that every particle has.
        rho: widths of the hidden layers after the sum.
        classes: number of logits.
        pool: `sum` or `mean` over the particles; the mean of integers is exact for 2, 4, 8, ... particles.
        batch_norm: whether a float network has BatchNorm after its hidden layers.
        input: format of the features.
        weight: format of the weights of every layer, or a list with one for each, of phi, then of rho, then the last.
        bias: format of the biases, likewise.
        activation: format after every ReLU, or a list with one for each; unsigned.
        pooled: format of the sum or mean; without it all its bits are kept; unsigned, as what is summed.
        output: format of the logits; without it they keep the full precision of the last sum.
        learned_bits: train the bits of every tensor, as of `MLP`; the formats are the widest ones.

    Raises:
        InputError: a width below 1, no layer before the sum, a mean that is not exact, formats for only some of the
            tensors, a list of another length, or bits to learn and no formats.
    """

    def __init__(
        self,
        particles: int = 16,
        features: int = 3,
        phi: Sequence[int] = (32, 32),
        rho: Sequence[int] = (32,),
        classes: int = 5,
        *,
        pool: Literal["sum", "mean"] = "sum",
        batch_norm: bool = False,
        input: FixedPoint | None = None,
        weight: LayerFormats | None = None,
        bias: LayerFormats | None = None,
        activation: LayerFormats | None = None,
        pooled: FixedPoint | None = None,
        output: FixedPoint | None = None,
        learned_bits: Granularity | None = None,
    ) -> None:
        if not phi:
            raise InputError("network.phi=[]: nothing is computed of the particles; give at least one width")
        if pool == "mean" and input is not None and particles & (particles - 1):
            raise InputError(
                f"network.pool=mean: a {particles}th of an integer is none; give network.pool=sum, or 2, 4, 8, ... "
                "particles"
            )
        plan: dict[str, Any] = {
            "input": End("input"),
            "particles": Fixed(lambda: nn.Unflatten(1, (particles, features))),
        }
        widths = [features, *phi, *rho, classes]
        for depth, (inputs, outputs) in enumerate(pairwise(widths), start=1):
            is_phi, is_last = depth <= len(phi), depth == len(widths) - 1
            plan[f"dense_{depth}"] = Linear(inputs, outputs, places=particles if is_phi else 1, is_head=is_last)
            if not is_last:
                plan |= {f"norm_{depth}": Norm(outputs, None if is_phi else 0), f"relu_{depth}": Activation()}
            if depth == len(phi):
                plan |= {pool: Fixed(lambda: SetPool(particles, mean=pool == "mean")), "pooled": End("pooled")}
        super().__init__(
            plan | {"output": End("output")},
            shape=(particles, features),
            output_name="logits",
            endings=("softmax",),
            arguments={
                "particles": particles,
                "features": features,
                "phi": list(phi),
                "rho": list(rho),
                "classes": classes,
                "pool": pool,
                "batch_norm": batch_norm,
            },
            given={
                "input": input,
                "weight": weight,
                "bias": bias,
                "activation": activation,
                "pooled": pooled,
                "output": output,
            },
            learned_bits=learned_bits,
            batch_norm=batch_norm,
        )
