"""Jets of one file, each with a class label: substructure features, hardest constituents, or an image of these."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nanotrigger.data.download import OPENML_FILE, checksum_path, data_folder, recorded_sha256, samples_folder
from nanotrigger.data.hdf5 import check_readable
from nanotrigger.errors import InputError
from nanotrigger.files import sha256
from nanotrigger.tasks.jets.images import jet_images
from nanotrigger.tasks.jets.labels import class_numbers
from nanotrigger.tasks.jets.table import JetTable, column_names, read_constituents, read_table

Inputs = Literal["features", "constituents", "image"]
"""What a network sees of a jet."""

CONSTITUENTS = 16  # that are seen, by default
SHIPPED_SAMPLE = samples_folder() / "jets.h5"
SHIPPED_CONSTITUENTS = samples_folder() / "constituents.h5"
_SHIPPED = {"simulated": SHIPPED_SAMPLE, "simulated_constituents": SHIPPED_CONSTITUENTS}
_DESCRIPTIONS = {
    "openml": "hls4ml LHC jets (OpenML 42468)",
    "simulated": "Simulated jets (Pythia 8, shipped sample)",
    "simulated_constituents": "Simulated jets (Pythia 8, shipped sample)",
}

KNOWN_SOURCES = tuple(_DESCRIPTIONS)


@dataclass(frozen=True)
class JetSample:
    """Jets of one file.

    Attributes:
        features: shape (jets, values), float32, as measured (not standardized), all finite.
        labels: class numbers, shape (jets,), int64, 0 to classes - 1.
        shape: of one jet, from which its values are flattened in C order: (features,), (particles, features) or
            (height, width, channels).
        feature_names: one per column.
        class_names: one per label.
        source: `openml`, `simulated`, `simulated_constituents`, or the path of the file.
        description: where the jets come from, as figures and tables say it.
        sha256: hash of the file.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    shape: tuple[int, ...]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    source: str
    description: str
    sha256: str


def resolve_source(source: str, inputs: Inputs = "features") -> str:
    """Return what `auto` stands for: `openml` if it was fetched, else `simulated`; others as they are.

    OpenML has no constituents: where these are seen, `auto` and `simulated` are `simulated_constituents`.
    """
    if inputs != "features" and source in ("auto", "simulated"):
        return "simulated_constituents"
    if source != "auto":
        return source
    return "openml" if (data_folder() / OPENML_FILE).exists() else "simulated"


def source_path(source: str) -> Path:
    """Return the file of a source: `openml`, `simulated`, `simulated_constituents`, `auto` or a path."""
    source = resolve_source(source)
    return data_folder() / OPENML_FILE if source == "openml" else _SHIPPED.get(source, Path(source))


def read_jets(source: str, inputs: Inputs = "features", *, constituents: int = CONSTITUENTS) -> JetSample:
    """Read all jets of `source`: `auto`, `openml`, `simulated` or the path of an HDF5 or a `.npz` file.

    The file holds `X` (jets, features) and `y` (jets,), numbers or names of classes, or `y` (jets, classes), and the
    attributes `feature_names` and `class_names`; a `.npz` file may have these as arrays. `X` may also be (jets,
    particles, features) or (jets, height, width, channels), with a name for each of the last. Constituents and images
    are made of `constituents` (jets, particles, 3), hardest first, as `simulate jets --constituents` writes them.

    Args:
        source: of the jets.
        inputs: what is read of them: `features` is `X`.
        constituents: how many, for constituents and images.

    Raises:
        InputError: the file is missing, truncated, of another layout, or holds a value that is not finite
            or a label without a class.
    """
    source = resolve_source(source, inputs)
    path = source_path(source)
    if source == "openml" and inputs != "features":
        raise InputError(
            f"data.inputs={inputs}: openml has no constituents; give data.source=simulated, or simulate more with "
            f"--constituents {constituents}"
        )
    if not path.exists():
        remedy = (
            "run python -m nanotrigger.data.fetch jets"
            if source == "openml"
            else "give auto, openml, simulated or the path of an HDF5 file"
        )
        raise InputError(f"data.source={source}: no file {path}; {remedy}")
    check_readable(path)
    digest = sha256(path)
    if source == "openml" and recorded_sha256(path) not in (None, digest):
        recorded = checksum_path(path).name
        raise InputError(f"{path} does not match {recorded}; run python -m nanotrigger.data.fetch jets again")
    table = read_table(path) if inputs == "features" else read_constituents(path, constituents)
    labels = class_numbers(path, table.labels, table.class_names)
    _check(path, table, labels)
    values, names = table.values, table.feature_names
    if inputs == "image":
        values = jet_images(values)
        names = column_names(values.shape[1:], ("pt",))
    return JetSample(
        features=values.reshape(len(values), -1),
        labels=labels.astype(np.int64),
        shape=values.shape[1:],
        feature_names=names,
        class_names=table.class_names,
        source=source,
        description=_DESCRIPTIONS.get(source, f"{path.name}: {table.origin}" if table.origin else path.name),
        sha256=digest,
    )


def _check(path: Path, table: JetTable, labels: NDArray[np.int64]) -> None:
    values, names = table.values, table.class_names
    if not 2 <= values.ndim <= 4 or labels.shape != values.shape[:1] or not values.size:
        raise InputError(
            f"{path}: {table.array} has shape {values.shape} and y {labels.shape}; expected (jets, features), "
            "(jets, particles, features) or (jets, height, width, channels), and (jets,)"
        )
    columns = math.prod(values.shape[1:])
    if len(table.feature_names) != columns:
        raise InputError(f"{path}: {len(table.feature_names)} feature_names for {columns} columns of {table.array}")
    if len(set(names)) < max(2, len(names)):
        raise InputError(f"{path}: class_names {', '.join(names)}; give at least two classes, all different")
    finite = np.isfinite(values)
    if not finite.all():
        place = tuple(np.argwhere(~finite)[0].tolist())
        name = table.feature_names[np.ravel_multi_index(place[1:], values.shape[1:])]
        raise InputError(
            f"{path}: {table.array}{list(place)} ({name}) is {values[place]}, and "
            f"{np.count_nonzero(~finite)} values in all are not finite; remove those jets"
        )
    unknown = ~np.isin(labels, np.arange(len(names)))
    if unknown.any():
        row = int(np.argmax(unknown))
        raise InputError(
            f"{path}: y[{row}] = {labels[row]} is no class; labels are 0 to {len(names) - 1} ({', '.join(names)})"
        )
