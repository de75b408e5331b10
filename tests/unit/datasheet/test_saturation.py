"""Saturation: a line on values that saturate says if they are random ones."""

from dataclasses import replace

import numpy as np
import pytest

from nanotrigger.firmware.audit import audit_quantizer
from nanotrigger.numbers import FixedPoint


@pytest.mark.parametrize(
    ("source", "is_random"), [({"file": "f", "data": None}, True), ({"file": "f", "data": "d"}, False), ({}, False)]
)
def test_random_inputs_are_said_to_be_random(quantized_sheet, source, is_random):
    audits = (audit_quantizer("sums", "activation", FixedPoint(4, 2), np.array([0.5, 9.0])),)
    sheet = replace(quantized_sheet, audits=audits, parity={**quantized_sheet.parity, "sha256": source})
    (line,) = sheet.saturation
    assert line.startswith("sums: 50.00% of the values saturate")
    assert ("; these inputs are random" in line) == is_random
