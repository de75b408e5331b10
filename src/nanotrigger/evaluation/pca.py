"""Principal components: the linear baseline of an autoencoder."""

from dataclasses import dataclass

import numpy as np
import sklearn.decomposition
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError


@dataclass(frozen=True, eq=False)
class PrincipalComponents:
    """The directions in which the training data vary most; `fit` finds them.

    Attributes:
        mean: of the training data, shape (features,).
        directions: orthonormal, by falling variance, shape (components, features).
        variances: of the training data along each direction, unbiased, positive, shape (components,).
    """

    mean: NDArray[np.float64]
    directions: NDArray[np.float64]
    variances: NDArray[np.float64]

    @classmethod
    def fit(cls, features: ArrayLike, components: int) -> "PrincipalComponents":
        """Fit `components` directions to the training split of the background.

        Args:
            features: as the network gets them, shape (events, features), finite.
            components: 1 or more; as many as the network has latent variables make a fair baseline.

        Raises:
            InputError: the features are broken, or vary in fewer directions than asked for.

        >>> baseline = PrincipalComponents.fit([[3.0, 0.0], [-3.0, 0.0], [0.0, 1.0], [0.0, -1.0]], 1)
        >>> baseline.variances
        array([6.])
        """
        values = _check_features(features)
        most = min(len(values) - 1, values.shape[1])
        if not 1 <= components <= most:
            raise InputError(f"{components} principal components of data {values.shape}; give 1 to {max(most, 1)}")
        if not np.ptp(values, axis=0).any():
            raise InputError(f"all {len(values)} events are equal and have no principal components; give other data")
        found = sklearn.decomposition.PCA(components, svd_solver="covariance_eigh").fit(values)
        variances = found.explained_variance_
        if variances[-1] <= np.finfo(np.float64).eps * len(values) * variances[0]:
            raise InputError(f"the features vary in fewer than {components} directions; ask for fewer components")
        return cls(found.mean_, found.components_, variances)

    def project(self, features: ArrayLike) -> NDArray[np.float64]:
        """Return the coordinates along the directions, shape (events, components).

        Raises:
            InputError: another number of features than in `fit`, or one is not finite.
        """
        return (_check_features(features, count=len(self.mean)) - self.mean) @ self.directions.T

    def reconstruction_error(self, features: ArrayLike) -> NDArray[np.float64]:
        """Return the squared distance from the plane of the directions over the number of features, shape (events,).

        This is the mean squared error of projecting and coming back; larger is more anomalous. Errors as for `project`.
        """
        values = _check_features(features, count=len(self.mean))
        back = self.project(values) @ self.directions + self.mean
        return np.mean((values - back) ** 2, axis=1)

    def mahalanobis(self, features: ArrayLike) -> NDArray[np.float64]:
        """Return the distance from the mean inside the plane, in standard deviations, shape (events,).

        The square root of the sum of t²/variance over the coordinates t: P. C. Mahalanobis, Proceedings of the
        National Institute of Sciences of India 2 (1936) 49. Errors as for `project`.
        """
        return np.sqrt(np.sum(self.project(features) ** 2 / self.variances, axis=1))


def _check_features(features: ArrayLike, *, count: int | None = None) -> NDArray[np.float64]:
    values = np.asarray(features, np.float64)
    if values.ndim != 2 or not values.size or (count is not None and values.shape[1] != count):
        raise InputError(f"features have shape {values.shape}; give (events, {count or 'features'})")
    if broken := int(np.count_nonzero(~np.isfinite(values).all(axis=1))):
        raise InputError(f"features of {broken} of {len(values)} events are NaN or infinite; clean the data first")
    return values
