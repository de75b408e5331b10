import pytest

from nanotrigger.datasheet.network import TensorFormat, network_boxes, network_picture, tensor_formats
from nanotrigger.numbers import FixedPoint
from tests.unit.datasheet.conftest import make_firmware


def test_every_tensor_in_the_order_of_the_data():
    tensors = tensor_formats(make_firmware(hidden=1))
    assert [(tensor.layer, tensor.role, tensor.shape) for tensor in tensors] == [
        ("features", "inputs", (16,)),
        ("dense_1", "weights", (16, 32)),
        ("dense_1", "biases", (32,)),
        ("dense_1", "sums", (32,)),
        ("relu_1", "outputs", (32,)),
        ("dense_2", "weights", (32, 5)),
        ("dense_2", "biases", (5,)),
        ("dense_2", "sums", (5,)),
        ("dense_2", "outputs", (5,)),
    ]


@pytest.mark.parametrize(
    ("type_name", "number", "rounding", "overflow"),
    [
        ("fixed<4,2,RND_CONV,SAT_SYM>", FixedPoint(4, 2, narrow=True), "half to even", "saturate, symmetric"),
        ("ufixed<8,0,RND,SAT>", FixedPoint(8, 0, signed=False), "half up", "saturate"),
        ("fixed<16,6>", FixedPoint(16, 6), "truncate", "wrap"),
        ("uint<1>", None, "truncate", "wrap"),
    ],
)
def test_types_of_hls4ml(type_name, number, rounding, overflow):
    tensor = TensorFormat("layer", "weights", (1,), type_name)
    assert (tensor.number, tensor.rounding, tensor.overflow) == (number, rounding, overflow)


def test_activation_joins_its_layer():
    boxes = network_boxes(make_firmware(hidden=1).layers)
    assert [(box.name, box.size, box.remark, box.output) for box in boxes] == [
        ("features", 16, "input", "fixed<16,6>"),
        ("dense_1", 32, "dense + ReLU", "ufixed<8,1>"),
        ("dense_2", 5, "dense", "fixed<16,6>"),
    ]
    assert boxes[1].formats[-2:] == (("sums", "fixed<18,9>"), ("output", "ufixed<8,1>"))


@pytest.mark.parametrize("hidden", range(1, 9))
def test_boxes_lie_in_the_picture_and_not_on_one_another(hidden):
    picture = network_picture(make_firmware(hidden))
    corners = {(placed.left, placed.top) for placed in picture.boxes}
    assert len(corners) == hidden + 2
    assert max(left for left, _ in corners) + picture.box_width < picture.width <= 1010
    assert max(top for _, top in corners) + picture.box_height < picture.height
    rows = {top for _, top in corners}
    assert [placed.wraps for placed in picture.boxes].count(True) == len(rows) - 1
