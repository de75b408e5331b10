"""QONNX models made node by node, and what qonnx itself computes for them."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.core.onnx_exec import execute_onnx
from qonnx.transformation.infer_shapes import InferShapes

Array = NDArray[np.float64]

GENERAL = "qonnx.custom_op.general"


class Maker:
    """A model in the making; every method that adds a node returns the name of its tensor.

    Args:
        opset: version of the operators.
    """

    def __init__(self, opset: int = 13) -> None:
        self.opset = opset
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self.inputs: dict[str, tuple[int, ...]] = {}
        self.outputs: list[str] = []

    def input(self, *shape: int, name: str = "features") -> str:
        """Add an input of a shape without batch axis."""
        self.inputs[name] = shape
        return name

    def constant(self, values: Any, dtype: Any = np.float32) -> str:
        """Add a constant."""
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def add(
        self, kind: str, *inputs: str, name: str | None = None, outputs: int = 1, domain: str = "", **attributes: Any
    ) -> str:
        """Add a node of a kind."""
        name = name or f"{kind.lower()}_{len(self.nodes)}"
        results = [f"{name}_out", *(f"{name}_out_{place}" for place in range(1, outputs))]
        domain = GENERAL if kind in ("Quant", "BipolarQuant") else domain
        self.nodes.append(helper.make_node(kind, inputs, results, name=name, domain=domain, **attributes))
        return results[0]

    def quant(
        self,
        source: str,
        bits: float,
        scale: Any = 1.0,
        *,
        signed: int = 1,
        narrow: int = 0,
        rounding: str = "ROUND",
        zero: float = 0.0,
        name: str | None = None,
    ) -> str:
        """Add a quantizer."""
        parameters = (self.constant(scale), self.constant(zero), self.constant(float(bits)))
        return self.add("Quant", source, *parameters, name=name, signed=signed, narrow=narrow, rounding_mode=rounding)

    def weights(self, generator: np.random.Generator, *shape: int, bits: int = 4, scale: Any = 0.25) -> str:
        """Add random quantized constants."""
        values = generator.normal(size=shape) * np.asarray(scale) * 2 ** (bits - 2)
        return self.quant(self.constant(values), bits, scale, narrow=1)

    def model(self, *outputs: str, batch: int | str = 1) -> onnx.ModelProto:
        """Return the model, checked, with a batch axis of a size."""
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        starts = [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, *shape])
            for name, shape in self.inputs.items()
        ]
        graph = helper.make_graph(self.nodes, "made", starts, ends, self.constants)
        opsets = [helper.make_opsetid("", self.opset), helper.make_opsetid(GENERAL, 1)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=8)

    def write(self, path: Path, *outputs: str, batch: int | str = "batch") -> Path:
        """Write the model; return the file."""
        onnx.save(self.model(*outputs, batch=batch), path)
        return path

    def run(self, features: dict[str, Array], *outputs: str) -> list[Array]:
        """Return what qonnx computes, in float32, for a batch of events."""
        events = len(next(iter(features.values())))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = ModelWrapper(self.model(*outputs, batch=events)).transform(InferShapes())
            given = {name: values.astype(np.float32) for name, values in features.items()}
            found = execute_onnx(model, given)
        return [found[name].astype(np.float64) for name in outputs]


def random_features(inputs: dict[str, tuple[int, ...]], events: int, seed: int, scale: float = 4.0) -> dict[str, Array]:
    """Return features for inputs of some shapes, a few of them on the edge between two words."""
    generator = np.random.default_rng(seed)
    features = {}
    for name, shape in inputs.items():
        values = generator.normal(scale=scale, size=(events, *shape))
        halves = np.rint(values * 8) / 8
        features[name] = np.where(generator.random(values.shape) < 0.5, halves, values).astype(np.float32).astype(float)
    return features
