"""Simulated jets of five classes and samples of them, a stand-in for the OpenML data set `hls4ml_lhc_jets_hlf`.

Proton-proton collisions at 13 TeV in Pythia 8 (arXiv:2203.11601) with two hard partons or bosons of about
1 TeV, seen as anti-kT jets of R = 0.4 and groomed with mMDT.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nanotrigger.files import whole_file
from nanotrigger.simulate.generator import Chunk, check_limits, generator_versions, run, split, start_pythia
from nanotrigger.simulate.substructure import FEATURE_NAMES, Array, angles, groom, jet_features, leading_jets

HARD_PROCESSES = {
    "g": ("HardQCD:gg2gg = on",),
    "q": ("HardQCD:qq2qq = on",),
    "t": ("Top:gg2ttbar = on", "Top:qqbar2ttbar = on"),
    "w": ("WeakDoubleBoson:ffbar2WW = on",),
    "z": ("WeakDoubleBoson:ffbar2gmZgmZ = on", "WeakZ0:gmZmode = 2"),  # 2: Z alone, no virtual photon
}
"""Pythia's settings of each class."""

_COMMON_SETTINGS = (  # the rest is Pythia's default: showers and multiple interactions on
    "PhaseSpace:pTHatMin = 975.",
    "PhaseSpace:pTHatMax = 1025.",
    "23:onMode = off",  # Z and W decay to quarks only
    "23:onIfAny = 1 2 3 4 5",
    "24:onMode = off",
    "24:onIfAny = 1 2 3 4 5",
)
_HARD_PARTONS = (5, 6)  # places in Pythia's process record, after the beams and the two incoming partons
_FAILURES = 100  # in a row; Pythia gives up on an event now and then, and that one is skipped

CLASS_NAMES = tuple(HARD_PROCESSES)

_CHUNK = 500  # jets; large against Pythia's start of 0.3 s, small against a run. Changing it changes the jets.


def simulate_jets(chunk: Chunk) -> Array:
    """Return the features of `chunk.size` jets of class `chunk.label`, shape (size, 16); equal chunks agree.

    Raises:
        RuntimeError: Pythia refuses the settings, or fails to make events.
    """
    jets: list[Array] = []
    for particles, partons in _events(chunk):
        candidates = leading_jets(particles, radius=0.4, count=2)
        accepted = [jet for jet in candidates if is_accepted(jet, partons)]
        jets += [jet_features(jet, groom(jet, cut=0.1)) for jet in accepted]
        if len(jets) >= chunk.size:
            break
    return np.reshape(jets[: chunk.size], (chunk.size, len(FEATURE_NAMES)))


def is_accepted(constituents: Array, partons: Array) -> bool:
    """Whether a jet has 950 < pT < 1050 GeV and |η| < 2.5 and lies within ΔR < 0.1 of a hard parton.

    Args:
        constituents: px, py, pz, E in GeV, shape (constituents, 4).
        partons: the same of the hard partons, shape (partons, 4).
    """
    jet = constituents.sum(axis=0)
    pt = np.hypot(jet[0], jet[1])
    distances = angles(np.vstack([jet, partons]))[0, 1:]
    return bool(950 < pt < 1050 and abs(np.arcsinh(jet[2] / pt)) < 2.5 and distances.min() < 0.1)


def _events(chunk: Chunk) -> Iterator[tuple[Array, Array]]:
    """Yield the visible particles with |η| < 5 and the two hard partons of event after event, each (n, 4)."""
    pythia = start_pythia((*_COMMON_SETTINGS, *HARD_PROCESSES[chunk.label]), seed=chunk.seed)
    while any(pythia.next() for _ in range(_FAILURES)):
        visible = (particle for particle in pythia.event if particle.isFinal() and particle.isVisible())
        particles = [_momentum(particle) for particle in visible if abs(particle.eta()) < 5]
        yield np.array(particles), np.array([_momentum(pythia.process[place]) for place in _HARD_PARTONS])
    raise RuntimeError(f"Pythia failed on {_FAILURES} events in a row of class {chunk.label!r}")


def _momentum(particle: Any) -> tuple[float, float, float, float]:
    return particle.px(), particle.py(), particle.pz(), particle.e()


@dataclass(frozen=True)
class SimulatedJets:
    """Simulated jets and where they come from.

    Attributes:
        features: shape (jets, 16), in the order of `FEATURE_NAMES`, mass in GeV.
        labels: shape (jets,), each the place of the jet's class in `CLASS_NAMES`.
        provenance: what it takes to make them again.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.int8]
    provenance: Mapping[str, str | int]


def simulate_sample(n: int, *, seed: int, processes: int = 1) -> SimulatedJets:
    """Simulate `n` jets, as many of each class as possible; equal `n` and `seed` give equal samples.

    Args:
        n: number of jets, 1 to 10^9; if not a multiple of 5, the first classes get one more.
        seed: 0 to 2^63 - 1.
        processes: how many processes share the work, 1 to 1000; they have no influence on the jets.

    Raises:
        InputError: a number out of range, or Pythia or FastJet is not installed.
    """
    check_limits({"n": (n, 1, 10**9), "seed": (seed, 0, 2**63 - 1), "processes": (processes, 1, 1000)})
    versions = generator_versions()
    chunks = split(class_counts(n), size=_CHUNK, seed=seed)
    features = np.concatenate(run(simulate_jets, chunks, processes=processes)).astype(np.float32)
    labels = np.repeat(
        np.array([CLASS_NAMES.index(chunk.label) for chunk in chunks], np.int8),
        [chunk.size for chunk in chunks],
    )
    order = np.random.default_rng(seed).permutation(n)
    provenance: dict[str, str | int] = {
        "source": "Pythia and FastJet simulation of hls4ml_lhc_jets_hlf; not the OpenML data",
        "command": f"python -m nanotrigger.simulate jets --n {n} --seed {seed}",
        "seed": seed,
        **versions,
    }
    return SimulatedJets(features[order], labels[order], provenance)


def class_counts(n: int) -> dict[str, int]:
    """Divide `n` jets among the classes.

    >>> class_counts(12)
    {'g': 3, 'q': 3, 't': 2, 'w': 2, 'z': 2}
    """
    return {label: (n + 4 - place) // 5 for place, label in enumerate(CLASS_NAMES)}


def write_sample(path: Path, sample: SimulatedJets) -> None:
    """Write `X` (jets, 16) float32, `y` (jets,) int8 and the attributes to an HDF5 file, whole or not at all.

    Equal samples give equal bytes.
    """
    rows = min(len(sample.labels), 10_000)
    packed = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
    names = {"feature_names": FEATURE_NAMES, "class_names": CLASS_NAMES}
    with whole_file(path) as temporary, h5py.File(temporary, "w") as file:
        file.create_dataset("X", data=sample.features, chunks=(rows, 1), **packed)
        file.create_dataset("y", data=sample.labels, chunks=(rows,), **packed)
        for name, strings in names.items():
            file.attrs.create(name, strings, dtype=h5py.string_dtype())
        file.attrs.update(sample.provenance)
