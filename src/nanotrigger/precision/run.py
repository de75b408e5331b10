"""The last step of a training to a budget: refine a network of the front, and make it best.ckpt if it is better."""

import copy
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lightning
import torch

from nanotrigger.data.split_data import SplitData
from nanotrigger.errors import InputError
from nanotrigger.firmware.target import SHARED
from nanotrigger.networks import Network
from nanotrigger.networks.learned import frozen, take_over
from nanotrigger.precision.allowance import Allowance, bill_of, cost_of, shell_cost
from nanotrigger.precision.names import FRONT
from nanotrigger.precision.quick_count import quick_count
from nanotrigger.precision.refine import FALL, refine
from nanotrigger.training.checkpoint import network_of, read_checkpoint, with_network
from nanotrigger.training.module import TrainingModule
from nanotrigger.training.run_checkpoints import BestCheckpoint, WholeCheckpoints
from nanotrigger.training.steps import Batch

_ROWS, _ROWS_AT_LAST = (
    10_000,
    60_000,
)  # of the training split, drawn for a round while the cost falls, and for the others
_SHOWN = 5  # rounds


def refine_run(
    folder: Path, start: str, trainer: lightning.Trainer, allowance: Allowance, *, rounds: int, seed: int
) -> float:
    """Refine a network of a run's front; write best.ckpt if one within the allowance is better. Return the least cost.

    Args:
        folder: the run folder.
        start: name of the network's file in the front.
        trainer: whose training has ended; it has task and data, and what was best so far, and by what.
        allowance: what the network may cost.
        rounds: how many.
        seed: of rows and changes.

    Raises:
        InputError: the metric by which networks are compared is none of the task's.
    """
    print(f"refines {FRONT}/{start} for {rounds} rounds", flush=True)
    task, data, best = trainer.lightning_module, trainer.datamodule, BestCheckpoint.of(trainer)
    checkpoint = read_checkpoint(folder / FRONT / start)
    metric, validation = str(best.monitor).removeprefix("val_"), data.rows("validation")
    record = -math.inf if best.best_model_score is None else best.sign * float(best.best_model_score)
    kept, least = None, math.inf
    networks = refinement(checkpoint, task, data, allowance, rounds=rounds, seed=seed)
    for number, (cost, network) in enumerate(networks, start=1):
        with torch.no_grad():
            metrics = task.objective(network, validation)[1]
        if metric not in metrics:
            known = ", ".join(f"val_{name}" for name in metrics)
            raise InputError(f"checkpoint.monitor={best.monitor} is none of {known}; give one of them")
        score = float(metrics[metric])
        if number % _SHOWN == 0 or number == rounds:
            print(f"round {number}: {cost:g} {allowance.unit}, {best.monitor} {score:.4f}", flush=True)
        least = min(least, cost)
        if cost <= allowance.most and best.sign * score > record:
            record, kept = best.sign * score, copy.deepcopy(network)
    if kept is not None:
        learned = network_of(checkpoint)
        take_over(learned, kept)
        _write_best(folder, with_network(checkpoint, learned), best, best.sign * record)
    return least


def _write_best(folder: Path, checkpoint: dict[str, Any], best: BestCheckpoint, score: float) -> None:
    """Write best.ckpt, and its score into last.ckpt, from which a training may go on."""
    WholeCheckpoints().save_checkpoint(checkpoint, folder / "best.ckpt")
    last = read_checkpoint(folder / "last.ckpt")
    states = last["callbacks"]
    states[best.state_key] = best.replaced(states[best.state_key], torch.tensor(score))
    WholeCheckpoints().save_checkpoint(last, folder / "last.ckpt")


def refinement(
    checkpoint: dict[str, Any], task: TrainingModule, data: SplitData, allowance: Allowance, *, rounds: int, seed: int
) -> Iterator[tuple[float, Network]]:
    """Yield what a checkpoint's network costs after each round of its refinement, and the network, always the same one.

    The rate of the price begins where the training left it.
    """
    learned = network_of(checkpoint)
    network = frozen(learned, headroom=1).eval()
    costs = cost_of(network, allowance.target)
    shell, is_shared = shell_cost(allowance.target).aluts, allowance.target.adders == SHARED
    priced = costs.ebops if allowance.unit == "ebops" else costs.aluts
    steps = refine(
        network,
        _batches(data, rounds, seed),
        task.criterion,
        lambda network: bill_of(network, allowance, costs),
        allowance.most,
        rate=float(learned.price.rate) * priced / getattr(costs, allowance.unit),
        rounds=rounds,
        seed=seed,
        estimate=(lambda network: shell + quick_count(network, is_shared=is_shared))
        if allowance.unit in ("aluts", "share")
        else None,
    )
    for cost in steps:
        yield cost, network


def _batches(data: SplitData, rounds: int, seed: int) -> Iterator[Batch]:
    """Yield rows for each round: few at first, whose chance helps to leave what is best only nearby; more at last."""
    tensors = data.rows("train")
    generator = torch.Generator().manual_seed(seed)
    for number in range(1, rounds + 1):
        most = _ROWS if number <= FALL * rounds else _ROWS_AT_LAST
        rows = torch.randint(len(tensors[0]), (min(most, len(tensors[0])),), generator=generator)
        yield tuple(tensor[rows] for tensor in tensors)
