"""The contest: the cheapest network above a quality, chosen on the validation split, confirmed on the test split."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from nanotrigger.cost.contest import CONTEST_LABEL
from nanotrigger.cost.devices import LABELS
from nanotrigger.errors import InputError
from nanotrigger.files import write_json
from nanotrigger.scan.quality import lower_end, quality_of

Row = dict[str, Any]


def candidates(rows: Sequence[Row], threshold: float) -> list[Row]:
    """Return the rows whose quality on validation exceeds the threshold by its 68 % interval, the cheapest first.

    Cheapest is the smallest ALUT % + FF %. The interval's lower end is compared rather than the quality, because the
    best of many networks owes part of its quality to chance.

    >>> cheap = {"contest_figure": 0.2, "accuracy": 0.74, "accuracy_low": 0.73}
    >>> dear = {"contest_figure": 0.5, "accuracy": 0.77, "accuracy_low": 0.76}
    >>> found = candidates([cheap, dear, {"contest_figure": 0.4, "accuracy": 0.76, "accuracy_low": 0.75}], 0.74)
    >>> [row["contest_figure"] for row in found]
    [0.4, 0.5]
    """
    enough = [row for row in rows if (low := lower_end(row)) is not None and low > threshold]
    return sorted(enough, key=lambda row: (row["contest_figure"], -row[quality_of(row)]))


def read_leaderboard(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a leaderboard, the cheapest confirmed one first; none if there is no file.

    Raises:
        InputError: the file is damaged.
    """
    if not path.is_file():
        return []
    try:
        entries = _ranked(json.loads(path.read_text(encoding="utf-8"))["entries"])
        leaderboard_table(entries)  # which takes all that an entry must have
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is no leaderboard ({error!r}); give leaderboard= another file") from None
    return entries


def enter(path: Path, entry: dict[str, Any]) -> list[dict[str, Any]]:
    """Write an entry into a leaderboard and return all entries; a checkpoint is entered once."""
    entries = _ranked([*(other for other in read_leaderboard(path) if other["sha256"] != entry["sha256"]), entry])
    write_json(path, {"entries": entries})
    return entries


def make_entry(
    name: str,
    threshold: float,
    chosen: Row,
    confirmed: Row,
    config: dict[str, Any],
    synthesis: dict[str, int] | None = None,
) -> dict[str, Any]:
    """Return a leaderboard's entry.

    Args:
        name: of the study.
        threshold: the quality to exceed, such as an accuracy.
        chosen: results on the validation split.
        confirmed: results of the same network on the test split.
        config: from which the network can be trained again.
        synthesis: `aluts` and `ffs` of the datapath by Yosys, `counted_aluts` and `counted_ffs` from its structure.
    """
    quality = quality_of(confirmed)
    qualities = {
        split: {quality: row[quality], f"{quality}_interval": [row[f"{quality}_{end}"] for end in ("low", "high")]}
        for split, row in (("validation", chosen), ("test", confirmed))
    }
    cost = ("contest_figure", "aluts", "ffs", "resource_source", "latency_cycles", "sparsity_integers")
    return {
        "study": name,
        "threshold": threshold,
        "confirmed": confirmed[quality] > threshold and confirmed["differing_words"] == 0,
        **{key: confirmed[key] for key in cost},
        "synthesis": synthesis,
        **qualities,
        "differing_words": confirmed["differing_words"],
        "words": confirmed["words"],
        "sha256": confirmed["sha256_checkpoint"],
        "sha256_data": confirmed["sha256_data"],
        "config": config,
    }


def leaderboard_table(entries: Sequence[dict[str, Any]]) -> Table:
    """Return the leaderboard as a table; its last column has ALUTs and flip-flops by Yosys, and as counted."""
    table = Table(title="Leaderboard", title_justify="left")
    cost = (CONTEST_LABEL, LABELS["aluts"], LABELS["ffs"])
    quality = ("validation", "test", "above", "confirmed", "parity")
    for name in ("study", *cost, *quality, "Yosys (counted)"):
        table.add_column(name, justify="left" if name == "study" else "right")
    for entry in entries:
        table.add_row(
            entry["study"],
            f"{entry['contest_figure']:.3f}",
            f"{entry['aluts']:,}",
            f"{entry['ffs']:,}",
            *(_with_interval(entry[split]) for split in ("validation", "test")),
            f"{entry['threshold']:.3f}",
            "yes" if entry["confirmed"] else "no",
            f"{entry['differing_words']:,} of {entry['words']:,}",
            _synthesized(entry.get("synthesis")),
        )
    return table


def _synthesized(synthesis: dict[str, int] | None) -> str:
    if synthesis is None:
        return ""
    return "\n".join(f"{synthesis[unit]:,} ({synthesis[f'counted_{unit}']:,})" for unit in ("aluts", "ffs"))


def _with_interval(result: dict[str, Any]) -> str:
    quality = quality_of(result)
    low, high = result[f"{quality}_interval"]
    return f"{result[quality]:.4f} [{low:.4f}, {high:.4f}]"


def _ranked(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(entries, key=lambda entry: (not entry["confirmed"], entry["contest_figure"]))
