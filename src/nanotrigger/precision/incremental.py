"""Incremental: what becomes of a network's signals if a weight or format changes, calculated only where it reaches."""

from collections.abc import Iterable
from itertools import pairwise

from torch import Tensor, nn

from nanotrigger.networks import Network
from nanotrigger.networks.layers import QuantizedReLU
from nanotrigger.networks.weights import weighted_layers


class Incremental:
    """Every signal of a network on some rows, and what becomes of them if one weight or bias changes.

    Only what the change reaches is calculated: about a hundredth of a sparse network. Signals are sums of multiples of
    their step, so that float32 is exact as long as they have no more than 24 bits.

    Args:
        network: quantized, of fixed formats, in evaluation mode.
        features: shape (rows, features).
    """

    def __init__(self, network: Network, features: Tensor) -> None:
        layers = list(network.layers.children())
        linear = list(weighted_layers(network).values())
        places = [layers.index(layer) for layer in linear]
        between = [layers[start + 1 : end] for start, end in pairwise([*places, len(layers)])]
        self._functions = [tuple(modules) for modules in between]
        self._weights = [layer.weight.detach() for layer in linear]
        signal = nn.Sequential(*layers[: places[0]])(features).t().contiguous()
        self._inputs, self._sums = [], []  # of each layer, shape (units, rows)
        for layer, function in zip(linear, self._functions, strict=True):
            self._inputs.append(signal)
            self._sums.append(layer.weight @ signal + layer.bias[:, None])
            signal = nn.Sequential(*function)(self._sums[-1].t()).t().contiguous()
        self.outputs = signal.t()
        self._changes: list[dict[int, Tensor]] = []

    def changed(self, depth: int, unit: int, column: int | None, difference: float) -> Tensor:
        """Return the outputs, shape (rows, outputs), if a weight, or the bias without a column, grows by a difference.

        With a difference of zero they are those of a neuron whose activation has another format than before.

        Args:
            depth: of the layer, from 0; its weights in the network must not be changed yet.
            unit: of the layer's outputs.
            column: of the layer's inputs; None for the bias.
            difference: of the value.
        """
        sums = self._sums[depth][unit] + difference * (1.0 if column is None else self._inputs[depth][column])
        self._changes = [{} for _ in range(depth)] + [{unit: sums}]
        for weights, function, old, former in zip(
            self._weights[depth + 1 :],
            self._functions[depth:],
            self._inputs[depth + 1 :],
            self._sums[depth + 1 :],
            strict=False,
        ):
            following: dict[int, Tensor] = {}
            for source, values in self._changes[-1].items():
                moved = _applied(function, values, source) - old[source]
                for target in weights[:, source].nonzero().flatten().tolist():
                    present = following.get(target)
                    following[target] = (former[target] if present is None else present) + weights[
                        target, source
                    ] * moved
            self._changes.append(following)
        outputs = self.outputs.t().clone()
        for target, values in self._changes[-1].items():
            outputs[target] = _applied(self._functions[-1], values, target)
        return outputs.t()

    def keep(self, outputs: Tensor) -> None:
        """Take over what `changed` has just returned."""
        for depth, changes in enumerate(self._changes):
            for unit, values in changes.items():
                self._sums[depth][unit] = values
                if depth + 1 < len(self._inputs):
                    self._inputs[depth + 1][unit] = _applied(self._functions[depth], values, unit)
        self.outputs = outputs


def _applied(modules: Iterable[nn.Module], values: Tensor, unit: int) -> Tensor:
    """Return what follows a unit's sums, shape (rows,)."""
    for module in modules:
        values = module.of_neuron(values, unit) if isinstance(module, QuantizedReLU) else module(values)
    return values
