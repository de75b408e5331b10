"""Inputs: events in the network's shape or flat, and labels that are classes of its outputs, or are told."""

import numpy as np
import pytest

from nanotrigger.errors import InputError
from nanotrigger.firmware.inputs import Side, accuracy_of_classes, read_inputs
from nanotrigger.numbers import FixedPoint

NUMBER = FixedPoint(8, 4)
VALUES = np.random.default_rng(0).normal(size=(6, 24))


def read(folder, shape, words=3, **arrays):
    np.savez(folder / "events.npz", **arrays)
    return read_inputs(folder / "events.npz", [Side(NUMBER, shape)], words, extreme=False)


@pytest.mark.parametrize(
    ("given", "shape"),
    [((24,), (2, 3, 4)), ((2, 3, 4), (2, 3, 4)), ((4, 6, 1), (1, 4, 6)), ((4, 6), (1, 4, 6)), ((24, 1), (24,))],
)
def test_flat_events_or_those_of_the_networks_shape(given, shape, tmp_path):
    found = read(tmp_path, shape, X=VALUES.reshape(6, *given))
    np.testing.assert_array_equal(found.values, VALUES.astype(np.float32))


@pytest.mark.parametrize(
    ("given", "shape"), [((3, 4, 2), (2, 3, 4)), ((6, 4), (2, 3, 4)), ((6, 4, 1), (1, 4, 6)), ((4, 6), (24,))]
)
def test_another_order_of_as_many_values_is_refused(given, shape, tmp_path):
    with pytest.raises(InputError, match=r"X has shape \(6, .*: bring the axes .* or give \(events, 24\)"):
        read(tmp_path, shape, X=VALUES.reshape(6, *given))


def test_events_without_the_last_class_have_an_accuracy(tmp_path):
    found = read(tmp_path, (24,), X=VALUES, y=np.array([0, 1, 0, 1, 0, 0]))
    figure = accuracy_of_classes(found, np.eye(3)[[0, 1, 0, 1, 2, 2]])
    assert figure.value == 4 / 6
    assert found.remark == ""


@pytest.mark.parametrize(
    ("labels", "wrong"), [([0, 1, 2, 3, 0, 0], 3), ([0, -1, 2, 1, 0, 0], -1), (np.eye(6, dtype=int), 3)]
)
def test_integer_labels_that_no_output_has_are_refused(labels, wrong, tmp_path):
    with pytest.raises(InputError, match=f"y has label {wrong}, but the network 3 outputs; give classes 0 to 2"):
        read(tmp_path, (24,), X=VALUES, y=np.array(labels))


@pytest.mark.parametrize("labels", [[0.0, 0.5, 1.0, 2.0, 0.0, 0.0], [0.0, 7.0, 1.0, 2.0, 0.0, 0.0], list("aabbcc")])
def test_labels_that_are_no_classes_are_told(labels, tmp_path):
    found = read(tmp_path, (24,), X=VALUES, y=np.array(labels))
    assert found.classes is None
    assert "the labels y are no classes, so there is no accuracy; give classes 0 to 2" in found.remark


def test_a_single_output_has_any_labels(tmp_path):
    assert read(tmp_path, (24,), 1, X=VALUES, y=np.arange(6)).remark == ""
