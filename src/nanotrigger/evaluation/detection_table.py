"""The table that answers which detector is better: one row for each signal and score."""

from collections.abc import Mapping
from typing import Any

from rich.table import Table


def detection_table(summary: Mapping[str, Any], *, title: str | None = None) -> Table:
    """Return areas and true-positive rates with their 68 % intervals; "–" where the background supports no rate.

    Args:
        summary: of `detection_summary`.
        title: of the table.
    """
    signals = summary["signals"]
    points = next(iter(next(iter(signals.values())).values()))["working_points"] if signals else []
    table = Table(title=title, title_justify="left")
    for name in ("signal", "score"):
        table.add_column(name, no_wrap=True)
    for name in ("AUC", *(f"TPR % at {point['false_positive_rate']:.0e}" for point in points)):
        table.add_column(name, justify="right", no_wrap=True)
    for signal, scores in signals.items():
        for place, (score, found) in enumerate(scores.items()):
            table.add_row("" if place else signal, score, *cells(found))
        table.add_section()
    if reasons := {point["reason"] for point in points if point["reason"]}:
        table.caption = f"–: {next(iter(sorted(reasons))).partition(';')[0]}"
    return table


def cells(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the area and the true-positive rates of one score for one signal, in words of a table.

    >>> point = {"true_positive_rate": 0.2, "interval": [0.18, 0.23]}
    >>> cells({"auc": 0.8, "auc_interval": [0.79, 0.82], "working_points": [point]})
    ('0.800 +0.020 -0.010', '20.00 +3.00 -2.00')
    """
    area = "–" if found["auc"] is None else _spread(found["auc"], found["auc_interval"], 3)
    rates = [
        "–"
        if point["true_positive_rate"] is None
        else _spread(100 * point["true_positive_rate"], [100 * end for end in point["interval"]], 2)
        for point in found["working_points"]
    ]
    return (area, *rates)


def _spread(value: float, interval: list[float] | None, digits: int) -> str:
    if interval is None:
        return f"{value:.{digits}f}"
    low, high = interval
    return f"{value:.{digits}f} +{high - value:.{digits}f} -{value - low:.{digits}f}"
