"""Time what a large convolutional network takes to be read, counted and written as Verilog, on one core.

    python benchmarks/scale.py

The networks are three convolutions of 3 by 3 with padding, with max-pooling by two between them, and a dense head, on
images of 16 by 16 with three channels: 205,312 products of an input and a weight. Weights are normally distributed, of
which a share is made zero; signals are 8 bits wide, scales powers of two. `count` is the structural report of ALUTs and
flip-flops, the unrolling of the network and the schedule included. Seconds of the processor, so that other processes
hardly count; the memory is the process' largest so far.
"""

import resource
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

from nanotrigger.cost.sources.structural import structural_report
from nanotrigger.datapath.schedule import schedule
from nanotrigger.firmware.target import Target
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.verilog.write import verilog

sys.path.insert(0, str(Path(__file__).parents[1]))
CHANNELS = (3, 8, 16, 32)
SIZE, CLASSES, LEVELS = 16, 5, 8
NETWORKS = [(6, 0.0), (6, 0.3), (8, 0.0), (8, 0.3)]  # bits of the weights, share of zeros


def convolutional(path: Path, bits: int, zeros: float) -> tuple[Path, int]:
    """Write a network; return its file, and how many products it has that are not by zero."""
    from tests.made_models import Maker

    random, maker, products = np.random.default_rng(0), Maker(), 0
    name = maker.quant(maker.input(CHANNELS[0], SIZE, SIZE), 8, 2.0**-5)
    size = SIZE

    def weights(*shape: int) -> tuple[str, int]:
        words = np.rint(random.normal(size=shape) * 2 ** (bits - 3)).clip(1 - 2 ** (bits - 1), 2 ** (bits - 1) - 1)
        words[random.random(shape) < zeros] = 0
        scale = 2.0 ** (1 - bits)
        return maker.quant(maker.constant(words * scale), bits, scale, narrow=1), np.count_nonzero(words)

    for before, after in pairwise(CHANNELS):
        constants, count = weights(after, before, 3, 3)
        products += count * size * size
        name = maker.add("Conv", name, constants, weights(after)[0], kernel_shape=[3, 3], pads=[1] * 4)
        name = maker.quant(maker.add("Relu", name), 8, 2.0**-5, signed=0)
        if after != CHANNELS[-1]:
            name, size = maker.add("MaxPool", name, kernel_shape=[2, 2], strides=[2, 2]), size // 2
    constants, count = weights(CHANNELS[-1] * size * size, CLASSES)
    name = maker.add("MatMul", maker.add("Flatten", name), constants)
    return maker.write(path, maker.quant(name, 16, 2.0**-5)), products + count


def main() -> None:
    """Print a line for each network."""
    print(f"{'bits':>4}{'zeros':>7}{'products':>10}{'operations':>12}{'ALUTs':>11}{'FFs':>11}", end="")
    print(f"{'read s':>8}{'count s':>9}{'Verilog s':>11}{'MB':>6}{'GiB':>6}")
    for bits, zeros in NETWORKS:
        with tempfile.TemporaryDirectory() as folder:
            file, products = convolutional(Path(folder, "network.onnx"), bits, zeros)
            times = [time.process_time()]
            graph = read_graph(file)
            times.append(time.process_time())
            used = structural_report(graph.unroll(), Target(), levels=LEVELS).used
            times.append(time.process_time())
            text = verilog(schedule(graph.unroll(), LEVELS))
            times.append(time.process_time())
        read, count, write = (end - begin for begin, end in pairwise(times))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        row = f"{bits:>4}{zeros:>7.0%}{products:>10,}{len(graph.unroll().operations):>12,}{used.aluts:>11,}"
        print(f"{row}{used.ffs:>11,}{read:>8.1f}{count:>9.1f}{write:>11.1f}{len(text) / 1e6:>6.0f}{memory:>6.1f}")


if __name__ == "__main__":
    main()
