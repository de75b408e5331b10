"""Shared adders compute the same sums, in exact ranges, and none later than it may be."""

from hypothesis import given
from hypothesis import strategies as st

from nanotrigger.datapath.assembly import signed_digits
from nanotrigger.datapath.operations import Range
from nanotrigger.datapath.shared_adders import Source, share

CONSTANTS = st.sampled_from([0, 0, 1, -1, 2, 3, -3, 5, 7, -12, 45, 107, -300])
MATRICES = st.integers(1, 5).flatmap(
    lambda inputs: st.lists(st.lists(CONSTANTS, min_size=inputs, max_size=inputs), min_size=1, max_size=6)
)
RANGES = [Range(0, 7), Range(-8, 7), Range(0, 1), Range(-3, 12), Range(5, 9)]


def columns_of(matrix):
    return tuple(tuple((place, word) for place, word in enumerate(row) if word) for row in matrix)


def forms_of(graph, inputs):
    """Return what every node is, as factors of the inputs."""
    forms = [[int(place == other) for other in range(inputs)] for place in range(inputs)]
    for adder in graph.adders:
        terms = [(forms[term.node], term.sign << term.shift) for term in (adder.left, adder.right)]
        forms.append([sum(form[place] * factor for form, factor in terms) for place in range(inputs)])
    return forms


@given(MATRICES, st.lists(st.integers(0, 3), min_size=5, max_size=5), st.sampled_from([None, 0, 1]))
def test_sums_are_those_of_the_matrix(matrix, levels, slack):
    inputs = len(matrix[0])
    sources = tuple(Source(words, level) for words, level in zip(RANGES[:inputs], levels, strict=False))
    columns, limits = columns_of(matrix), []
    for column in columns:
        room = sum(len(signed_digits(word)) << sources[place].level for place, word in column)
        limits.append(None if slack is None else max(room - 1, 0).bit_length() + slack)
    graph = share(columns, sources, tuple(limits))
    forms = forms_of(graph, inputs)
    ready = [source.level for source in sources]
    for adder, form in zip(graph.adders, forms[inputs:], strict=True):
        ready.append(max(ready[adder.left.node], ready[adder.right.node]) + 1)
        parts = [source.range * factor for source, factor in zip(sources, form, strict=True)]
        assert adder.range == Range(sum(part.low for part in parts), sum(part.high for part in parts))
    for row, total, limit in zip(matrix, graph.sums, limits, strict=True):
        found = [0] * inputs if total is None else [total.sign * factor << total.shift for factor in forms[total.node]]
        assert found == row
        assert total is None or limit is None or ready[total.node] <= limit


def test_what_several_sums_have_in_common_is_added_once():
    words = (Source(Range(-128, 127), 0),) * 3
    graph = share(columns_of([[1, 1, 1], [1, 1, -4], [2, 2, 0]]), words, (None,) * 3)
    assert (len(graph.adders), graph.shared) == (3, 1)
    apart = share(columns_of([[1, 1, 1], [1, 1, -4]]), (*words[:2], Source(words[0].range, 1)), (1, 1))
    assert all(len(graph.sums) == 2 for graph in [apart])
