"""Proton-proton collisions from Pythia 8 (arXiv:2203.11601), as particles in flat arrays."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanotrigger.errors import InputError

_COMMON_SETTINGS = ("Print:quiet = on", "Beams:eCM = 13000.")  # the rest is Pythia's default, the Monash tune


def start_pythia(settings: Sequence[str], *, seed: int) -> Any:
    """Return a fresh Pythia of proton-proton collisions at 13 TeV.

    A fresh one for every chunk: reseeding a used one would not forget its earlier events.

    Args:
        settings: lines as `HardQCD:gg2gg = on`.
        seed: 1 to 900,000,000.

    Raises:
        RuntimeError: Pythia refuses the settings.
    """
    import pythia8mc  # late: only simulation needs it, and it is an optional dependency

    pythia = pythia8mc.Pythia("", False)
    for setting in (*_COMMON_SETTINGS, *settings, "Random:setSeed = on", f"Random:seed = {seed}"):
        if not pythia.readString(setting):
            raise RuntimeError(f"Pythia does not know the setting {setting!r}")
    if not pythia.init():
        raise RuntimeError(f"Pythia cannot start with {', '.join(settings)}")
    return pythia


def generator_versions() -> dict[str, str]:
    """Return the versions of Pythia's and FastJet's Python packages.

    Raises:
        InputError: one of them is missing.
    """
    try:
        import fastjet  # late: only simulation needs them, and they are optional dependencies
        import pythia8mc
    except ImportError as error:
        raise InputError(
            f'simulation needs {error.name}: pip install "nanotrigger[simulate]" '
            '(from a clone: pip install -e ".[simulate]")'
        ) from error
    pythia = pythia8mc.Pythia("", False)
    return {"pythia": f"{pythia.parm('Pythia:versionNumber'):.3f}", "fastjet": str(fastjet.__version__)}


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
    """Return the final particles of the next `events` collisions, without those on which Pythia gives up.

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
