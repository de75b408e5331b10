"""Networks of others through `export.py qonnx=FILE`: proven, refused, or wrong: python benchmarks/foreign_networks.py.

Takes every ONNX file of hls4ml's and of qonnx' source distributions, which pip fetches, Brevitas' example networks with
random weights, and every kind of node of this project's tests. With arguments, these files instead.
"""

import argparse
import inspect
import subprocess
import sys
import tarfile
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
SOURCES = ("hls4ml==1.3.0", "qonnx==1.0.0")
BREVITAS = ("tfc_1w1a", "tfc_1w2a", "tfc_2w2a", "sfc_1w1a", "sfc_1w2a", "lfc_1w1a", "lfc_1w2a")
_SECONDS = 600  # for a network


def distribution(source: str, folder: Path) -> Path:
    """Fetch a source distribution, such as `hls4ml==1.3.0`; return the folder in `folder` that it was unpacked into."""
    package = source.partition("==")[0]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    subprocess.run([*command, "--no-binary", package, "--dest", folder, source], check=True)
    archive = next(folder.glob(f"{package}-*.tar.gz"))
    with tarfile.open(archive) as content:
        content.extractall(folder / package, filter="data")
    return folder / package


def of_distributions(folder: Path) -> Iterator[tuple[str, Path]]:
    """Fetch the source distributions; yield name and path of each ONNX file."""
    for source in SOURCES:
        unpacked = distribution(source, folder)
        for path in sorted(unpacked.rglob("*.onnx")):
            yield f"{unpacked.name} {path.stem}", path


def of_brevitas(folder: Path) -> Iterator[tuple[str, Path]]:
    """Build Brevitas' example networks without a download; yield name and file of each."""
    import torch
    from brevitas.export import export_qonnx
    from brevitas_examples.bnn_pynq.models import model_with_cfg

    for name in BREVITAS:
        torch.manual_seed(0)
        model, _ = model_with_cfg(name, pretrained=False)
        path = folder / f"{name}.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            export_qonnx(model.eval(), torch.randn(1, 1, 28, 28), str(path))
        yield f"brevitas {name}", path


def of_tests(folder: Path) -> Iterator[tuple[str, Path]]:
    """Write the networks of the tests, one for each kind of node; yield name and file of each."""
    sys.path.insert(0, str(ROOT))
    from tests.made_models import Maker
    from tests.unit.graph.test_nodes import CASES

    for case in CASES:
        maker = Maker()
        output = case(maker, np.random.default_rng(0))
        yield inspect.unwrap(case).__name__, maker.write(folder / f"{case.__name__}.onnx", output)


def outcome(file: Path, folder: Path) -> tuple[str, str]:
    """Export a file; return what came of it, and the words that say so."""
    command = [sys.executable, "export.py", f"qonnx={file}", f"output={folder / 'export'}"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return "too slow", f"more than {_SECONDS} s"
    lines = done.stderr.strip().splitlines()
    if done.returncode == 0:
        return "proven", next(line for line in done.stdout.splitlines() if line.startswith("parity"))[14:]
    if done.returncode == 2 and len(lines) == 1:
        return "refused", lines[0].removeprefix("error: ").replace(f"{file}: ", "")
    return "wrong", lines[-1] if lines else f"exit code {done.returncode}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)

        def networks() -> Iterator[tuple[str, Path]]:
            if options.files:
                yield from ((path.stem, path.resolve()) for path in options.files)
                return
            yield from of_distributions(folder)
            yield from of_brevitas(folder)
            yield from of_tests(folder)

        for name, path in networks():
            begin = time.perf_counter()
            result, words = outcome(path, folder)
            counts[result] += 1
            print(f"{name:45} {result:8} {time.perf_counter() - begin:4.0f} s  {words}", flush=True)
    print(", ".join(f"{number} {result}" for result, number in counts.items()))


if __name__ == "__main__":
    main()
