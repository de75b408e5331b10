"""Comments: what a reader of the Verilog must know of a layer."""

from nanotrigger.graph.layers import Conversion, IntegerNetwork, Layer


def section_comments(section: str, network: IntegerNetwork) -> tuple[str, ...]:
    """Return lines on the layer named `section`, or on the inputs if there is none."""
    for layer in network.layers:
        if layer.name == section:
            return layer_comments(layer)
    return (f"Inputs: {len(network.layers[0].weights)} words of type {network.number}",)


def layer_comments(layer: Layer) -> tuple[str, ...]:
    """Return lines on a layer's size and formats."""
    inputs, neurons = layer.weights.shape
    size = f"{layer.name}: {inputs} inputs, {neurons} neurons, {(layer.weights != 0).sum()} weights other than zero"
    steps = f"a weight word is {layer.weight_step:g}, a bias word {layer.bias_step:g}"
    product = [] if layer.accumulator is None else [f"each product as {_format(layer.accumulator)}"]
    results = [f"result as {_format(conversion)}" for conversion in layer.conversions]
    return (size, steps, *product, *results)


def _format(conversion: Conversion) -> str:
    modes = "to nearest, ties to even, saturated" if conversion.exact else "cut off, wraps around"
    return f"{conversion.number}{' behind a ReLU' if conversion.relu else ''} ({modes})"
