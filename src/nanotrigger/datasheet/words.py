"""Words: the rows of the tables that say which word is what; those of images and particles in ranges."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from nanotrigger.datasheet.sheet import Feature

_MANY = 8  # words that differ in their place alone get a row together, if they are more
_MOST_PER_PLACE = 16  # features of a particle, channels of a pixel


@dataclass(frozen=True)
class WordRow:
    """Words that differ in their place alone.

    Attributes:
        words: their numbers, such as `0`, `0 … 255` or `0, 3, … 93`.
        name: of the word, or of the first and the last.
        mean: of standardization.
        scale: likewise.
    """

    words: str
    name: str
    mean: float
    scale: float


def word_rows(features: Sequence[Feature]) -> tuple[WordRow, ...]:
    """Return a row for each word, or for words that repeat from place to place.

    >>> [row.words for row in word_rows([Feature(f"particle_{i}_{name}", 0.0, 1.0) for i in range(9) for name in "ab"])]
    ['0, 2, … 16', '1, 3, … 17']
    >>> word_rows([Feature(f"cell_{i // 4}_{i % 4}", 0.5, 2.0) for i in range(16)])
    (WordRow(words='0 … 15', name='cell_0_0 … cell_3_3', mean=0.5, scale=2.0),)
    """
    kinds = [(re.sub(r"\d+", "#", feature.name), feature.mean, feature.scale) for feature in features]
    total = len(features)
    for period in range(2, min(_MOST_PER_PLACE, (total - 1) // _MANY) + 1):
        if total % period == 0 and len(set(kinds[:period])) > 1 and kinds == kinds[:period] * (total // period):
            return tuple(_row(features, range(first, total, period)) for first in range(period))
    runs = [[place for place, _ in run] for _, run in groupby(enumerate(kinds), key=lambda kind: kind[1])]
    rows = [[run] if len(run) > _MANY else [[place] for place in run] for run in runs]
    return tuple(_row(features, places) for row in rows for places in row)


def _row(features: Sequence[Feature], places: Sequence[int]) -> WordRow:
    first, last = features[places[0]], features[places[-1]]
    if len(places) == 1:
        return WordRow(str(places[0]), first.name, first.mean, first.scale)
    step = places[1] - places[0]
    words = f"{places[0]} … {places[-1]}" if step == 1 else f"{places[0]}, {places[1]}, … {places[-1]}"
    return WordRow(words, f"{first.name} … {last.name}", first.mean, first.scale)
