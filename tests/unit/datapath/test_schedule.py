"""The schedule: what fits into a stage, and which registers are one."""

import pytest

from nanotrigger.datapath.compiled import compiled
from nanotrigger.datapath.datapath import Datapath
from nanotrigger.datapath.operations import Input, Kind, Quantize, Range, Sum
from nanotrigger.datapath.schedule import CARRY, LEVEL, REGISTER, delay, schedule
from nanotrigger.numbers import FixedPoint

NUMBER = FixedPoint(8, 8)
WORDS = Range(-128, 127)


def datapath(*operations, outputs) -> Datapath:
    return Datapath(tuple(operations), outputs, (12,) * len(outputs), (1.0,) * len(outputs), (NUMBER,))


def inputs(count: int) -> list[Input]:
    return [Input("input", Kind.INPUT, WORDS, column) for column in range(count)]


def adder(left: int, right: int, level: int) -> Sum:
    return Sum("layer", Kind.TREE, WORDS * (level + 1), level, left, 1, right, 1, 0)


@pytest.mark.parametrize(("adders", "stages"), [(1, 1), (2, 1), (3, 2), (4, 2)])
def test_a_stage_holds_what_fits_into_the_clock_period(adders, stages):
    chain = inputs(adders + 1)
    for level in range(1, adders + 1):
        chain.append(adder(len(chain) - 1 if level > 1 else 0, level, level))
    path = datapath(*chain, outputs=(len(chain) - 1,))
    assert delay(path, adders + 1) == pytest.approx(LEVEL + 9 * CARRY)
    assert schedule(path, clock_period=REGISTER + 2 * LEVEL + 25 * CARRY).count == stages
    assert schedule(path, clock_period=0.5).count == adders


def test_a_word_and_what_is_cut_off_it_share_a_register():
    # x waits for y + z, and so does x without two bits, which is some of the same flip-flops: 6 and 8 bits are 8.
    cut = Quantize("layer", Kind.ACTIVATION, Range(-32, 31), 0, 0, False, 2, False, False, Range(-32, 31))
    whole, short = adder(0, 4, 2), adder(3, 4, 2)
    path = datapath(*inputs(3), cut, adder(1, 2, 1), whole, short, outputs=(5, 6))
    assert schedule(path, 1).flip_flops == (8, 0, 0, 0, 9, 0, 0)
    only_cut = datapath(*inputs(3), cut, adder(1, 2, 1), adder(3, 4, 2), outputs=(5,))
    assert schedule(only_cut, 1).flip_flops == (6, 0, 0, 0, 9, 0)


def test_a_compiler_knows_bits_and_no_ranges():
    path = datapath(*inputs(3), adder(0, 1, 1), adder(3, 2, 2), outputs=(4,))
    assert path.bits[3:] == (9, 10)
    narrow = datapath(
        *(operation._replace(range=Range(-1, 1)) for operation in inputs(3)),
        adder(0, 1, 1)._replace(range=Range(-2, 2)),
        adder(3, 2, 2)._replace(range=Range(-3, 3)),
        outputs=(4,),
    )
    assert (narrow.bits[3:], compiled(narrow).bits[3:]) == ((3, 3), (3, 4))
