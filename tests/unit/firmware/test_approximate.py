"""Approximate: a distance is said in steps, and in the outputs' units where steps are very fine."""

import numpy as np

from nanotrigger.firmware.approximate import distance_in_words, distances
from nanotrigger.numbers import FixedPoint


def said(number):
    found = distances(np.array([[0.0, 1.0]]), np.array([[0.0, 1.5]]), number)
    return distance_in_words({**found, "output_format": str(number)})


def test_very_fine_steps_are_said_in_the_units_of_the_outputs():
    line = said(FixedPoint(45, 13))
    assert line.startswith("at most 2,147,483,648 steps of fixed<45,13>, mean 1.07e+09 (0.5, mean 0.25")


def test_few_steps_tell_enough():
    assert said(FixedPoint(8, 6)).startswith("at most 2 steps of fixed<8,6>, mean 1; ")
