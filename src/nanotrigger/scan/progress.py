"""The rows of finished points, and a scan's progress: a live table on a terminal, else a line for each point."""

from typing import Any

from optuna.trial import TrialState
from rich.console import Console
from rich.live import Live
from rich.table import Table

from nanotrigger.cost.devices import LABELS
from nanotrigger.evaluation.figures.scan_axis import name_of
from nanotrigger.scan.curves import drawable
from nanotrigger.scan.plan import Plan
from nanotrigger.scan.points import ERROR, ROW, Points
from nanotrigger.scan.quality import quality_of
from nanotrigger.scan.storage import point_number, values_of

_LAST = "error"

_MARGIN = 8  # lines of a terminal that the table leaves


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


class Progress:
    """Show what has been finished and what runs; a context manager.

    Args:
        points: of the scan.
    """

    def __init__(self, points: Points) -> None:
        self.points = points
        self.console = Console(markup=False, emoji=False)  # values may hold brackets
        self.live = Live(console=self.console, auto_refresh=False, transient=True)
        self.rows: list[dict[str, Any]] = []

    def __enter__(self) -> "Progress":
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def show(self) -> bool:
        """Bring the table up to date, or print the points that are new; return whether there are any."""
        shown = {row["point"] for row in self.rows}
        self.rows = collect_rows(self.points)
        if self.console.is_terminal:
            table = _live_table(self.points, self.rows, self.console.height - _MARGIN)
            self.live.update(table, refresh=True)
        else:
            for done, row in enumerate([row for row in self.rows if row["point"] not in shown], len(shown) + 1):
                print(f"{done}/{self.points.plan.size}  {_line(self.points.plan, row)}", flush=True)
        return len(self.rows) > len(shown)


def results_table(plan: Plan, rows: list[dict[str, Any]], *, title: str | None = None) -> Table:
    """Return a table of finished points: what varies, quality, cost and parity."""
    table = Table(title=title, title_justify="left")
    for name in ("point", *_varied(plan)):
        table.add_column(name, overflow="fold")
    quality = quality_of(rows[0] if rows else (), default="quality")
    for name in (quality, "zeros", LABELS["aluts"], LABELS["ffs"], "differing words", "seconds"):
        table.add_column(name, justify="right")
    for row in rows:
        table.add_row(str(row["point"]), *(_label(row[key]) for key in _varied(plan)), *_cells(row))
    return table


def _live_table(points: Points, rows: list[dict[str, Any]], height: int) -> Table:
    running = points.running()
    room = max(1, height - len(running))
    title = f"{points.plan.name}: {len(rows)} of {points.plan.size} points finished, {len(running)} running"
    table = results_table(points.plan, rows[-room:], title=title)
    for trial in running:
        values = values_of(points.plan, trial)
        keys = points.plan.varied(values) if values is not None else {}
        table.add_row("…", *(_label(keys.get(key, "")) for key in _varied(points.plan)), "running", style="dim")
    return table


def _varied(plan: Plan) -> list[str]:
    """Return the keys that identify a point in a table; a contest has too many, which are in results.csv."""
    if plan.contest:
        return []
    return [key for axis in plan.axes for key in axis.keys[:1]]


def _label(value: Any) -> str:
    return name_of(drawable(value))


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    if row["state"] == "failed":
        return ("failed",)
    words = row["differing_words"]
    return (
        f"{row[quality_of(row)]:.4f}",
        f"{row['sparsity'] if row['sparsity_integers'] is None else row['sparsity_integers']:.3f}",
        *("" if row[name] is None else f"{row[name]:,}" for name in ("aluts", "ffs")),
        "float" if words is None else f"{words:,}",
        f"{(row['seconds_training'] or 0) + row['seconds_export']:.0f}",
    )


def _line(plan: Plan, row: dict[str, Any]) -> str:
    settings = " ".join(f"{key}={_label(row[key])}" for key in _varied(plan))
    if row["state"] == "failed":
        return f"point {row['point']}  {settings}  failed: {row['error']}"
    quality, zeros, aluts, ffs, words, seconds = _cells(row)
    parity = "float network" if words == "float" else f"{words} words differ"
    return (
        f"point {row['point']}  {settings}  {quality_of(row)} {quality}  zeros {zeros}  {aluts} ALUTs  {ffs} FFs  "
        f"{parity}  {seconds} s"
    )
