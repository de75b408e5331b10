"""Read random QONNX networks and compare every word with qonnx: python -m tests.fuzz.graphs --networks 1000.

With branches, residuals, convolutions, pooling, formats by channel, and all roundings; none may differ.
"""

import argparse
import math
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from nanotrigger.errors import InputError
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.share_adders import shared_datapath
from tests.made_firmware import differing
from tests.made_models import Array, Maker, random_features

EVENTS = 60
ROUNDINGS = ["ROUND"] * 4 + ["FLOOR", "CEIL", "UP", "DOWN", "HALF_UP", "HALF_DOWN"]


class RandomNetwork:
    """A random network.

    Args:
        seed: of all choices.

    Attributes:
        maker: of the model.
        outputs: names of its outputs.
    """

    def __init__(self, seed: int) -> None:
        self.generator = np.random.default_rng(seed)
        self.maker = Maker(opset=int(self.generator.integers(13, 18)))
        axes = int(self.generator.integers(1, 4))
        sizes = {1: (1, 9), 2: (3, 8), 3: (3, 6)}[axes]
        shape = (int(self.generator.integers(1, 4)), *(int(self.generator.integers(*sizes)) for _ in range(axes - 1)))
        self.tensors: list[tuple[str, tuple[int, ...]]] = []
        self.keep(self.quantized(self.maker.input(*shape), shape, plain=True), shape)
        for _ in range(int(self.generator.integers(2, 9))):
            steps = [self.dense, self.convolution, self.pool, self.average, self.join, self.residual, self.move]
            steps += [self.function, self.scale]
            steps[int(self.generator.integers(len(steps)))]()
        names = [name for name, _ in self.tensors[1:]] or [self.function()]
        last = names[-1]
        self.outputs = [last, names[0]] if names[0] != last and self.generator.random() < 0.2 else [last]

    def keep(self, name: str, shape: tuple[int, ...]) -> str:
        """Let later steps read a tensor."""
        self.tensors.append((name, shape))
        return name

    def pick(self) -> tuple[str, tuple[int, ...]]:
        """Return one of the last tensors."""
        return self.tensors[-1 - int(self.generator.integers(min(len(self.tensors), 3)))]

    def power(self, low: int = -3, high: int = 1) -> float:
        """Return a power of two."""
        return float(2.0 ** self.generator.integers(low, high))

    def quantized(self, name: str, shape: tuple[int, ...], *, plain: bool = False) -> str:
        """Quantize a tensor, if not `plain` by channel at times, behind a ReLU at times."""
        generator = self.generator
        scale: float | Array = self.power()
        if not plain and generator.random() < 0.3:
            scale = 2.0 ** generator.integers(-3, 1, (1, shape[0], *[1] * (len(shape) - 1)))
        if not plain and generator.random() < 0.4:
            name = self.maker.add("Relu", name)
        bits, signed = int(generator.integers(2, 7)), int(generator.random() < 0.7)
        rounding = "ROUND" if plain else str(generator.choice(ROUNDINGS))
        narrow = int(signed and generator.random() < 0.3)
        return self.maker.quant(name, bits, scale, signed=signed, narrow=narrow, rounding=rounding)

    def weights(self, *shape: int) -> str:
        """Add constants, at times by channel, of the first axis."""
        scale: float | Array = self.power(-3, 0)
        if self.generator.random() < 0.3:
            scale = 2.0 ** self.generator.integers(-3, 0, (shape[0], *[1] * (len(shape) - 1)))
        return self.maker.weights(self.generator, *shape, bits=int(self.generator.integers(2, 6)), scale=scale)

    def dense(self) -> None:
        """Add a dense layer over the last axis."""
        name, shape = self.pick()
        neurons = int(self.generator.integers(1, 5))
        result = (*shape[:-1], neurons)
        name = self.maker.add("MatMul", name, self.weights(shape[-1], neurons))
        if self.generator.random() < 0.6:
            name = self.maker.add("Add", name, self.weights(neurons))
        self.keep(self.quantized(name, result), result)

    def convolution(self) -> None:
        """Add a convolution."""
        name, (channels, *sizes) = self.pick()
        if not sizes:
            self.dense()
            return
        generator = self.generator
        group = channels if generator.random() < 0.3 else 1
        kernel = [int(generator.integers(1, min(size, 3) + 1)) for size in sizes]
        pads = [int(generator.integers(0, 2)) for _ in range(2 * len(sizes))]
        strides = [int(generator.integers(1, 3)) for _ in sizes]
        neurons = group * int(generator.integers(1, 4))
        weights = [self.weights(neurons, channels // group, *kernel)]
        weights += [self.weights(neurons)] * (generator.random() < 0.5)
        name = self.maker.add("Conv", name, *weights, kernel_shape=kernel, pads=pads, strides=strides, group=group)
        result = (neurons, *self.pooled(sizes, kernel, pads, strides))
        self.keep(self.quantized(name, result), result)

    def pooled(self, sizes: list[int], kernel: list[int], pads: list[int], strides: list[int]) -> tuple[int, ...]:
        """Return how many windows there are."""
        both = zip(pads[: len(sizes)], pads[len(sizes) :], strict=True)
        whole = [size + before + after for size, (before, after) in zip(sizes, both, strict=True)]
        return tuple((size - k) // step + 1 for size, k, step in zip(whole, kernel, strides, strict=True))

    def pool(self) -> None:
        """Add max-pooling."""
        name, (channels, *sizes) = self.pick()
        if not sizes or len(sizes) > 2:
            self.function()
            return
        kernel = [int(self.generator.integers(1, min(size, 3) + 1)) for size in sizes]
        pads = [int(self.generator.integers(0, k)) for k in kernel * 2]
        strides = [int(self.generator.integers(1, 3)) for _ in sizes]
        name = self.maker.add("MaxPool", name, kernel_shape=kernel, pads=pads, strides=strides)
        self.keep(name, (channels, *self.pooled(sizes, kernel, pads, strides)))

    def average(self) -> None:
        """Add a sum over an axis, or an average over two neighbours."""
        name, shape = self.pick()
        if len(shape) > 1 and shape[1] > 1 and len(shape) < 4 and self.generator.random() < 0.5:
            kernel = [2, *[1] * (len(shape) - 2)]
            name = self.maker.add("AveragePool", name, kernel_shape=kernel)
            shape = (shape[0], shape[1] - 1, *shape[2:])
        else:
            axis = int(self.generator.integers(1, len(shape) + 1))
            name = self.maker.add("ReduceSum", name, self.maker.constant([axis], np.int64), keepdims=1)
            shape = tuple(1 if place == axis - 1 else size for place, size in enumerate(shape))
        self.keep(self.quantized(name, shape), shape)

    def join(self) -> None:
        """Concatenate two tensors that differ in one axis at most."""
        (first, shape), (second, other) = self.pick(), self.pick()
        if len(shape) != len(other) or shape[1:] != other[1:]:
            self.function()
            return
        self.keep(self.maker.add("Concat", first, second, axis=1), (shape[0] + other[0], *shape[1:]))

    def residual(self) -> None:
        """Add or subtract two tensors."""
        name, shape = self.pick()
        fitting = [other for other, size in self.tensors if size == shape]
        kind = "Add" if self.generator.random() < 0.6 else "Sub"
        other = fitting[int(self.generator.integers(len(fitting)))]
        self.keep(self.quantized(self.maker.add(kind, name, other), shape), shape)

    def move(self) -> None:
        """Put values in another order or shape."""
        name, shape = self.pick()
        choice = self.generator.integers(4)
        if choice == 0:
            self.keep(self.maker.add("Flatten", name), (math.prod(shape),))
        elif choice == 1:
            order = self.generator.permutation(len(shape))
            perm = [0, *(int(axis) + 1 for axis in order)]
            self.keep(self.maker.add("Transpose", name, perm=perm), tuple(shape[axis] for axis in order))
        elif choice == 2:
            bounds = [self.maker.constant([value], np.int64) for value in (-1, -1000, 1, -1)]  # the channels backwards
            self.keep(self.maker.add("Slice", name, *bounds), shape)
        else:
            pads = self.maker.constant([0, 1, *[0] * len(shape), *[0] * len(shape)], np.int64)
            self.keep(self.maker.add("Pad", name, pads), (shape[0] + 1, *shape[1:]))

    def function(self) -> str:
        """Apply a function value by value."""
        name, shape = self.pick()
        choice = self.generator.integers(5)
        if choice == 0:
            name = self.maker.add("LeakyRelu", name, alpha=float(self.generator.choice([0.125, 0.25, 0.375])))
        elif choice == 1:
            bounds = np.sort(self.generator.integers(-6, 7, 2)) / 4
            name = self.maker.add("Clip", name, *map(self.maker.constant, bounds))
        elif choice == 2:
            name = self.maker.add("BipolarQuant", name, self.maker.constant(self.power()))
        elif choice == 3:
            name = self.maker.add("Relu", name)
        return self.keep(self.quantized(name, shape), shape)

    def scale(self) -> None:
        """Multiply by constants, or add them, by channel."""
        name, shape = self.pick()
        values = self.generator.integers(-6, 7, (1, shape[0], *[1] * (len(shape) - 1))) / 4
        kind = str(self.generator.choice(["Add", "Sub", "Mul"]))
        inputs = [name, self.maker.constant(values)]
        if kind == "Sub" and self.generator.random() < 0.5:
            inputs.reverse()
        self.keep(self.quantized(self.maker.add(kind, *inputs), shape), shape)


def check(seed: int, folder: Path) -> tuple[Graph, dict[str, Array]]:
    """Compare a random network with qonnx; return its graph and the features.

    Raises:
        AssertionError: a word differs, or a signal leaves its range.
    """
    network = RandomNetwork(seed)
    maker, outputs = network.maker, network.outputs
    graph = read_graph(maker.write(folder / "model.onnx", *outputs))
    features = random_features(maker.inputs, EVENTS, seed)
    assert graph.largest_sum(features) <= 2**24, "float32 is not exact"
    found = graph.run_all(features)
    for name, expected in zip(outputs, maker.run(features, *outputs), strict=True):
        assert found[name].shape == expected.shape
        assert (found[name] == expected).all(), f"seed {seed}: {name} differs"
    inputs = graph.input_words(features)
    words = graph.words(features)
    for datapath in (graph.unroll(), shared_datapath(graph, 8), shared_datapath(graph, 2, slack=None)):
        by_node = datapath.evaluate_nodes(inputs)
        for node in graph.nodes:
            same = by_node[node.name] == words[node.output].reshape(EVENTS, -1)
            assert same.all(), f"seed {seed}: {node.name} differs"
        signals: list[Array] = []
        for operation in datapath.operations:
            signals.append(operation.evaluate(signals, inputs))
            ends = operation.range
            assert ends.low <= signals[-1].min() and signals[-1].max() <= ends.high, f"seed {seed}"
    return graph, features


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.graphs", description=__doc__)
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--firmware", action="store_true", help="compile the firmware of each and run it as well")
    parser.add_argument("--shared", action="store_true", help="that firmware with adders=shared")
    arguments = parser.parse_args()
    begin, kinds = time.monotonic(), Counter[str]()
    for seed in range(arguments.first, arguments.first + arguments.networks):
        with tempfile.TemporaryDirectory() as folder:
            graph, features = check(seed, Path(folder))
            kinds.update(node.title for node in graph.nodes)
            if arguments.firmware:
                try:
                    adders = "shared" if arguments.shared else "unshared"
                    assert not differing(graph, features, Path(folder), adders=adders), f"seed {seed}: firmware differs"
                except InputError as error:
                    kinds[f"no firmware: {error}"] += 1
    for kind, count in kinds.most_common():
        print(f"{count:6}  {kind}")
    print(f"{arguments.networks} networks, none differs, {time.monotonic() - begin:.0f} s")


if __name__ == "__main__":
    sys.exit(main())
