"""Sparsity of small layers, counted by hand."""

import numpy as np
from rich.console import Console

from nanotrigger.networks.weights import LayerWeights, sparsity_summary, sparsity_table
from nanotrigger.numbers import FixedPoint

VALUES = np.array([[0.0, 0.1, -1.0], [-0.0, 0.3, -0.1]])  # two zeros, and two more in steps of 0.25
NUMBER = FixedPoint(4, 2, narrow=True)


def test_zeros_as_trained_and_as_integers():
    summary = sparsity_summary([LayerWeights("dense_1", VALUES, NUMBER), LayerWeights("dense_2", VALUES[:1], NUMBER)])
    assert summary == {
        "layers": {
            "dense_1": {"weights": 6, "zeros": 2, "integer_zeros": 4},
            "dense_2": {"weights": 3, "zeros": 1, "integer_zeros": 2},
        },
        "total": {"weights": 9, "zeros": 3, "integer_zeros": 6},
    }


def test_floats_have_no_integers():
    summary = sparsity_summary([LayerWeights("dense_1", VALUES)])
    assert summary["total"] == {"weights": 6, "zeros": 2, "integer_zeros": None}


def test_the_table_has_a_row_for_each_layer_and_the_total():
    summary = sparsity_summary([LayerWeights("dense_1", VALUES, NUMBER), LayerWeights("dense_2", VALUES)])
    console = Console(width=80, record=True)
    console.print(sparsity_table(summary))
    rows = [line.strip("│ ").replace("│", "").split() for line in console.export_text().splitlines() if "│" in line]
    assert rows == [
        ["dense_1", "6", "2", "33.3%", "4", "66.7%"],
        ["dense_2", "6", "2", "33.3%"],
        ["total", "12", "4", "33.3%"],
    ]
