"""The audit of quantizers as a table for the terminal."""

from collections.abc import Sequence

from rich.table import Table

from nanotrigger.cost.audit import TOLERATED_SATURATION, QuantizerAudit

_COLUMNS = ("quantizer", "format", "lowest", "highest", "saturated", "unused integer", "fraction bits", "would do")


def audit_table(audits: Sequence[QuantizerAudit]) -> Table:
    """Return the table, a row for each quantizer; those that saturate too often are marked with an exclamation mark."""
    table = Table(title="Quantizers: what arrives, and the format that would do")
    for column in _COLUMNS:
        is_text = column in ("quantizer", "format", "would do")
        table.add_column(column, justify="left" if is_text else "right", no_wrap=is_text)
    for audit in audits:
        table.add_row(*_cells(audit), style="bold red" if audit.saturates else None)
    return table


def saturation_warnings(audits: Sequence[QuantizerAudit]) -> tuple[str, ...]:
    """Return a line for each quantizer that saturates too often."""
    return tuple(
        f"{audit.name}: {audit.saturated:.2%} of the values saturate at {audit.number} (tolerated: "
        f"{TOLERATED_SATURATION:.1%}); {audit.needed} would hold them all"
        for audit in audits
        if audit.saturates
    )


def _cells(audit: QuantizerAudit) -> tuple[str, ...]:
    return (
        audit.name,
        str(audit.number),
        f"{audit.low:.4g}",
        f"{audit.high:.4g}",
        f"{audit.saturated:.2%}{' !' if audit.saturates else ''}",
        str(audit.unused_integer_bits),
        str(audit.unused_fraction_bits),
        "all are zero" if audit.needed is None else str(audit.needed),
    )
