"""Anomaly detection: how an autoencoder learns what collisions usually look like, and how it is judged."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from nanotrigger.data.split import Events
from nanotrigger.data.split_data import SplitData
from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.illustration import Illustration
from nanotrigger.evaluation.performance import Performance
from nanotrigger.networks import Autoencoder, VariationalAutoencoder
from nanotrigger.tasks.anomaly import measures
from nanotrigger.tasks.anomaly.data import EventData
from nanotrigger.tasks.anomaly.evaluation import evaluate_events
from nanotrigger.tasks.anomaly.scores import Distance, absent_pt, reconstruction_error
from nanotrigger.tasks.task import Evaluation, Task
from nanotrigger.training.checkpoint import TrainedNetwork
from nanotrigger.training.module import Schedule
from nanotrigger.training.steps import Batch

Array = NDArray[np.float64]


class AnomalyDetection(Task):
    """Reconstruct background: mean squared error, for a variational autoencoder plus the KL divergence, Adam.

    Args:
        network: maps standardized features, shape (batch, features), to their reconstruction.
        learning_rate: of Adam, at the start.
        schedule: `plateau` halves the learning rate when the validation loss has not fallen for more than 3 epochs;
            `cosine` lets it fall to zero over the training; `constant` keeps it.
        kl_weight: factor of the KL divergence in the loss of a variational autoencoder (arXiv 1312.6114, eq. 7).
        masked: leave objects that are absent out of the loss.
        angular_phi: take the difference of two φ around the circle.
        positive_pt: raise reconstructed transverse momenta below 0 GeV to it.
    """

    title = "Anomaly detection"
    data_module = EventData
    quality = measures.TRUE_POSITIVE_RATE
    result_columns = ("tpr_*", "auc_*")

    def __init__(
        self,
        network: Autoencoder,
        *,
        learning_rate: float = 3e-3,
        schedule: Schedule = "plateau",
        kl_weight: float = 0.02,
        masked: bool = False,
        angular_phi: bool = False,
        positive_pt: bool = False,
    ) -> None:
        super().__init__(network, learning_rate=learning_rate, schedule=schedule)
        if not 0 <= kl_weight < float("inf"):
            raise InputError(f"model.kl_weight={kl_weight}: must be finite and not negative")
        self.kl_weight = kl_weight
        self.distance = Distance(masked=masked, angular_phi=angular_phi, positive_pt=positive_pt)
        self.absent_pt: Tensor
        self.register_buffer("absent_pt", torch.zeros(network.features // 3), persistent=False)

    @property
    def settings(self) -> dict[str, Any]:
        """How events are compared, and the weight of the KL divergence."""
        return {**asdict(self.distance), "kl_weight": self.kl_weight}

    def setup(self, stage: str) -> None:
        """Check that the network fits the data, and learn what an absent object looks like in them."""
        super().setup(stage)
        if self.distance.angular_phi and getattr(self.trainer.datamodule, "in_hardware_units", False):
            raise InputError("model.angular_phi=true: φ in hardware units is no angle in radians; leave it out")
        self.absent_pt = absent_pt(self.trainer.datamodule.standardization).to(self.absent_pt)

    def objective(self, network: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss, of a variational autoencoder with the KL divergence, and the metrics.

        A variational autoencoder decodes a draw from its Gaussians while it is trained, else their means.
        """
        (features,) = batch
        if not isinstance(network, VariationalAutoencoder):
            loss = self._distance_of(features, network(features))
            return self.with_price(network, loss), {"loss": loss}
        means, log_variances = network.distribution(features)
        latent = means
        if network.training:
            latent = means + torch.randn_like(means) * torch.exp(0.5 * log_variances)
        divergence = kl_divergence(means, log_variances).mean()
        loss = self._distance_of(features, network.decode(latent)) + self.kl_weight * divergence
        return self.with_price(network, loss), {"kl": divergence, "loss": loss}

    def criterion(self, batch: Batch, outputs: Tensor) -> Callable[[Tensor], float]:
        """Return the mean squared error of reconstructions."""
        return lambda reconstructed: self._distance_of(batch[0], reconstructed).item()

    def _distance_of(self, features: Tensor, outputs: Tensor) -> Tensor:
        return reconstruction_error(features, outputs, self.absent_pt, self.distance).mean()

    @classmethod
    def performance(cls, trained: TrainedNetwork, events: Events, outputs: Array) -> Performance | None:
        """Return the mean true-positive rate of all signals; None without signals or a score."""
        return measures.detection_performance(trained, events, outputs)

    @classmethod
    def chance(cls, columns: Iterable[str]) -> float:
        """Return the false-positive rate: who decides at random accepts as much of the signal."""
        return measures.FALSE_POSITIVE_RATE

    @classmethod
    def output_names(cls, trained: TrainedNetwork, ending: str | None = None) -> tuple[str, ...]:
        """Return the names of the features that are reconstructed, or numbers of latent values."""
        if ending == measures.RADIUS:
            return (measures.RADIUS,)
        if trained.network.output_name == "reconstruction":
            return tuple(trained.data["feature_names"])
        return super().output_names(trained, ending)

    @classmethod
    def meaning(cls, trained: TrainedNetwork, ending: str | None = None) -> str:
        """Return what a reconstruction, latent values or their radius mean."""
        return measures.meaning_of(trained.network.output_name, ending)

    @classmethod
    def illustrations(
        cls, trained: TrainedNetwork, events: Events, outputs: Array, *, source: str
    ) -> dict[str, Illustration]:
        """Return ROC curves of the signals and histograms of the scores."""
        return measures.illustrate_detection(trained, events, outputs, source)

    @classmethod
    def evaluation(cls, trained: TrainedNetwork, data: SplitData, history: Mapping[str, list[float]]) -> Evaluation:
        """Return what all scores and the baseline find on the test split, with figures of events and scores."""
        assert isinstance(data, EventData)
        return evaluate_events(trained, data, history=cls.history_figure(data, history))


def kl_divergence(means: Tensor, log_variances: Tensor) -> Tensor:
    """Return the KL divergence of Gaussians from unit Gaussians, shape (batch,) (arXiv 1312.6114, appendix B).

    For the loss; `scores.kl_divergence` is the same in double precision for NumPy.

    Args:
        means: shape (batch, latent values).
        log_variances: same shape.
    """
    return -0.5 * (1 + log_variances - means.square() - log_variances.exp()).sum(dim=1)
