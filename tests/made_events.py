"""Events in ADC2021's layout, made of random numbers: MET, then objects with falling pT, then zeros."""

from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

_GROUPS = ((0, 1, 1), (1, 5, 2), (5, 9, 3), (9, 19, 4))  # first place, end, type


def make_events(count: int, *, seed: int = 0, momentum: float = 30.0) -> NDArray[np.float32]:
    """Return events of shape (count, 19, 4) whose objects have a mean pT of `momentum` GeV."""
    random = np.random.default_rng(seed)
    events = np.zeros((count, 19, 4), np.float32)
    for first, end, kind in _GROUPS:
        places = end - first
        found = np.full(count, 1) if kind == 1 else random.binomial(places, 0.3, count)
        present = np.arange(places) < found[:, None]
        pt = np.sort(random.exponential(momentum, (count, places)) + 1, axis=1)[:, ::-1]
        eta = random.normal(0, 1.5, (count, places)) * (kind != 1)
        phi = random.uniform(-np.pi, np.pi, (count, places))
        group = np.stack([pt, eta, phi, np.full_like(pt, kind)], axis=2)
        events[:, first:end] = group * present[:, :, None]
    return events


def write_events(path: Path, **sets: NDArray) -> Path:
    """Write data sets by name into an HDF5 file and return its path."""
    with h5py.File(path, "w") as file:
        for name, events in sets.items():
            file[name] = events
    return path
