"""Trained networks: read from a checkpoint, which alone rebuilds network and data scaling, and run on many events."""

import pickle
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from nanotrigger.data.split import Standardization
from nanotrigger.errors import InputError
from nanotrigger.files import find_upwards, sha256
from nanotrigger.networks import Network, build_network
from nanotrigger.networks.learned import frozen
from nanotrigger.training.module import RECORD, RECORD_VERSION

_PREFIX = "network."


@dataclass(frozen=True)
class TrainedNetwork:
    """What a checkpoint holds.

    Attributes:
        network: rebuilt, with its trained weights (learned precision as fixed formats), on the CPU, in evaluation mode.
        task: name of the Lightning module that trained it.
        data: source, hash, split, names: the record of the data module, without the standardization.
        standardization: fitted on its training split.
        epoch: index of the last epoch, from 0, as in metrics.csv.
        sha256: hash of the file.
        settings: what of the task its evaluation needs.
    """

    network: Network
    task: str
    data: dict[str, Any]
    standardization: Standardization
    epoch: int
    sha256: str
    settings: dict[str, Any] = field(default_factory=dict)


def load_trained(path: Path) -> TrainedNetwork:
    """Rebuild the network that a checkpoint holds.

    Only plain tensors and primitives are read (`weights_only=True`): a file cannot run code.

    Raises:
        InputError: the file is missing, damaged, holds other objects, or is of another version.
    """
    checkpoint = read_checkpoint(path)
    record = checkpoint.get(RECORD)
    if not isinstance(record, dict) or "state_dict" not in checkpoint:
        raise InputError(f"{path} is no checkpoint of nanotrigger; give best.ckpt or last.ckpt of a run")
    if record.get("version") != RECORD_VERSION:
        raise InputError(f"{path}: record version {record.get('version')}, this nanotrigger reads {RECORD_VERSION}")
    try:
        learned = network_of(checkpoint)
        network = frozen(learned)
        if not all(tensor.isfinite().all() for tensor in learned.state_dict().values()):
            raise InputError(f"{path}: weights are not finite, the training diverged; lower model.learning_rate")
        data = dict(record["data"])
        for name in ("source", "signals"):
            data |= {name: _from_folder(data[name], path.absolute().parent)} if name in data else {}
        standardization = Standardization(**data.pop("standardization"))
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise InputError(f"{path}: damaged checkpoint ({error}); use another one of the run") from None
    return TrainedNetwork(
        network=network.eval(),
        task=str(record.get("task")),
        settings=dict(record.get("settings", {})),
        data=data,
        standardization=standardization,
        epoch=int(checkpoint.get("epoch", 0)),
        sha256=sha256(path),
    )


def _from_folder(files: Any, folder: Path) -> Any:
    """Return files that a checkpoint names as they are found from its folder, if the current one does not have them."""
    if isinstance(files, list):
        return [_from_folder(file, folder) for file in files]
    return files if files is None or Path(files).is_file() else find_upwards(files, folder)


def network_of(checkpoint: Mapping[str, Any]) -> Network:
    """Return the network of a checkpoint's content, with its weights, as it was trained."""
    network = build_network(checkpoint[RECORD]["network"])
    state = checkpoint["state_dict"].items()
    weights = {name.removeprefix(_PREFIX): tensor for name, tensor in state if name.startswith(_PREFIX)}
    network.load_state_dict(weights)
    return network


def with_network(checkpoint: Mapping[str, Any], network: Network) -> dict[str, Any]:
    """Return the content of a checkpoint with another network of the same kind."""
    return {**checkpoint, "state_dict": {f"{_PREFIX}{name}": tensor for name, tensor in network.state_dict().items()}}


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return the content of a checkpoint, plain tensors and primitives only.

    Raises:
        InputError: the file is missing, damaged or holds other objects.
    """
    if not path.is_file():
        raise InputError(f"ckpt={path}: no such file; give best.ckpt or last.ckpt of a run")
    try:
        with warnings.catch_warnings(action="ignore"):  # torch's remarks on foreign pickles it then refuses
            checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise InputError(
            f"{path}: refused, it is damaged or holds more than plain tensors ({_first_line(error)})"
        ) from None
    except Exception as error:  # torch.load raises anything on damaged files
        raise InputError(f"{path}: damaged checkpoint ({_first_line(error)}); use another one of the run") from None
    if not isinstance(checkpoint, dict):
        raise InputError(f"{path} is no checkpoint of nanotrigger; give best.ckpt or last.ckpt of a run")
    return checkpoint


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


_CHUNK = 65_536  # rows at once


def predict(network: Callable[[Tensor], Tensor], features: Tensor) -> Tensor:
    """Return the network's outputs, shape (events, outputs), for features of shape (events, features)."""
    with torch.inference_mode():
        return torch.cat([network(rows) for rows in features.split(_CHUNK)])


def provenance(trained: TrainedNetwork) -> dict[str, Any]:
    """Return what test.json begins with: which checkpoint, and the test split of which data."""
    return {
        "checkpoint": {"file": "best.ckpt", "epoch": trained.epoch, "sha256": trained.sha256},
        "data": {"split": "test", **{key: trained.data[key] for key in ("source", "sha256", "split_seed")}},
    }
