"""Warm start: weights go over by layer name, and never from a run that saw the test split."""

import pytest
import torch

from nanotrigger.errors import InputError
from nanotrigger.networks import MLP
from nanotrigger.numbers import FixedPoint
from nanotrigger.training.warm_start import _check_split, copy_linear_layers

FORMATS = {
    "input": FixedPoint(16, 6),
    "weight": FixedPoint(4, 2, narrow=True),
    "bias": FixedPoint(4, 2, narrow=True),
    "activation": FixedPoint(8, 1, signed=False),
}


BY_LAYER = {**FORMATS, "weight": [FixedPoint(width, 1) for width in (4, 1, 3, 6)]}


@pytest.mark.parametrize("formats", [FORMATS, BY_LAYER], ids=["one for all", "by layer"])
def test_copies_float_into_quantized(formats):
    source, target = MLP(), MLP(**formats)
    torch.nn.init.normal_(source.layers.dense_2.bias)
    copy_linear_layers(source, target)
    for depth in range(1, 5):
        for name in ("weight", "bias"):
            expected = getattr(source.layers.get_submodule(f"dense_{depth}"), name)
            assert torch.equal(getattr(target.layers.get_submodule(f"dense_{depth}"), name), expected)


def test_refuses_other_shapes():
    with pytest.raises(InputError, match="make network.hidden equal"):
        copy_linear_layers(MLP(hidden=[32, 32]), MLP())


def test_refuses_a_run_that_saw_the_test_split():
    record = {"sha256": "a", "split_seed": 0, "test": 0.2, "validation": 0.25}
    _check_split("x.ckpt", record, dict(record))
    _check_split("x.ckpt", record, record | {"sha256": "b", "split_seed": 1})
    with pytest.raises(InputError, match=r"data.split_seed=0, this run has 1: it would be tested on jets"):
        _check_split("x.ckpt", record, record | {"split_seed": 1})
