"""Resource report: what firmware costs on a device, and where the numbers come from."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal

from nanotrigger.errors import InputError

Scope = Literal["whole IP", "datapath", "Verilog"]
SCOPES: dict[Scope, str] = {
    "whole IP": "the C++ firmware with its pipes and the kernel's shell",
    "datapath": "the C++ firmware without pipes and shell",
    "Verilog": "the datapath of rtl/, in which neurons share adders unless adders=unshared",
}


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Counts of the five resources of an FPGA; None where the source does not say.

    Attributes:
        aluts: look-up tables; of Intel adaptive ones, half an ALM each.
        ffs: flip-flops.
        rams: block memories; of Intel M20K.
        dsps: DSP blocks.
        mlabs: memories made of look-up tables; of Intel of ALMs.
    """

    aluts: int | None = 0
    ffs: int | None = 0
    rams: int | None = 0
    dsps: int | None = 0
    mlabs: int | None = 0

    def __post_init__(self) -> None:
        for name in NAMES:
            _check_count(name, getattr(self, name))


NAMES = tuple(each.name for each in fields(Resources))


@dataclass(frozen=True, kw_only=True)
class ResourceRow(Resources):
    """What one layer or kernel of the firmware costs.

    Attributes:
        name: of it.
        kind: of the circuit, such as `adder tree`.
    """

    name: str
    kind: str


def total(rows: Iterable[Resources]) -> Resources:
    """Return the sums; a sum is None if one of its terms is.

    >>> total([Resources(aluts=3, ffs=1), Resources(aluts=4, ffs=None)])
    Resources(aluts=7, ffs=None, rams=0, dsps=0, mlabs=0)
    """
    rows = tuple(rows)
    return Resources(**{name: _sum(getattr(row, name) for row in rows) for name in NAMES})


@dataclass(frozen=True, kw_only=True)
class ResourceReport:
    """What firmware costs on a device, as one source sees it.

    Attributes:
        source: where the numbers come from, the name of one of `sources.SOURCES`.
        tool_version: of the tool that counted; None if it does not say.
        device: FPGA family or part number.
        scope: what is counted, one of `SCOPES`.
        used: what the firmware takes.
        available: what the device offers; None if it is not known.
        latency_cycles: clock cycles from input to output; None if unknown.
        initiation_interval: clock cycles between inputs; None if unknown.
        clock: frequency for which these numbers hold, in MHz; None if unknown.
        error: of `aluts`, `ffs` and `latency_cycles`, relative: the half-width that held 90 % of the vendor's records.
            Empty where there is no record, or nothing to compare.
        assumptions: what a reader must know to use the numbers, a sentence each.
        rows: what `used` is made of, where the source says it.
    """

    source: str
    tool_version: str | None
    device: str
    scope: Scope
    used: Resources
    available: Resources | None = None
    latency_cycles: int | None = None
    initiation_interval: int | None = None
    clock: float | None = None
    error: Mapping[str, float] = field(default_factory=dict)
    assumptions: tuple[str, ...] = ()
    rows: tuple[ResourceRow, ...] = ()

    def __post_init__(self) -> None:
        if self.scope not in SCOPES:
            raise InputError(f"scope {self.scope!r}: must be one of {', '.join(SCOPES)}")
        _check_count("latency_cycles", self.latency_cycles)
        _check_count("initiation_interval", self.initiation_interval)
        if self.clock is not None and not (math.isfinite(self.clock) and self.clock > 0):
            raise InputError(f"clock {self.clock}: must be a frequency above 0 MHz, or None if unknown")
        for name, half_width in self.error.items():
            if not (isinstance(half_width, float) and math.isfinite(half_width) and half_width >= 0):
                raise InputError(f"error of {name} {half_width!r}: must be a share, a number from 0")

    def share(self, name: str) -> float | None:
        """Return the share of the device that resource `name` takes, in percent; None if unknown."""
        used = getattr(self.used, name)
        available = getattr(self.available, name, None)
        return None if used is None or not available else 100 * used / available

    @property
    def latency(self) -> float | None:
        """Latency in ns at the report's clock; None if unknown."""
        return None if self.latency_cycles is None or self.clock is None else 1000 * self.latency_cycles / self.clock

    def to_json(self) -> dict[str, Any]:
        """Return the report as plain primitives."""
        record = asdict(self)
        return record | {
            "assumptions": list(self.assumptions),
            "rows": list(record["rows"]),
        }


def _sum(terms: Iterable[int | None]) -> int | None:
    result = 0
    for term in terms:
        if term is None:
            return None
        result += term
    return result


def _check_count(name: str, value: object) -> None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise InputError(f"{name} {value!r}: must be a count, a whole number from 0, or None if unknown")
