"""Task: what a network learns and how it is judged; a folder of this package is one."""

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.table import Table

from nanotrigger.data.split import Events
from nanotrigger.data.split_data import SplitData
from nanotrigger.evaluation.figures.history import training_history
from nanotrigger.evaluation.figures.illustration import Illustration
from nanotrigger.evaluation.performance import Performance, Quality, described
from nanotrigger.training.checkpoint import TrainedNetwork, predict
from nanotrigger.training.module import TrainingModule

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What the test of a run found.

    Attributes:
        summary: for test.json, after what says of which checkpoint and data it tells.
        line: the result, for the terminal.
        figures: by file name.
        tables: for the terminal.
        texts: further files, name → content.
    """

    summary: Mapping[str, Any]
    line: str
    figures: Mapping[str, Figure]
    tables: tuple[Table, ...] = ()
    texts: Mapping[str, str] = field(default_factory=dict)


class Task(TrainingModule):
    """A training module that can say how well its network does.

    A class attribute or a class method each, so that a checkpoint is enough for it; `TASKS` lists them by class name.

    Attributes:
        title: in words, as on a datasheet.
        data_module: whose events are learned.
        unit: of these events, in the plural; the data's record has their number by this key. `unit_of` is what is said.
        quality: by which networks are compared.
        result_columns: columns of numbers in a scan's results beside the quality's own; a `*` stands for any name.
        history_panels: what the figure of the training shows, metric → label of its axis with its unit.
    """

    title: ClassVar[str]
    data_module: ClassVar[type[SplitData]]
    unit: ClassVar[str] = "events"
    quality: ClassVar[Quality]
    result_columns: ClassVar[tuple[str, ...]] = ()
    history_panels: ClassVar[Mapping[str, str]] = {"loss": "Loss"}

    @classmethod
    def unit_of(cls, record: Mapping[str, Any]) -> str:
        """Return what the events of a data module's record are called, in the plural."""
        return cls.unit

    @classmethod
    @abstractmethod
    def performance(cls, trained: TrainedNetwork, events: Events, outputs: Array) -> Performance | None:
        """Return how well outputs do the task; None if they do not tell.

        Args:
            trained: the network.
            events: what it was given.
            outputs: of the network or its firmware, before a softmax, shape (events, outputs).
        """

    @classmethod
    def columns(cls, figure: Performance, events: Events, outputs: Array) -> dict[str, float | None]:
        """Return what a row of a scan's results has beside the performance: its parts and areas; None for undefined."""
        parts = {f"{figure.key}_{name}": value for name, value in figure.parts.items()}
        return {**parts, **{f"auc_{name}": area for name, area in figure.areas.items()}}

    @classmethod
    def chance(cls, columns: Iterable[str]) -> float | None:
        """Return the quality of a random choice, from the columns of a scan's results; None if they do not tell."""
        return None

    @classmethod
    def agreement(cls, expected: Array, outputs: Array) -> dict[str, float]:
        """Return how well outputs that approximate others agree with them, beside the largest deviation.

        Args:
            expected: of the network, shape (events, outputs).
            outputs: of its firmware, same shape.
        """
        return {}

    @classmethod
    def output_names(cls, trained: TrainedNetwork, ending: str | None = None) -> tuple[str, ...]:
        """Return a name for each output word.

        Args:
            trained: the network.
            ending: what the firmware adds after the network's outputs, such as `softmax`.
        """
        name, outputs = trained.network.output_name, trained.network.outputs
        return tuple(f"{name.removesuffix('s')}_{place}" for place in range(1, outputs + 1))

    @classmethod
    @abstractmethod
    def meaning(cls, trained: TrainedNetwork, ending: str | None = None) -> str:
        """Return what the outputs are, in words; arguments as of `output_names`."""

    @classmethod
    def illustrations(
        cls, trained: TrainedNetwork, events: Events, outputs: Array, *, source: str
    ) -> dict[str, Illustration]:
        """Return figures of what `performance` judges, by file name; arguments as there.

        `source` is what computed the outputs, as the figures say it.
        """
        return {}

    @classmethod
    def evaluation(cls, trained: TrainedNetwork, data: SplitData, history: Mapping[str, list[float]]) -> Evaluation:
        """Return what a test on the test split finds.

        Args:
            trained: best checkpoint of a run.
            data: of the run, set up.
            history: columns of its metrics.csv.
        """
        events = cls.data_module.judged(trained.data, trained.standardization, source=data.source)
        features = torch.from_numpy(events.features).float()
        outputs = predict(trained.network, features).double().numpy()
        figure = cls.performance(trained, events, outputs)
        illustrations = cls.illustrations(trained, events, outputs, source=data.record()["description"])
        tested = f"on {len(outputs):,} {cls.unit_of(trained.data)}, best epoch {trained.epoch}"
        return Evaluation(
            summary={"samples": len(outputs), **described(figure)},
            line=f"{'test' if figure is None else tested_quality(figure)} {tested}",
            figures={
                "history": cls.history_figure(data, history),
                **{name: illustration.figure for name, illustration in illustrations.items()},
            },
        )

    @classmethod
    def history_figure(cls, data: SplitData, history: Mapping[str, list[float]]) -> Figure:
        """Return the figure of the training; arguments as of `evaluation`."""
        training, validation = (len(data.rows(split)[0]) for split in ("train", "validation"))
        record = data.record()
        events = f"{training:,} {cls.unit_of(record)} for training, {validation:,} for validation"
        notes = [record["description"], events]
        return training_history({"": history}, notes=notes, panels=cls.history_panels)


def tested_quality(figure: Performance) -> str:
    """Return what a test found, to be followed by the number of events."""
    low, high = figure.interval
    return f"test {figure.title.lower()} {figure.value:.4f} (68 % interval {low:.4f} to {high:.4f})"
