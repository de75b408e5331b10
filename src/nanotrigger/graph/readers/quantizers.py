"""Readers of quantizers and activations."""

import numpy as np
import onnx

from nanotrigger.errors import InputError, NotExactError
from nanotrigger.graph.formats import Formats, exact_words
from nanotrigger.graph.node import exponent_of
from nanotrigger.graph.piecewise import Clip, LeakyRelu, Sign
from nanotrigger.graph.quantize import Conversion, Quantize, Relu
from nanotrigger.graph.quantize_channels import QuantizeChannels
from nanotrigger.graph.reader import Reader


def read_quantizer(reader: Reader, node: onnx.NodeProto) -> None:
    """Read a Quant or BipolarQuant node: a change of format."""
    append_quantizer(reader, node, reader.formats(node), output=node.output[0])


def read_relu(reader: Reader, node: onnx.NodeProto) -> None:
    """Read a Relu node, with the quantizer that alone reads it, and one more if both together are one."""
    if reader.cast is not None:
        append_conversion(reader, node, reader.cast, output=node.output[0], relu=True)
        return
    quantizer = reader.only_reader(node.output[0], "Quant")
    formats = None if quantizer is None else reader.formats(quantizer)
    if quantizer is not None and formats is not None and not _is_binary(formats):
        reader.take(quantizer)
        following = reader.only_reader(quantizer.output[0], "Quant")
        joined = None if following is None else formats.followed_by(reader.formats(following))
        if following is not None and joined is not None:
            reader.take(following)
            formats, quantizer = joined, following
        append_quantizer(reader, node, formats, output=quantizer.output[0], relu=True)
        return
    source, layer = node.input[0], reader.layer_of(node.input[0])
    reader.nodes.append(Relu(name=node.name, inputs=(source,), output=node.output[0], layer=layer))


def read_leaky_relu(reader: Reader, node: onnx.NodeProto) -> None:
    """Read a LeakyRelu node, whose slope must be a word of few bits between 0 and 1."""
    reader.refuse_in_float(node)
    alpha = float(reader.attributes(node).get("alpha", np.float32(0.01)))
    slope = exact_words(np.array([alpha]))
    if slope is None or not 0 <= alpha <= 1:
        remedy = "use a power of two, such as 0.125"
        raise NotExactError(node.name, f"slope {alpha:g} is no word of few bits between 0 and 1; {remedy}")
    words, step = slope
    source, layer = node.input[0], reader.layer_of(node.input[0])
    if not words[0]:
        reader.nodes.append(Relu(name=node.name, inputs=(source,), output=node.output[0], layer=layer))
        return
    reader.nodes.append(
        LeakyRelu(
            name=node.name,
            inputs=(source,),
            output=node.output[0],
            layer=layer,
            slope=int(words[0] if step <= 1 else words[0] * step),
            slope_exponent=min(exponent_of(step), 0),
        )
    )


def read_clip(reader: Reader, node: onnx.NodeProto) -> None:
    """Read a Clip node, such as HardTanh, of bounds that are attributes or inputs."""
    reader.refuse_in_float(node)
    given = reader.attributes(node)
    bounds = []
    for place, name in enumerate(("min", "max"), start=1):
        if len(node.input) > place and node.input[place]:
            if not reader.is_constant(node.input[place]):
                raise InputError(
                    f"node {node.name}: the bound {name} changes with the event; only constants can be read"
                )
            bounds.append(float(reader.values(node.input[place]).item()))
        else:
            bounds.append(float(given.get(name, np.inf if place == 2 else -np.inf)))
    # a bound beyond all words is none
    source = reader.tensor(node.input[0])
    low, high = (source.words.low * source.step, source.words.high * source.step)
    kept = [None if bounds[0] <= low else bounds[0], None if bounds[1] >= high else bounds[1]]
    found = exact_words(np.array([bound for bound in kept if bound is not None]))
    if found is None or (bounds[0] > bounds[1]):
        raise NotExactError(node.name, f"bounds {bounds[0]:g} and {bounds[1]:g} are no words of few bits; round them")
    _, step = found
    words = [None if bound is None else int(bound / step) for bound in kept]
    reader.nodes.append(
        Clip(
            name=node.name,
            inputs=(node.input[0],),
            output=node.output[0],
            layer=reader.layer_of(node.input[0]),
            low=words[0],
            high=words[1],
            exponent=exponent_of(step) if any(words) else source.exponent,
        )
    )


def append_quantizer(
    reader: Reader, node: onnx.NodeProto, formats: Formats, *, output: str, relu: bool = False
) -> None:
    """Append the node that brings a tensor to its format, or its channels to theirs."""
    source, conversion = node.input[0], formats.only
    layer = reader.layer_of(source)
    if _is_binary(formats):
        if conversion is None:
            raise NotExactError(node.name, "channels of one signed bit with steps of their own; use one step for all")
        sign = Sign(name=node.name, inputs=(source,), output=output, layer=layer, number=conversion.number)
        reader.nodes.append(sign)
    elif conversion is not None:
        append_conversion(reader, node, conversion, output=output, relu=relu)
    else:
        conversions = formats.of_values((1, *reader.tensor(source).shape))
        reader.nodes.append(
            QuantizeChannels(
                name=node.name, inputs=(source,), output=output, layer=layer, conversions=conversions, relu=relu
            )
        )


def append_conversion(
    reader: Reader, node: onnx.NodeProto, conversion: Conversion, *, output: str, relu: bool = False
) -> None:
    """Append the node that brings what an ONNX node reads to a format."""
    source = node.input[0]
    quantize = Quantize(
        name=node.name,
        inputs=(source,),
        output=output,
        layer=reader.layer_of(source),
        conversion=conversion,
        relu=relu,
    )
    reader.nodes.append(quantize)


def _is_binary(formats: Formats) -> bool:
    return any(conversion.number.is_binary for conversion in formats.conversions.flat)
