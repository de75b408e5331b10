"""The recipe "A node kind" of CONTRIBUTING.md: a leaky ReLU from outside the package, trained, proven, counted."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import ROOT

NODE = '''
"""Leaky: a classifier of jets with a leaky ReLU, which lets an eighth of negative values pass."""

from collections import OrderedDict
from dataclasses import asdict, dataclass

import numpy as np
from torch import nn

from nanotrigger.datapath.assembly import Term
from nanotrigger.datapath.operations import Kind, Range
from nanotrigger.errors import InputError
from nanotrigger.graph.from_network import LAYERS
from nanotrigger.graph.from_qonnx import READERS
from nanotrigger.graph.node import Node, Tensor, as_wide_as
from nanotrigger.networks import NETWORKS, Network
from nanotrigger.networks.plan import Linear, weight_layer
from nanotrigger.networks.layers import Quantizer
from nanotrigger.numbers import FixedPoint

SHIFT = 3  # the slope is two to the power of -3


@dataclass(frozen=True, kw_only=True, eq=False)
class LeakyRelu(Node):
    """In words that are worth an eighth of those it reads: eight of them where they are positive, else one."""

    joins_layer = True

    @property
    def title(self):
        return "leaky ReLU"

    def infer(self, *inputs):
        (source,) = inputs
        return Tensor(source.shape, source.exponent - SHIFT, leaky(source.words))

    def compute(self, *inputs, of):
        words = as_wide_as(inputs[0], of[0].words.bits + SHIFT)
        return np.where(words > 0, words << SHIFT, words)

    def lower(self, assembly, *inputs, of):
        return [self.lower_one(assembly, signal) for signal in inputs[0]]

    def lower_one(self, assembly, signal):
        """Add eight times what is positive to what is negative."""
        words = assembly.range_of(signal)
        positive = Range(max(words.low, 0), max(words.high, 0))
        above = assembly.quantize(self.layer, signal, positive, 0, relu=True, exact=False)
        pair, negative = (Term(signal), Term(above, -1)), Range(min(words.low, 0), min(words.high, 0))
        below = assembly.add(self.layer, Kind.ACTIVATION, pair, words=negative)
        return assembly.add(self.layer, Kind.ACTIVATION, (below, Term(above, 1, SHIFT)), words=leaky(words)).signal


def leaky(words):
    return Range(*(end << SHIFT if end > 0 else end for end in (words.low, words.high)))


def read_leaky_relu(reader, node):
    """Read a LeakyRelu node of ONNX."""
    if node.attribute[0].f != 2.0**-SHIFT:
        raise InputError(f"node {node.name}: slope {node.attribute[0].f:g}; only {2.0**-SHIFT:g} can be counted")
    layer = reader.layer_of(node.input[0])
    reader.nodes.append(LeakyRelu(name=node.name, inputs=(node.input[0],), output=node.output[0], layer=layer))


def leaky_of(name, layer, before):
    """Make the node of a layer that is in training."""
    return LeakyRelu(name=name, inputs=(before.output,), output=name, layer=before.layer)


READERS["LeakyRelu"] = read_leaky_relu
LAYERS[nn.LeakyReLU] = leaky_of


class Leaky(Network):
    """Map standardized features, shape (batch, features), to logits, shape (batch, classes)."""

    def __init__(self, features: int = 16, hidden: int = 8, classes: int = 5, *, input: FixedPoint,
                 weight: FixedPoint, bias: FixedPoint, activation: FixedPoint) -> None:
        layers = OrderedDict(
            input=Quantizer(input),
            dense_1=weight_layer(Linear(features, hidden), weight, bias),
            leaky_1=nn.LeakyReLU(2.0**-SHIFT),
            signed_1=Quantizer(activation),
            dense_2=weight_layer(Linear(hidden, classes), weight, bias),
        )
        formats = {"input": input, "signed_1": activation}
        for name in ("dense_1", "dense_2"):
            formats |= {f"{name}.weight": weight, f"{name}.bias": bias}
        super().__init__(nn.Sequential(layers), formats, output_name="logits")
        self.configuration = {"network": "Leaky", "features": features, "hidden": hidden, "classes": classes}
        given = {"input": input, "weight": weight, "bias": bias, "activation": activation}
        self.configuration |= {name: asdict(number) for name, number in given.items()}


NETWORKS["Leaky"] = Leaky
'''
PROGRAM = """
import sys
from pathlib import Path

import leaky
import nanotrigger as nt
import numpy as np
from nanotrigger.graph.from_network import graph_of
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.training.checkpoint import load_trained

formats = {"input": "fixed<8,4>", "weight": "fixed<4,1>", "bias": "fixed<6,2>", "activation": "fixed<6,2>"}
settings = {"trainer.max_epochs": 1, "data.source": "simulated", "trainer.enable_progress_bar": False}
run = nt.train("jets_qat", settings, network=nt.build_network("Leaky", **formats), output="run")
folder = nt.export(run)

trained, exported = graph_of(load_trained(run / "best.ckpt").network), read_graph(folder / "model.onnx")
features = np.random.default_rng(0).normal(size=(2_000, 16)) * 3
assert (trained.run(features) == exported.run(features)).all()
assert trained.unroll().operations == exported.unroll().operations
assert (exported.words(features)["leaky_1"] < 0).any()
assert all(finding.holds for finding in nt.verify(run))
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def export(tmp_path_factory) -> Path:
    """What a program of a user has exported."""
    folder = tmp_path_factory.mktemp("node")
    (folder / "leaky.py").write_text(NODE, encoding="utf-8")
    (folder / "program.py").write_text(PROGRAM, encoding="utf-8")
    done = subprocess.run([sys.executable, "program.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "run" / "export"


def test_every_witness_computes_what_the_node_says(export):
    parity = json.loads((export / "parity.json").read_text())
    assert parity["differing_words_of"] == {"torch": 0, "qonnx": 0, "datapath": 0, "firmware": 0}


def test_it_is_counted_and_drawn(export):
    report, _ = json.loads((export / "resources.json").read_text())["reports"]
    assert any((row["name"], row["kind"]) == ("dense_1", "activation") and row["aluts"] for row in report["rows"])
    assert "dense + leaky ReLU + quantizer" in (export / "datasheet.html").read_text()


@pytest.mark.skipif(shutil.which("iverilog") is None, reason="simulates the Verilog with Icarus")
def test_its_verilog_computes_the_same(export, tmp_path):
    bench = tmp_path / "bench.vvp"
    subprocess.run(["iverilog", "-g2012", "-o", bench, *(export / "rtl").glob("*.v")], check=True)
    done = subprocess.run([bench], cwd=export / "rtl", capture_output=True, text=True, check=True)
    assert "PASS" in done.stdout


def test_without_the_import_it_is_refused_by_name(export):
    words = [sys.executable, ROOT / "export.py", f"ckpt={export.parent / 'best.ckpt'}"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "network 'Leaky' is unknown" in done.stderr
