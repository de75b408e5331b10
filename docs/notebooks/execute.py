"""Execute the notebooks from the first cell to the last and store what came of it: python docs/notebooks/execute.py."""

import base64
import io
import os
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

HERE = Path(__file__).parent
COLOURS, WIDTH = 64, 1000  # of figures; more makes the files large
NOTEBOOKS = tuple(sorted(HERE.glob("*.ipynb")))


def executed(path: Path, folder: Path, *, parameters: str | None = None) -> nbformat.NotebookNode:
    """Return a notebook with the outputs of all its cells.

    Args:
        path: of the notebook.
        folder: in which its kernel works.
        parameters: source in the place of the cell with the tag `parameters`.

    Raises:
        CellExecutionError: a cell failed.
    """
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if parameters is not None and "parameters" in cell.metadata.get("tags", ()):
            cell.source = parameters
    client = NotebookClient(notebook, timeout=None, record_timing=False, resources={"metadata": {"path": str(folder)}})
    client.execute(env={**os.environ, "PYDEVD_DISABLE_FILE_VALIDATION": "1"})
    notebook.metadata.language_info = {"name": "python"}  # without the version, which tells nothing
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if "image/png" in output.get("data", {}):
                output.data["image/png"] = smaller(output.data["image/png"])
    return notebook


def smaller(picture: str) -> str:
    """Return a PNG, base64 as notebooks hold it, with fewer colours and not too wide."""
    image = Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGB")
    image.thumbnail((WIDTH, 2 * WIDTH))
    file = io.BytesIO()
    image.quantize(COLOURS).save(file, "PNG", optimize=True)
    return base64.b64encode(file.getvalue()).decode()


if __name__ == "__main__":
    for name in sys.argv[1:] or NOTEBOOKS:
        nbformat.write(executed(Path(name), HERE), name)
