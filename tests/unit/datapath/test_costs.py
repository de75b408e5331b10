"""ALUTs of small circuits, counted by hand."""

import numpy as np
import pytest

from nanotrigger.datapath.costs import aluts
from nanotrigger.numbers import FixedPoint
from tests.made_graphs import Result

SIGNED, UNSIGNED = FixedPoint(8, 8), FixedPoint(8, 8, signed=False)


def count(network) -> int:
    datapath = network.unroll()
    return sum(aluts(datapath, position) for position in range(len(datapath.operations)))


@pytest.mark.parametrize("weight", [1, 2, 64])
def test_a_power_of_two_is_only_wires(one_layer, weight):
    assert count(one_layer([[weight]])) == 0


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        (3, 10 + 1),  # (x << 2) - x: -384 to 381, 10 bits, the lowest are those of -x; a carry-in starts the chain
        (5, 9),  # x + (x << 2): 11 bits, the lowest two are those of x
        (12, 10 + 1),  # as 3
        (-1, 9 + 1),  # 0 - x: -127 to 128, and a carry-in
    ],
)
def test_products(one_layer, weight, expected):
    assert count(one_layer([[weight]])) == expected


def test_parts_that_do_not_overlap_are_only_wires(one_layer):
    assert count(one_layer([[257]], number=UNSIGNED)) == 0


def test_two_weights_are_one_adder_as_wide_as_the_sum(one_layer):
    assert count(one_layer([[1], [1]])) == 9
    assert count(one_layer([[1], [-1]])) == 9 + 1  # and a carry-in
    assert count(one_layer([[1], [4]])) == 11 - 2


def test_a_row_of_zeros_is_a_constant(one_layer):
    datapath = one_layer([[0], [0]], [5]).unroll()
    assert count(one_layer([[0], [0]], [5])) == 0
    assert datapath.evaluate(np.array([[1, 2], [3, 4]])).tolist() == [[5], [5]]


def test_a_product_serves_all_neurons_whatever_sign_and_power_of_two(one_layer):
    assert count(one_layer([[5]])) == 9
    assert count(one_layer([[5, -20], [0, 1]])) == 9 + 11 + 1  # y - 20 x: 13 bits, the lowest two are those of y


def test_partial_sums_of_products_are_shared(one_layer):
    both = count(one_layer([[5, 5 * 16 + 1]]))
    assert both == count(one_layer([[5 * 16 + 1]]))


def test_a_bias_is_an_adder_above_its_lowest_bit(one_layer):
    assert count(one_layer([[1]], [0])) == 0
    assert count(one_layer([[1]], [1])) == 9  # -127 to 128
    assert count(one_layer([[1]], [4])) == 9 - 2


def test_relu_is_one_alut_for_each_bit_that_is_left(one_layer):
    relu = Result(UNSIGNED, relu=True)
    assert count(one_layer([[1]], results=(relu,))) == 7


def test_rounding_and_saturation(one_layer):
    # words -128 to 127, two bits dropped: -32 to 32, into 0 to 15. Rounding: six bits up to 32, and one ALUT decides
    # from three bits whether to round up. Saturation: the ALUT of each output bit sees the two upper bits by itself.
    quantizer = Result(FixedPoint(4, 4, signed=False), relu=True)
    scaled = one_layer([[1]], number=FixedPoint(8, 6), results=(quantizer,))
    assert count(scaled) == 6 + 1 + 4


def test_a_word_that_wraps_needs_only_its_own_bits(one_layer):
    narrow = Result(FixedPoint(4, 4), exact=False)
    assert count(one_layer([[1], [1]], results=(narrow,))) == 4


def test_what_only_a_pruned_weight_would_read_costs_nothing(one_layer):
    assert count(one_layer([[3, 1], [0, 0]])) == 10 + 1
    assert count(one_layer([[0, 1], [0, 0]])) == 0
