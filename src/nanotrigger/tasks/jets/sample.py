"""Jets: 16 substructure features and a class label each, read from HDF5."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nanotrigger.data.folders import OPENML_FILE, checksum_path, data_folder, recorded_sha256, samples_folder
from nanotrigger.data.hdf5 import attributes, data_set, opened
from nanotrigger.errors import InputError
from nanotrigger.files import sha256

SHIPPED_SAMPLE = samples_folder() / "jets.h5"
_DESCRIPTIONS = {
    "openml": "hls4ml LHC jets (OpenML 42468)",
    "simulated": "Simulated jets (Pythia 8, shipped sample)",
}


@dataclass(frozen=True)
class JetSample:
    """Jets of one file.

    Attributes:
        features: shape (jets, features), float32, as measured (not standardized), all finite.
        labels: class numbers, shape (jets,), int64, 0 to classes - 1.
        feature_names: one per column.
        class_names: one per label.
        source: `openml`, `simulated`, or the path of the file.
        description: where the jets come from, as figures and tables say it.
        sha256: hash of the file.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    source: str
    description: str
    sha256: str


def resolve_source(source: str) -> str:
    """Return what `auto` stands for: `openml` if it was fetched, else `simulated`; others as they are."""
    if source != "auto":
        return source
    return "openml" if (data_folder() / OPENML_FILE).exists() else "simulated"


def source_path(source: str) -> Path:
    """Return the file of a source: `openml`, `simulated`, `auto` or a path."""
    source = resolve_source(source)
    if source == "openml":
        return data_folder() / OPENML_FILE
    return SHIPPED_SAMPLE if source == "simulated" else Path(source)


def read_jets(source: str) -> JetSample:
    """Read all jets of `source`: `auto`, `openml`, `simulated` or the path of an HDF5 file.

    The file holds `X` (jets, features) and `y` (jets,), and the attributes `feature_names` and
    `class_names`.

    Raises:
        InputError: the file is missing, truncated, of another layout, or holds a value that is not finite
            or a label without a class.
    """
    source = resolve_source(source)
    path = source_path(source)
    if not path.is_file():
        remedy = (
            "run python -m nanotrigger.data.fetch jets"
            if source == "openml"
            else "give auto, openml, simulated or the path of an HDF5 file"
        )
        raise InputError(f"data.source={source}: no file {path}; {remedy}")
    sample = _read_hdf5(source, path)
    _check(path, sample)
    return replace(sample, labels=sample.labels.astype(np.int64))


def _read_hdf5(source: str, path: Path) -> JetSample:
    digest = sha256(path)
    if source == "openml" and recorded_sha256(path) not in (None, digest):
        beside = checksum_path(path).name
        raise InputError(f"{path} does not match {beside}; run python -m nanotrigger.data.fetch jets again")
    with opened(path, layout="a jet file holds X, y and the attributes feature_names and class_names") as file:
        texts = attributes(path)
        for name in ("feature_names", "class_names"):
            if name not in texts:
                raise KeyError(f"there is no attribute {name}")
        origin = " ".join(texts.get("source", ()))
        return JetSample(
            features=np.asarray(data_set(file, "X")[:], dtype=np.float32),
            labels=np.asarray(data_set(file, "y")[:]),
            feature_names=texts["feature_names"],
            class_names=texts["class_names"],
            source=source,
            description=_DESCRIPTIONS.get(source, f"{path.name}: {origin}" if origin else path.name),
            sha256=digest,
        )


def _check(path: Path, sample: JetSample) -> None:
    features, labels, names = sample.features, sample.labels, sample.class_names
    if features.ndim != 2 or labels.shape != features.shape[:1] or not len(labels):
        raise InputError(
            f"{path}: X has shape {features.shape} and y {labels.shape}; expected (jets, features) and (jets,)"
        )
    if len(sample.feature_names) != features.shape[1]:
        raise InputError(f"{path}: {len(sample.feature_names)} feature_names for {features.shape[1]} columns of X")
    if len(set(names)) < max(2, len(names)):
        raise InputError(f"{path}: class_names {', '.join(names)}; give at least two classes, all different")
    finite = np.isfinite(features)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise InputError(
            f"{path}: X[{row}, {column}] ({sample.feature_names[column]}) is {features[row, column]}, and "
            f"{np.count_nonzero(~finite)} values in all are not finite; remove those jets"
        )
    unknown = ~np.isin(labels, np.arange(len(names)))
    if unknown.any():
        row = int(np.argmax(unknown))
        raise InputError(
            f"{path}: y[{row}] = {labels[row]} is no class; labels are 0 to {len(names) - 1} ({', '.join(names)})"
        )
