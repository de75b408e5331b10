"""Print the structural count of random networks, and the time that it takes.

    python benchmarks/structural.py

The networks are jets, 16-32-32-32-5, at 2, 4, 6 and 8 bits for weights, inputs and activations, dense and with 75 % of
the weights zero, also with words of 8 bits, and the autoencoder 57-32-16-3-16-32-57. Weights and biases are uniform
between -1 and 1 before they are rounded. Datapath alone, with its output register.
"""

import sys
import time
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from nanotrigger.cost.sources.structural import structural_report
from nanotrigger.firmware.target import Target
from nanotrigger.graph.dense import Dense
from nanotrigger.graph.graph import Graph
from nanotrigger.graph.node import Input, Node
from nanotrigger.graph.quantize import Conversion, Quantize
from nanotrigger.numbers import FixedPoint

JETS = (16, 32, 32, 32, 5)
AUTOENCODER = (57, 32, 16, 3, 16, 32, 57)
LEVELS = (2, 8)  # of adders between two registers
SEED = 0


def random_network(widths: Sequence[int], weight_bits: int, bits: int, sparsity: float) -> Graph:
    """Return a network of random weights; `bits` for inputs, activations and outputs."""
    random = np.random.default_rng(SEED)
    weight = FixedPoint(weight_bits, min(weight_bits, 2), narrow=True)
    number = FixedPoint(bits, min(bits, 4))
    arriving = {"inputs": ("features",), "output": "input", "layer": "input"}
    nodes: list[Node] = [Input(name="input", **arriving, shape=widths[:1], number=number)]
    for depth, (inputs, outputs) in enumerate(pairwise(widths), start=1):
        last, name = depth == len(widths) - 1, f"dense_{depth}"
        words = weight.words(random.uniform(-1, 1, (inputs, outputs)))
        words[random.random(words.shape) < sparsity] = 0
        bias = weight.words(random.uniform(-1, 1, outputs))
        steps = {"weight_step": weight.step, "bias_step": weight.step}
        source, result = (nodes[-1].output,), f"result_{depth}"
        nodes.append(Dense(name=name, inputs=source, output=name, layer=name, weights=words, bias=bias, **steps))
        conversion = Conversion(number if last else FixedPoint(bits, 2, signed=False))
        nodes.append(
            Quantize(name=result, inputs=(name,), output=result, layer=name, conversion=conversion, relu=not last)
        )
    return Graph(tuple(nodes), (nodes[-1].output,))


def main() -> None:
    """Print a line for each network."""
    networks = [("jets", JETS, bits, bits, sparsity) for bits in (2, 4, 6, 8) for sparsity in (0.0, 0.75)]
    networks += [("jets", JETS, 4, 8, 0.0), ("jets", JETS, 4, 8, 0.75), ("jets", JETS, 2, 8, 0.0)]
    networks += [("autoencoder", AUTOENCODER, 4, 8, 0.0)]
    columns = "".join(f"{f'FFs, {levels} levels':>15}{'stages':>8}" for levels in LEVELS)
    print(f"{'network':<12}{'weights':>8}{'words':>7}{'zeros':>7}{'ALUTs':>9}{columns}{'ms':>8}")
    for name, widths, weight_bits, bits, sparsity in networks:
        network = random_network(widths, weight_bits, bits, sparsity)
        begin = time.perf_counter()
        datapath = network.unroll()
        reports = [structural_report(datapath, Target(), scope="datapath", levels=levels) for levels in LEVELS]
        milliseconds = 1000 * (time.perf_counter() - begin)
        counts = "".join(f"{report.used.ffs:>15,}{report.latency_cycles:>8}" for report in reports)
        aluts = reports[0].used.aluts
        print(
            f"{name:<12}{weight_bits:>8}{bits:>7}{sparsity:>7.0%}{aluts:>9,}{counts}{milliseconds:>8.1f}",
            file=sys.stdout,
        )


if __name__ == "__main__":
    main()
