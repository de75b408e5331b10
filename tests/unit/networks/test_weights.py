"""Sparsity of small layers, counted by hand."""

import numpy as np
from brevitas.nn import QuantLinear
from brevitas.quant import Int8WeightPerTensorFixedPoint
from rich.console import Console
from torch import nn

from nanotrigger.networks.own import OwnNetwork
from nanotrigger.networks.weights import LayerWeights, layer_weights, sparsity_summary, sparsity_table, weight_formats
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


def test_a_module_of_the_user_has_the_weights_of_its_own_quantizers():
    quantized = QuantLinear(20, 8, bias=False, weight_quant=Int8WeightPerTensorFixedPoint, weight_bit_width=3)
    module = nn.Sequential(quantized, nn.Linear(8, 2))
    own, floats = layer_weights(OwnNetwork("made.Net", shape=[20], module=module))
    np.testing.assert_array_equal(own.values, quantized.quant_weight().value.detach().numpy().T)
    assert own.distinct <= 8 < len(np.unique(own.floats))
    np.testing.assert_array_equal(floats.values, module[1].weight.detach().numpy().T)
    assert weight_formats([own, floats]) == {"0": None}
    counts = sparsity_summary([own, floats])["layers"]
    assert (counts["0"]["zeros"], counts["0"]["integer_zeros"]) == (0, own.zeros)
    assert own.zeros > 0
    assert counts["1"]["integer_zeros"] is None


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
