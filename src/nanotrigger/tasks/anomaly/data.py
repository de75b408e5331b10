"""EventData: the LightningDataModule of anomaly detection, background for training and signals for judging."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nanotrigger.data.download import data_folder, samples_folder
from nanotrigger.data.fetch import ADC2021_FILES, ADC2021_FOLDER, CMS_L1_FOLDER
from nanotrigger.data.particles import FEATURE_NAMES, PARTICLES
from nanotrigger.data.split import Events, JudgedSplit, Standardization, random_split
from nanotrigger.data.split_data import Origin, SplitData, rows_of_split
from nanotrigger.errors import InputError
from nanotrigger.evaluation.detection import BUNCH_CROSSINGS, FILLED_CROSSINGS
from nanotrigger.files import sha256
from nanotrigger.tasks.anomaly.event_files import (
    BACKGROUND,
    EventSet,
    fit_scaling,
    joined,
    sets_of,
    signals_of,
    standardize,
)

ADC2021_BACKGROUND = ADC2021_FILES["background"].name
SHIPPED_SAMPLE = samples_folder() / "events.h5"
_ADC2021_NAMES = {file.name: name for name, file in ADC2021_FILES.items()}
_CMS_L1_BACKGROUND, _CMS_L1_SIGNALS = "train.tar", "test.tar"
_DESCRIPTIONS = {
    "adc2021": "ADC2021 (Zenodo 5046389)",
    "cms_l1": "CMS Level-1 zero bias of 2025 (Zenodo 21787779)",
    "simulated": "Simulated events (Pythia 8, shipped sample)",
}


class EventData(SplitData):
    """Events in the layout of ADC2021, or of the CMS Level-1 set; background is split, signals are only for judging.

    Transverse momenta are standardized, fitted on the training split; η and φ stay as they are. The integers of the
    Level-1 set are divided by powers of two instead, `data.level1.SCALE`.

    Args:
        source: `adc2021`, `cms_l1`, `simulated`, `auto` (the files of `adc2021` if they were fetched, else the shipped
            sample) or the path of an HDF5 file. Background is its data set `background` or `Particles`. A `.npz` file
            of NumPy has arrays instead of data sets, a `.npy` file one that is background. A `.parquet` file is
            background in the layout of the Level-1 set, a `.tar` archive of it has background and signals.
        signals: such files with signals; by default the other data sets of the source's file, or those of the files
            beside it for `adc2021` and `cms_l1`.
        batch_size: events per optimizer step, over all devices.
        test: share of the test split.
        validation: share of the validation split in what is not test.
        split_seed: seed of the split.
        events: how many events are read of each data set, the first ones; all by default.
        crossings: rate of the bunch crossings that look like the background, in kHz; by default of those with filled
            bunches for the Level-1 set, which is zero bias, and of all others as an upper bound.

    Raises:
        InputError: no event, or an impossible rate.
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
        events: int | None = None,
        crossings: float | None = None,
    ) -> None:
        super().__init__(source, batch_size=batch_size, test=test, validation=validation, split_seed=split_seed)
        if events is not None and events < 1:
            raise InputError(f"data.events={events}: must be at least 1")
        if crossings is not None and not 0 < crossings < math.inf:
            raise InputError(f"data.crossings={crossings}: must be above 0, in kHz")
        self.signals = None if signals is None else list(signals)
        self.most_events = events
        self.given_crossings = crossings
        self.splits: dict[str, Tensor] = {}
        self.accepted_splits: dict[str, Tensor] = {}  # empty if no menu decided

    @staticmethod
    def resolve(source: str, settings: Mapping[str, Any]) -> str:
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
            signal.check(self.most_events)  # now rather than after the training
        events = background.read(self.most_events)
        split = random_split(len(events), test=self.test, validation=self.validation, seed=self.split_seed)
        self.events = len(events)
        self.sha256 = sha256(background.path)
        self.standardization = fit_scaling(background, events, split.train)
        standardize(events, self.standardization)
        self.splits = {name: events[rows] for name, rows in vars(split).items()}
        if self.in_hardware_units:
            accepted = background.accepted(self.most_events)
            self.accepted_splits = {name: accepted[rows] for name, rows in vars(split).items()}

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
    def in_hardware_units(self) -> bool:
        """Whether the features are integers of the trigger; known from setup() on."""
        return self.sets[BACKGROUND].in_hardware_units

    @property
    def crossings(self) -> float:
        """Rate of the bunch crossings that look like the background, in kHz; known from setup() on."""
        return self.given_crossings or (FILLED_CROSSINGS if self.in_hardware_units else BUNCH_CROSSINGS)

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
            "most_events": self.most_events,
            "units": self.sets[BACKGROUND].units if self.in_hardware_units else None,  # GeV, as older checkpoints
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
        return joined(self.splits[split], self.sets, self.standardization, self.most_events)

    def accepted(self, split: str = "test") -> Tensor | None:
        """Return whether the menu accepts each event of `with_signals`, shape (events,); None if that is not known."""
        if not self.accepted_splits:
            return None
        signals = [data.accepted(self.most_events) for name, data in self.sets.items() if name != BACKGROUND]
        return torch.cat([self.accepted_splits[split], *signals])

    def check_network(self, shape: tuple[int, ...], outputs: int) -> None:
        """Check that a network's inputs are those of the data.

        Raises:
            InputError: they are not.
        """
        has, wants = math.prod(shape), len(FEATURE_NAMES)
        if has != wants:
            raise InputError(f"network.features={has}: events have {wants} features; set network.features={wants}")

    @classmethod
    def read_judged(
        cls, origin: Origin, record: Mapping[str, Any], standardization: Standardization, split: JudgedSplit
    ) -> Events:
        """Return a split of the training's background, or all of another file, and all signals."""
        sets = event_sets(origin.source, record["signals"] if origin.is_own else None)
        has = sets[BACKGROUND]
        if has.in_hardware_units != bool(record.get("units")):
            wants = record.get("units") or "GeV and radians"
            raise InputError(
                f"{describe_events(origin.source)}: events in {has.units}, and the network learned {wants}"
                f"{origin.remark}; give data= events in {wants}"
            )
        digest = sha256(has.path)
        most = record.get("most_events") if digest == record["sha256"] else None
        background = has.read(most)
        rows, which = rows_of_split(record, len(background), digest, split)
        features, labels = joined(standardization.apply(background[rows]), sets, standardization, most)
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
    """Return the file of the background: of `adc2021`, `cms_l1`, `simulated`, `auto` or a path."""
    source = resolve_events(source)
    if source == "cms_l1":
        return data_folder() / CMS_L1_FOLDER / _CMS_L1_BACKGROUND
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
    if source in ("adc2021", "cms_l1") and not path.is_file():
        raise InputError(f"data.source={source}: no file {path}; run python -m nanotrigger.data.fetch {source}")
    own = sets_of(path)
    main = next((name for name in (BACKGROUND, PARTICLES) if name in own), None)
    if main is None:
        raise InputError(f"{path} has the events {', '.join(own)}; background is called {BACKGROUND} or {PARTICLES}")
    sets = {BACKGROUND: own.pop(main)}
    if signals is None:
        sets |= own
    for file in _fetched_signals(source, path) if signals is None else map(Path, signals):
        for name, data in signals_of(file, _ADC2021_NAMES).items():
            if name in sets:
                raise InputError(f"data.signals: {file} and {sets[name].path} both have {name}; leave one out")
            if data.in_hardware_units != sets[BACKGROUND].in_hardware_units:
                units = sets[BACKGROUND].units
                raise InputError(f"data.signals: {file} is in {data.units}, {path} in {units}; give both in {units}")
            sets[name] = data
    return sets


def _fetched_signals(source: str, background: Path) -> list[Path]:
    """Return the files of signals that were fetched with a background."""
    if source == "adc2021":
        return sorted(file for file in background.parent.glob("*.h5") if file != background)
    signals = background.with_name(_CMS_L1_SIGNALS)
    return [signals] if source == "cms_l1" and signals.is_file() else []
