"""Images of jets: the transverse momentum of their particles in cells of Δη and Δφ."""

import numpy as np
from numpy.typing import NDArray

HALF_WIDTH = 0.4
"""Of an image in Δη and Δφ: the radius of the jets, beyond which few particles lie."""

CELLS = 16
"""In a row and in a column: each is 0.05 wide, a third of what a W of 1 TeV opens between its quarks."""


def jet_images(constituents: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return images, shape (jets, 16, 16, 1): what the particles of each cell have of the jet's transverse momentum.

    Rows go from Δη = -0.4 to 0.4, columns likewise in Δφ. Particles beyond are left out.

    Args:
        constituents: share of the transverse momentum, Δη and Δφ, shape (jets, particles, 3); a share of 0 is none.

    >>> particles = [[0.5, 0.01, 0.0], [0.25, 0.04, 0.03], [0.125, -0.39, 0.39], [0.0625, 0.41, 0.0]]
    >>> image = jet_images(np.array([particles], np.float32))
    >>> image[0, 8, 8, 0].item(), image[0, 0, 15, 0].item(), image.sum().item()
    (0.75, 0.125, 0.875)
    """
    share = constituents[..., 0].astype(np.float64)
    places = np.floor((constituents[..., 1:].astype(np.float64) + HALF_WIDTH) / (2 * HALF_WIDTH / CELLS))
    is_inside = ((places >= 0) & (places < CELLS)).all(axis=-1)
    jets = np.arange(len(constituents))[:, None]
    cells = (jets * CELLS + places[..., 0]) * CELLS + places[..., 1]
    counted = np.bincount(
        cells[is_inside].astype(np.int64), share[is_inside], minlength=len(constituents) * CELLS * CELLS
    )
    return counted.reshape(-1, CELLS, CELLS, 1).astype(np.float32)
