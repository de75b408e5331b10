"""A sample of simulated collisions: background in ADC2021's proportions and four signals, stored in its layout."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from nanotrigger.files import whole_file
from nanotrigger.simulate.chunks import run, split
from nanotrigger.simulate.events import SIGNAL_PROCESSES, simulate_events
from nanotrigger.simulate.generator import generator_versions
from nanotrigger.simulate.sample import check_limits

BACKGROUND_FRACTIONS = {"w": 0.592, "qcd": 0.338, "z": 0.067, "tt": 0.003}
"""What the background consists of after the filter (arXiv:2107.02157)."""

COLUMNS = ("pT [GeV]", "eta", "phi [rad]", "type (1 MET, 2 e/gamma, 3 mu, 4 jet)")

_CHUNK = 250  # events; large against Pythia's start of a second, small against a run. Another value, other events.


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
