"""What a precision makes of a float network is told: overflow, a coarse step, worse firmware."""

import numpy as np
import pytest
import torch

from nanotrigger.evaluation.performance import Performance, Quality
from nanotrigger.firmware.post_training import audit_types, post_training_remarks
from nanotrigger.firmware.record import Firmware, Layer
from nanotrigger.networks import MLP

FEATURES = np.array([[1.0, -2.0], [0.5, 3.0]])


@pytest.fixture
def network():
    """Sums of 11, -4.5 and less; outputs of 5.625 at most."""
    network = MLP(2, (2,), 1)
    with torch.no_grad():
        for name, values in {
            "dense_1.weight": [[1.0, 3.0], [0.25, -0.5]],
            "dense_1.bias": [1.5, 0.25],
            "dense_2.weight": [[0.5, 0.125]],
            "dense_2.bias": [0.0],
        }.items():
            network.get_parameter(f"layers.{name}").copy_(torch.tensor(values))
    return network


def firmware(precision: str) -> Firmware:
    """Every type the same, but for the input, which is rounded and saturates."""
    types = dict.fromkeys(("weight", "bias", "accum", "result"), precision)
    rounded = ",".join(precision.strip(">").split(",")[:2]) + ",RND_CONV,SAT>"
    relu = {"result": precision, "table": "fixed<18,8>"}
    layers = [Layer("features", "Input", "features", "x", 2, 1, {"result": rounded}, "x")]
    layers += [Layer("Dense_dense_1", "Dense", "dense_1", "y", 2, 1, types, "dense_1")]
    layers += [Layer("relu_1", "Activation", "relu_1", "z", 2, 1, relu, "relu_1")]
    layers += [Layer("Dense_dense_2", "Dense", "logits", "u", 1, 1, types, "dense_2")]
    layers += [Layer("softmax", "Softmax", "probabilities", "v", 1, 1, {"result": "fixed<18,2>"}, "softmax")]
    return Firmware("jets", "Agilex7", 5.0, "io_parallel", tuple(layers))


def remarks(network, precision, parity=None, figure=None):
    audits = audit_types(network, firmware(precision), FEATURES)
    return post_training_remarks(precision, audits, parity or {}, figure)


def test_every_tensor_is_compared(network):
    audits = audit_types(network, firmware("fixed<8,4>"), FEATURES)
    assert [(audit.name, audit.role, audit.wraps) for audit in audits] == [
        ("x", "input", False),
        ("dense_1_weight", "weight", True),
        ("dense_1_bias", "bias", True),
        ("dense_1", "sum", True),
        ("relu_1", "activation", True),
        ("dense_2_weight", "weight", True),
        ("dense_2_bias", "bias", True),
        ("dense_2", "sum", True),
    ]
    sums = next(audit for audit in audits if audit.name == "dense_1")
    assert (sums.low, sums.high, sums.beyond) == (-3.5, 11.0, 0.25)


def test_what_holds_everything_needs_no_word(network):
    assert remarks(network, "fixed<12,5>") == ()


def test_overflow_names_tensors_values_range_and_what_would_do(network):
    (line,) = remarks(network, "fixed<12,2>")
    assert line == (
        "precision=fixed<12,2> holds -2 to 1.99902; out of range are inputs (to 3); weights of dense_1 (to 3); sums of "
        "dense_1 (to 11), dense_2 (to 5.5); 5 integer bits would hold all of them: precision=fixed<15,5>"
    )
    assert remarks(network, "fixed<15,5>") == ()


def test_modes_stay_in_what_would_do(network):
    (line,) = remarks(network, "fixed<12,2,RND,SAT>")
    assert line.endswith("precision=fixed<15,5,RND,SAT>")


def test_negative_values_need_a_signed_type(network):
    (line,) = remarks(network, "ufixed<12,5>")
    assert "weights of dense_1 (to" in line
    assert "; negative values need a signed type, and 5 integer bits would hold all of them" in line
    assert line.endswith(": precision=fixed<12,5>")


def test_no_type_is_too_wide_to_be_named(network):
    (line,) = remarks(network, "fixed<53,0>")
    assert line.endswith("5 integer bits or more would hold all of them; scale the values")


@pytest.mark.parametrize("precision", ["fixed<5,5>", "fixed<5,5,RND_CONV,SAT>", "fixed<5,5,TRN_ZERO,WRAP>"])
def test_a_step_that_leaves_nothing_of_the_weights_is_told(network, precision):
    (line,) = remarks(network, precision)
    assert line.startswith(f"precision={precision}: its step of 1 leaves nothing of weights of dense_2 (to 0.5); ")


def test_worse_firmware_is_told_with_both_figures(network):
    figure = Performance(Quality("accuracy", "Accuracy"), 0.61, (0.6, 0.62))
    (line,) = remarks(network, "fixed<12,5>", {"accuracy_torch": 0.7}, figure)
    assert line == "precision=fixed<12,5>: accuracy falls from 0.7000 (float network) to 0.6100 (firmware)"
    assert remarks(network, "fixed<12,5>", {"accuracy_torch": 0.615}, figure) == ()  # chance
