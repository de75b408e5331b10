"""Events in the layout of the CMS Level-1 set, made of random integers: files of Parquet, and archives of it."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

Columns = dict[tuple[str, str], list]
_KINDS = {"jets": ("jetI", 12, 114, 144), "egammas": ("egI", 12, 114, 144), "muons": ("muonI", 8, 225, 576)}


def make_columns(count: int, *, seed: int = 0, momentum: float = 40.0) -> Columns:
    """Return (folder, branch) → entries of each event; objects have a mean pT of `momentum` steps of 0.5 GeV.

    They are ordered by falling pT but for muons. The menu accepts events with a jet of twice that.
    """
    random = np.random.default_rng(seed)
    columns: Columns = {}
    hardest = np.zeros(count)
    for folder, (prefix, most, eta, phi) in _KINDS.items():
        numbers = random.binomial(most, 0.25, count)
        pts = [random.exponential(momentum, number).astype(int).clip(0, 500) + 1 for number in numbers]
        if folder != "muons":
            pts = [np.sort(pt)[::-1] for pt in pts]
        columns[folder, f"{prefix}Et"] = [pt.tolist() for pt in pts]
        columns[folder, f"{prefix}Eta"] = [random.integers(-eta, eta + 1, number).tolist() for number in numbers]
        columns[folder, f"{prefix}Phi"] = [random.integers(0, phi, number).tolist() for number in numbers]
        if folder == "jets":
            hardest = np.array([max(pt, default=0) for pt in pts])
        if folder == "muons":
            columns[folder, "muonQual"] = [[12] * number for number in numbers]
    met = random.exponential(momentum, count).astype(int).clip(0, 4095)
    columns["MET", "Et"] = [[value] for value in met.tolist()]
    columns["MET", "phi"] = [[value] for value in random.integers(0, 144, count).tolist()]
    columns["seeds", "L1bit"] = (hardest > 2 * momentum).tolist()
    return columns


def write_parquet(path: Path, columns: Columns, **options) -> Path:
    """Write one row for each event, as the mirror has them, and return the path."""
    names = {(folder, branch): branch if folder == "seeds" else f"{folder}_{branch}" for folder, branch in columns}
    parquet.write_table(pa.table({names[key]: values for key, values in columns.items()}), path, **options)
    return path


def write_archive(path: Path, samples: dict[str, Columns], *, rows: int = 100) -> Path:
    """Write an archive as Zenodo has them, `zerobias/RUN/train` or such → events, `rows` to a file; return the path."""
    with tarfile.open(path, "w") as archive:
        for sample, columns in samples.items():
            for folder in {folder: None for folder, _ in columns}:
                own = {branch: values for (where, branch), values in columns.items() if where == folder}
                if folder == "seeds":
                    own = {branch: [[value] for value in values] for branch, values in own.items()}
                for place, start in enumerate(range(0, len(next(iter(own.values()))), rows)):
                    table = pa.table({branch: values[start : start + rows] for branch, values in own.items()})
                    content = io.BytesIO()
                    parquet.write_table(table, content)
                    member = tarfile.TarInfo(f"{sample}/{folder}/part-{place:03d}.parquet")
                    member.size = content.tell()
                    content.seek(0)
                    archive.addfile(member, content)
    return path
