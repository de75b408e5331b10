"""Steps of a compiled training: with whole batches, with halves of them, or many at once on a GPU."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_flatten

from nanotrigger.data.loader import Block
from nanotrigger.training.compiler import compiled

Batch = tuple[Tensor, ...]
NetworkState = tuple[dict[str, Tensor], dict[str, Tensor], dict[str, Tensor]]  # parameters, masks, buffers, by name
AdamState = tuple[Tensor, ...]  # counts, first and second moments, sums of the metrics
Gradient = Callable[[NetworkState, Batch], tuple[Tensor, Tensor]]  # flat, and the metrics
Update = Callable[..., None]  # of network and optimizer, at a learning rate, with gradients and metrics of parts

_REPLAYED = 10  # steps at once


class WholeStep:
    """A step with the whole batch at once, compiled for batches of this shape."""

    def __init__(
        self, gradient: Gradient, update: Update, network: NetworkState, adam: AdamState, batch: Batch
    ) -> None:
        self._rate = torch.zeros(())
        self._state = flat(network, adam, self._rate)
        self._step = compiled(partial(_step, gradient, update), network, adam, self._rate, batch)

    def __call__(self, block: Block, rates: Sequence[float]) -> None:
        """Train with the batches of a block, each at its learning rate."""
        for batch, rate in zip(block, rates, strict=True):
            self._rate.fill_(rate)
            self._step(*self._state, *batch)


class HalvedStep:
    """A step with the two halves of the batch, which `map_` may give to two threads."""

    def __init__(
        self,
        gradient: Gradient,
        update: Update,
        network: NetworkState,
        adam: AdamState,
        batch: Batch,
        map_: Callable[..., Iterator[Any]],
    ) -> None:
        self._map = map_
        self._rate = torch.zeros(())
        self._weights, self._state = flat(network), flat(network, adam, self._rate)
        halves = _halves(batch)
        self._gradient = compiled(gradient, network, halves[0], concurrent=True)
        self._update = compiled(update, network, adam, self._rate, *map(self._gradient_of, halves))

    def __call__(self, block: Block, rates: Sequence[float]) -> None:
        """Train with the batches of a block, each at its learning rate."""
        for batch, rate in zip(block, rates, strict=True):
            self._rate.fill_(rate)
            first, second = self._map(self._gradient_of, _halves(batch))
            self._update(*self._state, *first, *second)

    def _gradient_of(self, half: Batch) -> tuple[Tensor, Tensor]:
        return self._gradient(*self._weights, *half)


class ReplayedStep:
    """Steps on a GPU, which gathers their batches itself and makes many of them without waiting for Python.

    They are captured once as CUDA graphs, one of many steps and one of a single step for what is left of a block.
    """

    def __init__(
        self, gradient: Gradient, update: Update, network: NetworkState, adam: AdamState, block: Block
    ) -> None:
        device = block.rows.device
        self._rows = torch.zeros(_REPLAYED, block.batch_size, dtype=torch.int64, device=device)
        self._rates = torch.zeros(_REPLAYED, 4, device=device)  # the first of each row: tensors begin at 16 bytes
        self._network_and_adam, self._tensors = flat(network, adam), block.tensors
        step = partial(_step_of_rows, gradient, update)
        self._step = compiled(step, network, adam, self._rates[0, 0], block.tensors, self._rows[0])
        self._try_without_effect()
        self._graphs = {steps: self._captured(steps) for steps in (_REPLAYED, 1)}

    def __call__(self, block: Block, rates: Sequence[float]) -> None:
        """Train with the batches of a block, each at its learning rate."""
        rows, steps_done = block.rows.view(len(rates), -1), 0
        rates_of_steps = torch.tensor(rates).to(rows.device, non_blocking=True)
        while steps_done < len(rates):
            steps = _REPLAYED if len(rates) - steps_done >= _REPLAYED else 1
            now = slice(steps_done, steps_done + steps)
            self._rows[:steps].copy_(rows[now])
            self._rates[:steps, 0].copy_(rates_of_steps[now])
            self._graphs[steps].replay()
            steps_done += steps

    def _captured(self, steps: int) -> torch.cuda.CUDAGraph:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            for number in range(steps):
                self._make(number)
        return graph

    def _try_without_effect(self) -> None:
        """Make a step, so that everything is loaded that a capture cannot load, and undo it."""
        former = [tensor.clone() for tensor in self._network_and_adam]
        with torch.random.fork_rng(devices=[self._rows.device]):
            self._make(0)
        for tensor, values in zip(self._network_and_adam, former, strict=True):
            tensor.copy_(values)

    def _make(self, number: int) -> None:
        self._step(*self._network_and_adam, self._rates[number, 0], *self._tensors, self._rows[number])


def _step(
    gradient: Gradient, update: Update, network: NetworkState, adam: AdamState, rate: Tensor, batch: Batch
) -> None:
    """Make one step with the whole batch."""
    update(network, adam, rate, gradient(network, batch))


def _step_of_rows(
    gradient: Gradient,
    update: Update,
    network: NetworkState,
    adam: AdamState,
    rate: Tensor,
    tensors: Batch,
    rows: Tensor,
) -> None:
    """Make one step with these rows of the tensors."""
    _step(gradient, update, network, adam, rate, tuple(tensor.index_select(0, rows) for tensor in tensors))


def _halves(batch: Batch) -> list[Batch]:
    return list(zip(*(rows.chunk(2) for rows in batch), strict=True))


def flat(*arguments: Any) -> list[Tensor]:
    """Return the tensors of nested tuples and dictionaries, as a compiled function takes them."""
    return tree_flatten(arguments)[0]
