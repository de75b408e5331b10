"""Source: what each source of resource numbers has and does."""

from abc import ABC, abstractmethod
from typing import ClassVar

from nanotrigger.cost.design import Design
from nanotrigger.cost.report import ResourceReport


class Source(ABC):
    """Somebody who says what firmware costs on the chip.

    Attributes:
        name: as resources.json and results.csv have it; never changes.
        title: for headings and legends.
        meaning: what its numbers are good for, a sentence. None is a measurement: no chip has run.
        option: the word that asks for it, `export.py report=WORD`.
        in_every_export: whether it is asked without being named, because it needs no tool and no time.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    meaning: ClassVar[str]
    option: ClassVar[str]
    in_every_export: ClassVar[bool] = False

    def check_tools(self) -> None:  # noqa: B027 (most sources need none)
        """Check that its tools are there, before any work is done.

        Raises:
            InputError: one is missing; says where it comes from.
        """

    def refusal(self, design: Design) -> str | None:
        """Return why it can say nothing of a design, or None if it can."""
        return None

    @abstractmethod
    def reports(self, design: Design) -> tuple[ResourceReport, ...]:
        """Return its report of a design, and others to compare it with, if any; may take long.

        Raises:
            InputError: a tool is missing, or what it left cannot be read.
            FirmwareError: a tool failed.
        """
