"""Particles of many events in flat arrays, and their momenta."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Particles:
    """Particles of a batch of events, one entry each.

    Attributes:
        event: place of the particle's event in the batch, shape (particles,), ascending.
        code: number of the particle's kind in the scheme of the Particle Data Group, without sign.
        pt: transverse momentum in GeV.
        eta: pseudorapidity.
        phi: azimuth, -π to π.
    """

    event: NDArray[np.int64]
    code: NDArray[np.int64]
    pt: NDArray[np.float64]
    eta: NDArray[np.float64]
    phi: NDArray[np.float64]

    def take(self, chosen: NDArray[Any] | slice) -> "Particles":
        """Return the particles of a mask, of places or of a slice."""
        return Particles(self.event[chosen], self.code[chosen], self.pt[chosen], self.eta[chosen], self.phi[chosen])

    @property
    def energy(self) -> NDArray[np.float64]:
        """Energy in GeV of massless particles; a calorimeter does not see the mass."""
        return self.pt * np.cosh(self.eta)

    @property
    def momenta(self) -> NDArray[np.float64]:
        """px, py, pz, E in GeV of massless particles, shape (particles, 4)."""
        px, py, pz = self.pt * np.cos(self.phi), self.pt * np.sin(self.phi), self.pt * np.sinh(self.eta)
        return np.stack([px, py, pz, self.energy], axis=1)


def collide(pythia: Any, events: int) -> Particles:
    """Return the final particles of the next `events` collisions, less those on which Pythia gives up.

    Raises:
        RuntimeError: Pythia gives up on all of them.
    """
    import awkward  # late: FastJet brings it, and FastJet is an optional dependency

    record = pythia.nextBatch(events).prt
    sizes = awkward.num(record).to_numpy()
    if not sizes.any():
        raise RuntimeError(f"Pythia failed on {events} events in a row")
    entries = awkward.flatten(record)
    final = entries.status.to_numpy() > 0
    px, py, pz = (entries.p[component].to_numpy()[final] for component in ("px", "py", "pz"))
    pt = np.hypot(px, py)
    return Particles(
        event=np.repeat(np.arange(len(sizes)), sizes)[final],
        code=np.abs(entries.id.to_numpy()[final].astype(np.int64)),
        pt=pt,
        eta=np.arcsinh(pz / np.maximum(pt, 1e-9)),
        phi=np.arctan2(py, px),
    )
