"""The rows of a scan's results, from its storage."""

from typing import Any

from optuna.trial import TrialState

from nanotrigger.scan.points import ERROR, ROW, Points
from nanotrigger.scan.suggest import point_number, values_of

_LAST = "error"


def collect_rows(points: Points) -> list[dict[str, Any]]:
    """Return one row for each finished point, in the order of the plan's points.

    A row holds the point's number, every key that the plan sets, its state, its results and its error. All rows have
    the same columns; a failed point has None for what it lacks.
    """
    rows = []
    for trial in points.finished():
        values = values_of(points.plan, trial)
        if values is None:  # it died before they were chosen, twice
            continue
        rows.append(
            {
                "point": point_number(points.plan, values, trial.number),
                **points.plan.varied(values),
                **points.plan.keys(values),
                "state": "complete" if trial.state == TrialState.COMPLETE else "failed",
                **trial.user_attrs.get(ROW, {}),
                _LAST: trial.user_attrs.get(ERROR),
            }
        )
    columns = dict.fromkeys(key for row in sorted(rows, key=len, reverse=True) for key in row if key != _LAST)
    return [{key: row.get(key) for key in (*columns, _LAST)} for row in sorted(rows, key=lambda row: row["point"])]
