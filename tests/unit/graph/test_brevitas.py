"""A convolutional network of Brevitas, as either exporter of torch writes it, is what torch computes."""

import numpy as np
import pytest
import torch
from brevitas.export import export_qonnx
from brevitas.nn import QuantConv2d, QuantIdentity, QuantLinear, QuantReLU
from brevitas.quant.fixed_point import (
    Int8ActPerTensorFixedPoint,
    Int8BiasPerTensorFixedPointInternalScaling,
    Int8WeightPerChannelFixedPoint,
    Int8WeightPerTensorFixedPoint,
    Uint8ActPerTensorFixedPoint,
)
from torch import nn

from nanotrigger.graph.from_qonnx import read_graph

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # the exporters warn of themselves


def network(weight_quantizer) -> nn.Module:
    """Return a network whose scales are powers of two that it found in a few batches."""
    torch.manual_seed(0)
    weights = {"weight_quant": weight_quantizer, "weight_bit_width": 4}
    bias = {"bias_quant": Int8BiasPerTensorFixedPointInternalScaling}
    layers = nn.Sequential(
        QuantIdentity(act_quant=Int8ActPerTensorFixedPoint),
        QuantConv2d(1, 4, 3, stride=2, padding=1, **weights, **bias),
        QuantReLU(act_quant=Uint8ActPerTensorFixedPoint, bit_width=6),
        nn.MaxPool2d(2),
        QuantConv2d(4, 4, 3, padding=1, groups=4, bias=False, **weights),
        QuantReLU(act_quant=Uint8ActPerTensorFixedPoint, bit_width=6),
        nn.Flatten(),
        QuantLinear(16, 5, bias=True, **weights, **bias),
    ).train()
    for _ in range(400):
        layers(torch.randn(8, 1, 8, 8))
    return layers.eval()


@pytest.mark.parametrize("weight_quantizer", [Int8WeightPerTensorFixedPoint, Int8WeightPerChannelFixedPoint])
@pytest.mark.parametrize("dynamo", [True, False])
def test_it_computes_what_torch_does(weight_quantizer, dynamo, tmp_path):
    layers, path = network(weight_quantizer), tmp_path / "model.onnx"
    export_qonnx(layers, args=torch.randn(1, 1, 8, 8), export_path=str(path), dynamo=dynamo)
    graph = read_graph(path)
    features = np.random.default_rng(0).normal(size=(200, 1, 8, 8)).astype(np.float32)
    with torch.inference_mode():
        expected = layers(torch.from_numpy(features)).double().numpy()
    found = graph.run(features.astype(float))
    assert (found == expected).all()
    words = graph.input_words(features.astype(float))
    assert (graph.unroll().evaluate(words) * graph.unroll().output_step == expected).all()
