"""Simulated collisions of ADC2021's background and signals (arXiv:2107.02157), as trigger objects, and samples of them.

Proton-proton collisions at 13 TeV in Pythia 8 (arXiv:2203.11601), leading order with its default tune, showers and
multiple interactions; a parametrized detector; and the filter of one isolated electron or muon above 23 GeV. The two
samples whose files are called `PU20` have no filter, but on average 20 soft collisions more in the same crossing: the
paper says that all have pile-up, but an autoencoder finds the signals as well as it finds those of ADC2021 only if the
background has none. What else differs, or is not known:

- The detector is no Delphes (`detector.py`), and photons are no e/gamma.
- Multijets are pairs of beauty quarks (`multijets.py`). Their share of the background is given, not computed.
- Z includes the virtual photon above 50 GeV; W and Z decay to all three leptons, t to everything.
- Charged scalars come with a top quark.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from nanotrigger.data.particles import COLUMNS
from nanotrigger.files import whole_file
from nanotrigger.simulate.detector import ELECTRON, MUON_CODE, Array, measure
from nanotrigger.simulate.generator import (
    Chunk,
    Particles,
    check_limits,
    collisions,
    generator_versions,
    joined,
    pythia_seed,
    run,
    split,
    start_pythia,
)
from nanotrigger.simulate.multijets import multijets
from nanotrigger.simulate.objects import LEPTON_THRESHOLD, passes_lepton_filter, trigger_objects
from nanotrigger.simulate.pileup import Pileup

BACKGROUND_PROCESSES = {
    "w": ("WeakSingleBoson:ffbar2W = on", "24:onMode = off", "24:onIfAny = 11 13 15"),
    "z": ("WeakSingleBoson:ffbar2gmZ = on", "23:mMin = 50.", "23:onMode = off", "23:onIfAny = 11 13 15"),
    "tt": ("Top:gg2ttbar = on", "Top:qqbar2ttbar = on"),
}
"""Pythia's settings of each part of the background."""

SIGNAL_PROCESSES = {
    "hTo4l": (  # A of 50 GeV to Z*Z* to four electrons or muons
        "HiggsSM:gg2H = on",
        "25:m0 = 50.",
        "25:onMode = off",
        "25:onIfMatch = 23 23",
        "23:onMode = off",
        "23:onIfAny = 11 13",
    ),
    "hToTauTau": ("HiggsSM:gg2H = on", "25:m0 = 60.", "25:onMode = off", "25:onIfAny = 15"),
    "hChToTauNu": (
        "Higgs:useBSM = on",
        "HiggsBSM:bg2H+-t = on",
        "37:m0 = 60.",
        "37:onMode = off",
        "37:onIfAny = 15",
    ),
    "leptoquark": (  # pairs of 80 GeV, each to b and tau
        "LeptoQuark:gg2LQLQbar = on",
        "LeptoQuark:qqbar2LQLQbar = on",
        "42:m0 = 80.",
        "42:0:products = 5 -15",
    ),
}
"""Pythia's settings of each signal, with the masses of ADC2021."""

PROCESSES = BACKGROUND_PROCESSES | SIGNAL_PROCESSES

PILED_UP = ("hToTauTau", "hChToTauNu")
"""Signals with pile-up and without the lepton filter: their files in ADC2021 are called `PU20`, others `lepFilter`."""

BACKGROUND_FRACTIONS = {"w": 0.592, "qcd": 0.338, "z": 0.067, "tt": 0.003}
"""What the background consists of after the filter (arXiv:2107.02157)."""

_LEPTONS = (ELECTRON, MUON_CODE)
_LEAST_PT = 0.8 * LEPTON_THRESHOLD
_CHUNK = 250  # events; large against Pythia's start of a second, small against a run. Changing it changes the events.


def simulate_events(chunk: Chunk) -> Array:
    """Return `chunk.size` events of the process `chunk.label`, shape (size, 19, 4), that pass its filter if it has one.

    Equal chunks agree, and of two that differ only in size the larger one starts with the events of the smaller.

    Raises:
        InputError: Pythia fails to make events.
    """
    return np.array(list(islice(_events(chunk), chunk.size)))


def _events(chunk: Chunk) -> Iterator[Array]:
    """Yield event after event, shape (19, 4)."""
    is_filtered = chunk.label not in PILED_UP
    random = np.random.default_rng(chunk.seed)
    pileup = None if is_filtered else Pileup(pythia_seed(chunk.seed, 0), random)
    for event in _collisions(chunk.label, chunk.seed, is_filtered=is_filtered):
        hard = measure(event, random)
        soft = measure(joined([]) if pileup is None else pileup.draw(), random)
        objects = trigger_objects(hard, soft)
        if not is_filtered or passes_lepton_filter(objects):
            yield objects


def _collisions(label: str, seed: int, *, is_filtered: bool) -> Iterator[Particles]:
    if label == "qcd":
        return multijets(seed)
    pythia = start_pythia(PROCESSES[label], seed=seed)
    return collisions(pythia, _has_lepton) if is_filtered else collisions(pythia)


def _has_lepton(event: Any) -> bool:
    """Whether an event of Pythia's has a lepton hard enough for the filter, give or take the resolution."""
    return any(entry.idAbs() in _LEPTONS and entry.pT() > _LEAST_PT and entry.isFinal() for entry in event)


@dataclass(frozen=True)
class SimulatedEvents:
    """Simulated events and where they come from.

    Attributes:
        samples: events by name, `background` and the signals, each of shape (events, 19, 4) in the layout of ADC2021.
        composition: how many events of the background are of each process.
        provenance: what it takes to make them again.
    """

    samples: Mapping[str, NDArray[np.float32]]
    composition: Mapping[str, int]
    provenance: Mapping[str, str | int]


def simulate_event_sample(background: int, signal: int, *, seed: int, processes: int = 1) -> SimulatedEvents:
    """Simulate events that pass the lepton filter; equal numbers and `seed` give equal samples.

    Args:
        background: number of background events, 1 to 10^8, in the proportions `BACKGROUND_FRACTIONS`, shuffled.
        signal: number of events of each signal, 1 to 10^8.
        seed: 0 to 2^63 - 1.
        processes: how many processes share the work, 1 to 1000; they have no influence on the events.

    Raises:
        InputError: a number out of range, or Pythia or FastJet is not installed.
    """
    limits = {"background": (background, 1, 10**8), "signal": (signal, 1, 10**8)}
    check_limits(limits | {"seed": (seed, 0, 2**63 - 1), "processes": (processes, 1, 1000)})
    versions = generator_versions()
    composition = background_counts(background)
    chunks = split(composition | dict.fromkeys(SIGNAL_PROCESSES, signal), size=_CHUNK, seed=seed)
    made = [events.astype(np.float32) for events in run(simulate_events, chunks, processes=processes)]
    labels = [chunk.label if chunk.label in SIGNAL_PROCESSES else "background" for chunk in chunks]
    samples = {
        name: np.concatenate([events for label, events in zip(labels, made, strict=True) if label == name])
        for name in ("background", *SIGNAL_PROCESSES)
    }
    samples["background"] = np.random.default_rng(seed).permutation(samples["background"])
    provenance: dict[str, str | int] = {
        "source": "Pythia and FastJet simulation in the layout of ADC2021; not the data of ADC2021",
        "command": f"python -m nanotrigger.simulate events --background {background} --signal {signal} --seed {seed}",
        "seed": seed,
        **versions,
    }
    return SimulatedEvents(samples, composition, provenance)


def background_counts(events: int) -> dict[str, int]:
    """Divide `events` among the processes of the background; what rounding leaves goes to W.

    >>> background_counts(24_000)
    {'w': 14208, 'qcd': 8112, 'z': 1608, 'tt': 72}
    """
    counts = {label: round(fraction * events) for label, fraction in BACKGROUND_FRACTIONS.items()}
    return counts | {"w": events - sum(counts[label] for label in counts if label != "w")}


def write_event_sample(path: Path, sample: SimulatedEvents) -> None:
    """Write one data set (events, 19, 4) float32 per sample and the attributes to an HDF5 file, whole or not at all.

    Equal samples give equal bytes.
    """
    with whole_file(path) as temporary, h5py.File(temporary, "w") as file:
        for name, events in sample.samples.items():
            rows = min(len(events), 2_000)
            packed = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
            file.create_dataset(name, data=events, chunks=(rows, events.shape[1], 1), **packed)
        file["background"].attrs.update(sample.composition)
        file.attrs.create("columns", COLUMNS, dtype=h5py.string_dtype())
        file.attrs.update(sample.provenance)
