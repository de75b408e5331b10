"""Models of whatever exporter mean the same; what cannot be read is refused in one line that says why."""

import shutil

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from nanotrigger.errors import InputError, NotExactError
from nanotrigger.firmware.witnesses import qonnx_rows
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.normalize import normalized
from nanotrigger.graph.onnx_file import load_model
from nanotrigger.numbers import FixedPoint
from tests.made_models import Maker, random_features

EVENTS = 50


def small(opset=13):
    """Return a maker of one dense layer, and its output."""
    maker = Maker(opset)
    x = maker.quant(maker.input(4), 6, 0.25)
    return maker, maker.add("MatMul", x, maker.weights(np.random.default_rng(0), 4, 3), name="dense")


def same(maker, output, path):
    """Check that a file computes what the maker's model does."""
    features = random_features(maker.inputs, EVENTS, 0)
    (expected,) = maker.run(features, output)
    assert (read_graph(path).run(features) == expected).all()


def test_files_of_old_exporters_have_shapes_and_flatten_each_event(tmp_path):
    """Those of version 3 say no shapes within; keras2onnx flattened the batch with the event."""
    maker = Maker(9)
    output = maker.add("Flatten", maker.quant(maker.input(4, 3), 6, 0.25), axis=0)
    output = maker.add("MatMul", output, maker.weights(np.random.default_rng(0), 12, 3))
    model = maker.model(output)
    model.ir_version = 3
    onnx.save(model, tmp_path / "old.onnx")
    assert [node.op_type for node in normalized(model).graph.node].count("Flatten") == 1
    features = random_features(maker.inputs, EVENTS, 0)
    expected = np.concatenate([maker.run({"features": row[None]}, output)[0] for row in features["features"]])
    assert (read_graph(tmp_path / "old.onnx").run(features) == expected).all()
    assert (qonnx_rows(normalized(model), features).rows == np.arange(EVENTS)).all()


@pytest.mark.parametrize("opset", range(11, 22))
def test_every_opset(opset, tmp_path):
    maker, output = small(opset)
    output = maker.add("Relu", output)
    axes = {"axes": [1]} if opset < 13 else {}
    inputs = () if axes else (maker.constant([1], np.int64),)
    output = maker.add("Squeeze", maker.add("Unsqueeze", output, *inputs, **axes), *inputs, **axes)
    same(maker, output, maker.write(tmp_path / "model.onnx", output))


@pytest.mark.parametrize("batch", ["batch", 1, 4])
def test_every_batch(batch, tmp_path):
    maker, output = small()
    same(maker, output, maker.write(tmp_path / "model.onnx", output, batch=batch))


def test_constants_as_nodes_and_as_inputs(tmp_path):
    maker, output = small()
    model = maker.model(output)
    constants = list(model.graph.initializer)
    model.graph.input.extend(
        helper.make_tensor_value_info(each.name, TensorProto.FLOAT, each.dims) for each in constants[:2]
    )
    for constant in constants[2:]:
        model.graph.initializer.remove(constant)
        model.graph.node.append(helper.make_node("Constant", [], [constant.name], value=constant))  # and out of order
    onnx.save(model, tmp_path / "model.onnx")
    same(maker, output, tmp_path / "model.onnx")


def test_a_shape_that_is_computed(tmp_path):
    maker = Maker()
    x = maker.quant(maker.input(2, 3), 5, 0.5)
    shape = maker.add("Gather", maker.add("Shape", x), maker.constant(0, np.int64), axis=0)
    axis = maker.constant([0], np.int64)
    shape = maker.add("Concat", maker.add("Unsqueeze", shape, axis), maker.constant([-1], np.int64), axis=0)
    output = maker.add("MatMul", maker.add("Reshape", x, shape), maker.weights(np.random.default_rng(0), 6, 2))
    graph = read_graph(maker.write(tmp_path / "model.onnx", output))
    features = random_features(maker.inputs, EVENTS, 0)
    assert (graph.run(features) == maker.run(features, output)[0]).all()


def test_nodes_that_change_nothing_are_gone():
    maker, output = small()
    output = maker.add("Dropout", maker.add("Identity", output))
    output = maker.add("Cast", output, to=TensorProto.FLOAT)
    output = maker.add("Relu", maker.add("Reshape", output, maker.constant([-1, 3], np.int64)))
    kinds = [node.op_type for node in normalized(maker.model(output)).graph.node]
    assert kinds == ["Quant", "Quant", "MatMul", "Relu"]


def test_what_no_output_depends_on_is_gone():
    maker, output = small()
    maker.add("Sigmoid", output)
    assert "Sigmoid" not in [node.op_type for node in normalized(maker.model(output)).graph.node]


def test_gemm_with_factors(tmp_path):
    maker = Maker()
    x = maker.quant(maker.input(5), 6, 0.25)
    weights, bias = (maker.constant(np.random.default_rng(0).integers(-7, 8, shape) / 8) for shape in ((3, 5), (3,)))
    output = maker.add("Gemm", x, weights, bias, transB=1, alpha=0.5, beta=2.0)
    same(maker, output, maker.write(tmp_path / "model.onnx", output))


def test_channels_that_come_last(tmp_path):
    maker, generator = Maker(), np.random.default_rng(0)
    domain = "qonnx.custom_op.channels_last"
    x = maker.quant(maker.input(5, 4, 2), 6, 0.25)
    x = maker.add("Conv", x, maker.weights(generator, 3, 2, 3, 2), kernel_shape=[2, 3], domain=domain)
    x = maker.add("MaxPool", x, kernel_shape=[2, 2], domain=domain)
    path = maker.write(tmp_path / "model.onnx", x)
    features = random_features(maker.inputs, EVENTS, 0)["features"]
    first = Maker()
    y = first.add("Transpose", first.quant(first.input(5, 4, 2), 6, 0.25), perm=[0, 3, 1, 2])
    weights = first.add("Transpose", first.weights(np.random.default_rng(0), 3, 2, 3, 2), perm=[0, 3, 1, 2])
    y = first.add("Conv", y, weights, kernel_shape=[2, 3])
    y = first.add("Transpose", first.add("MaxPool", y, kernel_shape=[2, 2]), perm=[0, 2, 3, 1])
    (expected,) = first.run({"features": features}, y)
    assert (read_graph(path).run(features) == expected).all()


def test_steps_above_one(tmp_path):
    maker = Maker()
    output = maker.quant(maker.quant(maker.input(4), 6, 0.5), 3, 4.0)
    same(maker, output, maker.write(tmp_path / "model.onnx", output))
    assert read_graph(tmp_path / "model.onnx").tensors[output].step == 4.0


def test_nodes_without_names(tmp_path):
    maker, output = small()
    for node in maker.nodes:
        node.name = ""
    graph = read_graph(maker.write(tmp_path / "model.onnx", output))
    assert len({node.name for node in graph.nodes}) == len(graph.nodes)
    same(maker, output, tmp_path / "model.onnx")


def test_several_inputs_and_outputs(tmp_path):
    maker, generator = Maker(), np.random.default_rng(0)
    x, y = (
        maker.quant(maker.input(3, name="left"), 6, 0.25),
        maker.quant(maker.input(2, 2, name="right"), 4, 1.0, signed=0),
    )
    z = maker.add("Add", maker.add("MatMul", x, maker.weights(generator, 3, 4)), maker.add("Flatten", y))
    graph = read_graph(maker.write(tmp_path / "model.onnx", z, x))
    assert graph.outputs == (z, x)
    assert [node.shape for node in graph.inputs] == [(3,), (2, 2)]
    features = random_features(maker.inputs, EVENTS, 0)
    found, expected = graph.run_all(features), maker.run(features, z, x)
    assert (found[z] == expected[0]).all() and (found[x] == expected[1]).all()
    datapath = graph.unroll()
    words = datapath.evaluate(graph.input_words(features)) * datapath.output_step
    assert (words == np.concatenate([values.reshape(EVENTS, -1) for values in expected], axis=1)).all()
    with pytest.raises(InputError, match="the network has 2 outputs"):
        graph.run(features)
    with pytest.raises(InputError, match="no features for the network's input 'right'"):
        graph.run_all({"left": features["left"]})
    with pytest.raises(InputError, match=r"input 'right' have shape \(50, 4\), not \(events, 2, 2\)"):
        graph.run_all({**features, "right": features["right"].reshape(EVENTS, -1)})


def test_a_softmax_at_the_end_is_left_out(tmp_path):
    maker, output = small()
    graph = read_graph(maker.write(tmp_path / "model.onnx", maker.add("Softmax", output, name="probabilities")))
    assert (graph.outputs, graph.left_out) == ((output,), ("probabilities",))


def test_an_input_without_quantizer_needs_a_format(tmp_path):
    maker = Maker()
    output = maker.add("MatMul", maker.input(4), maker.weights(np.random.default_rng(0), 4, 3))
    path = maker.write(tmp_path / "model.onnx", output)
    with pytest.raises(InputError, match="input 'features' of the network has no quantizer"):
        read_graph(path)
    graph = read_graph(path, input_format=FixedPoint(6, 4))
    features = np.rint(random_features(maker.inputs, EVENTS, 0)["features"] * 4).clip(-32, 31) / 4
    assert (graph.run(features) == maker.run({"features": features}, output)[0]).all()


def test_quantizers_of_one_input_in_different_formats(tmp_path):
    maker = Maker()
    x = maker.input(4)
    output = maker.add("Add", maker.quant(x, 4, 0.5, name="a"), maker.quant(x, 4, 1.0, name="b"))
    with pytest.raises(InputError, match=r"input 'features': its quantizers \(a, b\) do not give all words one format"):
        read_graph(maker.write(tmp_path / "model.onnx", output))


def test_a_second_quantizer_of_the_same_format_costs_nothing(tmp_path):
    maker = Maker()
    x = maker.input(4)
    output = maker.add("Add", maker.quant(x, 4, 0.5), maker.quant(x, 4, 0.5))
    same(maker, output, maker.write(tmp_path / "model.onnx", output))


def write_outside(path, location="model.onnx.data", **damage):
    """Write a model whose weights lie in another file."""
    maker, output = small()
    model = maker.model(output)
    weights = next(constant for constant in model.graph.initializer if list(constant.dims) == [4, 3])
    (path.parent / "model.onnx.data").write_bytes(weights.raw_data)
    entries = {"location": location, "offset": "0", "length": str(len(weights.raw_data)), **damage}
    weights.ClearField("raw_data")
    weights.data_location = TensorProto.EXTERNAL
    for key, value in entries.items():
        weights.external_data.add(key=key, value=value)
    onnx.save(model, path)
    return maker, output


def test_constants_in_a_file_beside_the_model(tmp_path):
    maker, output = write_outside(tmp_path / "model.onnx")
    same(maker, output, tmp_path / "model.onnx")


def test_constants_elsewhere_are_refused(tmp_path):
    (tmp_path / "given").mkdir()
    path = tmp_path / "given" / "model.onnx"
    for location in ("../given/model.onnx.data", str(path) + ".data", ".", ""):
        write_outside(path, location)
        with pytest.raises(InputError, match="lies in another file; save the model in one file"):
            load_model(path)
    write_outside(path, "missing")
    with pytest.raises(
        InputError, match="no file missing beside it, which holds the constant 'constant_3'; put it there"
    ):
        load_model(path)
    write_outside(path, "link")
    shutil.move(f"{path}.data", tmp_path / "secret")
    (path.parent / "link").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match="lies in another file"):
        load_model(path)


@pytest.mark.parametrize("damage", [{"length": "8"}, {"offset": "40"}, {"offset": "-8"}, {"offset": "many"}])
def test_a_file_that_does_not_hold_the_constants(damage, tmp_path):
    write_outside(tmp_path / "model.onnx", **damage)
    with pytest.raises(InputError, match=r"model\.onnx\.data: does not hold the constant"):
        load_model(tmp_path / "model.onnx")


def test_files_of_more_than_256_mb_are_refused(tmp_path):
    with (tmp_path / "model.onnx").open("wb") as file:
        file.truncate((1 << 28) + 1)
    with pytest.raises(InputError, match="larger than 256 MB"):
        load_model(tmp_path / "model.onnx")


def table(maker, x):
    return maker.add("Relu", maker.add("Sigmoid", x, name="sigma"))


def scale(maker, x):
    return maker.quant(x, 4, 0.1, name="third")


def scale_of_weights(maker, x):
    return maker.add("MatMul", x, maker.weights(np.random.default_rng(0), 3, 2, scale=0.3))


def zero_point(maker, x):
    return maker.quant(x, 4, 0.5, zero=3.0, name="third")


def float_constants(maker, x):
    return maker.add("MatMul", x, maker.constant(np.random.default_rng(0).normal(size=(3, 2))), name="float")


def changing_product(maker, x):
    return maker.add("Mul", x, x, name="square")


def average_of_three(maker, x):
    return maker.add("ReduceMean", x, axes=[1], name="mean")


def division_by_three(maker, x):
    return maker.add("Div", x, maker.constant(3.0), name="third")


def slope(maker, x):
    return maker.add("LeakyRelu", x, alpha=0.1, name="leaky")


def normalization(maker, x):
    parameters = (maker.constant(np.full(3, value)) for value in (1.0, 0.0, 0.0, 0.7))
    return maker.add("BatchNormalization", x, *parameters, name="norm")


@pytest.mark.parametrize(
    ("case", "node", "reason"),
    [
        (table, "sigma", r"a table \(Sigmoid\)"),
        (scale, "third", "scale 0.1 of the quantizer is no power of two; retrain"),
        (scale_of_weights, "quant_3", "scale 0.3 of the quantizer is no power of two"),
        (zero_point, "third", "zero point 3 of the quantizer is not 0"),
        (float_constants, "float", "have no quantizer; give the layer weight and bias formats"),
        (changing_product, "square", "Mul of two tensors that change with the event"),
        (average_of_three, "mean", "an average of 3 values; only of a power of two it is exact"),
        (division_by_three, "third", "only by constants that are powers of two it is exact"),
        (slope, "leaky", "slope 0.1 is no word of few bits"),
        (normalization, "norm", "scale and shift of the batch normalization are no words of few bits"),
    ],
)
def test_what_integers_cannot_compute_has_node_and_reason(case, node, reason, tmp_path):
    maker, output = small()
    path = maker.write(tmp_path / "model.onnx", case(maker, output))
    with pytest.raises(NotExactError, match=reason) as caught:
        read_graph(path)
    assert caught.value.node == node
    assert str(caught.value) == f"node {node}: {caught.value.reason}"
    assert "\n" not in str(caught.value)


def over_the_batch(maker, x):
    return maker.add("ReduceSum", x, maker.constant([0], np.int64), name="all")


def turned(maker, x):
    return maker.add("Transpose", x, perm=[1, 0], name="turn")


def joined(maker, x):
    return maker.add("Concat", x, x, axis=0, name="join")


def unknown(maker, x):
    return maker.add("Frobnicate", x, name="odd")


def not_among(maker, x):
    return maker.add("Round", x, name="odd")


def no_fit(maker, x):
    return maker.add("MatMul", x, maker.weights(np.random.default_rng(0), 5, 2), name="wide")


def not_a_number(maker, x):
    return maker.add("MatMul", x, maker.constant(np.full((3, 2), np.nan)), name="broken")


def branch(maker, x):
    body = helper.make_graph([], "body", [], [])
    return maker.add("If", x, then_branch=body, else_branch=body, name="choice")


def cycle(maker, x):
    output = maker.add("Add", x, "second_out", name="first")
    maker.add("Relu", output, name="second")
    return output


def nothing(maker, x):
    return maker.add("Relu", "nowhere", name="last")


def many(maker, x):
    x = maker.add("Expand", x, maker.constant([1, 4000, 3], np.int64), name="expand")
    return maker.add("MatMul", x, maker.constant(np.ones((3, 900))), name="dense_2")


def huge(maker, x):
    return maker.add("Expand", x, maker.constant([1, 10**9, 3], np.int64), name="expand")


def padding(maker, x):
    return maker.add("Pad", x, maker.constant([0, 1, 0, 0], np.int64), maker.constant(1.0), name="edge")


def changing_bounds(maker, x):
    return maker.add(
        "Clip", x, "", maker.add("Squeeze", maker.add("ReduceSum", x, maker.constant([1], np.int64))), name="bounded"
    )


def rounding(maker, x):
    return maker.quant(x, 4, 0.5, rounding="STOCHASTIC", name="third")


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        (over_the_batch, "node all: ReduceSum over the batch axis mixes events"),
        (turned, "node turn: Transpose along the batch axis mixes events"),
        (joined, "node join: Concat along the batch axis mixes events"),
        (unknown, "node odd: Frobnicate is no operator of ONNX"),
        (not_among, "node odd: Round is not among Quant, BipolarQuant"),
        (no_fit, "shapes do not fit: .*wide"),
        (not_a_number, "of broken: 6 of 6 values are NaN or infinite"),
        (branch, "node choice: If is control flow"),
        (cycle, "a cycle: (first|second) reads (first|second)"),
        (nothing, "node last reads nowhere, which nothing computes"),
        (many, r"node dense_2: with it the network has 10,800,010 operations"),
        (huge, "node expand: with it the network has 3,000,000,000 values"),
        (padding, "node edge: pads with a value other than 0"),
        (changing_bounds, r"tensor 'squeeze_4_out' of shape \(\): its first axis must be the batch"),
        (rounding, "node third: rounding STOCHASTIC is not among ROUND, FLOOR"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(case, reason, tmp_path):
    maker, output = small()
    path = maker.write(tmp_path / "model.onnx", case(maker, output))
    with pytest.raises(InputError, match=reason) as caught:
        read_graph(path)
    assert "\n" not in str(caught.value)


def test_a_file_without_outputs(tmp_path):
    maker, _ = small()
    with pytest.raises(InputError, match="has no input or no output"):
        read_graph(maker.write(tmp_path / "model.onnx"))


@pytest.mark.parametrize(
    ("shape", "reason"),
    [((), "its shape must be"), (("length",), "axis 1 has no fixed size; only the batch may vary")],
)
def test_axes_of_no_fixed_size(shape, reason, tmp_path):
    maker = Maker()
    output = maker.quant(maker.input(*shape), 4, 0.5)
    with pytest.raises(InputError, match=reason):
        read_graph(maker.write(tmp_path / "model.onnx", output))


@pytest.mark.parametrize("opset", [8, 99])
def test_opsets_that_are_not_known(opset, tmp_path):
    maker, output = small(opset)
    with pytest.raises(InputError, match=f"ONNX opset {opset}; export the network with opset 9 to"):
        read_graph(maker.write(tmp_path / "model.onnx", output))


@pytest.mark.parametrize("name", [b"dense", b"dense_out"])
def test_names_that_are_no_text(name, tmp_path):
    maker, output = small()
    content = maker.write(tmp_path / "model.onnx", output).read_bytes()
    (tmp_path / "model.onnx").write_bytes(content.replace(name, b"\xff" + name[1:]))
    with pytest.raises(InputError, match="of a node or tensor is no text; export the network again"):
        read_graph(tmp_path / "model.onnx")


def test_damaged_files_are_refused_or_read(tmp_path):
    maker, output = small()
    content = maker.write(tmp_path / "model.onnx", output).read_bytes()
    generator = np.random.default_rng(0)
    for _ in range(100):
        damaged = bytearray(content)
        for place in generator.integers(len(damaged), size=3):
            damaged[place] = generator.integers(256)
        (tmp_path / "damaged.onnx").write_bytes(bytes(damaged))
        try:
            read_graph(tmp_path / "damaged.onnx").unroll()
        except InputError as error:
            assert "\n" not in str(error)
