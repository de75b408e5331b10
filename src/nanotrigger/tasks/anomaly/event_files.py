"""Files of events, in physical units or in those of the trigger: what they hold, and what standardizes it."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from nanotrigger.data.level1 import SCALE, check_objects, read_accepted, read_objects
from nanotrigger.data.parquet import event_names, is_parquet
from nanotrigger.data.particles import PARTICLES, check_particles, particle_sets, read_particles
from nanotrigger.data.split import Standardization

BACKGROUND = "background"
_PT = slice(None, None, 3)  # columns of the transverse momenta
_SHARD = re.compile(r"(train|valid|test)-\d+-of-\d+")  # a file of the mirror, in the folder of its sample


class EventSet(NamedTuple):
    """A data set of events: its file, and its name therein."""

    path: Path
    name: str

    @property
    def in_hardware_units(self) -> bool:
        """Whether its features are integers of the trigger, rather than GeV and radians."""
        return is_parquet(self.path)

    @property
    def units(self) -> str:
        """In which units it is, in words."""
        return "hardware units" if self.in_hardware_units else "GeV and radians"

    def read(self, most: int | None = None) -> Tensor:
        """Return features as they were measured, shape (events, 57), float32, of all events or the first `most`."""
        read = read_objects if self.in_hardware_units else read_particles
        return torch.from_numpy(read(self.path, self.name, most))

    def check(self, most: int | None = None) -> None:
        """Check the events as `read` does, without keeping them."""
        (check_objects if self.in_hardware_units else check_particles)(self.path, self.name, most)

    def accepted(self, most: int | None = None) -> Tensor:
        """Return whether the trigger menu accepts each event, shape (events,); only in hardware units."""
        return torch.from_numpy(read_accepted(self.path, self.name, most))


def sets_of(path: Path) -> dict[str, EventSet]:
    """Return the data sets of a file, by name.

    Raises:
        InputError: the file is missing, cannot be read, or has no events.
    """
    return {name: EventSet(path, name) for name in (event_names if is_parquet(path) else particle_sets)(path)}


def signals_of(path: Path, names: Mapping[str, str]) -> dict[str, EventSet]:
    """Return the data sets of a file of signals, by signal: one without a name of its own has the file's.

    Zero bias that an archive has beside its signals is left out.

    Args:
        path: of the file.
        names: file name → signal, for files that have another name.
    """
    own = path.parent.name if is_parquet(path) and _SHARD.fullmatch(path.stem) else names.get(path.name, path.stem)
    found = {own if name == PARTICLES else name: data for name, data in sets_of(path).items()}
    return {name: data for name, data in found.items() if not (data.in_hardware_units and name == BACKGROUND)}


def fit_scaling(background: EventSet, events: Tensor, rows: Tensor) -> Standardization:
    """Return what standardizes events: powers of two for hardware units, else of the momenta mean and width of `rows`.

    η and φ in physical units keep mean 0 and width 1.
    """
    mean = torch.zeros(events.shape[1], dtype=torch.float64)
    if background.in_hardware_units:
        return Standardization(mean, torch.from_numpy(SCALE).clone())
    fitted = Standardization.fit(events[:, _PT][rows])
    scale = torch.ones_like(mean)
    mean[_PT], scale[_PT] = fitted.mean, fitted.scale
    return Standardization(mean, scale)


def standardize(events: Tensor, standardization: Standardization) -> None:
    """Standardize in place, block by block: in double precision all at once would take four times the memory."""
    for block in events.split(100_000):
        block.copy_(standardization.apply(block))


def joined(
    background: Tensor, sets: Mapping[str, EventSet], standardization: Standardization, most: int | None = None
) -> tuple[Tensor, Tensor]:
    """Return standardized background followed by all signals of `sets`, and labels; as `EventData.with_signals`."""
    features = [background]
    for name, data in sets.items():
        if name != BACKGROUND:
            features.append(standardization.apply(data.read(most)))
    sizes = torch.tensor([len(rows) for rows in features])
    return torch.cat(features), torch.repeat_interleave(torch.arange(len(features)), sizes)
