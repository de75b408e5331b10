"""Compiled step: a step of Adam, or of a validation, as a function of tensors, compiled as a whole.

A network of a few thousand parameters needs less time for its arithmetic than Python needs to call it layer by layer.

The function is traced by running it once with torch's own autograd, and called without a check of its arguments: with
torch.compile around it, tracing takes ten times as long and every call twice as long (torch 2.13, CPU).
"""

import copy
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import joblib
import torch
from torch import Tensor, nn
from torch.func import functional_call, grad_and_value
from torch.optim import Adam

from nanotrigger.data.loader import Block
from nanotrigger.training.compiler import compiled
from nanotrigger.training.steps import AdamState, Batch, HalvedStep, NetworkState, ReplayedStep, WholeStep, flat

Objective = Callable[[nn.Module, Batch], tuple[Tensor, dict[str, Tensor]]]

_WORTH_HALVING = 10_000_000  # rows times parameters; in a smaller step, two threads wait for each other too long
_LENT = threading.Lock()  # on a module while `functional_call` lends it its tensors


class CompiledStep:
    """Fake quantization, loss, gradient and Adam's update, compiled as a whole, that change tensors in place.

    `torch.nn.utils.prune` may put masks on the network after this object is made; then the weights behind the masks are
    trained. The optimizer's state stays as `torch.optim.Adam` has it, so that a training can go on with or without
    this step.

    A large batch is halved, and its gradient is the mean of the gradients of the halves. With two cores each half has a
    thread; the result is the same with one.

    Args:
        network: what is trained, without masks.
        objective: maps network and batch to what is minimized, a scalar, and to metrics, scalars by name; means over
            the rows of the batch.
    """

    def __init__(self, network: nn.Module, objective: Objective) -> None:
        self._network = network
        self._objective = _Objective(copy.deepcopy(network).train(), objective)
        self._evaluation = _Objective(copy.deepcopy(network).eval(), objective)
        self._train: Callable[[Block, Sequence[float]], None] | None = None
        self._evaluate: Callable[..., Any] | None = None
        self._map: Callable[..., Iterator[Any]] = map
        self.is_halved = False
        self._rows = 0  # of a batch for which that is compiled
        self.steps = 0  # whose metrics are in the totals

    @property
    def is_ready(self) -> bool:
        """Whether `prepare` was called."""
        return self._train is not None

    def prepare(self, optimizer: Adam, block: Block) -> None:
        """Take over the tensors of network and optimizer, and compile for batches of this shape; nothing is trained.

        Args:
            optimizer: over the parameters that are trained, in one group, without weight decay.
            block: of such batches.
        """
        batch = block.first
        device, rows = batch[0].device, len(batch[0])
        self._names, draws = _try(self._objective.to(device), batch)
        self._evaluation.to(device)
        self._totals = torch.zeros(len(self._names), device=device)
        group = optimizer.param_groups[0]
        self._network_state = network = _network_state(self._network, group["params"])
        adam = (*_flat_state(optimizer), self._totals)
        gradient = partial(_gradient, self._objective)
        update = partial(_update, group["betas"], group["eps"])
        if device.type == "cuda":
            self._train = ReplayedStep(gradient, update, network, adam, block)
            return
        work = rows * sum(parameter.numel() for parameter in group["params"])
        are_rows_apart = not draws and not any(isinstance(layer, nn.BatchNorm1d) for layer in self._network.modules())
        self.is_halved = are_rows_apart and rows % 2 == 0 and work >= _WORTH_HALVING and torch.get_num_threads() == 1
        if not self.is_halved:
            self._train = WholeStep(gradient, update, network, adam, batch)
            return
        if joblib.cpu_count() > 1:
            self._map = ThreadPoolExecutor(2, initializer=torch.set_num_threads, initargs=(1,)).map
        self._train = HalvedStep(gradient, update, network, adam, batch, self._map)

    def train(self, block: Block, rates: Sequence[float]) -> None:
        """Train with the batches of a block, each at its learning rate."""
        assert self._train is not None
        self._train(block, rates)
        self.steps += len(rates)

    def take_metrics(self) -> dict[str, Tensor]:
        """Return the means of the metrics since the last call, by name."""
        means = dict(zip(self._names, (self._totals / self.steps).unbind(), strict=True))
        self._totals.zero_()
        self.steps = 0
        return means

    @torch.inference_mode(False)  # in which nothing can be traced
    @torch.no_grad()
    def evaluate(self, batches: Sequence[Batch]) -> dict[str, Tensor]:
        """Return the means of the metrics over batches, by name; compiled for those of the first one's size."""
        network, sizes = self._network_state, [len(batch[0]) for batch in batches]
        if self._evaluate is None:
            judge = partial(_metrics, self._evaluation)
            self._evaluate = compiled(judge, network, batches[0], concurrent=self.is_halved)
            self._rows = sizes[0]
        metrics = list(self._map(partial(self._metrics_of, flat(network)), batches))
        rows = torch.tensor(sizes, device=self._totals.device)[:, None]
        means = (torch.stack(metrics) * rows).sum(dim=0) / sum(sizes)
        return dict(zip(self._names, means.unbind(), strict=True))

    @torch.no_grad()  # in another thread too
    def _metrics_of(self, weights: list[Tensor], batch: Batch) -> Tensor:
        """Return the metrics of a batch, shape (metrics,); one of another size is calculated without compiling."""
        assert self._evaluate is not None
        if len(batch[0]) == self._rows:
            return self._evaluate(*weights, *batch)
        return _metrics(self._evaluation, self._network_state, batch)


class _Objective(nn.Module):
    """What `functional_call` calls with the tensors of another network."""

    def __init__(self, network: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.network = network
        self.objective = objective

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        return self.objective(self.network, batch)


def _network_state(network: nn.Module, trained: Iterable[nn.Parameter]) -> NetworkState:
    """Return what is trained, its masks and what is not, under the names in `_Objective`, which knows no pruning.

    Args:
        network: that has them.
        trained: the parameters in the optimizer's order, which pruning does not change as it does the network's.
    """
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    parameters, masks = {}, {}
    for parameter in trained:
        owner, _, leaf = names[id(parameter)].rpartition(".")
        layer, name = network.get_submodule(owner), f"network.{owner}.{leaf.removesuffix('_orig')}"
        if leaf == "weight_orig":
            masks[name] = layer.get_buffer("weight_mask")
        parameters[name] = parameter.detach()
    others = {name: parameter.detach() for name, parameter in network.named_parameters() if not parameter.requires_grad}
    others |= {name: buffer for name, buffer in network.named_buffers() if not name.endswith(".weight_mask")}
    return parameters, masks, {f"network.{name}": tensor for name, tensor in others.items()}


def _flat_state(optimizer: Adam) -> tuple[Tensor, ...]:
    """Return counts, first and second moments, flat; from now on the optimizer's state are views of them."""
    parameters = optimizer.param_groups[0]["params"]
    states = [(parameter, optimizer.state[parameter]) for parameter in parameters]
    counts = torch.tensor([float(state.get("step", 0)) for _, state in states], device=parameters[0].device)
    moments = [
        torch.cat([state.get(name, torch.zeros_like(parameter)).flatten() for parameter, state in states])
        for name in ("exp_avg", "exp_avg_sq")
    ]
    sizes = [parameter.numel() for parameter in parameters]
    views = zip(parameters, counts, *(moment.split(sizes) for moment in moments), strict=True)
    for parameter, count, first, second in views:
        optimizer.state[parameter] = {
            "step": count,
            "exp_avg": first.view_as(parameter),
            "exp_avg_sq": second.view_as(parameter),
        }
    return counts, *moments


def _try(objective: nn.Module, batch: Batch) -> tuple[list[str], bool]:
    """Return the metrics' names, and whether random numbers are drawn for them."""
    with torch.no_grad(), torch.random.fork_rng(devices=[tensor.device for tensor in batch if tensor.is_cuda][:1]):
        before = torch.get_rng_state()
        _, metrics = objective(batch)
        return list(metrics), not torch.equal(before, torch.get_rng_state())


def _gradient(objective: nn.Module, network: NetworkState, batch: Batch) -> tuple[Tensor, Tensor]:
    """Return the gradient of what is minimized, flat, and the metrics of a batch, shape (metrics,)."""
    # with the buffers as an argument: BatchNorm changes them
    gradients, (_, metrics) = grad_and_value(_judge, argnums=2, has_aux=True)(objective, batch, *network)
    return torch.cat([gradients[name].flatten() for name in network[0]]), metrics


def _update(
    betas: tuple[float, float],
    eps: float,
    network: NetworkState,
    adam: AdamState,
    rate: Tensor,
    *parts: tuple[Tensor, Tensor],
) -> None:
    """Change parameters and moments as Adam does (arXiv 1412.6980, algorithm 1), and add up the metrics.

    Args:
        betas: of Adam.
        eps: of Adam.
        network: whose parameters are changed.
        adam: counts, first and second moments, and the sums of the metrics.
        rate: the learning rate.
        *parts: gradient and metrics of each part of the batch, all of one size.
    """
    gradients, of_parts = zip(*parts, strict=True)
    gradient, metrics = sum(gradients) / len(parts), sum(of_parts) / len(parts)
    parameters, (counts, first, second, totals) = network[0], adam
    totals.add_(metrics)
    counts.add_(1)
    first.lerp_(gradient, 1 - betas[0])
    second.mul_(betas[1]).addcmul_(gradient, gradient, value=1 - betas[1])
    size, width = rate / (1 - betas[0] ** counts[0]), (1 - betas[1] ** counts[0]).sqrt()
    changes = size * (first / (second.sqrt() / width + eps))
    for parameter, change in zip(
        parameters.values(), changes.split([parameter.numel() for parameter in parameters.values()]), strict=True
    ):
        parameter.sub_(change.view_as(parameter))


def _metrics(objective: nn.Module, network: NetworkState, batch: Batch) -> Tensor:
    """Return the metrics of a batch, shape (metrics,)."""
    return _judge(objective, batch, *network)[1]


def _judge(
    objective: nn.Module,
    batch: Batch,
    parameters: dict[str, Tensor],
    masks: dict[str, Tensor],
    buffers: dict[str, Tensor],
) -> tuple[Tensor, Tensor]:
    """Return what is minimized, and the metrics of a batch, shape (metrics,)."""
    weights = {name: tensor * masks[name] if name in masks else tensor for name, tensor in parameters.items()}
    with _LENT:
        value, metrics = functional_call(objective, (weights, buffers), (batch,))
    return value, torch.stack(list(metrics.values()))
