"""Small synthetic studies, written as a scan writes them."""

import json
import math
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from nanotrigger.scan.results import RESULTS, STUDY, write_results

FORMATS = [
    {"width": 1, "integer": 1},
    {"width": 2, "integer": 2, "narrow": True},
    *({"width": width, "integer": 2, "narrow": True} for width in (3, 4, 6, 8, 16)),
]
WIDTHS = {"keys": ["network.weight", "network.bias"], "values": FORMATS}
SEEDS = {"keys": ["seed"], "values": [1, 2, 3]}
EARLY, STRUCTURAL = "oneapi early estimate", "structural count"
DATA = "250,000 simulated jets (Pythia 8), test split"


def write_study(
    folder: Path,
    *axes: dict[str, Any],
    name: str = "qat_width",
    failed: tuple[int, ...] = (),
    source: str = EARLY,
    gain: float = 0.0,
    points: int = 40,
) -> Path:
    """Write a study over these axes, or a search of that many points if one of them has bounds; return its folder."""
    random = np.random.default_rng(len(name))
    if all("values" in axis for axis in axes):
        grid = list(product(*(axis["values"] for axis in axes)))
    else:
        grid = [tuple(_drawn(axis, random) for axis in axes) for _ in range(points)]
    rows = []
    for index, values in enumerate(grid):
        settings = {key: value for axis, value in zip(axes, values, strict=True) for key in axis["keys"]}
        row = {"point": index, **settings, "trainer.max_epochs": 5, "state": "complete"}
        row |= _results(sum(map(_size, values[: 1 if len(axes) == 1 else -1])), random, gain=gain, source=source)
        if index in failed:
            row = {column: None if column in row.keys() - settings else cell for column, cell in row.items()}
            row |= {"point": index, "state": "failed", "error": "FirmwareError: g++ ended with\n1, twice"}
        rows.append(row)
    write_results(rows, folder / RESULTS)
    plan = {
        "name": name,
        "description": "MLP 16-32-32-32-5 with 8-bit activations",
        "axes": list(axes),
        "settings": {"trainer.max_epochs": 5},
        "experiments": ["jets_qat"],
        "points": len(grid),
        "data": DATA,
    }
    (folder / STUDY).write_text(json.dumps(plan))
    return folder


def _drawn(axis: dict[str, Any], random: np.random.Generator) -> Any:
    if "values" in axis:
        return axis["values"][random.integers(len(axis["values"]))]
    return int(random.integers(axis["low"], axis["high"] + 1))


def _size(value: Any) -> float:
    """Return about how large a network this value makes, 1 to 16."""
    if isinstance(value, dict):
        return float(value["width"])
    if isinstance(value, list):
        return sum(value) / 16
    return float(value) if isinstance(value, int | float) else float(len(str(value)))


def _results(size: float, random: np.random.Generator, *, gain: float, source: str) -> dict[str, Any]:
    accuracy = 0.75 + gain - 0.12 * math.exp(-size / 2.5) + random.normal(0, 0.003)
    aluts = round(900 * size + 2000 + random.normal(0, 100 + 30 * size))
    return {
        "accuracy": accuracy,
        "accuracy_low": accuracy - 0.0022,
        "accuracy_high": accuracy + 0.0021,
        "cross_entropy": 0.7,
        "auc_g": 0.93,
        "sparsity": 0.1,
        "sparsity_integers": 0.2,
        **({"aluts": aluts, "ffs": round(1.4 * aluts + 3000)} if source else {"aluts": None, "ffs": None}),
        **{"rams": 0 if source else None, "dsps": (size > 9) * 12 if source else None, "mlabs": 7 if source else None},
        "resource_source": source,
        "contest_figure": 0.5,
        "latency_cycles": 23,
        "differing_words": 0,
        "words": 250_000,
        "seconds_training": 31.2,
        "seconds_export": 17.5,
        "sha256_checkpoint": "1e9" + "0" * 61,
        "error": None,
    }
