"""Report files of oneAPI: one JSON object a line, with numbers in several spellings."""

import math
from pathlib import Path
from typing import Any

import ndjson

from nanotrigger.errors import InputError

Record = dict[str, Any]


def read_records(path: Path) -> list[Record]:
    """Return the objects of a file.

    Raises:
        InputError: an empty file, or a line that is no JSON object; says after how many good ones.
    """
    records: list[Record] = []
    with path.open(encoding="utf-8") as file:
        try:
            for record in ndjson.reader(file):
                records.append(dict(record.items()))
        except (ValueError, AttributeError) as error:  # no JSON, no UTF-8; no object
            raise InputError(
                f"{path}: no report or a damaged one, after {len(records)} good lines: {error}; build it again"
            ) from error
    if not records:
        raise InputError(f"{path} is empty; build the report again")
    return records


def number(value: Any) -> float | None:
    """Return the number in a cell of a report; None for "TBD", "n/a" and the like.

    >>> number("176.000000"), number("974,400"), number("~2"), number(5), number("TBD")
    (176.0, 974400.0, 2.0, 5.0, None)
    """
    if isinstance(value, bool):
        return None
    try:
        result = float(str(value).replace(",", "").removeprefix("~"))
    except ValueError:
        return None
    return result if math.isfinite(result) else None


def count(value: Any) -> int | None:
    """Return the number in a cell, rounded up to a whole one; None if it holds none.

    >>> count("4520.5"), count("TBD")
    (4521, None)
    """
    result = number(value)
    return None if result is None else math.ceil(result)
