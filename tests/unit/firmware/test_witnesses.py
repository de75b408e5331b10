"""Parity: what is counted, and which layer is named."""

import numpy as np

from nanotrigger.firmware.witnesses import Difference, differing_words, first_difference


def test_counts_words():
    expected = np.array([[0.0, 1.0], [2.0, 3.0]])
    assert differing_words(expected, expected.copy()) == 0
    assert differing_words(expected, np.array([[0.0, 1.5], [2.0, np.nan]])) == 2


def test_names_the_first_layer_in_order():
    layers = {"input": np.array([[1.0]]), "dense_1": np.array([[2.0]]), "relu_1": np.array([[2.0]])}
    values = {"relu_1": np.array([[0.0]]), "dense_1": np.array([[-2.0]]), "input": np.array([[1.0]])}
    difference = first_difference("firmware", 7, layers, values)
    assert difference == Difference("firmware", 7, "dense_1")
    assert str(difference) == "firmware differs from the integer graph first in event 7, node dense_1"


def test_a_difference_that_no_layer_shows_is_the_last_layer():
    layers = {"dense_1": np.array([[2.0]]), "output": np.array([[2.0]])}
    assert first_difference("firmware", 0, layers, layers).node == "output"


def test_layers_that_a_witness_does_not_know_are_skipped():
    layers = {"dense_1": np.array([[2.0]]), "output": np.array([[2.0]])}
    assert first_difference("qonnx", 0, layers, {"output": np.array([[1.0]])}).node == "output"
