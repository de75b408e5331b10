"""Budget: train a network of learned precision until it fits a given part of the chip."""

import math
import shutil
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import lightning

from nanotrigger.cost.contest import contest_figure
from nanotrigger.cost.sources.structural import structural_report
from nanotrigger.errors import InputError
from nanotrigger.firmware.target import Target
from nanotrigger.graph.ebops import ebops
from nanotrigger.graph.of_network import layers_of
from nanotrigger.graph.unroll import unroll
from nanotrigger.networks.build import Network
from nanotrigger.networks.freeze import frozen
from nanotrigger.networks.variational_autoencoder import VariationalAutoencoder
from nanotrigger.precision.refine import Bill
from nanotrigger.training.pruning import Pruning
from nanotrigger.training.run_checkpoints import BestCheckpoint

_AIM = 0.975  # of the budget: in the middle of the five per cent below it
_AIM_BEFORE_REFINEMENT = 1.25  # of the budget
_LEAST, _NEAR, _REACHABLE = 0.5, 1.6, 4.0  # of the budget: where the best network is refined, or else the cheapest
_NEAR_FFS = 1.3  # likewise, in flip-flops, of which a refinement saves fewer
_FIRST_RATE, _LAST_RATE = 1e-6, 1.0  # of the price
_GAIN, _DAMPING = 32.0, 1.0  # of the controller, over all validations
FRONT = "front"  # folder of the checkpoints


@dataclass(frozen=True)
class Cost:
    """What a network costs, counted from its structure.

    Attributes:
        aluts: adaptive lookup tables.
        ffs: flip-flops.
        share: ALUT % plus FF % of the device, what the contest counts.
        ebops: effective bit operations.
    """

    aluts: int
    ffs: int
    share: float
    ebops: int


UNITS = tuple(field.name for field in fields(Cost))


class Budget(lightning.Callback):
    """Raise the rate of the price until the network costs what it may; keep every network of the front.

    At each validation the frozen network is counted. Until a share of the training is over, the cost should fall
    exponentially from what it was first to the budget, and stay there. The rate of the price follows by the deviation
    of the logarithms and its change. best.ckpt is the best network within the budget. `front/` has one checkpoint for
    each network than which none that costs less was better.

    Args:
        aluts: budget in ALUTs of the whole IP by the structural count.
        ffs: budget in flip-flops, likewise.
        share: budget as ALUT % plus FF % of the device, what the contest counts.
        ebops: budget in effective bit operations.
        ramp: share of the training in which the cost falls.
        rounds: of refinement behind the training (`refine`), each of a thousand changes of single weights; the training
            then aims above the budget.
    """

    def __init__(
        self,
        aluts: float | None = None,
        ffs: float | None = None,
        share: float | None = None,
        ebops: float | None = None,
        ramp: float = 0.7,
        rounds: int = 0,
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
        self.unit, self.limit = next(iter(limits.items()), ("aluts", math.inf))
        self.ramp = ramp
        self.rounds = rounds
        self.first: float | None = None  # cost
        self.deviation: float | None = None  # of the logarithms of cost and aim, at the last validation
        self.costs: dict[str, float] = {}
        self.least = math.inf  # cost in a refinement
        self.front: dict[str, tuple[float, float]] = {}  # cost and score, the higher the better, by the file's name

    @property
    def is_limited(self) -> bool:
        """Whether there is a budget."""
        return self.limit < math.inf

    @property
    def is_refined(self) -> bool:
        """Whether a refinement follows the training."""
        return self.is_limited and self.rounds > 0

    @property
    def shortfall(self) -> str:
        """What to say if no network was within the budget; empty if there is none."""
        least = min([self.least, *(cost for cost, _ in self.front.values())])
        return f" within budget.{self.unit}={self.limit:g} (the nearest: {least:g})" if self.is_limited else ""

    def verdict(self, network: Network) -> str:
        """What to say of the best network: what it costs, and how far below the budget that is."""
        cost = getattr(cost_of(network), self.unit)
        return (
            f"best.ckpt costs {cost:g} of budget.{self.unit}={self.limit:g}, {1 - cost / self.limit:.1%} below it; "
            "no network nearer to it was better"
        )

    @property
    def start(self) -> str | None:
        """The file of the network to refine: the best of the front near the budget, else the cheapest; None if none."""
        least, most = _LEAST * self.limit, _REACHABLE * self.limit
        points = {name: point for name, point in self.front.items() if least <= point[0] <= most}
        nearest = (_NEAR_FFS if self.unit == "ffs" else _NEAR) * self.limit
        near = {name: score for name, (cost, score) in points.items() if cost <= nearest}
        candidates = near or {name: -cost for name, (cost, _) in points.items()}
        return max(candidates, key=candidates.__getitem__, default=None)

    @property
    def is_complete(self) -> bool:
        """Whether the network is within the budget."""
        return self.costs.get(self.unit, math.inf) <= self.limit

    def setup(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule, stage: str) -> None:
        """Check that there are bits to learn; choose the price."""
        network = pl_module.network
        if self.is_limited and network.price is None:
            raise InputError(f"budget.{self.unit}: give network.learned_bits=weight as well")
        if network.price is not None and self.unit == "ebops":
            network.price.unit = "ebops"

    def on_fit_start(self, trainer: lightning.Trainer, pl_module: lightning.LightningModule) -> None:
        """Check that the best network can be refined; bring the front along if a run goes on in another folder."""
        best = BestCheckpoint.of(trainer)
        if self.is_refined:
            is_pruned = any(callback.is_on for callback in trainer.callbacks if isinstance(callback, Pruning))
            if is_pruned or isinstance(pl_module.network, VariationalAutoencoder):
                what = "a network that is pruned" if is_pruned else "a variational autoencoder"
                raise InputError(f"budget.rounds={self.rounds}: {what} is not refined; give budget.rounds=0")
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
        self.costs = asdict(cost_of(network))
        for unit, value in self.costs.items():
            pl_module.log(unit, float(value))
        pl_module.log("price_rate", network.price.rate)
        if self.is_limited:
            rate = self._rate(float(network.price.rate), self.costs[self.unit], self.limit, trainer)
            network.price.rate.fill_(rate)

    def _rate(self, rate: float, cost: float, limit: float, trainer: lightning.Trainer) -> float:
        self.first = cost if self.first is None else self.first
        share = min((trainer.current_epoch + 1) / (trainer.max_epochs * self.ramp), 1.0)
        aim = self.first * ((_AIM_BEFORE_REFINEMENT if self.rounds else _AIM) * limit / self.first) ** share
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


def bill_of(network: Network, unit: str, first: Cost) -> Bill:
    """Return what a network of fixed formats costs in one unit, and what a refinement that began at `first` pays.

    They differ for flip-flops, of which a change of a single weight seldom saves one: half of what is paid are ALUTs.
    """
    if unit == "ebops":
        value = ebops(layers_of(network))
        return Bill(value, value)
    cost = cost_of(network)
    if unit == "ffs":
        return Bill(cost.ffs, (cost.ffs + cost.aluts * first.ffs / first.aluts) / 2)
    return Bill(getattr(cost, unit), getattr(cost, unit))


def cost_of(network: Network) -> Cost:
    """Return what a quantized network costs; one of learned precision as it would be frozen now."""
    layers = layers_of(frozen(network))
    report = structural_report(unroll(layers), Target())
    return Cost(report.used.aluts or 0, report.used.ffs or 0, contest_figure(report) or 0.0, ebops(layers))
