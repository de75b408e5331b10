"""Variational autoencoder: its encoder gives a Gaussian for each latent value (arXiv 1312.6114)."""

from typing import Any

from torch import Tensor, nn

from nanotrigger.networks.autoencoder import ENCODER, Autoencoder
from nanotrigger.networks.dense import WHOLE
from nanotrigger.networks.layers import dense_layer


class VariationalAutoencoder(Autoencoder):
    """An autoencoder whose bottleneck is the mean of a Gaussian, and which has a second head for its variance.

    What `Autoencoder` does is done with the means. The second head is needed for training and for the KL divergence
    only; firmware has the means.

    Args:
        latent_size: number of Gaussians.
        **others: as of `Autoencoder`. The head `log_variance` has the formats of the bottleneck.
    """

    def __init__(self, *, latent_size: int = 2, **others: Any) -> None:
        super().__init__(latent_size=latent_size, **others)
        weight, bias = (self.tensor_formats.get(f"{self.bottleneck}.{kind}") for kind in ("weight", "bias"))
        self._head = [name for name, _ in self.layers.named_children()].index(self.bottleneck)
        inputs = self.widths[len(self.widths) // 2 - 1]
        self.log_variance = dense_layer(inputs, latent_size, weight, bias, learned=self.learned_bits)
        nn.init.zeros_(self.log_variance.weight)  # begins with unit Gaussians

    _latent_name = "latent_means"

    @property
    def _latent_endings(self) -> tuple[str, ...]:
        return ("radius",) if self.formats else ()  # the sum of squares of words is exact

    @property
    def parts(self) -> tuple[str, ...]:
        """The encoder, which is enough for the radius of the means, or the whole with the means decoded."""
        return (ENCODER, WHOLE)

    def distribution(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the means and the logarithms of the variances, each of shape (batch, latent_size)."""
        hidden = self._run(features, slice(None, self._head))
        return self._run(hidden, slice(self._head, self._encoder_length)), self.log_variance(hidden)

    def log_variances(self, features: Tensor) -> Tensor:
        """Return the logarithms of the variances, shape (batch, latent_size)."""
        return self.distribution(features)[1]
