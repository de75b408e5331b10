"""Shared adders: sums of products by constants, in which what several sums have in common is added once.

Every constant is a sum of signed digits, so that a sum of products is one of signed and shifted signals. As long as two
of these occur together in several places, the pair that saves most is added once, and its sum takes their place: greedy
extraction of two-term subexpressions (R. I. Hartley, IEEE Trans. Circuits Syst. II 43 (1996) 677), with a bound on
depth as in da4ml (C. Sun et al., arXiv 2507.04535). It is written here rather than taken from da4ml or its successor
alkaid: adders are priced in the exact ranges of this datapath and bounded by its levels, every export needs it, and it
saves as much: 16 % of the ALUTs of the reference jet tagger and 27 % of those of the autoencoder at the same depth, in
a tenth of a second and a few seconds.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from nanotrigger.datapath.assembly import signed_digits
from nanotrigger.datapath.operations import Range

Column = tuple[tuple[int, int], ...]  # of one sum: (input, constant other than zero), by input

_BITS = 24  # of a position, or of a shift, in a key
_MASK = (1 << _BITS) - 1


class Source(NamedTuple):
    """An input of the sums: its range, and the level at which it is ready."""

    range: Range
    level: int


class Signed(NamedTuple):
    """A node of an adder graph as it is read: `sign` times two to the power of `shift`."""

    node: int
    sign: int
    shift: int


class Adder(NamedTuple):
    """The sum of two nodes; `range` is that of the sum."""

    left: Signed
    right: Signed
    range: Range


class AdderGraph(NamedTuple):
    """Adders that compute sums.

    Attributes:
        adders: nodes after those of the inputs, each from earlier ones.
        shared: how many of them, the first, are part of several sums or products.
        sums: how each sum is read; None if it has no terms.
    """

    adders: tuple[Adder, ...]
    shared: int
    sums: tuple[Signed | None, ...]


@lru_cache(maxsize=64)
def share(columns: tuple[Column, ...], sources: tuple[Source, ...], limits: tuple[int | None, ...]) -> AdderGraph:
    """Return a graph of few adders that computes sums of products; of the same arguments it is made once.

    Args:
        columns: constants of each sum.
        sources: the inputs.
        limits: level by which each sum should be ready, of adders that each take one; None without a bound. A sum that
            cannot be ready by then in a balanced tree of its digits does not become any later.

    >>> graph = share((((0, 5), (1, 1)), ((0, 5), (1, -1))), (Source(Range(0, 7), 0),) * 2, (None, None))
    >>> len(graph.adders), graph.shared, graph.adders[0].range
    (3, 1, Range(low=0, high=35))
    """
    sharing = _Sharing(columns, sources, limits)
    sharing.extract()
    shared = len(sharing.adders)
    sums = tuple(sharing.tree(number) for number in range(len(columns)))
    return AdderGraph(tuple(sharing.adders), shared, sums)


class _Sharing:
    """Sums while they are made smaller.

    A pair of terms is known by a key: the lower node, the upper one, the difference of their shifts and whether their
    signs differ, packed into one number. Where it occurs is a number too: the sum and the shift of the lower term.
    """

    def __init__(self, columns: Sequence[Column], sources: Sequence[Source], limits: Sequence[int | None]) -> None:
        self.adders: list[Adder] = []
        self._levels = [source.level for source in sources]
        self._ranges = [source.range for source in sources]
        self._inputs = self._ranges.copy()
        self._forms: list[dict[int, int]] = [{number: 1} for number in range(len(sources))]
        self._terms: list[dict[tuple[int, int], int]] = [
            {(digit.shift, node): digit.sign for node, constant in column for digit in signed_digits(constant)}
            for column in columns
        ]
        used = [sum(1 << self._levels[node] for _, node in terms) for terms in self._terms]
        self._room = [_ALL if limit is None else (1 << limit) - use for limit, use in zip(limits, used, strict=True)]
        self._found: defaultdict[int, set[int]] = defaultdict(set)
        self._costs: dict[int, int] = {}
        for number, terms in enumerate(self._terms):
            items = sorted(terms.items())
            for place, (low, sign) in enumerate(items):
                for high, other in items[place + 1 :]:
                    self._found[_key(low, high, sign != other)].add(number << _BITS | low[0])

    def extract(self) -> None:
        """Add pairs once that occur several times, those first that save most."""
        heap = [(-self._saving(key, len(found)), key) for key, found in self._found.items() if len(found) > 1]
        heapq.heapify(heap)
        while heap:
            promised, key = heapq.heappop(heap)
            places = self._usable(key)
            if len(places) < 2:
                continue
            saving = -self._saving(key, len(places))
            if saving > promised and heap and (saving, key) > heap[0]:
                heapq.heappush(heap, (saving, key))
            else:
                for other in self._replace(key, places):
                    heapq.heappush(heap, (-self._saving(other, len(self._found[other])), other))

    def tree(self, number: int) -> Signed | None:
        """Add what is left of a sum; those that are ready first are added first, and words of like size together."""
        terms = [Signed(node, sign, shift) for (shift, node), sign in self._terms[number].items()]
        level = min((self._levels[term.node] for term in terms), default=0)
        while len(terms) > 1:
            ready = [term for term in terms if self._levels[term.node] <= level]
            late = [term for term in terms if self._levels[term.node] > level]
            ready.sort(key=lambda term: (term.shift + self._ranges[term.node].bits, term))
            sums = [Signed(self._add(*pair), 1, 0) for pair in zip(ready[::2], ready[1::2], strict=False)]
            terms = sums + ready[2 * len(sums) :] + late
            level += 1
        return terms[0] if terms else None

    def _saving(self, key: int, places: int) -> int:
        """Return the ALUTs that are saved if a pair that occurs in so many places is added once."""
        if key not in self._costs:
            left, right, shift, differ = _unpacked(key)
            low, words = self._ranges[left], self._ranges[left] + self._ranges[right] * ((-1 if differ else 1) << shift)
            is_free = not differ and low.low >= 0 and low.high >> shift == 0
            self._costs[key] = 0 if is_free else max(words.bits - shift, 1) + differ
        return (places - 1) * self._costs[key]

    def _usable(self, key: int) -> list[int]:
        """Return where a pair can be replaced: no term twice, and no sum too late."""
        left, right, shift, _ = _unpacked(key)
        delay = self._delay(left, right)
        used: set[int] = set()
        rooms: dict[int, int] = {}
        places = []
        for place in sorted(self._found.get(key, ())):
            number = place >> _BITS
            room = rooms.get(number, self._room[number]) - delay
            overlaps = left == right and not used.isdisjoint((place, place + shift))
            if not overlaps and (room >= 0 or not delay):
                rooms[number] = room
                used |= {place, place + shift}
                places.append(place)
        return places

    def _delay(self, left: int, right: int) -> int:
        """Return what a sum of two nodes takes of the room that a balanced tree has (Kraft's inequality).

        Terms of levels l become a sum of level L if and only if the sum of all 2**l is at most 2**L.
        """
        return abs((1 << self._levels[left]) - (1 << self._levels[right]))

    def _replace(self, key: int, places: Sequence[int]) -> Iterator[int]:
        """Add a pair, put the sum in its places, and return the pairs that occur more often now."""
        left, right, shift, differ = _unpacked(key)
        new = self._add(Signed(left, 1, 0), Signed(right, -1 if differ else 1, shift))
        grown: set[int] = set()
        for place in places:
            number, low = place >> _BITS, place & _MASK
            terms = self._terms[number]
            sign = terms[low, left]
            for term in ((low, left), (low + shift, right)):
                own = terms.pop(term)
                for other, its in terms.items():
                    first, second = (term, other) if term < other else (other, term)
                    self._found[_key(first, second, own != its)].discard(number << _BITS | first[0])
            self._room[number] -= self._delay(left, right)
            for other, its in terms.items():
                first, second = ((low, new), other) if (low, new) < other else (other, (low, new))
                pair = _key(first, second, sign != its)
                self._found[pair].add(number << _BITS | first[0])
                grown.add(pair)
            terms[low, new] = sign
        return (pair for pair in sorted(grown) if len(self._found[pair]) > 1)

    def _add(self, left: Signed, right: Signed) -> int:
        """Return the node of a new adder."""
        form: dict[int, int] = {}
        for term in (left, right):
            for source, factor in self._forms[term.node].items():
                form[source] = form.get(source, 0) + (term.sign * factor << term.shift)
        low = high = 0
        for source, factor in form.items():
            words = self._inputs[source] * factor
            low, high = low + words.low, high + words.high
        self._forms.append(form)
        self._ranges.append(Range(low, high))
        self._levels.append(max(self._levels[left.node], self._levels[right.node]) + 1)
        self.adders.append(Adder(left, right, self._ranges[-1]))
        return len(self._levels) - 1


_ALL = 1 << 4096  # room of a sum without a bound


def _key(low: tuple[int, int], high: tuple[int, int], differ: bool) -> int:
    """Return the key of two terms, each of (shift, node), the first of which is the lower one."""
    return (((low[1] << _BITS | high[1]) << _BITS | high[0] - low[0]) << 1) | differ


def _unpacked(key: int) -> tuple[int, int, int, bool]:
    """Return lower node, upper node, difference of shifts and whether signs differ."""
    differ, rest = key & 1, key >> 1
    return rest >> 2 * _BITS, rest >> _BITS & _MASK, rest & _MASK, bool(differ)
