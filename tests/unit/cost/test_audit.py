"""The audit of quantizers, on values made by hand and on a network."""

import numpy as np
import onnx
import pytest
from rich.console import Console

from nanotrigger.cost.audit import audit, audit_quantizer, audit_table, saturation_warnings
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.numbers import FixedPoint


@pytest.mark.parametrize(
    ("number", "values", "saturated", "needed"),
    [
        (FixedPoint(8, 4), [-8.0, 7.9375], 0, FixedPoint(8, 4)),
        (FixedPoint(8, 4), [-8.0, 0.0, 8.0, 1.0625], 0.25, FixedPoint(9, 5)),
        (FixedPoint(8, 4), [1.0, -2.0], 0, FixedPoint(2, 2)),
        (FixedPoint(8, 4), [4.0, -4.0], 0, FixedPoint(4, 4)),  # a step is 1 at most
        (FixedPoint(8, 4), [0.0625, -0.0625], 0, FixedPoint(2, -2)),
        (FixedPoint(8, 4, narrow=True), [-2.0, 0.5], 0, FixedPoint(4, 3, narrow=True)),
        (FixedPoint(8, 1, signed=False), [0.0, 1.9921875], 0, FixedPoint(8, 1, signed=False)),
        (FixedPoint(8, 1, signed=False), [0.0, 3.5], 0.5, FixedPoint(3, 2, signed=False)),
        (FixedPoint(8, 1, signed=False), [0.0, 0.001], 0, None),
    ],
)
def test_formats_that_would_do(number, values, saturated, needed):
    found = audit_quantizer("x", "activation", number, np.array(values))
    assert (found.saturated, found.needed) == (saturated, needed)
    if needed is not None:
        assert found.unused_integer_bits == number.integer - needed.integer
        assert (needed.quantize(np.array(values)) == np.rint(np.array(values) / number.step) * number.step).all()


def test_every_quantizer_of_a_network(quantized_model):
    features = np.random.default_rng(0).normal(scale=6.0, size=(1000, 6))
    audits = audit(onnx.load(quantized_model), read_graph(quantized_model), features)
    assert {one.name: one.role for one in audits} == {
        "input": "input",
        **{f"dense_{depth}_{role}": role for depth in (1, 2, 3) for role in ("weight", "bias")},
        **{f"relu_{depth}_quantizer": "activation" for depth in (1, 2)},
        "output": "output",
    }
    by_name = {one.name: one for one in audits}
    words = np.rint(features * 16)
    assert by_name["input"].saturated == ((words < -128) | (words > 127)).mean()
    assert by_name["input"].saturates


def test_table_and_warnings():
    audits = (
        audit_quantizer("calm", "input", FixedPoint(8, 4), np.zeros(3)),
        audit_quantizer("loud", "activation", FixedPoint(4, 1, signed=False), np.array([0.5, 9.0])),
    )
    console = Console(width=140, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as capture:
        console.print(audit_table(audits))
    text = capture.get()
    assert "all are zero" in text
    assert "50.00% !" in text
    assert saturation_warnings(audits) == (
        "loud: 50.00% of the values saturate at ufixed<4,1> (tolerated: 0.1%); ufixed<5,4> would hold them all",
    )
