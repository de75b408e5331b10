"""The last step of a training to a budget: refine a network of the front, and make it best.ckpt if it is better."""

import copy
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from nanotrigger.data.split_data import SplitData
from nanotrigger.errors import InputError
from nanotrigger.networks import DenseNetwork
from nanotrigger.networks.learned import frozen, take_over
from nanotrigger.precision.budget import FRONT, Budget, bill_of, cost_of
from nanotrigger.precision.refine import refine
from nanotrigger.training.checkpoint import network_of, read_checkpoint, with_network
from nanotrigger.training.compiled_step import Batch
from nanotrigger.training.module import Task
from nanotrigger.training.run_checkpoints import BestCheckpoint, WholeCheckpoints

_ROWS = 20_000  # of the training split, drawn for each round
_SHOWN = 5  # rounds


def refine_run(folder: Path, task: Task, data: SplitData, budget: Budget, best: BestCheckpoint, *, seed: int) -> None:
    """Refine the best network of a run's front near the budget; write best.ckpt if one within it is better.

    Args:
        folder: the run folder.
        task: that was trained.
        data: its data, set up.
        budget: with a limit and rounds.
        best: what was best so far, and by what.
        seed: of rows and changes.
    """
    start = budget.start
    if start is None or not (folder / FRONT / start).is_file():
        return
    print(f"refines {FRONT}/{start} for {budget.rounds} rounds", flush=True)
    checkpoint = read_checkpoint(folder / FRONT / start)
    metric, validation = str(best.monitor).removeprefix("val_"), data.rows("validation")
    record = -math.inf if best.best_model_score is None else best.sign * float(best.best_model_score)
    kept = None
    for number, (cost, network) in enumerate(refinement(checkpoint, task, data, budget, seed=seed), start=1):
        with torch.no_grad():
            metrics = task.objective(network, validation)[1]
        if metric not in metrics:
            known = ", ".join(f"val_{name}" for name in metrics)
            raise InputError(f"checkpoint.monitor={best.monitor} is none of {known}; give one of them")
        score = float(metrics[metric])
        if number % _SHOWN == 0 or number == budget.rounds:
            print(f"round {number}: {cost:g} {budget.unit}, {best.monitor} {score:.4f}", flush=True)
        budget.least = min(budget.least, cost)
        if cost <= budget.limit and best.sign * score > record:
            record, kept = best.sign * score, copy.deepcopy(network)
    if kept is not None:
        learned = network_of(checkpoint)
        take_over(learned, kept)
        WholeCheckpoints().save_checkpoint(with_network(checkpoint, learned), folder / "best.ckpt")
        last = read_checkpoint(folder / "last.ckpt")  # from which a training may go on
        states = last["callbacks"]
        states[best.state_key] = best.replaced(states[best.state_key], torch.tensor(best.sign * record))
        WholeCheckpoints().save_checkpoint(last, folder / "last.ckpt")


def refinement(
    checkpoint: dict[str, Any], task: Task, data: SplitData, budget: Budget, *, seed: int
) -> Iterator[tuple[float, DenseNetwork]]:
    """Yield what a checkpoint's network costs after each round of its refinement, and the network, always the same one.

    The rate of the price begins where the training left it.
    """
    learned = network_of(checkpoint)
    assert learned.price is not None  # or there would be no budget
    network = frozen(learned, headroom=1).eval()
    costs = cost_of(network)
    priced = costs.ebops if budget.unit == "ebops" else costs.aluts
    rounds = refine(
        network,
        _batches(data, seed),
        task.criterion,
        lambda network: bill_of(network, budget.unit, costs),
        budget.limit,
        rate=float(learned.price.rate) * priced / getattr(costs, budget.unit),
        rounds=budget.rounds,
        seed=seed,
    )
    for cost in rounds:
        yield cost, network


def _batches(data: SplitData, seed: int) -> Iterator[Batch]:
    tensors = data.rows("train")
    generator = torch.Generator().manual_seed(seed)
    while True:
        rows = torch.randint(len(tensors[0]), (min(_ROWS, len(tensors[0])),), generator=generator)
        yield tuple(tensor[rows] for tensor in tensors)
