"""What firmware has of what was asked for: the difference is told, or is an error."""

import pytest

from nanotrigger.errors import FirmwareError
from nanotrigger.firmware.built import built, unmet
from nanotrigger.firmware.record import Firmware, Layer
from nanotrigger.firmware.target import Target


def layer(label: str, kind: str, size: int, reuse_factor: int) -> Layer:
    return Layer(label, kind, label, label, size, reuse_factor, {}, label)


def firmware(*reuse_factors: int, clock_period: float = 5.0) -> Firmware:
    layers = [layer("input", "Input", 16, 9)]
    for depth, factor in enumerate(reuse_factors, start=1):
        layers += [layer(f"dense_{depth}", "Dense", 32, factor), layer(f"relu_{depth}", "Activation", 32, 9)]
    return Firmware("jets", "Agilex7", clock_period, "io_parallel", tuple(layers))


def none(inputs: int, outputs: int) -> tuple[int, ...]:
    return ()


def test_what_is_met_needs_no_word():
    assert unmet(Target(reuse_factor=2), firmware(2, 2), none) == ()
    assert built(firmware(2, 1)) == {
        **{"fpga_part": "Agilex7", "clock_period": 5.0, "io_type": "io_parallel"},
        "reuse_factor": {"dense_1": 2, "dense_2": 1},
    }


def test_a_reuse_factor_that_was_not_got_is_told_with_the_reason():
    told = unmet(Target(reuse_factor=3), firmware(2, 4, 4, 3), lambda inputs, outputs: [1, inputs // 8, 4])
    assert told == (
        "reuse_factor=3: layer dense_1 has 2, because 16 × 32 products can only be shared by 1, 2, 4",
        "reuse_factor=3: layers dense_2 and dense_3 have 4, because 32 × 32 products can only be shared by 1, 4, 4",
    )


def test_many_reuse_factors_are_shortened_and_unknown_ones_left_out():
    (many,) = unmet(Target(), firmware(7), lambda inputs, outputs: range(1, 99))
    assert many.endswith("shared by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, …, 98")
    (unknown,) = unmet(Target(), firmware(7), none)
    assert unknown == "reuse_factor=1: layer dense_1 has 7, because the back end takes no other for it"


def test_a_project_for_something_else_is_an_error():
    with pytest.raises(FirmwareError, match=r"clock_period=5.0: the project that was written has 4.0"):
        unmet(Target(), firmware(1, clock_period=4.0), none)
