"""The recipe "A back end" of CONTRIBUTING.md: networks as a C program of integers, defined here and nowhere else."""

import json
import math
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pytest

from nanotrigger.cli.verify import verify
from nanotrigger.errors import InputError
from nanotrigger.files import whole_folder
from nanotrigger.firmware.backends import BACKENDS, Backend, Emulation
from nanotrigger.firmware.record import FILE, Firmware, Layer, read_record, write_record
from nanotrigger.graph.from_qonnx import read_graph
from nanotrigger.numbers.fixed_point import type_name
from tests.command import ROOT, run_script

CHECKPOINT = ROOT / "checkpoints" / "reference" / "jets_qat.ckpt"

PROGRAM = """\
#include <math.h>
#include <stdint.h>
#include <stdio.h>

static double clip(double word, double low, double high) { return fmin(fmax(word, low), high); }

static int64_t round_half_to_even(int64_t word, int drop) {
    if (drop <= 0) return word * ((int64_t)1 << -drop);
    int64_t floor = word >> drop, twice = 2 * (word - floor * ((int64_t)1 << drop)), one = (int64_t)1 << drop;
    return floor + (twice > one || (twice == one && (floor & 1)));
}

CONSTANTS
int main(void) {
    double x[FEATURES];
    while (fread(x, sizeof(double), FEATURES, stdin) == FEATURES) {
BODY
    }
    return 0;
}
"""
QUANTIZE = """\
        int64_t v0[{size}];
        for (int i = 0; i < {size}; i++) {{
            v0[i] = (int64_t)clip(rint(ldexp(x[i], -({exponent}))), {low}, {high});
            double value = ldexp((double)v0[i], {exponent});
            fwrite(&value, sizeof value, 1, stdout);
        }}"""
DENSE = """\
        int64_t v{place}[{size}];
        for (int j = 0; j < {size}; j++) {{
            int64_t sum = b{place}[j] * ((int64_t)1 << {bias_shift});
            for (int i = 0; i < {inputs}; i++) sum += v{before}[i] * w{place}[i][j] * ((int64_t)1 << {shift});
            if ({relu} && sum < 0) sum = 0;
            v{place}[j] = (int64_t)clip(round_half_to_even(sum, {drop}), {low}, {high});
            double value = ldexp((double)v{place}[j], {exponent});
            fwrite(&value, sizeof value, 1, stdout);
        }}"""


class CProgram(Backend):
    """A program that reads events as doubles, and writes what every layer computes."""

    folder = "c"
    sources = "c/src"
    language = "C"
    build = "cc -O2 c/src/network.c -lm -o network"

    def check(self, target):
        others = target.softmax or target.radius or target.precision or target.io_type != "io_parallel"
        if others or target.reuse_factor != 1:
            raise InputError(f"backend={target.backend} writes quantized networks; omit softmax, radius and the like")

    def convert(self, model, project, target, *, name, input_format, formats=None):
        network = read_graph(model)
        layers = [layer_record("input", "Input", network.input.output, network.input.size, input_format)]
        for dense, result in pairs(network):
            layers.append(layer_record(dense.name, "Dense", result.output, len(dense.bias), result.conversion.number))
        firmware = Firmware(name, target.fpga_part, target.clock_period, target.io_type, tuple(layers))
        with whole_folder(project, marker=FILE) as folder:
            (folder / "src").mkdir()
            (folder / "src" / "network.c").write_text(self.program(network))
            write_record(firmware, folder)
        return firmware

    def program(self, network):
        return program(network)

    def emulate(self, project, inputs):
        layers, compiled, ran = self.run(project, inputs)
        version = subprocess.run(["cc", "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]
        return Emulation(list(layers.values())[-1], version, compiled, ran)

    def has_layer_outputs(self, firmware):
        return True

    def layer_outputs(self, project, inputs):
        return self.run(project, inputs)[0]

    def run(self, project, inputs):
        """Return what every layer computes, by its tensor, and the seconds to compile and to run."""
        layers, start = read_record(project).layers, time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            binary = Path(folder, "network")
            subprocess.run(["cc", "-O2", project / "src" / "network.c", "-lm", "-o", binary], check=True)
            compiled = time.perf_counter()
            done = subprocess.run([binary], input=inputs.tobytes(), capture_output=True, check=True)
        ends = np.cumsum([layer.size for layer in layers])
        values = np.split(np.frombuffer(done.stdout).reshape(-1, ends[-1]), ends[:-1], axis=1)
        named = {layer.tensor: value for layer, value in zip(layers, values, strict=True)}
        return named, compiled - start, time.perf_counter() - compiled


class WrongProgram(CProgram):
    """The same with one wrong bias in the second layer."""

    def program(self, network):
        pairs(network)[1][0].bias[3] += 1
        return program(network)


def layer_record(name, kind, tensor, size, number):
    return Layer(name, kind, tensor, tensor, size, 1, {"result": type_name(number)}, name)


def pairs(network):
    """Return each dense layer of integers with the change of format that follows it."""
    return list(zip(network.nodes[1::2], network.nodes[2::2], strict=True))


def program(network):
    """Return the C program of dense layers of integers."""
    number, size = network.input_format, network.input.size
    constants, statements = [], [QUANTIZE.format(size=size, **edges(number))]
    exponent = exponent_of(number.step)
    for place, (layer, result) in enumerate(pairs(network), start=1):
        conversion = result.conversion
        products, biases = exponent + exponent_of(layer.weight_step), exponent_of(layer.bias_step)
        sums = min(products, biases)
        exponent = exponent_of(conversion.number.step)
        inputs, size = layer.weights.shape
        rows = ", ".join(f"{{{', '.join(map(str, row))}}}" for row in layer.weights.tolist())
        constants.append(f"static const int64_t w{place}[{inputs}][{size}] = {{{rows}}};")
        constants.append(f"static const int64_t b{place}[{size}] = {{{', '.join(map(str, layer.bias.tolist()))}}};")
        shifts = {"shift": products - sums, "bias_shift": biases - sums, "drop": exponent - sums}
        sizes = {"place": place, "before": place - 1, "inputs": inputs, "size": size}
        statements.append(DENSE.format(**sizes, **shifts, relu=int(result.relu), **edges(conversion.number)))
    text = PROGRAM.replace("CONSTANTS", "\n".join(constants)).replace("BODY", "\n".join(statements))
    return text.replace("FEATURES", str(network.input.size))


def edges(number):
    return {"exponent": exponent_of(number.step), "low": number.minimum_word, "high": number.maximum_word}


def exponent_of(step):
    return round(math.log2(step))


@pytest.fixture
def export(monkeypatch, tmp_path):
    """Run export.py with the back ends `c` and `wrong`; return its exit code and the folder."""
    monkeypatch.setitem(BACKENDS, "c", CProgram())
    monkeypatch.setitem(BACKENDS, "wrong", WrongProgram())
    monkeypatch.setattr(sys, "argv", ["export.py"])

    def run(*words):
        with pytest.raises(SystemExit) as ended:
            run_script("export.py", f"ckpt={CHECKPOINT}", f"output={tmp_path / 'export'}", "data=simulated", *words)
        return ended.value.code, tmp_path / "export"

    return run


def test_a_back_end_of_ones_own_is_proven_and_described(export, capsys):
    code, folder = export("backend=c")
    assert code == 0, capsys.readouterr().err
    parity = json.loads((folder / "parity.json").read_text())
    assert parity["differing_words"] == 0
    assert parity["differing_words_of"]["firmware"] == 0
    assert parity["words"] == 5 * parity["samples"] > 250_000
    assert parity["target"]["backend"] == "c"
    assert sorted(path.name for path in (folder / "c").iterdir()) == ["firmware.json", "src"]
    assert not (folder / "hls").exists()
    assert all(finding.holds for finding in verify(folder))
    page = (folder / "datasheet.html").read_text()
    assert parity["sha256"]["firmware"] in page
    assert "c/src/" in page and CProgram.build in page and "backend=c" in page
    assert "hls/" not in page
    (folder / "c" / "src" / "network.c").write_text("int main(void) { return 0; }")
    (origin,) = [finding for finding in verify(folder) if finding.check == "origin"]
    assert origin.text == "c/src is another one"


def test_its_first_wrong_layer_is_named(export, capsys):
    code, folder = export("backend=wrong")
    assert code == 1
    assert re.search(
        r"error: firmware differs from the integer graph first in event \d+, node relu_2$", capsys.readouterr().err
    )
    parity = json.loads((folder / "parity.json").read_text())
    assert parity["differing_words_of"]["qonnx"] == 0 < parity["differing_words_of"]["firmware"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["backend=c", "softmax=true"], "backend=c writes quantized networks; omit softmax"),
        (["backend=pascal"], "backend=pascal: must be c or oneapi or wrong"),
    ],
)
def test_what_it_cannot_do_is_one_line(export, capsys, words, message):
    code, folder = export(*words)
    error = capsys.readouterr().err
    assert code == 2
    assert message in error and error.count("\n") == 1
    assert not folder.exists()
