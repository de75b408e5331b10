"""Training speed, side by side with QKeras and HGQ2 on the same data: python benchmarks/training.py.

Ours is `python train.py experiment=…` as users run it, validation, checkpoints and metrics included; times are
read off metrics.csv as it grows. The references run in environments of their own, which the first run installs. Samples
are those of the training split; the first epoch, with what is compiled in it, is left out and shown as `first`.

With --gpu: on a GPU, HGQ2 with its data there as in its own example.
With --scan: the time of a scan of 12 points against that of its points one by one, as train.py and export.py.
"""

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Sequence
from pathlib import Path

import h5py
import numpy as np
import torch

from nanotrigger.data.split_data import SplitData
from nanotrigger.tasks import EventData, JetData

ROOT = Path(__file__).parents[1]
REFERENCES = Path(__file__).parent / "references"
QKERAS = ["tensorflow-cpu==2.14.1", "qkeras==0.9.0", "numpy<2", "setuptools<81", "pyparsing"]
TESTS = ["pytest", "pytest-randomly", "calmjs.parse", "ipython", "pandas<3", "tabulate"]
PACKAGES = {
    "qkeras": QKERAS,
    "hgq2": ["HGQ2==0.2.0", "jax==0.10.2"],
    "hgq2-alkaid": ["HGQ2==0.2.0", "jax==0.10.2", "alkaid==0.8.2"],
    "pquant": ["pquant-ml==0.1.0", "torch==2.13.0", "alkaid==0.8.2"],
    "hls4ml": [*QKERAS, "hls4ml==1.3.0", "torch>=2.11,<2.14", "onnx==1.17.0", "qonnx==1.0.0", *TESTS],
    "hgq2-gpu": ["HGQ2==0.2.0", "jax[cuda13]==0.10.2"],
}
ROWS = [  # task, batch size, experiment, its epochs, reference
    ("jets", 128, "jets_qat", 12, "qkeras"),
    ("jets", 1024, "jets_qat", 30, "qkeras"),
    ("jets", 8192, "jets_qat", 40, "hgq2"),
    ("anomaly", 1024, "ad_ae_qat", 30, "qkeras"),
]
GPU_ROWS = [
    ("jets", 1024, "jets_qat", 100, "hgq2-gpu"),
    ("jets", 33_200, "jets_qat", 500, "hgq2-gpu"),
    ("anomaly", 1024, "ad_ae_qat", 100, None),
    ("anomaly", 16_384, "ad_ae_qat", 200, None),
]


def environment(folder: Path, name: str) -> Path:
    """Return the Python of a reference's environment; make it if it is not there."""
    python = folder / name / "bin" / "python"
    if not (folder / name / "installed").exists():
        print(f"installing {', '.join(PACKAGES[name])} in {folder / name}", flush=True)
        venv.create(folder / name, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES[name]], check=True)
        (folder / name / "installed").touch()
    return python


def repeated(source: Path, target: Path, rows: int) -> Path:
    """Write the file again with so many rows of each data set that belongs to the training, repeated as needed."""
    with h5py.File(source) as old, h5py.File(target, "w") as new:
        new.attrs.update(old.attrs)
        for name in [name for name in ("X", "y", "background") if name in old]:
            new[name] = np.resize(old[name][:], (rows, *old[name].shape[1:]))
    return target


def archive(data: SplitData, target: Path, *, parts: Sequence[str] = ("train", "validation")) -> Path:
    """Write standardized splits for the references."""
    data.setup()
    found = {part: data.rows(part) for part in parts}
    arrays = {part: rows[0].numpy() for part, rows in found.items()}
    labels = {f"{part}_labels": rows[1].numpy() for part, rows in found.items() if len(rows) > 1}
    np.savez(target, **arrays, **labels)
    return target


def ours(experiment: str, source: Path, batch: int, epochs: int, folder: Path, device: str = "cpu") -> list[float]:
    """Run train.py; return the seconds to the end of the first epoch, and of a further one."""
    run = folder / f"{experiment}-{batch}-{device}"
    command = [
        sys.executable,
        "train.py",
        f"experiment={experiment}",
        f"data.source={source}",
        f"data.batch_size={batch}",
    ]
    command += [
        f"trainer.accelerator={device}",
        f"trainer.max_epochs={epochs}",
        "early_stopping.patience=1000000",
        f"output={run}",
        "evaluate=false",
        "trainer.enable_progress_bar=false",
    ]
    metrics, seen = run / "metrics.csv", {0: time.perf_counter()}  # when so many epochs were done
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            time.sleep(0.002)
            done = metrics.read_text().count("\n") - 1 if metrics.exists() else 0
            seen.setdefault(done, time.perf_counter())
    if process.returncode or max(seen) != epochs:
        raise SystemExit(f"{' '.join(map(str, command))}: exit code {process.returncode}, {max(seen)} epochs seen")
    first = min(seen.keys() - {0})
    return [seen[first] - seen[0], (seen[epochs] - seen[first]) / (epochs - first)]


def start_up(folder: Path) -> float:
    """Return the seconds to the first step of a short training, before which it writes last.ckpt."""
    options = ["experiment=jets_qat", "data.source=simulated", "trainer.max_epochs=1", "evaluate=false"]
    begin = time.perf_counter()
    command = [sys.executable, "train.py", *options, f"output={folder}"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and not (folder / "last.ckpt").exists():
            time.sleep(0.002)
        return time.perf_counter() - begin


def scan_and_single(source: Path, folder: Path) -> tuple[float, float]:
    """Return the seconds of a scan in one process, and of its points as single commands."""
    options = ["experiment=jets_qat", f"data.source={source}", "trainer.max_epochs=16"]
    grid = {"network.weight.width": (2, 3, 4, 6), "seed": (1, 2, 3)}

    def run(script: str, *arguments: str) -> None:
        subprocess.run([sys.executable, script, *arguments], cwd=ROOT, check=True, capture_output=True)

    begin = time.perf_counter()
    for point in itertools.product(*grid.values()):
        output = folder / "-".join(map(str, point))
        settings = [f"{key}={value}" for key, value in zip(grid, point, strict=True)]
        run("train.py", *options, *settings, f"output={output}", "evaluate=false")
        run("export.py", f"ckpt={output / 'best.ckpt'}")
    middle = time.perf_counter()
    values = [f"{key}={','.join(map(str, values))}" for key, values in grid.items()]
    run("scan.py", *options, *values, f"output={folder / 'scan'}")
    return time.perf_counter() - middle, middle - begin


def reference(python: Path, name: str, task: str, data: Path, batch: int, epochs: int) -> list[float]:
    """Return the seconds of a reference's epochs."""
    arguments = [task] if name == "qkeras" else []
    script = REFERENCES / f"{name.removesuffix('-gpu')}_training.py"
    command = [python, script, *arguments, data, str(batch), str(epochs)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jets", type=Path, required=True, help="HDF5 file of jets")
    parser.add_argument("--events", type=Path, required=True, help="HDF5 file of events in ADC2021's layout")
    parser.add_argument("--rows", type=int, default=830_000, help="events of each, repeated as needed")
    parser.add_argument("--environments", type=Path, default=ROOT / ".venv-references")
    parser.add_argument("--gpu", action="store_true", help="train on a GPU")
    parser.add_argument("--scan", action="store_true", help="compare a scan with single runs instead")
    options = parser.parse_args()
    if options.scan:
        with tempfile.TemporaryDirectory() as temporary:
            scanned, single = scan_and_single(options.jets.resolve(), Path(temporary))
        print(f"12 points: scan.py {scanned:.0f} s, one by one {single:.0f} s, ratio {scanned / single:.2f}")
        return
    table = GPU_ROWS if options.gpu else ROWS
    pythons = {name: environment(options.environments, name) for *_, name in table if name is not None}
    if options.gpu:
        print(f"on {torch.cuda.get_device_name()}, torch {torch.__version__}")
    print("task      batch  samples/s     first  reference  samples/s     first   ratio")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for task, batch, experiment, epochs, name in table:
            kind = JetData if task == "jets" else EventData
            source = repeated(options.jets if task == "jets" else options.events, folder / f"{task}.h5", options.rows)
            data = kind(str(source), batch_size=batch)
            arrays = archive(data, folder / f"{task}.npz")
            samples = len(data.rows("train")[0])
            first, further = ours(experiment, source, batch, epochs, folder, device="gpu" if options.gpu else "cpu")
            row = f"{task:8} {batch:6} {samples / further:10,.0f} {first:8.1f}s"
            if name is not None:
                theirs = reference(pythons[name], name, task, arrays, batch, 10 if options.gpu else 3)
                speed = samples / statistics.median(theirs[1:])
                row += f"  {name:9} {speed:10,.0f} {theirs[0]:8.1f}s {samples / further / speed:6.1f}x"
            print(row, flush=True)
        starts = [start_up(folder / f"start-{number}") for number in range(3)]
        print(f"\nfirst step of experiment=jets_qat trainer.max_epochs=1: {statistics.median(starts):.1f} s")


if __name__ == "__main__":
    main()
