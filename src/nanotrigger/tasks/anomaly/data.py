"""EventData: the LightningDataModule of anomaly detection, background for training and signals for judging."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from nanotrigger.data.download import data_folder, samples_folder
from nanotrigger.data.fetch import ADC2021_FILES, ADC2021_FOLDER
from nanotrigger.data.particles import FEATURE_NAMES, PARTICLES, check_particles, particle_sets, read_particles
from nanotrigger.data.split import Events, JudgedSplit, Standardization, random_split
from nanotrigger.data.split_data import Origin, SplitData, rows_of_split
from nanotrigger.errors import InputError
from nanotrigger.files import sha256

BACKGROUND = "background"
ADC2021_BACKGROUND = ADC2021_FILES["background"].name
SHIPPED_SAMPLE = samples_folder() / "events.h5"
_ADC2021_NAMES = {file.name: name for name, file in ADC2021_FILES.items()}
_PT = slice(None, None, 3)  # columns of the transverse momenta
_DESCRIPTIONS = {
    "adc2021": "ADC2021 (Zenodo 5046389)",
    "simulated": "Simulated events (Pythia 8, shipped sample)",
}


class EventSet(NamedTuple):
    """A data set of events: its file, and its name therein."""

    path: Path
    name: str


class EventData(SplitData):
    """Events in the layout of ADC2021; background is split, signals are only for judging.

    Transverse momenta are standardized, fitted on the training split; η and φ stay as they are.

    Args:
        source: `adc2021`, `simulated`, `auto` (the fetched files if they are there, else the shipped sample) or the
            path of an HDF5 file. Background is its data set `background` or `Particles`. A `.npz` file of NumPy has
            arrays instead of data sets, a `.npy` file one that is background.
        signals: such files with signals; by default the other data sets of the source's file, or the files beside it
            for `adc2021`.
        batch_size: events per optimizer step, over all devices.
        test: share of the test split.
        validation: share of the validation split in what is not test.
        split_seed: seed of the split.
    """

    stand_in = "simulated"

    def __init__(
        self,
        source: str = "auto",
        *,
        signals: Sequence[str] | None = None,
        batch_size: int = 1024,
        test: float = 0.2,
        validation: float = 0.2,
        split_seed: int = 0,
    ) -> None:
        super().__init__(source, batch_size=batch_size, test=test, validation=validation, split_seed=split_seed)
        self.signals = None if signals is None else list(signals)
        self.splits: dict[str, Tensor] = {}

    @staticmethod
    def resolve(source: str) -> str:
        """Return what `auto` stands for: `adc2021` or `simulated`; others as they are."""
        return resolve_events(source)

    @staticmethod
    def path_of(source: str) -> Path:
        """Return the file of a source's background."""
        return events_path(source)

    def setup(self, stage: str | None = None) -> None:
        """Read the background, split it and standardize it; once, whatever the stage."""
        if self.splits:
            return
        self.source = resolve_events(self.source)
        self.sets = event_sets(self.source, self.signals)
        background, *signals = self.sets.values()
        for signal in signals:
            check_particles(*signal)  # now rather than after the training
        events = torch.from_numpy(read_particles(*background))
        split = random_split(len(events), test=self.test, validation=self.validation, seed=self.split_seed)
        self.events = len(events)
        self.sha256 = sha256(background.path)
        self.standardization = fit_momenta(events, split.train)
        _standardize(events, self.standardization)
        self.splits = {name: events[rows] for name, rows in vars(split).items()}

    def __str__(self) -> str:
        if not self.splits:
            return f"data: {self.source}, not read yet"
        train, validation, test = (len(rows) for rows in self.splits.values())
        return (
            f"data: {self.description}, {self.events:,} background events: {train:,} training, "
            f"{validation:,} validation, {test:,} test; signals {', '.join(self.class_names[1:]) or 'none'}"
        )

    @property
    def description(self) -> str:
        """Where the events come from, as figures and tables say it."""
        return describe_events(self.source)

    @property
    def class_names(self) -> tuple[str, ...]:
        """Background, and every signal."""
        return tuple(self.sets)

    def record(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of the data: source, hash, split, names and standardization."""
        if not self.splits:
            raise RuntimeError("the data are recorded after setup()")
        return {
            "source": self.source,
            "signals": self.signals,
            "description": self.description,
            "sha256": self.sha256,
            "events": self.events,
            "test": self.test,
            "validation": self.validation,
            "split_seed": self.split_seed,
            "feature_names": list(FEATURE_NAMES),
            "class_names": list(self.class_names),
            "standardization": self.standardization.state(),
        }

    def rows(self, split: str) -> tuple[Tensor]:
        """Return standardized features, shape (events, 57), of a split of the background.

        Args:
            split: `train`, `validation` or `test`.
        """
        return (self.splits[split],)

    def with_signals(self, split: str = "test") -> tuple[Tensor, Tensor]:
        """Return standardized features of a split of the background and of all signals, and labels.

        Returns:
            features, shape (events, 57), and places in `class_names`, shape (events,): 0 is background.
        """
        return joined(self.splits[split], self.sets, self.standardization)

    def check_network(self, configuration: Mapping[str, Any]) -> None:
        """Check that a network's inputs and outputs are those of the data.

        Raises:
            InputError: they are not.
        """
        has, wants = configuration.get("features"), len(FEATURE_NAMES)
        if has != wants:
            raise InputError(f"network.features={has}: events have {wants} features; set network.features={wants}")

    @classmethod
    def read_judged(
        cls, origin: Origin, record: Mapping[str, Any], standardization: Standardization, split: JudgedSplit
    ) -> Events:
        """Return a split of the training's background, or all of another file, and all signals."""
        sets = event_sets(origin.source, record["signals"] if origin.is_own else None)
        digest = sha256(sets[BACKGROUND].path)
        background = torch.from_numpy(read_particles(*sets[BACKGROUND]))
        rows, which = rows_of_split(record, len(background), digest, split)
        features, labels = joined(standardization.apply(background[rows]), sets, standardization)
        signals = ", ".join(list(sets)[1:]) or "no signals"
        return Events(
            features=features.double().numpy(),
            labels=labels.numpy(),
            class_names=tuple(sets),
            description=f"{describe_events(origin.source)}, {which} background events and {signals}{origin.remark}",
            sha256=digest,
            feature_names=FEATURE_NAMES,
        )


def resolve_events(source: str) -> str:
    """Return what `auto` stands for: `adc2021` if it was fetched, else `simulated`; others as they are."""
    if source != "auto":
        return source
    return "adc2021" if (data_folder() / ADC2021_FOLDER / ADC2021_BACKGROUND).exists() else "simulated"


def describe_events(source: str) -> str:
    """Return where events come from, as figures and tables say it."""
    source = resolve_events(source)
    return _DESCRIPTIONS.get(source, Path(source).name)


def events_path(source: str) -> Path:
    """Return the file of the background: of `adc2021`, `simulated`, `auto` or a path."""
    source = resolve_events(source)
    if source == "adc2021":
        return data_folder() / ADC2021_FOLDER / ADC2021_BACKGROUND
    return SHIPPED_SAMPLE if source == "simulated" else Path(source)


def event_sets(source: str, signals: Sequence[str] | None = None) -> dict[str, EventSet]:
    """Return the data sets of background, which comes first, and signals, by name; arguments as of `EventData`.

    Raises:
        InputError: a file is missing, or has no events.
    """
    source = resolve_events(source)
    path = events_path(source)
    if source == "adc2021" and not path.is_file():
        raise InputError(f"data.source=adc2021: no file {path}; run python -m nanotrigger.data.fetch adc2021")
    names = particle_sets(path)
    main = next((name for name in (BACKGROUND, PARTICLES) if name in names), None)
    if main is None:
        raise InputError(f"{path} has the events {', '.join(names)}; background is called {BACKGROUND} or {PARTICLES}")
    files = [Path(signal) for signal in signals or []]
    if signals is None and source == "adc2021":
        files = sorted(file for file in path.parent.glob("*.h5") if file != path)
    sets = {BACKGROUND: EventSet(path, main)}
    if signals is None:
        sets |= {name: EventSet(path, name) for name in names if name != main}
    for file in files:
        for name in particle_sets(file):
            signal = _ADC2021_NAMES.get(file.name, file.stem) if name == PARTICLES else name
            if signal in sets:
                raise InputError(f"data.signals: {file} and {sets[signal].path} both have {signal}; leave one out")
            sets[signal] = EventSet(file, name)
    return sets


def fit_momenta(events: Tensor, rows: Tensor) -> Standardization:
    """Fit mean and width of the transverse momenta on some rows; η and φ keep mean 0 and width 1."""
    fitted = Standardization.fit(events[:, _PT][rows])
    mean = torch.zeros(events.shape[1], dtype=torch.float64)
    scale = torch.ones_like(mean)
    mean[_PT], scale[_PT] = fitted.mean, fitted.scale
    return Standardization(mean, scale)


def joined(background: Tensor, sets: Mapping[str, EventSet], standardization: Standardization) -> tuple[Tensor, Tensor]:
    """Return standardized background followed by all signals of `sets`, and labels; as `EventData.with_signals`."""
    features = [background]
    for name, (path, data) in sets.items():
        if name != BACKGROUND:
            features.append(standardization.apply(torch.from_numpy(read_particles(path, data))))
    sizes = torch.tensor([len(rows) for rows in features])
    return torch.cat(features), torch.repeat_interleave(torch.arange(len(features)), sizes)


def _standardize(events: Tensor, standardization: Standardization) -> None:
    """Standardize in place, block by block: in double precision all at once would take four times the memory."""
    for block in events.split(100_000):
        block.copy_(standardization.apply(block))
