"""Simulated jets of five classes and samples of them, a stand-in for the OpenML data set `hls4ml_lhc_jets_hlf`.

Proton-proton collisions at 13 TeV in Pythia 8 (arXiv:2203.11601), seen as anti-kT jets of R = 0.4 and groomed with
mMDT. Two partons or bosons of 1 TeV are made alone, as by a matrix-element generator, and a second Pythia decays and
showers them: W and Z therefore decay isotropically, as those of the real set do. What still differs: top jets have 8 %
fewer particles than real ones.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nanotrigger.files import whole_file
from nanotrigger.simulate.generator import (
    FAILURES,
    Chunk,
    check_limits,
    failed,
    generator_versions,
    pythia_seed,
    run,
    split,
    start_pythia,
)
from nanotrigger.simulate.hard_process import PARTONS, hard_process
from nanotrigger.simulate.substructure import (
    FEATURE_NAMES,
    Array,
    angles,
    groom,
    hardest_constituents,
    jet_features,
    leading_jets,
)

HARD_PROCESSES = {  # transverse momenta and masses in GeV
    "g": ("HardQCD:gg2gg = on", "PhaseSpace:pTHatMin = 1000.", "PhaseSpace:pTHatMax = 2000."),
    "q": ("HardQCD:qq2qq = on", "PhaseSpace:pTHatMin = 1000.", "PhaseSpace:pTHatMax = 1030."),
    "t": (
        "Top:gg2ttbar = on",
        "Top:qqbar2ttbar = on",
        "PhaseSpace:pTHatMin = 1000.",
        "PhaseSpace:pTHatMax = 1040.",
        "6:m0 = 173.",
        "6:mMin = 172.9",
        "6:mMax = 173.1",
    ),
    "w": (
        "WeakDoubleBoson:ffbar2WW = on",
        "PhaseSpace:pTHatMin = 990.",
        "PhaseSpace:pTHatMax = 1030.",
        "24:m0 = 80.385",
        "24:mMin = 76.385",
        "24:mMax = 84.385",
    ),
    "z": (
        "WeakDoubleBoson:ffbar2gmZgmZ = on",
        "WeakZ0:gmZmode = 2",  # Z alone, no virtual photon
        "PhaseSpace:pTHatMin = 990.",
        "PhaseSpace:pTHatMax = 1030.",
        "23:m0 = 91.188",
        "23:mMin = 87.188",
        "23:mMax = 95.188",
    ),
}
"""Pythia's settings of each class."""

_AFTERWARDS = (  # of the second Pythia; the rest is its default: showers and multiple interactions on
    "23:onMode = off",  # Z and W, also of tops, decay to quarks only
    "23:onIfAny = 1 2 3 4 5",
    "24:onMode = off",
    "24:onIfAny = 1 2 3 4 5",
    "ParticleDecays:limitTau0 = on",
    "ParticleDecays:tau0Max = 10.",  # mm: K0S, Λ and what lives longer reach the detector
)
_SCALE = 1000.0  # GeV, at which the showers start
_LEADING_JETS = {"g": 2, "q": 2, "t": 1, "w": 1, "z": 1}  # of an event, that are looked at

CLASS_NAMES = tuple(HARD_PROCESSES)
CONSTITUENT_NAMES = ("pt_fraction", "delta_eta", "delta_phi")
_STEPS = np.array([4096, 256, 256])  # in 1, of constituents: 0.25 GeV of 1 TeV, and 0.004 in angles

_CHUNK = 500  # jets; large against Pythia's start of 0.6 s, small against a run. Changing it changes the jets.


def simulate_jets(chunk: Chunk, *, constituents: int = 0, features: bool = True) -> tuple[Array, Array]:
    """Return `chunk.size` jets of class `chunk.label`; equal chunks agree.

    Returns:
        The features, shape (size, 16) or, if they are not wanted, (size, 0), and the hardest constituents of each jet,
        shape (size, constituents, 3).

    Raises:
        InputError: Pythia fails to make events.
    """
    jets: list[Array] = []
    for particles, partons in _events(chunk):
        candidates = leading_jets(particles, radius=0.4, count=_LEADING_JETS[chunk.label])
        jets += [jet for jet in candidates if is_accepted(jet, partons)]
        if len(jets) >= chunk.size:
            break
    jets = jets[: chunk.size]
    described = [jet_features(jet, groom(jet, cut=0.1)) if features else () for jet in jets]
    hardest = [hardest_constituents(jet, constituents) for jet in jets]
    return np.array(described), np.array(hardest)


def is_accepted(constituents: Array, partons: Array) -> bool:
    """Whether a jet has 800 < pT < 1600 GeV and |η| < 2.5 and lies within ΔR < 0.2 of a hard parton.

    Args:
        constituents: px, py, pz, E in GeV, shape (constituents, 4).
        partons: the same of the hard partons, shape (partons, 4).
    """
    jet = constituents.sum(axis=0)
    pt = np.hypot(jet[0], jet[1])
    distances = angles(np.vstack([jet, partons]))[0, 1:]
    return bool(800 < pt < 1600 and abs(np.arcsinh(jet[2] / pt)) < 2.5 and distances.min() < 0.2)


def _events(chunk: Chunk) -> Iterator[tuple[Array, Array]]:
    """Yield the visible particles with |η| < 5 and the two hard partons of event after event, each (n, 4)."""
    hard = hard_process(HARD_PROCESSES[chunk.label], scale=_SCALE, seed=chunk.seed)
    pythia = start_pythia(_AFTERWARDS, seed=pythia_seed(chunk.seed), events=hard)
    while any(pythia.next() for _ in range(FAILURES)):
        visible = (particle for particle in pythia.event if particle.isFinal() and particle.isVisible())
        particles = [_momentum(particle) for particle in visible if abs(particle.eta()) < 5]
        yield np.array(particles), np.array([_momentum(pythia.process[place]) for place in PARTONS])
    raise failed(FAILURES)


def _momentum(particle: Any) -> tuple[float, float, float, float]:
    return particle.px(), particle.py(), particle.pz(), particle.e()


@dataclass(frozen=True)
class SimulatedJets:
    """Simulated jets and where they come from.

    Attributes:
        features: shape (jets, 16), in the order of `FEATURE_NAMES`, mass in GeV; (jets, 0) without.
        labels: shape (jets,), each the place of the jet's class in `CLASS_NAMES`.
        provenance: what it takes to make them again.
        constituents: the hardest of each jet as `CONSTITUENT_NAMES`, shape (jets, constituents, 3); None without.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.int8]
    provenance: Mapping[str, str | int]
    constituents: NDArray[np.float16] | None = None


def simulate_sample(
    n: int, *, seed: int, constituents: int = 0, features: bool = True, processes: int = 1
) -> SimulatedJets:
    """Simulate `n` jets, as many of each class as possible; equal `n` and `seed` give equal jets.

    Args:
        n: number of jets, 1 to 10^9; if not a multiple of 5, the first classes get one more.
        seed: 0 to 2^63 - 1.
        constituents: how many of each jet are kept beside its features, 0 to 1000.
        features: whether these are kept; without them there must be constituents.
        processes: how many processes share the work, 1 to 1000; they have no influence on the jets.

    Raises:
        InputError: a number out of range, Pythia or FastJet is not installed, or Pythia fails again and again.
    """
    check_limits({"n": (n, 1, 10**9), "seed": (seed, 0, 2**63 - 1), "processes": (processes, 1, 1000)})
    check_limits({"constituents": (constituents, 0 if features else 1, 1000)})
    versions = generator_versions()
    chunks = split(class_counts(n), size=_CHUNK, seed=seed)
    made = run(partial(simulate_jets, constituents=constituents, features=features), chunks, processes=processes)
    described, hardest = (np.concatenate(parts).astype(np.float32) for parts in zip(*made, strict=True))
    labels = np.repeat(
        np.array([CLASS_NAMES.index(chunk.label) for chunk in chunks], np.int8),
        [chunk.size for chunk in chunks],
    )
    order = np.random.default_rng(seed).permutation(n)
    provenance: dict[str, str | int] = {
        "source": "Pythia and FastJet simulation of hls4ml_lhc_jets_hlf; not the OpenML data",
        "command": f"python -m nanotrigger.simulate jets --n {n} --seed {seed}"
        + (f" --constituents {constituents}" if constituents else "")
        + ("" if features else " --no-features"),
        "seed": seed,
        **versions,
    }
    kept = digitized_constituents(hardest[order]) if constituents else None
    return SimulatedJets(described[order], labels[order], provenance, kept)


def digitized_constituents(constituents: NDArray[np.float32]) -> NDArray[np.float16]:
    """Round to 1/4096 of the jet's transverse momentum, one step at least, and to 1/256 in Δη and Δφ; same shape.

    These are about the steps of a Level-1 trigger, and the files are a third as large. What is absent, all zeros, stays
    so. float16 holds a share above a half in steps of 1/2048.

    >>> exact = np.array([[0.25003, -0.1001, 0.0003], [0.00001, 0.2, 0.1], [0, 0, 0]], np.float32)
    >>> (digitized_constituents(exact) * 256).tolist()
    [[64.0, -26.0, 0.0], [0.0625, 51.0, 26.0], [0.0, 0.0, 0.0]]
    """
    steps = np.rint(constituents * _STEPS)
    steps[..., 0] = np.where(constituents[..., 0] > 0, np.maximum(steps[..., 0], 1), 0)
    return (steps / _STEPS + 0.0).astype(np.float16)  # no -0


def class_counts(n: int) -> dict[str, int]:
    """Divide `n` jets among the classes.

    >>> class_counts(12)
    {'g': 3, 'q': 3, 't': 2, 'w': 2, 'z': 2}
    """
    return {label: (n + 4 - place) // 5 for place, label in enumerate(CLASS_NAMES)}


def write_sample(path: Path, sample: SimulatedJets) -> None:
    """Write `X` (jets, 16) float32, `y` (jets,) int8 and the attributes to an HDF5 file, whole or not at all.

    If there are constituents, also `constituents` (jets, constituents, 3) float16; without features no `X`. Equal
    samples give equal bytes.
    """
    rows = min(len(sample.labels), 10_000)
    packed = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
    names = {"class_names": CLASS_NAMES}
    with whole_file(path) as temporary, h5py.File(temporary, "w") as file:
        if sample.features.size:
            file.create_dataset("X", data=sample.features, chunks=(rows, 1), **packed)
            names = {"feature_names": FEATURE_NAMES, **names}
        file.create_dataset("y", data=sample.labels, chunks=(rows,), **packed)
        if sample.constituents is not None:
            column = (min(len(sample.labels), 50_000), 1, 1)
            file.create_dataset("constituents", data=sample.constituents, chunks=column, **packed)
            names["constituent_names"] = CONSTITUENT_NAMES
        for name, strings in names.items():
            file.attrs.create(name, strings, dtype=h5py.string_dtype())
        file.attrs.update(sample.provenance)
