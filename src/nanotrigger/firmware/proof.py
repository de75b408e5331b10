"""Judge firmware: run network, QONNX and C++ on the same events and write down where they agree."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import special

from nanotrigger.files import sha256, sha256_of_folder, write_json
from nanotrigger.firmware.backends import Emulation, backend_named
from nanotrigger.firmware.events import Events
from nanotrigger.firmware.execute import execute, execute_by_qonnx, fits_float32
from nanotrigger.firmware.parity import Difference, differing_words, first_difference, torch_layers, torch_outputs
from nanotrigger.firmware.record import RADIUS, Firmware
from nanotrigger.firmware.target import Target, input_format
from nanotrigger.firmware.vectors import MAXIMUM_EVENTS, extreme_inputs, write_vectors
from nanotrigger.graph.load import load_model
from nanotrigger.networks import DenseNetwork
from nanotrigger.numbers import FixedPoint
from nanotrigger.tasks.anomaly.scores import rz
from nanotrigger.tasks.performance import Performance, described, performance
from nanotrigger.training.checkpoint import TrainedNetwork

Array = NDArray[np.float64]
EXTREME_SEED = 0


@dataclass(frozen=True, eq=False)
class Judgement:
    """What came of a comparison.

    Attributes:
        parity: the content of parity.json.
        difference: where the first difference lies, if there is one.
        logits: what the firmware computed for the events before a softmax, shape (events, outputs).
        performance: how well the firmware does its task; None if its outputs do not tell.
    """

    parity: dict[str, Any]
    difference: Difference | None
    logits: Array
    performance: Performance | None


def judge(trained: TrainedNetwork, events: Events, target: Target, firmware: Firmware, folder: Path) -> Judgement:
    """Run network, QONNX and firmware on all events; write emulation.json and tb_data/ into `folder`."""
    backend = backend_named(target.backend)
    project = folder / backend.folder
    number = input_format(trained.network, target)
    extremes = extreme_inputs(number, trained.network.features, seed=EXTREME_SEED)
    inputs = np.concatenate([events.features, extremes])
    emulation = backend.emulate(project, inputs)
    logits = _firmware_logits(project, target, emulation, inputs, trained.network.output_name)
    judged = logits if target.radius else emulation.outputs
    figure = _performance(trained, events, judged[: len(events.labels)])
    write_json(folder / "emulation.json", _emulation_record(emulation, events, figure))
    _write_vectors(folder, target, (number, firmware.output_format), inputs, emulation.outputs, len(events.labels))
    record = {
        "samples": len(inputs),
        "words": int(logits.size),
        "inputs": {
            "events": {"samples": len(events.labels), "description": events.description},
            "extremes": {"samples": len(extremes), "seed": EXTREME_SEED},
        },
        "compiler": emulation.compiler,
        "target": asdict(target),
        "sha256": {
            "checkpoint": trained.sha256,
            "data": events.sha256,
            "qonnx": sha256(folder / "model.onnx"),
            "firmware": sha256_of_folder(folder / backend.sources),
        },
    }
    if trained.network.formats:
        proof, difference = _prove(trained, inputs, logits, firmware, target, folder)
    else:
        proof, difference = _agree(trained, events, logits[: len(events.labels)]), None
    if target.softmax:
        proof["softmax"] = _softmax_record(logits, emulation.outputs)
    if target.radius:
        wrong = np.flatnonzero(emulation.outputs[:, 0] != rz(logits))
        proof["radius"] = {"differing_words": len(wrong), "words": len(inputs)}
        proof["differing_words"] += len(wrong)
        if len(wrong) and difference is None:
            difference = Difference("firmware", int(wrong[0]), RADIUS)
            proof["first_difference"] = asdict(difference)
    return Judgement({**proof, **record}, difference, logits[: len(events.labels)], figure)


def _prove(
    trained: TrainedNetwork, inputs: Array, logits: Array, firmware: Firmware, target: Target, folder: Path
) -> tuple[dict[str, Any], Difference | None]:
    """Compare torch, QONNX (in float64 and by qonnx itself) and firmware, word for word."""
    network = trained.network
    model = load_model(folder / "model.onnx")
    expected = torch_outputs(network, inputs)
    tensors = execute(model, inputs)
    found = {"qonnx": tensors[network.output_name], "firmware": logits}
    exact = fits_float32(model, tensors)
    by_qonnx = execute_by_qonnx(model, inputs)
    if exact:
        found["qonnx_float32"] = by_qonnx
    differing = {witness: differing_words(expected, outputs) for witness, outputs in found.items()}
    record = {
        "differing_words": int(np.any([expected != outputs for outputs in found.values()], axis=0).sum()),
        "differing_words_of": differing,
        "qonnx_float32_is_exact": exact,
        "qonnx_float32_largest_deviation": float(np.abs(by_qonnx - expected).max()),
        "output_format": str(firmware.output_format),
        "first_difference": None,
    }
    for witness, outputs in found.items():
        if differing[witness]:
            difference = _locate(witness, network, inputs, expected, outputs, firmware, target, folder)
            return {**record, "first_difference": asdict(difference)}, difference
    return record, None


def _locate(
    witness: str,
    network: DenseNetwork,
    inputs: Array,
    expected: Array,
    outputs: Array,
    firmware: Firmware,
    target: Target,
    folder: Path,
) -> Difference:
    """Name the first differing sample and layer, by running that sample alone through every layer."""
    sample = int(np.argmax((expected != outputs).any(axis=1)))
    row = inputs[sample : sample + 1]
    backend = backend_named(target.backend)
    if witness == "firmware" and backend.has_layer_outputs(firmware):
        values = backend.layer_outputs(folder / backend.folder, row)
    elif witness == "firmware":
        values = {network.output_name: outputs[sample : sample + 1]}
    else:
        values = execute(load_model(folder / "model.onnx"), row)
    layers = torch_layers(network, row)
    last = list(layers)[-1]
    return first_difference(witness, sample, layers, {**values, last: values[network.output_name]})


def _agree(trained: TrainedNetwork, events: Events, logits: Array) -> dict[str, Any]:
    """Compare a float network with its firmware, which was quantized after training."""
    expected = torch_outputs(trained.network, events.features)
    found = {"torch": _performance(trained, events, expected), "firmware": _performance(trained, events, logits)}
    figures = {f"{figure.key}_{name}": figure.value for name, figure in found.items() if figure is not None}
    same = {"argmax_agreement": float((expected.argmax(axis=1) == logits.argmax(axis=1)).mean())}
    return {
        "differing_words": None,
        "remark": "post-training quantization: the firmware approximates the float network",
        **figures,
        **(same if "accuracy_torch" in figures else {}),
        "largest_deviation": float(np.abs(expected - logits).max()),
    }


def _performance(trained: TrainedNetwork, events: Events, outputs: Array) -> Performance | None:
    return performance(trained, events.features, outputs, events.labels, class_names=events.class_names)


def _firmware_logits(project: Path, target: Target, emulation: Emulation, inputs: Array, output_name: str) -> Array:
    """Return the firmware's outputs, tapped before the softmax or the sum of squares if there is one."""
    if not (target.softmax or target.radius):
        return emulation.outputs
    return backend_named(target.backend).layer_outputs(project, inputs)[output_name]


def _softmax_record(logits: Array, probabilities: Array) -> dict[str, float]:
    exact = special.softmax(logits, axis=1)
    return {
        "largest_deviation": float(np.abs(exact - probabilities).max()),
        "argmax_agreement": float((exact.argmax(axis=1) == probabilities.argmax(axis=1)).mean()),
    }


def _emulation_record(emulation: Emulation, events: Events, figure: Performance | None) -> dict[str, Any]:
    return {
        "compiler": emulation.compiler,
        "seconds_compile": round(emulation.seconds_compile, 3),
        "seconds_run": round(emulation.seconds_run, 3),
        "samples": len(emulation.outputs),
        "events": events.description,
        **described(figure),
    }


def _write_vectors(
    folder: Path, target: Target, formats: tuple[FixedPoint, FixedPoint], inputs: Array, outputs: Array, events: int
) -> None:
    """Write the first events and all extremes as words, and for the project's own testbench."""
    rows = np.r_[: min(events, MAXIMUM_EVENTS), events : len(inputs)]
    words = tuple(kind.words(values[rows]) for kind, values in zip(formats, (inputs, outputs), strict=True))
    write_vectors(folder / "tb_data", *words, formats=formats)
    backend = backend_named(target.backend)
    backend.write_testbench(folder / backend.folder, *words, formats=formats)
