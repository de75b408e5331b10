"""The contest's figure: the share of a device that a firmware takes, in one number."""

from nanotrigger.cost.report import ResourceReport

CONTEST_LABEL = "ALUT % + FF %"


def contest_figure(report: ResourceReport) -> float | None:
    """Return ALUT share plus FF share, in percent of the device; None if unknown.

    >>> from nanotrigger.cost.report import Resources
    >>> used, available = Resources(aluts=10, ffs=1), Resources(aluts=1_000, ffs=2_000)
    >>> contest_figure(ResourceReport(source="structural count", tool_version=None, device="a small one",
    ...     scope="datapath", used=used, available=available))
    1.05
    """
    aluts, ffs = report.share("aluts"), report.share("ffs")
    return None if aluts is None or ffs is None else aluts + ffs
