"""A small quantized network and a float one, exported to QONNX."""

import logging
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.gemm_to_matmul import GemmToMatMul
from qonnx.util.cleanup import cleanup_model

from nanotrigger.networks import MLP
from nanotrigger.numbers import FixedPoint

FEATURES, CLASSES = 6, 3


@dataclass(frozen=True)
class Exported:
    """A QONNX file, inputs of shape (rows, 6), and torch's float64 logits for them, shape (rows, 3)."""

    model: Path
    inputs: NDArray[np.float64]
    logits: NDArray[np.float64]


@pytest.fixture(scope="session")
def export_network() -> Callable[[MLP, Path], Exported]:
    """Write a network as QONNX into a folder."""
    return _export


@pytest.fixture(scope="session")
def quantized(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    torch.manual_seed(1)
    network = MLP(
        FEATURES,
        (8,),
        CLASSES,
        input=FixedPoint(8, 4),
        weight=FixedPoint(4, 2, narrow=True),
        bias=FixedPoint(8, 2),
        activation=FixedPoint(8, 2, signed=False),
        output=FixedPoint(12, 5),
    )
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter)
    return _export(network, tmp_path_factory.mktemp("quantized"))


@pytest.fixture(scope="session")
def floating(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    torch.manual_seed(1)
    network = MLP(FEATURES, (8,), CLASSES)
    torch.nn.init.normal_(network.get_parameter("layers.dense_1.bias"))
    torch.nn.init.normal_(network.get_parameter("layers.dense_2.bias"))
    return _export(network, tmp_path_factory.mktemp("floating"))


def _export(network: MLP, folder: Path) -> Exported:
    path = folder / "model.onnx"
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from brevitas.export import export_qonnx

        export_qonnx(network.eval(), args=torch.zeros(1, FEATURES), export_path=str(path), verbose=False)
        model = cleanup_model(ModelWrapper(str(path)))
        model = cleanup_model(model.transform(GemmToMatMul()))
    model.save(str(path))
    inputs = np.random.default_rng(0).normal(scale=3.0, size=(5000, FEATURES))
    with torch.inference_mode():
        logits = network.double()(torch.from_numpy(inputs)).numpy()
    return Exported(path, inputs, logits)
