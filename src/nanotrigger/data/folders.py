"""Folders of data: what was fetched, and the samples that are shipped."""

import os
from pathlib import Path

OPENML_FILE = "jets_openml.h5"  # in the folder of fetched data


def data_folder() -> Path:
    """Return the folder of fetched data: `$NANOTRIGGER_DATA`, or `data` in the current folder."""
    return Path(os.environ.get("NANOTRIGGER_DATA", "data"))


def samples_folder() -> Path:
    """Return the folder of the shipped samples."""
    return Path(__file__).parent / "samples"
