"""Budget: train a network of learned precision until it costs no more than a given share of the chip."""

import math
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import lightning

from nanotrigger.errors import InputError
from nanotrigger.firmware.target import Target
from nanotrigger.precision.allowance import Allowance, cost_of
from nanotrigger.precision.names import FRONT
from nanotrigger.precision.run import refine_run
from nanotrigger.training.checkpoint import network_of, read_checkpoint
from nanotrigger.training.pruning import Pruning
from nanotrigger.training.requirement import Requirement
from nanotrigger.training.run_checkpoints import BestCheckpoint

_AIM = 0.975  # of the budget: in the middle of the five per cent below it
_AIM_BEFORE_REFINEMENT = 1.25  # of the budget
_LEAST, _NEAR, _REACHABLE = 0.5, 2.3, 4.0  # of the budget: where a good network is refined, or else the cheapest
_NEAR_FFS = 1.3  # likewise, in flip-flops, of which a refinement saves fewer
_ABOUT_AS_GOOD = 0.02  # of the best score
_FIRST_RATE, _LAST_RATE = 1e-6, 1.0  # of the price
_GAIN, _DAMPING = 32.0, 1.0  # of the controller, over all validations


class Budget(Requirement):
    """Raise the rate of the price until the network costs what it may; keep every network of the front.

    At each validation the frozen network is counted. Until a share of the training is over, the cost should fall
    exponentially from what it was first to the budget, and stay there. The rate of the price follows by the deviation
    of the logarithms and its change. best.ckpt is the best network within the budget. `front/` has a checkpoint of
    every network that was better than all networks that cost less.

    Args:
        aluts: budget in ALUTs of the whole IP by the structural count.
        ffs: budget in flip-flops, likewise.
        share: budget as ALUT % plus FF % of the device, what the contest counts.
        ebops: budget in effective bit operations.
        ramp: share of the training in which the cost falls.
        rounds: of refinement after the training (`refine`), each of a thousand changes of single weights; the training
            then aims above the budget.
        target: the firmware that is counted.

    Raises:
        InputError: more than one budget, a value out of range, or a target whose firmware cannot be counted.
    """

    def __init__(
        self,
        aluts: float | None = None,
        ffs: float | None = None,
        share: float | None = None,
        ebops: float | None = None,
        ramp: float = 0.7,
        rounds: int = 0,
        target: Target = Target(),  # noqa: B008 - it is frozen
    ) -> None:
        given = {"aluts": aluts, "ffs": ffs, "share": share, "ebops": ebops}
        limits = {unit: limit for unit, limit in given.items() if limit is not None}
        for unit, limit in limits.items():
            if not 0 < limit < math.inf:
                raise InputError(f"budget.{unit}={limit}: must be positive")
        if len(limits) > 1:
            raise InputError(f"budget has {', '.join(limits)}; give one of them")
        if not 0 < ramp <= 1:
            raise InputError(f"budget.ramp={ramp}: must be above 0 and at most 1")
        if rounds < 0:
            raise InputError(f"budget.rounds={rounds}: must not be negative")
        unit, limit = next(iter(limits.items()), ("aluts", math.inf))
        self.allowance = Allowance(unit, limit, target)
        self.ramp = ramp
        self.rounds = rounds
        self.first: float | None = None  # cost
        self.deviation: float | None = None  # of the logarithms of cost and aim, at the last validation
        self.costs: dict[str, float] = {}
        self.least = math.inf  # cost in a refinement
        self.front: dict[str, tuple[float, float]] = {}  # cost and score, the higher the better, by the file's name
        if self.is_limited:  # a scan checks its points without a network
            self.allowance.check_target()

    @property
    def unit(self) -> str:
        """What is counted."""
        return self.allowance.unit

    @property
    def limit(self) -> float:
        """The budget, in its unit; infinite if there is none."""
        return self.allowance.most

    @property
    def is_limited(self) -> bool:
        """Whether there is a budget."""
        return self.limit < math.inf

    @property
    def has_work(self) -> bool:
        """Whether a refinement follows the training."""
        return self.is_limited and self.rounds > 0

    @property
    def shortfall(self) -> str:
        """What to say if no network was within the budget; empty if there is none."""
        if not self.is_limited:
            return ""
        least = min([self.least, *(cost for cost, _ in self.front.values())])
        nearest = f" (the nearest: {least:g})" if least < math.inf else ""
        return f" within budget.{self.unit}={self.limit:g}{nearest}"

    def failure(self, best: Path) -> str:
        """Return that the best network costs more than the budget; empty if it does not."""
        cost = self._cost(best) if self.is_limited else 0
        return f"best.ckpt costs {cost:g}, more than budget.{self.unit}={self.limit:g}" if cost > self.limit else ""

    def remark(self, best: Path) -> str:
        """Return what the best network costs, and how far below the budget that is; nothing if there is none."""
        if not self.is_limited:
            return ""
        cost = self._cost(best)
        return (
            f"best.ckpt costs {cost:g} of budget.{self.unit}={self.limit:g}, {1 - cost / self.limit:.1%} below it; "
            "no network nearer to it was better"
        )

    def _cost(self, checkpoint: Path) -> float:
        return float(getattr(cost_of(network_of(read_checkpoint(checkpoint)), self.allowance.target), self.unit))

    def after_training(self, trainer: lightning.Trainer, folder: Path, *, seed: int) -> None:
        """Refine the best network of the front near the budget; write best.ckpt if one within it is better."""
        start = self.start
        if start is not None and (folder / FRONT / start).is_file():
            least = refine_run(folder, start, trainer, self.allowance, rounds=self.rounds, seed=seed)
            self.least = min(self.least, least)
        else:
            least, most = _LEAST * self.limit, _REACHABLE * self.limit
            print(f"budget.rounds={self.rounds}: no network to refine, none costs {least:g} to {most:g} {self.unit}")

    @property
    def start(self) -> str | None:
        """The file of the network to refine, None if there is none.

        It is the cheapest of the front that costs what the training aims at, or more, and is about as good as the best
        near the budget; else that best one; and if none is near, the cheapest of those that are not too far.
        """
        least, most = _LEAST * self.limit, _REACHABLE * self.limit
        points = {name: point for name, point in self.front.items() if least <= point[0] <= most}
        nearest = (_NEAR_FFS if self.unit == "ffs" else _NEAR) * self.limit
        near = {name: score for name, (cost, score) in points.items() if cost <= nearest}
        best = max(near, key=near.__getitem__, default=None)
        if best is None:
            return min(points, key=lambda name: points[name][0], default=None)
        enough = near[best] - _ABOUT_AS_GOOD * abs(near[best])
        good = [name for name in near if near[name] >= enough and points[name][0] >= self._aim]
        return min(good, key=lambda name: points[name][0], default=best)

    @property
    def is_complete(self) -> bool:
        """Whether the network is within the budget."""
        return self.costs.get(self.unit, math.inf) <= self.limit

    def setup(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str) -> None:
        """Check that there are bits to learn, and that their cost can be counted; choose the price.

        Raises:
            InputError: there is a budget and no such bits, or firmware for the target cannot be counted.
        """
        network = pl_module.network
        if self.is_limited and network.price is None:
            raise InputError(f"budget.{self.unit}: give network.learned_bits=weight as well")
        if network.price is None:
            return
        self.allowance.check_network(network)
        if self.unit == "ebops":
            network.price.unit = "ebops"

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Check that the best network can be refined; bring the front along if a run goes on in another folder."""
        best = BestCheckpoint.of(trainer)
        if self.has_work:
            is_pruned = any(callback.is_on for callback in trainer.callbacks if isinstance(callback, Pruning))
            heads = ", ".join(pl_module.network.heads)
            reasons = {
                "that is pruned": is_pruned,
                f"with a head beside its layers, {heads},": heads,
                "that is no chain of linear layers": not pl_module.network.is_chain,
            }
            reason = next((reason for reason, holds in reasons.items() if holds), None)
            if reason is not None:
                raise InputError(
                    f"budget.rounds={self.rounds}: a network {reason} is not refined; give budget.rounds=0"
                )
            if not str(best.monitor).startswith("val_"):
                raise InputError(
                    f"checkpoint.monitor={best.monitor}: a refinement needs one of validation; give budget.rounds=0"
                )
        for name in self.front if trainer.is_global_zero else ():
            former, here = Path(trainer.ckpt_path or "").with_name(FRONT) / name, Path(str(best.dirpath), FRONT, name)
            if former.is_file() and not here.exists():
                here.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(former, here)

    def on_validation_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Count the network and log what it costs; set the rate of the price."""
        network = pl_module.network
        if network.price is None or trainer.sanity_checking:
            return
        self.costs = asdict(cost_of(network, self.allowance.target))
        for unit, value in self.costs.items():
            pl_module.log(unit, float(value))
        pl_module.log("price_rate", network.price.rate)
        if self.is_limited:
            rate = self._rate(float(network.price.rate), self.costs[self.unit], trainer)
            network.price.rate.fill_(rate)

    @property
    def _aim(self) -> float:
        """What the network should cost at the end of the training."""
        return (_AIM_BEFORE_REFINEMENT if self.rounds else _AIM) * self.limit

    def _rate(self, rate: float, cost: float, trainer: lightning.Trainer) -> float:
        self.first = cost if self.first is None else self.first
        share = min((trainer.current_epoch + 1) / (trainer.max_epochs * self.ramp), 1.0)
        aim = self.first * (self._aim / self.first) ** share
        deviation = math.log(max(cost, 1e-9) / aim)
        change = 0.0 if self.deviation is None else deviation - self.deviation
        self.deviation = deviation
        gain = _GAIN * (trainer.check_val_every_n_epoch or 1) / trainer.max_epochs
        factor = math.exp(min(gain * (deviation + _DAMPING * change), 50.0))
        return min(max(rate, _FIRST_RATE) * factor, _LAST_RATE)

    def on_train_epoch_end(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Keep a network that was just validated if it is on the front, and no longer those that it beats."""
        best = BestCheckpoint.of(trainer)
        score = trainer.callback_metrics.get(str(best.monitor))
        if not self.costs or score is None or trainer.fast_dev_run:
            return
        cost, value = self.costs[self.unit], float(score) * best.sign
        if any(other <= cost and rival >= value for other, rival in self.front.values()):
            return
        beaten = [name for name, (other, rival) in self.front.items() if other >= cost and rival <= value]
        name = f"{self.unit}_{cost:07.6g}.ckpt"
        self.front = {**{key: point for key, point in self.front.items() if key not in beaten}, name: (cost, value)}
        folder = Path(str(best.dirpath), FRONT)
        trainer.save_checkpoint(folder / name, weights_only=True)
        for old in beaten:
            if trainer.is_global_zero and old != name:
                (folder / old).unlink(missing_ok=True)

    def state_dict(self) -> dict[str, Any]:
        """Return where the controller is, and the front."""
        return {"first": self.first, "deviation": self.deviation, "costs": self.costs, "front": self.front}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        for name, value in state_dict.items():
            setattr(self, name, value)
