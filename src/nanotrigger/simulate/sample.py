"""A sample of simulated jets: classes balanced, rows shuffled, stored in the layout of the public data."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from nanotrigger.errors import InputError
from nanotrigger.files import whole_file
from nanotrigger.simulate.chunks import run, split
from nanotrigger.simulate.generator import generator_versions
from nanotrigger.simulate.jets import HARD_PROCESSES, simulate_jets
from nanotrigger.simulate.substructure import FEATURE_NAMES

CLASS_NAMES = tuple(HARD_PROCESSES)

_CHUNK = 500  # jets; large against Pythia's start of 0.3 s, small against a run. Another value, other jets.


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


def check_limits(limits: Mapping[str, tuple[int, int, int]]) -> None:
    """Check numbers of a command line: by name, each with the least and the most that it may be.

    Raises:
        InputError: a number is out of range.
    """
    for name, (value, least, most) in limits.items():
        if not least <= value <= most:
            raise InputError(f"{name} = {value}: must be {least} to {most}")


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
