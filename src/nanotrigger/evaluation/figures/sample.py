"""Sample: which events a figure shows."""

from dataclasses import dataclass

from nanotrigger.errors import InputError


@dataclass(frozen=True)
class Sample:
    """The events behind a figure; it is written on the figure.

    Args:
        source: where they come from, such as "Simulated jets (Pythia 8)".
        size: number of events, positive.
        split: "train", "validation" or "test".
        unit: what is counted, in the plural.

    Raises:
        InputError: `size` is not positive.

    >>> str(Sample("Simulated jets (Pythia 8)", size=10_000, split="test"))
    'Simulated jets (Pythia 8), 10,000 jets, test split'
    """

    source: str
    size: int
    split: str
    unit: str = "jets"

    def __post_init__(self) -> None:
        if self.size < 1:
            raise InputError(f"sample {self.source!r} has size {self.size}; give the number of {self.unit}")

    def __str__(self) -> str:
        return f"{self.source}, {self.extent}"

    @property
    def extent(self) -> str:
        """Size and split.

        >>> Sample("Simulated jets (Pythia 8)", size=10_000, split="test").extent
        '10,000 jets, test split'
        """
        return f"{self.size:,} {self.unit}, {self.split} split"

    def check_size(self, events: int) -> None:
        """Refuse data that this label would misstate.

        Raises:
            InputError: `events` is not `size`.
        """
        if events != self.size:
            raise InputError(f"the figure shows {events} {self.unit}, but its sample says {self.size}; fix the size")
