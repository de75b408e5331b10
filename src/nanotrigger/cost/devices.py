"""What an FPGA offers, by the name under which the firmware is built."""

from nanotrigger.cost.report import Resources

_AGFB014R24A = Resources(aluts=974_400, ffs=1_948_800, rams=7_110, dsps=4_510, mlabs=24_360)
_DEVICES = {"AGILEX7": _AGFB014R24A, "AGFB014R24A": _AGFB014R24A}  # the family stands for this part in oneAPI


def resources_of(part: str) -> Resources | None:
    """Return what the device offers, or None if it is not known here; suffixes for speed and package do not matter.

    Source: oneAPI 2025.0, "Available" in its report for the device family Agilex7.

    >>> resources_of("Agilex7") == resources_of("AGFB014R24A2E2V")
    True
    >>> resources_of("Stratix10") is None
    True
    """
    name = part.upper()
    return _DEVICES.get(name) or _DEVICES.get(name[: len("AGFB014R24A")])
