"""Export: from a checkpoint to QONNX, firmware and the proof that they compute the same."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path

from nanotrigger.data.split import Events, JudgedSplit
from nanotrigger.errors import InputError
from nanotrigger.files import whole_folder, write_json
from nanotrigger.firmware.backends import backend_named
from nanotrigger.firmware.built import built, unmet
from nanotrigger.firmware.flat import Flat
from nanotrigger.firmware.post_training import audit_types, post_training_remarks
from nanotrigger.firmware.proof import Judgement, judge
from nanotrigger.firmware.qonnx import write_qonnx
from nanotrigger.firmware.target import Target, input_format, settled
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.graph.graph import Graph
from nanotrigger.networks import Network
from nanotrigger.networks.network import folded
from nanotrigger.tasks import judged_events
from nanotrigger.training.checkpoint import TrainedNetwork, load_trained


@dataclass(frozen=True)
class Export:
    """What was exported.

    Attributes:
        folder: holds model.onnx, hls4ml.onnx if that is no chain of layers, the back end's project, parity.json,
            emulation.json and tb_data/.
        trained: what was exported of the checkpoint's network: a section, its BatchNorm folded.
        target: how the firmware is built, its precision settled.
        events: on which it was judged.
        judgement: what came of comparing the witnesses.
        graph: the network as integers; None for a float network, of which it is read only to be counted.
        remarks: what the user should know, a line each: what was asked for and not got, and what does not fit.
    """

    folder: Path
    trained: TrainedNetwork
    target: Target
    events: Events
    judgement: Judgement
    graph: Graph | None = None
    remarks: tuple[str, ...] = ()

    @property
    def project(self) -> Path:
        """Folder of the firmware."""
        return self.folder / backend_named(self.target.backend).folder


def export(
    checkpoint: Path, output: Path, *, target: Target, data: str | None = None, split: JudgedSplit = "test"
) -> Export:
    """Write the firmware of a checkpoint into `output`, with the proof that it computes what was trained.

    The folder appears whole or stays as it was. A quantized network is proven on integer words; a float network is
    quantized to `target.precision` after training, and its agreement with the firmware is reported.

    Args:
        checkpoint: best.ckpt or last.ckpt of a run.
        output: folder to write, or to replace if it holds an export.
        target: how the firmware is built.
        data: source of the judged events, as for training; by default the training's own.
        split: which split of the training's own data is judged.

    Raises:
        InputError: the checkpoint, the data, the target or the folder are not usable.
        FirmwareError: the generated sources do not compile, or the firmware aborts.
    """
    backend = backend_named(target.backend)
    backend.check(target)
    trained = load_trained(checkpoint)
    target = settled(trained.network, target)
    trained = replace(trained, network=folded(trained.network.section(target.part)))
    if not trained.network.has_firmware:
        raise InputError(
            f"ckpt={checkpoint}: a float network that is no chain of linear layers has no firmware; train it with "
            "formats: network.input, weight, bias and activation"
        )
    events = judged_events(trained, data, split=split)
    with whole_folder(output, marker="parity.json") as folder:
        write_qonnx(trained.network, folder / "model.onnx")
        graph = read_graph(folder / "model.onnx") if trained.network.is_quantized else None
        if graph is not None:
            _check_output(graph)
        flat = flat_of(trained.network, graph, target)
        if flat is not None:
            flat.write(folder / "hls4ml.onnx")
        firmware = backend.convert(
            folder / ("model.onnx" if flat is None else "hls4ml.onnx"),
            folder / backend.folder,
            target,
            name=backend.project_name(target.name or _experiment(checkpoint)),
            input_format=input_format(trained.network, target) if flat is None else flat.number,
            formats=None if flat is None else flat.exact,
        )
        remarks = unmet(target, firmware, backend.possible_reuse_factors)
        judgement = judge(trained, events, target, firmware, folder, graph=graph, flat=flat)
        if graph is None:
            audits = audit_types(trained.network, firmware, events.features)
            remarks += post_training_remarks(str(target.precision), audits, judgement.parity, judgement.performance)
        parity = {**judgement.parity, "built": built(firmware), "remarks": list(remarks)}
        write_json(folder / "parity.json", parity)
    return Export(output, trained, target, events, replace(judgement, parity=parity), graph, remarks)


def flat_of(network: Network, graph: Graph | None, target: Target) -> Flat | None:
    """Return the form of a network's integer graph that firmware is made of; None if hls4ml takes it as it is.

    That is a chain with one format for each layer.
    """
    is_known = network.is_chain and not network.is_narrowed
    return None if graph is None or is_known else Flat(graph, target.io_type)


def _check_output(graph: Graph) -> None:
    """Refuse outputs wider than the double-precision numbers in which a back end hands them over."""
    bits, most = graph.tensors[graph.output].bits, sys.float_info.mant_dig
    if bits > most:
        raise InputError(f"outputs of {bits} bits: emulation hands over {most}; train with a format for network.output")


def _experiment(checkpoint: Path) -> str:
    """Return the experiment in checkpoints/<experiment>/<run>/, or the file's own name."""
    experiment = checkpoint.resolve().parent.parent.name
    return experiment if checkpoint.stem in ("best", "last") and experiment else checkpoint.stem
