"""Jets of one file, each with a class label: substructure features, hardest constituents, or an image of these."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from nanotrigger.data.download import OPENML_FILE, checksum_path, data_folder, recorded_sha256, samples_folder
from nanotrigger.data.hdf5 import check_readable
from nanotrigger.data.split_data import Source
from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.inputs import JET_FEATURE_LABELS
from nanotrigger.files import sha256_of_files
from nanotrigger.tasks.jets.images import jet_images
from nanotrigger.tasks.jets.labels import class_numbers, classes_of
from nanotrigger.tasks.jets.table import Choice, JetTable, column_names, join_tables, read_constituents, read_table

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
        source: `openml`, `simulated`, `simulated_constituents`, or the path of the file, or those of several.
        description: where the jets come from, as figures and tables say it.
        sha256: hash of the file, or of the files.
    """

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    shape: tuple[int, ...]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    source: Source
    description: str
    sha256: str

    @property
    def unit(self) -> str:
        """What is said of them, in the plural."""
        return unit_of(self.source, self.shape, self.feature_names)


def unit_of(source: Source, shape: tuple[int, ...], feature_names: Iterable[str]) -> str:
    """Return what figures and lines call the events: jets, but for files of others without any feature known of jets.

    Args:
        source: as of `JetSample`.
        shape: of one event.
        feature_names: one per column.

    >>> unit_of("simulated", (2,), ["a", "b"]), unit_of("mine.h5", (2,), ["mass_mmdt", "b"])
    ('jets', 'jets')
    >>> unit_of("mine.h5", (2,), ["energy", "width"])
    'events'
    """
    is_own = not isinstance(source, str) or source not in KNOWN_SOURCES
    return "events" if is_own and len(shape) < 2 and set(JET_FEATURE_LABELS).isdisjoint(feature_names) else "jets"


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


def read_jets(
    source: Source,
    inputs: Inputs = "features",
    *,
    constituents: int = CONSTITUENTS,
    choice: Choice = Choice(),  # noqa: B008
) -> JetSample:
    """Read all jets of `source`: `auto`, `openml`, `simulated`, or the path of a file, or those of several.

    An HDF5 or `.npz` file holds `X` (jets, features) and `y` (jets,), numbers or names of classes, or `y` (jets,
    classes), and the attributes `feature_names` and `class_names`; a `.npz` file may have these as arrays. `X` may
    also be (jets, particles, features) or (jets, height, width, channels), with a name for each of the last.
    Constituents and images are made of `constituents` (jets, particles, 3), hardest first, as `simulate jets
    --constituents` writes them. Columns of any table, Parquet and ROOT among them, are chosen by their names.

    Args:
        source: of the jets.
        inputs: what is read of them: `features` is `X`.
        constituents: how many, for constituents and images.
        choice: of columns and classes by name.

    Raises:
        InputError: a file is missing, truncated, of another layout, or holds a value that is not finite
            or a label without a class.
    """
    source = resolve_source(source, inputs) if isinstance(source, str) else list(source)
    paths = [source_path(name) for name in ([source] if isinstance(source, str) else source)]
    if not paths:
        raise InputError("data.source=[]: no file; name at least one")
    if inputs != "features":
        if source == "openml":
            raise InputError(
                f"data.inputs={inputs}: openml has no constituents; give data.source=simulated, or simulate more with "
                f"--constituents {constituents}"
            )
        if choice.features or choice.label or choice.table:
            raise InputError(f"data.inputs={inputs}: reads the array constituents, no columns; leave out data.features")
    for path in paths:
        _check_there(source, path)
    digest = sha256_of_files(paths)
    if source == "openml" and recorded_sha256(paths[0]) not in (None, digest):
        recorded = checksum_path(paths[0]).name
        raise InputError(f"{paths[0]} does not match {recorded}; run python -m nanotrigger.data.fetch jets again")
    table = join_tables(
        paths,
        [read_table(path, choice) if inputs == "features" else read_constituents(path, constituents) for path in paths],
    )
    where = ", ".join(map(str, paths))
    table = table._replace(class_names=choice.class_names or table.class_names or classes_of(where, table.labels))
    labels = class_numbers(where, table.labels, table.class_names)
    _check(where, table, labels)
    values, names = table.values, table.feature_names
    if inputs == "image":
        values = jet_images(values)
        names = column_names(values.shape[1:], ("pt",))
    known = _DESCRIPTIONS.get(source) if isinstance(source, str) else None
    files = paths[0].name if len(paths) == 1 else f"{paths[0].name} to {paths[-1].name} ({len(paths)} files)"
    return JetSample(
        features=values.reshape(len(values), -1),
        labels=labels.astype(np.int64),
        shape=values.shape[1:],
        feature_names=names,
        class_names=table.class_names,
        source=source,
        description=known or (f"{files}: {table.origin}" if table.origin else files),
        sha256=digest,
    )


def _check_there(source: Source, path: Path) -> None:
    if not path.exists():
        remedy = (
            "run python -m nanotrigger.data.fetch jets"
            if source == "openml"
            else "give auto, openml, simulated or the path of a file"
        )
        raise InputError(f"data.source={source if isinstance(source, str) else path}: no file {path}; {remedy}")
    check_readable(path, "a file of jets")


def _check(path: str, table: JetTable, labels: NDArray[np.int64]) -> None:
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
