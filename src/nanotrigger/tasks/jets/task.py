"""Jet tagging: how a network learns to tell classes of jets apart, and how it is judged."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from nanotrigger.data.split import Events
from nanotrigger.data.split_data import SplitData
from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.illustration import Illustration
from nanotrigger.evaluation.performance import Performance
from nanotrigger.networks import Network
from nanotrigger.networks.layers import WEIGHTED
from nanotrigger.tasks.jets import measures
from nanotrigger.tasks.jets.data import JetData
from nanotrigger.tasks.jets.evaluation import evaluate_jets
from nanotrigger.tasks.jets.sample import unit_of
from nanotrigger.tasks.task import Evaluation, Task
from nanotrigger.training.checkpoint import TrainedNetwork
from nanotrigger.training.module import Schedule
from nanotrigger.training.steps import Batch

Array = NDArray[np.float64]

_SCALES = [2 ** (quarter / 4) for quarter in range(-8, 9)]  # of logits


class JetTagging(Task):
    """Classify jets: cross-entropy on logits, L1 on weights, Adam.

    Args:
        network: maps standardized features, shape (batch, features), to logits, shape (batch, classes).
        learning_rate: of Adam, at the start.
        schedule: `cosine` lets the learning rate fall to zero over the training; `plateau` halves it when the
            validation loss has not fallen for more than 3 epochs; `constant` keeps it.
        l1: factor of the sum of all absolute weights (not biases) in the loss.
    """

    title = "Jet tagging"
    data_module = JetData
    unit = "jets"
    quality = measures.ACCURACY
    result_columns = ("cross_entropy", "auc_*")
    history_panels = {"loss": "Cross-entropy [nats]", "accuracy": "Accuracy"}  # noqa: RUF012
    shown = "accuracy"

    def __init__(
        self,
        network: Network,
        *,
        learning_rate: float = 3e-3,
        schedule: Schedule = "cosine",
        l1: float = 1e-4,
    ) -> None:
        super().__init__(network, learning_rate=learning_rate, schedule=schedule)
        if l1 < 0:
            raise InputError(f"model.l1={l1}: must not be negative")
        self.l1 = l1

    def objective(self, network: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return cross-entropy, with L1 while training, and the metrics loss (without L1) and accuracy."""
        features, labels = batch
        logits = network(features)
        loss = cross_entropy(logits, labels)
        accuracy = (logits.argmax(dim=1) == labels).float().mean()
        objective = loss + self.l1 * l1_norm(network) if self.l1 and network.training else loss
        return self.with_price(network, objective), {"loss": loss, "accuracy": accuracy}

    def criterion(self, batch: Batch, outputs: Tensor) -> Callable[[Tensor], float]:
        """Return cross-entropy at the temperature that fits the present logits best; it changes no decision."""
        labels = batch[-1][None]

        def loss(logits: Tensor, scale: float) -> float:
            return cross_entropy(scale * logits.t()[None], labels).item()  # laid out along the batch: ten times as fast

        best = min(_SCALES, key=lambda scale: loss(outputs, scale))
        return lambda logits: loss(logits, best)

    @classmethod
    def unit_of(cls, record: Mapping[str, Any]) -> str:
        """Return `jets`, or `events` for those of others that are no jets."""
        return unit_of(record["source"], tuple(record.get("shape", ())), record["feature_names"])

    @classmethod
    def performance(cls, trained: TrainedNetwork, events: Events, outputs: Array) -> Performance:
        """Return the accuracy of logits."""
        return measures.accuracy_of(events, outputs)

    @classmethod
    def columns(cls, figure: Performance, events: Events, outputs: Array) -> dict[str, float | None]:
        """Return cross-entropy and areas under ROC curves."""
        return measures.classification_columns(events, outputs)

    @classmethod
    def chance(cls, columns: Iterable[str]) -> float | None:
        """Return one over the number of classes, each of which has an area."""
        classes = sum(column.startswith("auc_") for column in columns)
        return 1 / classes if classes else None

    @classmethod
    def agreement(cls, expected: Array, outputs: Array) -> dict[str, float]:
        """Return the share of events that are put into the same class."""
        return measures.same_class(expected, outputs)

    @classmethod
    def output_names(cls, trained: TrainedNetwork, ending: str | None = None) -> tuple[str, ...]:
        """Return the names of the classes."""
        return tuple(trained.data["class_names"])

    @classmethod
    def meaning(cls, trained: TrainedNetwork, ending: str | None = None) -> str:
        """Return what logits mean."""
        return measures.MEANING

    @classmethod
    def illustrations(
        cls, trained: TrainedNetwork, events: Events, outputs: Array, *, source: str
    ) -> dict[str, Illustration]:
        """Return ROC curves and confusion matrix."""
        return measures.illustrate_classes(events, outputs, source)

    @classmethod
    def evaluation(cls, trained: TrainedNetwork, data: SplitData, history: Mapping[str, list[float]]) -> Evaluation:
        """Return accuracy, areas and confusion matrix on the test split, with figures of jets and logits."""
        assert isinstance(data, JetData)
        return evaluate_jets(trained, data, history=cls.history_figure(data, history))


def l1_norm(network: nn.Module) -> Tensor:
    """Return the sum of the absolute float weights of all linear layers and convolutions, without biases; a scalar."""
    norms = [layer.weight.abs().sum() for layer in network.modules() if isinstance(layer, WEIGHTED)]
    return torch.stack(norms).sum()
