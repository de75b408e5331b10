"""Download the public data sets: python -m nanotrigger.data.fetch {jets,adc2021}."""

import shutil
import sys
import warnings
import zlib
from collections.abc import Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.error import URLError

import h5py
import numpy as np

from nanotrigger.command import Parser, exit_code
from nanotrigger.data.checksum import is_intact, write_checksum
from nanotrigger.data.fetch_adc2021 import ADC2021_FILES, fetch_adc2021
from nanotrigger.data.folders import OPENML_FILE, data_folder
from nanotrigger.errors import InputError
from nanotrigger.files import sha256, whole_file

OPENML_ID = 42468  # hls4ml_lhc_jets_hlf: 830,000 jets, 16 features, classes g q t w z
CLASS_NAMES = ("g", "q", "t", "w", "z")


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 2 for bad input, 130 if interrupted."""
    return exit_code(lambda: _run(arguments), interrupted="interrupted; run again to go on")


def _run(arguments: Sequence[str] | None) -> None:
    options = _parser().parse(arguments)
    for path in options.fetch(options.out or data_folder(), options):
        print(f"{path}  sha256 {sha256(path)}")


def _parser() -> Parser:
    parser = Parser(prog="python -m nanotrigger.data.fetch", description=__doc__)
    datasets = parser.add_subparsers(metavar="DATASET", required=True)
    jets = datasets.add_parser("jets", help="830,000 jets of five classes: OpenML 42468, CC-BY 4.0")
    jets.set_defaults(fetch=lambda folder, options: [fetch_jets(folder, force=options.force)])
    adc2021 = datasets.add_parser("adc2021", help="collisions for anomaly detection: Zenodo 5046389 etc., CC-BY 4.0")
    names = ",".join(ADC2021_FILES)
    adc2021.add_argument("--samples", default=names, help="which, with commas between (default: %(default)s)")
    adc2021.set_defaults(
        fetch=lambda folder, options: fetch_adc2021(folder, options.samples.split(","), force=options.force)
    )
    for dataset in (jets, adc2021):
        dataset.add_argument("--out", type=Path, default=None, help="folder (default: $NANOTRIGGER_DATA, or data)")
        dataset.add_argument("--force", action="store_true", help="download again")
    return parser


if __name__ == "__main__":
    sys.exit(main())
