"""Devices: what an FPGA has and how its resources are called, by the name for which firmware is built."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nanotrigger.cost.report import Resources

LABELS = {"aluts": "ALUTs", "ffs": "FFs", "rams": "RAMs", "dsps": "DSPs", "mlabs": "MLABs"}


@dataclass(frozen=True, kw_only=True)
class Device:
    """An FPGA.

    Attributes:
        families: names that stand for the device as a whole, such as `Agilex7`.
        parts: part numbers; whatever follows one, such as speed and package, does not matter.
        available: what the device has.
        labels: what its resources are called, by the name of the field of `Resources`.
    """

    families: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    available: Resources
    labels: Mapping[str, str] = field(default_factory=lambda: LABELS)

    def is_named(self, name: str) -> bool:
        """Whether a name, in capitals or not, means this device."""
        name = name.upper()
        return any(name == family.upper() for family in self.families) or any(
            name.startswith(part.upper()) for part in self.parts
        )


# oneAPI builds for a family; its report says "Available" for the part that stands for it. Source: oneAPI 2025.0.
AGILEX_7 = Device(
    families=("Agilex7",),
    parts=("AGFB014R24A",),
    available=Resources(aluts=974_400, ffs=1_948_800, rams=7_110, dsps=4_510, mlabs=24_360),
)

DEVICES = [AGILEX_7]


def device_of(name: str) -> Device | None:
    """Return the device of a family or part number, or None if it is not in `DEVICES`."""
    return next((device for device in DEVICES if device.is_named(name)), None)


def resources_of(name: str) -> Resources | None:
    """Return what a device has, or None if it is not known here.

    >>> resources_of("Agilex7") == resources_of("AGFB014R24A2E2V")
    True
    >>> resources_of("Stratix10") is None
    True
    """
    device = device_of(name)
    return None if device is None else device.available


def labels_of(name: str) -> Mapping[str, str]:
    """Return what the resources of a device are called; Intel's words for one that is not known here."""
    device = device_of(name)
    return LABELS if device is None else device.labels
