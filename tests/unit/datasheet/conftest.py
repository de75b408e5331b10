"""Datasheets of small firmware made by hand, quantized and float."""

from dataclasses import replace

import numpy as np
import pytest

from nanotrigger.cost.devices import resources_of
from nanotrigger.cost.report import ResourceReport, ResourceRow, total
from nanotrigger.cost.sources.structural import StructuralCount
from nanotrigger.datasheet.sheet import Command, Datasheet, Feature, JudgedBy
from nanotrigger.evaluation.figures import Sample, roc_curves
from nanotrigger.evaluation.figures.illustration import Illustration
from nanotrigger.evaluation.figures.weights import weight_histograms
from nanotrigger.evaluation.performance import Performance, Quality
from nanotrigger.firmware.audit import audit_quantizer
from nanotrigger.firmware.record import Firmware, Layer
from nanotrigger.networks.weights import LayerWeights
from nanotrigger.numbers import FixedPoint

INPUT, SUM, HIDDEN = "fixed<16,6,RND_CONV,SAT>", "fixed<18,9,TRN,WRAP>", "ufixed<8,1,RND_CONV,SAT>"
WEIGHT = "fixed<4,2,RND_CONV,SAT_SYM>"
NUMBER = FixedPoint(4, 2, narrow=True)


def make_firmware(hidden: int = 3, *, dense: str = WEIGHT, relu: str = HIDDEN, logits: str = INPUT) -> Firmware:
    """Return firmware 16-32-…-5 with `hidden` hidden layers."""
    layers = [Layer("features", "Input", "input", "features", 16, 1, {"result": INPUT}, "features")]
    for depth in range(1, hidden + 2):
        size, last = (5, True) if depth > hidden else (32, False)
        types = {"weight": dense, "bias": dense, "accum": SUM, "result": logits if last else SUM, "index": "uint<1>"}
        name, output = f"dense_{depth}", f"layer{depth}_out"
        layers.append(Layer(f"Dense_{name}", "Dense", name, output, size, 1, types, name))
        if not last:
            name = f"relu_{depth}"
            layers.append(Layer(name, "Activation", name, "out", size, 1, {"result": relu}, name))
    return Firmware("jets_qat", "Agilex7", 5.0, "io_parallel", tuple(layers))


def make_weights() -> tuple[LayerWeights, ...]:
    random = np.random.default_rng(1)
    shapes = {"dense_1": (16, 32), "dense_2": (32, 32), "dense_3": (32, 32), "dense_4": (32, 5)}
    return tuple(LayerWeights(name, NUMBER.quantize(random.normal(0, 0.3, shape))) for name, shape in shapes.items())


def make_roc_figure() -> Illustration:
    random = np.random.default_rng(2)
    labels = np.arange(300) % 5
    logits = random.normal(size=(300, 5)) + 2 * np.eye(5)[labels]
    sample = Sample("Simulated jets (Pythia 8)", size=300, split="test")
    return Illustration(roc_curves(logits, labels, class_names=tuple("gqtwz"), sample=sample), "ROC curves.", "Curves.")


def make_parity() -> dict:
    return {
        "differing_words": 0,
        "differing_words_of": {"torch": 0, "qonnx": 0, "datapath": 0, "firmware": 0},
        "first_difference": None,
        "words": 6_625,
        "inputs": {"events": {"samples": 300, "description": "simulated jets"}, "extremes": {"samples": 1_025}},
        "compiler": "g++ 12.2.0",
        "target": {"softmax": False},
        "sha256": {name: name[0] * 64 for name in ("checkpoint", "data", "qonnx", "firmware")},
    }


def make_report(source: str = StructuralCount.name, *, device: str = "Agilex7", **changes) -> ResourceReport:
    rows = (
        ResourceRow(name="dense_1", kind="products", aluts=261),
        ResourceRow(name="dense_1", kind="adder tree", aluts=3_931, ffs=24),
        ResourceRow(name="kernel", kind="shell", aluts=95, ffs=100, mlabs=4),
    )
    report = ResourceReport(
        source=source,
        tool_version=None,
        device=device,
        scope="whole IP",
        used=total(rows),
        available=resources_of(device),
        latency_cycles=3,
        initiation_interval=1,
        clock=200.0,
        assumptions=("an estimate",),
        rows=rows,
    )
    return replace(report, **changes)


@pytest.fixture(scope="session")
def quantized_sheet() -> Datasheet:
    weights = make_weights()
    values = {layer.name: layer.values for layer in weights}
    return Datasheet(
        experiment="jets_qat",
        task="Jet tagging",
        performance=Performance(Quality("accuracy", "Accuracy"), 0.69638, (0.69431, 0.69844)),
        judged_by=JudgedBy(300, "simulated jets"),
        firmware=make_firmware(),
        features=tuple(Feature(f"feature_{index}", -2.5, 0.5) for index in range(16)),
        meaning="logits: the largest names the class",
        outputs=tuple("gqtwz"),
        parity=make_parity(),
        reports=(make_report(),),
        audits=(
            audit_quantizer("input", "input", FixedPoint(16, 6), np.array([-8.5, 7.5])),
            audit_quantizer("relu_1_quantizer", "activation", FixedPoint(8, 1, signed=False), np.array([0.5, 23.8])),
        ),
        weights=weights,
        weight_figure=Illustration(weight_histograms(values, dict.fromkeys(values, NUMBER)), "Weights.", "Histograms."),
        performance_figures=(make_roc_figure(),),
        vectors=1_325,
        training={"Data": "simulated jets"},
        commands=(Command("Export", "python export.py ckpt=run/best.ckpt"),),
        versions={"python": "3.11.7", "nanotrigger": "0.1.0"},
    )


@pytest.fixture(scope="session")
def float_sheet(quantized_sheet) -> Datasheet:
    """What a float network leaves, quantized to fixed<16,6> after training, with a softmax."""
    plain = "fixed<16,6,TRN,WRAP>"
    firmware = make_firmware(dense=plain, relu=plain, logits=plain)
    types = {"accum": "fixed<18,8,RND,SAT>", "exp_table": "fixed<18,4,RND,SAT>", "result": "fixed<18,2,RND_CONV,SAT>"}
    softmax = Layer("softmax", "Softmax", "probabilities", "layer9_out", 5, 1, types, "softmax")
    parity = {
        **make_parity(),
        "differing_words": None,
        "accuracy_torch": 0.7024,
        "accuracy_firmware": 0.7021,
        "argmax_agreement": 0.9927,
        "largest_deviation": 0.18,
        "softmax": {"largest_deviation": 0.017, "argmax_agreement": 1.0},
        "target": {"softmax": True},
    }
    return replace(
        quantized_sheet,
        firmware=replace(firmware, layers=(*firmware.layers, softmax)),
        parity=parity,
        reports=(),
        audits=(),
    )
