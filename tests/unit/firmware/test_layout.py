"""Orders of values in memory: axes that changed places and channels that are chosen are found, and nothing else is."""

from itertools import permutations

import numpy as np
import pytest

from nanotrigger.firmware.layout import chosen_channels, inverse, transposed_axes, with_last


@pytest.mark.parametrize("shape", [(6,), (2, 3), (4, 4), (2, 1, 3), (3, 2, 5), (2, 2, 2, 3), (1, 1)])
def test_every_transposed_array_is_found(shape):
    array = np.arange(np.prod(shape)).reshape(shape)
    for perm in permutations(range(len(shape))):
        places = array.transpose(perm).ravel()
        axes = transposed_axes(places)
        assert axes is not None
        sizes = {step: size for size, step in axes}
        steps = sorted(sizes, reverse=True)
        whole = np.arange(array.size).reshape([sizes[step] for step in steps])
        assert (whole.transpose([steps.index(step) for _, step in axes]).ravel() == places).all()


@pytest.mark.parametrize(
    "places", [[1, 0], [0, 2, 1], [0, 1, 3, 2], [0, 0, 1, 1], [0, 2, 4], [1, 2, 3], [0, 3, 1, 4, 5, 2]]
)
def test_other_places_are_no_transposed_array(places):
    assert transposed_axes(np.array(places)) is None


def test_random_places_are_found_only_if_they_are_transposed():
    generator = np.random.default_rng(0)
    found = [transposed_axes(generator.permutation(4)) for _ in range(500)]
    assert {tuple(axes) for axes in found if axes is not None} == {((4, 1),), ((2, 1), (2, 2))}


def test_an_axis_comes_last():
    array = np.arange(24).reshape(2, 3, 4)
    for axis in range(3):
        order = with_last(array.shape, axis)
        assert (inverse(order) == np.moveaxis(array, axis, -1).ravel()).all()
        assert (inverse(inverse(order)) == order).all()


@pytest.mark.parametrize(
    ("places", "channels"),
    [
        ([2, 0, 5, 3], [2, 0]),
        ([1, 1, 1, 4, 4, 4], [1, 1, 1]),
        ([-1, 2, -1, 5], [-1, 2]),
        ([2, 0, 5, 4], None),
        ([2, 5], [2]),
        ([2, -1], None),
        ([3, 0], None),
        ([0, 1, 2], None),
        ([0, 2, -1, 5], None),
    ],
)
def test_channels_are_chosen_alike_at_all_places(places, channels):
    found = chosen_channels(np.array(places), channels=3, size=6)
    assert (None if found is None else found.tolist()) == channels
