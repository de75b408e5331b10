"""Nanotrigger in Python, for scripts and notebooks: `import nanotrigger as nt` offers what is in `__all__`.

Paths may be texts, arrays are NumPy's, and bad input raises `nt.InputError`.
"""

import contextlib
import json
import sys
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from nanotrigger import networks
from nanotrigger.cli import exporting, training
from nanotrigger.cli import verify as verifying
from nanotrigger.cli.arguments import config_files, train_arguments
from nanotrigger.cli.configs import BASE, SHIPPED
from nanotrigger.cli.configuration import from_folder
from nanotrigger.cli.keys import check_keys
from nanotrigger.cli.processes import prepare_process
from nanotrigger.command import as_input_error
from nanotrigger.cost.record import FILE as RESOURCES
from nanotrigger.cost.record import read_reports
from nanotrigger.cost.report import ResourceReport
from nanotrigger.data.split import Events, JudgedSplit, Standardization
from nanotrigger.errors import FirmwareError, InputError
from nanotrigger.evaluation.performance import described
from nanotrigger.firmware.target import Target
from nanotrigger.networks import Network
from nanotrigger.numbers.notation import as_mappings, load_yaml
from nanotrigger.tasks import judged_events, task_named, task_of
from nanotrigger.tasks.evaluate import network_figures
from nanotrigger.training.checkpoint import TrainedNetwork, load_trained
from nanotrigger.training.checkpoint import predict as outputs_of

__all__ = [
    "InputError",
    "build_network",
    "draw",
    "evaluate",
    "export",
    "load_data",
    "predict",
    "report",
    "train",
    "verify",
]

Array = NDArray[np.float64]


def load_data(
    source: str | Sequence[str] = "auto", *, task: str = "JetTagging", split: JudgedSplit = "test", **settings: Any
) -> Events:
    """Return the events of a split as they were measured, not standardized.

    Args:
        source: as `data.source`: a name such as `simulated`, the path of a file, or those of several.
        task: whose data they are, one of `nanotrigger.tasks.TASKS`.
        split: `train`, `validation` or `test`; signals, which are never trained on, are in each.
        settings: further arguments of the task's data module, such as `split_seed`.

    Returns:
        `features`, shape (events, features), `labels`, shape (events,), and the names of both. Particles and cells of
        images are flattened, `features.reshape(-1, 16, 3)` has them again.

    Raises:
        InputError: there are no such data, task or settings.

    >>> jets = load_data("simulated")
    >>> jets.features.shape, jets.class_names
    ((10000, 16), ('g', 'q', 't', 'w', 'z'))
    """
    kind = task_named(task).data_module
    _check_arguments(kind, settings)
    module = kind(list(source) if isinstance(source, list | tuple) else str(source), **settings)
    module.setup("fit")
    scale = torch.ones_like(module.standardization.scale)
    return kind.judged(module.record(), Standardization(torch.zeros_like(scale), scale), split=split)


def build_network(kind: str = "MLP", **arguments: Any) -> Network:
    """Return a network with its first weights.

    Args:
        kind: one of `nanotrigger.networks.NETWORKS`.
        arguments: of its class; a format may be a text such as `fixed<4,2>`, or a dictionary.

    Raises:
        InputError: there is no such network, or it does not take these arguments.

    >>> network = build_network(
    ...     "MLP", hidden=[8], input="fixed<16,6>", weight="fixed<4,2>", bias="fixed<4,2>", activation="ufixed<8,1>"
    ... )
    >>> network.widths
    (16, 8, 5)
    """
    return networks.build_network({"network": kind, **as_mappings(arguments)})


def train(
    experiment: str,
    settings: Mapping[str, Any] | None = None,
    *,
    network: Network | None = None,
    output: str | Path | None = None,
    configs: str | Path = SHIPPED,
) -> Path:
    """Train as `python train.py experiment=… key=value …` does, and return the run's folder.

    Args:
        experiment: its name, or several joined by `+`, of which later ones override earlier ones.
        settings: key → value, such as `{"trainer.max_epochs": 5}`.
        network: to be trained instead of the experiment's; its weights begin anew.
        output: the run's folder; by default a new one in `checkpoints`.
        configs: a folder of one's own configurations, beside the package's.

    Raises:
        InputError: as the command says it in one line.
    """
    keys = {**(settings or {}), **({} if output is None else {"output": str(output)})}
    words = [f"experiment={name}" for name in experiment.split("+")]
    words += [f"{key}={value if isinstance(value, str) else json.dumps(value)}" for key, value in keys.items()]
    with as_input_error(), _process_as_before(), tempfile.TemporaryDirectory() as folder:
        arguments = train_arguments(words, Path(configs))
        if network is not None:
            arguments = _with_network(arguments, network, Path(folder))
        check_keys(arguments, [BASE, *config_files(arguments)])
        prepare_process()
        return training.train(arguments).folder.path


def predict(checkpoint: str | Path, features: ArrayLike) -> Array:
    """Return what a trained network computes for events, shape (events, outputs).

    Args:
        checkpoint: a run's folder, or its best.ckpt or last.ckpt.
        features: as they were measured, shape (events, features), or (events, particles, features) and so on as the
            network was trained; the checkpoint knows how to standardize them.

    Raises:
        InputError: there is no such checkpoint, or the features have another shape or are not finite.
    """
    trained = load_trained(_file(checkpoint))
    values, wanted = np.asarray(features, np.float32), tuple(trained.data.get("shape", [trained.network.features]))
    if values.shape[1:] not in (wanted, (trained.network.features,)):
        raise InputError(f"features have shape {values.shape}; give (events, {', '.join(map(str, wanted))})")
    values = values.reshape(len(values), trained.network.features)
    if not np.isfinite(values).all():
        raise InputError(f"{np.count_nonzero(~np.isfinite(values))} features are not finite; remove those events")
    return outputs_of(trained.network, trained.standardization.apply(torch.from_numpy(values))).double().numpy()


def evaluate(checkpoint: str | Path, *, data: str | None = None, split: JudgedSplit = "test") -> dict[str, Any]:
    """Return how well a trained network does its task, with intervals of 68 %.

    Args:
        checkpoint: a run's folder, or its best.ckpt or last.ckpt.
        data: source of other events, all of which are taken; by default the training's own.
        split: of the training's own.

    Raises:
        InputError: a checkpoint or data that cannot be read.
    """
    trained, events, outputs = _judged(checkpoint, data, split)
    task = task_of(trained)
    figure = task.performance(trained, events, outputs)
    columns = {} if figure is None else task.columns(figure, events, outputs)
    return {"events": events.description, **described(figure), **columns}


def draw(checkpoint: str | Path, *, data: str | None = None, split: JudgedSplit = "test") -> dict[str, Figure]:
    """Return figures of a trained network by name: of its task, weights and formats; arguments as of `evaluate`."""
    trained, events, outputs = _judged(checkpoint, data, split)
    shown = task_of(trained).illustrations(trained, events, outputs, source="Trained network")
    return {name: illustration.figure for name, illustration in shown.items()} | network_figures(trained.network)


def export(
    source: str | Path,
    output: str | Path | None = None,
    *,
    data: str | None = None,
    input_format: str | None = None,
    report: str = "structural",
    approximate: bool = False,
    **target: Any,
) -> Path:
    """Write firmware, proof, cost and datasheet as `python export.py` does, and return their folder.

    Args:
        source: a run's folder, its best.ckpt or last.ckpt, or a QONNX file, NAME.onnx.
        output: folder; by default `export` in the run's, or `NAME_export` beside the file.
        data: source of the events on which it is judged; by default the training's own, or random inputs of a file.
        input_format: of a file whose inputs no quantizer reads first, such as `fixed<16,6>`.
        report: which source of resources is asked: `structural`, `yosys` or `vendor`.
        approximate: whether a file that integers cannot compute exactly is exported too, with its distance.
        target: how the firmware is built, such as `clock_period=4.0`: the fields of `firmware.target.Target`.

    Raises:
        InputError: a checkpoint, a file, data, a target or a tool that cannot be used.
        FirmwareError: the firmware does not build, or computes other words than the network.
    """
    _check_arguments(Target, target)
    settings: dict[str, Any] = {"output": None if output is None else Path(output), "data": data, "report": report}
    result: Any
    if Path(source).suffix == ".onnx":
        settings |= {"input_format": input_format, "approximate": approximate}
        result = exporting.export_file_and_report(Path(source), Target(**target), **settings)
    elif approximate:
        raise InputError("approximate=True: is for files that integers cannot compute exactly, not for checkpoints")
    else:
        result = exporting.export_and_report(_file(source), Target(**target), **settings)
    if result.judgement.difference is not None:
        raise FirmwareError(str(result.judgement.difference))
    return result.folder


def report(folder: str | Path) -> tuple[ResourceReport, ...]:
    """Return what an export costs on the chip, the best source first.

    Args:
        folder: of an export, or of a run with one in `export`.

    Raises:
        InputError: there is no report.
    """
    found = Path(folder)
    return read_reports(found if (found / RESOURCES).is_file() else found / "export")


def verify(folder: str | Path) -> list[verifying.Finding]:
    """Return whether a run, an export, or any folder with SHA256SUMS is what was written, and proven: a finding each.

    Raises:
        InputError: the folder is none of these, or a file in it cannot be read.
    """
    return verifying.verify(Path(folder))


def _file(checkpoint: str | Path) -> Path:
    path = Path(checkpoint)
    return path / "best.ckpt" if path.is_dir() else path


def _judged(checkpoint: str | Path, data: str | None, split: JudgedSplit) -> tuple[TrainedNetwork, Events, Array]:
    """Return a trained network, the events by which it is judged, and its outputs for them."""
    trained = load_trained(_file(checkpoint))
    events = judged_events(trained, data, split=split)
    outputs = outputs_of(trained.network, torch.from_numpy(events.features).float())
    return trained, events, outputs.double().numpy()


def _with_network(arguments: Sequence[str], network: Network, folder: Path) -> list[str]:
    """Return arguments whose configurations, copied into a folder, have another network."""
    kind, given = type(network), {name: value for name, value in network.configuration.items() if name != "network"}
    described = {"class_path": f"{kind.__module__}.{kind.__qualname__}", "init_args": given}
    copies = []
    for place, file in enumerate(config_files(arguments)):
        copies.append(folder / f"{place}.yaml")
        former = from_folder(load_yaml(file.read_text(encoding="utf-8")), file.absolute().parent)
        configuration = {**former, "network": described}
        copies[-1].write_text(yaml.safe_dump(configuration), encoding="utf-8")
    subcommand, *others = (word for word in arguments if not word.startswith("--config="))
    return [subcommand, *(f"--config={copy}" for copy in copies), *others]


def _check_arguments(function: Any, arguments: Mapping[str, Any]) -> None:
    """Refuse what a class does not take.

    Raises:
        InputError: an unknown name; says which there are.
    """
    names = signature(function).parameters
    for name in arguments:
        if name not in names:
            raise InputError(f"{name} is none of {', '.join(names)}")


@contextlib.contextmanager
def _process_as_before() -> Iterator[None]:
    """Restore what a training changes of its process: arguments, threads and which warnings are shown."""
    words, threads = list(sys.argv), torch.get_num_threads()
    try:
        with warnings.catch_warnings():
            yield
    finally:
        sys.argv[:] = words
        torch.set_num_threads(threads)
