"""A QONNX file is read alone, or not at all."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from nanotrigger.errors import InputError
from nanotrigger.graph.onnx_file import load_model


def write_model(path, weights: TensorProto):
    node = helper.make_node("MatMul", ["input", weights.name], ["output"])
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in ("input", "output")]
    path.write_bytes(
        helper.make_model(helper.make_graph([node], "g", ends[:1], ends[1:], [weights])).SerializeToString()
    )
    return path


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd"])
def test_constants_in_other_files_are_refused(tmp_path, location):
    (tmp_path / "secret").write_bytes(b"\0" * 64)
    weights = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[4, 4])
    weights.data_location = TensorProto.EXTERNAL
    weights.external_data.add(key="location", value=location)
    (tmp_path / "given").mkdir()
    with pytest.raises(InputError, match="the constant 'weights' lies in another file; save the model in one file"):
        load_model(write_model(tmp_path / "given" / "model.onnx", weights))


def test_a_model_in_one_file_is_read(tmp_path):
    weights = onnx.numpy_helper.from_array(np.eye(4, dtype=np.float32), "weights")
    assert load_model(write_model(tmp_path / "model.onnx", weights)).graph.node[0].op_type == "MatMul"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "no such QONNX file"), (b"\xff" * 40, "damaged, or no ONNX"), (b"", "no network, or no ONNX")],
)
def test_other_files_are_refused(tmp_path, content, reason):
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        load_model(path)
