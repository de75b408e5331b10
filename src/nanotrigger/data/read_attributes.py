"""Print the texts of an HDF5 file as JSON, each a list: `python read_attributes.py FILE [DATA_SET …]`.

They are those of the attributes, or of the data sets that are named.
"""

import json
import sys

import h5py
import numpy as np


def main() -> None:
    """Read the file that is named on the command line."""
    try:
        with h5py.File(sys.argv[1], "r") as file:
            named = {name: file[name][()] for name in sys.argv[2:]} or dict(file.attrs.items())
            texts = {name: [_text(value) for value in np.ravel(values)] for name, values in named.items()}
    except (OSError, RuntimeError, ValueError, TypeError, KeyError) as error:  # h5py's, on damaged files
        sys.exit(str(error))
    json.dump(texts, sys.stdout)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    main()
