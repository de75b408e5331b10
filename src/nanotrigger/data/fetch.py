"""Download the public data sets: python -m nanotrigger.data.fetch {jets,adc2021,cms_l1}."""

import shutil
import sys
import warnings
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError

import h5py
import numpy as np

from nanotrigger.command import Parser, exit_code
from nanotrigger.data.download import (
    OPENML_FILE,
    ZENODO,
    ZenodoFile,
    data_folder,
    fetch_zenodo_file,
    is_intact,
    record_files,
    recorded_sha256,
    write_checksum,
)
from nanotrigger.errors import InputError
from nanotrigger.files import whole_file

OPENML_ID = 42468  # hls4ml_lhc_jets_hlf: 830,000 jets, 16 features, classes g q t w z
CLASS_NAMES = ("g", "q", "t", "w", "z")

ADC2021_FOLDER = "adc2021"
ADC2021_FILES = {
    "background": ZenodoFile(5046389, "background_for_training.h5"),
    "Ato4l": ZenodoFile(5046446, "Ato4l_lepFilter_13TeV.h5"),
    "hToTauTau": ZenodoFile(5061633, "hToTauTau_13TeV_PU20.h5"),
    "hChToTauNu": ZenodoFile(5061688, "hChToTauNu_13TeV_PU20.h5"),
    "leptoquark": ZenodoFile(5055454, "leptoquark_LOWMASS_lepFilter_13TeV.h5"),
}
"""Where each sample of ADC2021 is (CC-BY 4.0)."""

CMS_L1_FOLDER = "cms_l1"
CMS_L1_RECORD = 21787779  # objects of the CMS Level-1 trigger in hardware units, CC0
_DATA_SUFFIXES = (".tar", ".parquet")  # of a record; others describe it


def fetch_jets(folder: Path, *, force: bool = False) -> Path:
    """Download the jets of OpenML through scikit-learn and return the HDF5 file, with its SHA-256 beside it.

    scikit-learn keeps what it has downloaded in `folder/openml` until the file is complete, so an interrupted
    fetch goes on from there; a file that is there and matches its SHA-256 is left alone.

    Args:
        folder: receives jets_openml.h5 and jets_openml.h5.sha256.
        force: download again.

    Raises:
        InputError: no network, or another data set than expected.
    """
    path = folder / OPENML_FILE
    if not force and is_intact(path):
        return path
    cache = folder / "openml"
    if force:
        shutil.rmtree(cache, ignore_errors=True)
    features, labels, feature_names = _download(cache)
    with whole_file(path) as temporary, h5py.File(temporary, "w") as file:
        file.create_dataset("X", data=features, compression="gzip", shuffle=True)
        file.create_dataset("y", data=labels, compression="gzip", shuffle=True)
        file.attrs["feature_names"] = feature_names
        file.attrs["class_names"] = CLASS_NAMES
        file.attrs["source"] = f"OpenML {OPENML_ID}, hls4ml_lhc_jets_hlf"
    write_checksum(path)
    shutil.rmtree(cache, ignore_errors=True)
    return path


def _download(cache: Path) -> tuple[np.ndarray, np.ndarray, list[str]]:
    from sklearn.datasets import fetch_openml  # takes a second to import; only fetching needs it

    cache.mkdir(parents=True, exist_ok=True)
    try:
        with warnings.catch_warnings(action="ignore"):  # scikit-learn's remarks that it tries again
            bunch = fetch_openml(data_id=OPENML_ID, data_home=str(cache), as_frame=False, parser="liac-arff")
    except URLError as error:
        reason = f"no answer ({error.reason}); check the network and run again"
        raise InputError(f"OpenML data set {OPENML_ID}: {reason}") from None
    except (ValueError, KeyError, OSError, EOFError, HTTPException, zlib.error) as error:
        raise InputError(f"OpenML data set {OPENML_ID}: {error}; run again with --force to start afresh") from None
    return _checked(np.asarray(bunch.data, np.float32), np.asarray(bunch.target), list(bunch.feature_names))


def _checked(features: np.ndarray, labels: np.ndarray, names: list[str]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    unknown = sorted(set(np.unique(labels)) - set(CLASS_NAMES))
    if unknown:
        raise InputError(f"OpenML data set {OPENML_ID}: unknown classes {unknown}; expected {', '.join(CLASS_NAMES)}")
    if features.ndim != 2 or features.shape[1] != len(names) or not np.isfinite(features).all():
        raise InputError(f"OpenML data set {OPENML_ID}: shape {features.shape} or values not as expected; run again")
    return features, np.searchsorted(CLASS_NAMES, labels).astype(np.int8), names


def fetch_adc2021(
    folder: Path, samples: Sequence[str] = tuple(ADC2021_FILES), *, force: bool = False, server: str = ZENODO
) -> list[Path]:
    """Download samples of ADC2021 and return their HDF5 files, each with its SHA-256 beside it.

    A file that is there and matches its SHA-256 is left alone, without asking the server. An interrupted download
    stays in FILE.part and goes on from there; only what matches the MD5 of Zenodo's record gets the final name.

    Args:
        folder: receives the files in `adc2021/`.
        samples: names of `ADC2021_FILES`.
        force: download again.
        server: where the records are.

    Raises:
        InputError: an unknown sample, no answer, another record than expected, or a damaged download.
    """
    unknown = [sample for sample in samples if sample not in ADC2021_FILES]
    if unknown or not samples:
        raise InputError(f"samples {', '.join(unknown) or '(none)'}: unknown; choose from {', '.join(ADC2021_FILES)}")
    return [
        fetch_zenodo_file(ADC2021_FILES[sample], folder / ADC2021_FOLDER, force=force, server=server)
        for sample in samples
    ]


def fetch_cms_l1(
    folder: Path, samples: Sequence[str] | None = None, *, force: bool = False, server: str = ZENODO
) -> list[Path]:
    """Download files of the CMS Level-1 set and return them, each with its SHA-256 beside it; as `fetch_adc2021`.

    Which files there are is what the record says when it is asked, so this needs the server even where all are there.

    Args:
        folder: receives the files in `cms_l1/`.
        samples: names of files without their ending; by default all that hold data.
        force: download again.
        server: where the record is.

    Raises:
        InputError: an unknown sample, no answer, or a damaged download.
    """
    names = {Path(name).stem: name for name in record_files(CMS_L1_RECORD, server) if name.endswith(_DATA_SUFFIXES)}
    wanted = list(names) if samples is None else samples
    unknown = [sample for sample in wanted if sample not in names]
    if unknown or not wanted:
        has = ", ".join(names) or "none, which is a bug to report"
        raise InputError(f"samples {', '.join(unknown) or '(none)'}: unknown; Zenodo {CMS_L1_RECORD} has {has}")
    return [
        fetch_zenodo_file(ZenodoFile(CMS_L1_RECORD, names[sample]), folder / CMS_L1_FOLDER, force=force, server=server)
        for sample in wanted
    ]


@dataclass(frozen=True)
class PublicData:
    """A public data set.

    Attributes:
        description: number and kind of its events, its address and its license.
        fetch: called with a folder, `force` and, where some were chosen, the names of `samples`; returns the files.
        samples: its parts, of which some can be chosen; none if it is fetched as a whole, None if only the server
            knows them.
    """

    description: str
    fetch: Callable[..., list[Path]]
    samples: tuple[str, ...] | None = ()


def _fetch_jets(folder: Path, *, force: bool) -> list[Path]:
    return [fetch_jets(folder, force=force)]


DATA_SETS = {
    "jets": PublicData("830,000 jets of five classes: OpenML 42468, CC-BY 4.0", _fetch_jets),
    "adc2021": PublicData(
        "collisions for anomaly detection: Zenodo 5046389 etc., CC-BY 4.0", fetch_adc2021, tuple(ADC2021_FILES)
    ),
    "cms_l1": PublicData(
        f"real collisions, and signals, as the CMS Level-1 trigger sees them: Zenodo {CMS_L1_RECORD}, CC0",
        fetch_cms_l1,
        samples=None,
    ),
}
"""What this command fetches, by name; another data set is another entry."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 2 for bad input, 130 if interrupted."""
    return exit_code(lambda: _run(arguments), interrupted="interrupted; run again to go on")


def _run(arguments: Sequence[str] | None) -> None:
    options = _parser().parse(arguments)
    data = DATA_SETS[options.name]
    named = getattr(options, "samples", None)
    chosen = {} if named is None else {"samples": named.split(",")}
    for path in data.fetch(options.out or data_folder(), force=options.force, **chosen):
        print(f"{path}  sha256 {recorded_sha256(path)}")


def _parser() -> Parser:
    parser = Parser(prog="python -m nanotrigger.data.fetch", description=__doc__)
    names = parser.add_subparsers(metavar="DATASET", dest="name", required=True)
    for name, data in DATA_SETS.items():
        options = names.add_parser(name, help=data.description)
        if data.samples != ():
            every = ",".join(data.samples) if data.samples else None
            default = every or "all; an unknown name is answered with those that there are"
            options.add_argument("--samples", default=every, help=f"which, with commas between (default: {default})")
        options.add_argument("--out", type=Path, default=None, help="folder (default: $NANOTRIGGER_DATA, or data)")
        options.add_argument("--force", action="store_true", help="download again")
    return parser


if __name__ == "__main__":
    sys.exit(main())
