"""Load a QONNX file of whatever origin."""

from pathlib import Path

import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from nanotrigger.errors import InputError


def load_model(path: Path) -> onnx.ModelProto:
    """Return the model in a file, all of whose constants are in it.

    Raises:
        InputError: the file is missing, damaged, or has constants in other files, which would be read from wherever it
            says.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such QONNX file; export the network first")
    try:
        model = onnx.load(path, load_external_data=False)
    except DecodeError:
        raise InputError(f"{path}: damaged, or no ONNX file; export the network again") from None
    for tensor in model.graph.initializer:
        if tensor.data_location == onnx.TensorProto.EXTERNAL or tensor.external_data:
            raise InputError(f"{path}: the constant {tensor.name!r} lies in another file; save the model in one file")
    return model
