"""Every command answers `--help` and a wrong argument at once: nothing heavy is imported before it knows what to do."""

import subprocess
import sys

import pytest

from tests.command import ROOT

HEAVY = {
    "torch",
    "lightning",
    "brevitas",
    "hls4ml",
    "onnx",
    "qonnx",
    "matplotlib",
    "sklearn",
    "scipy",
    "optuna",
    "pandas",
    "pyarrow",
}
REPORT = f"""
import runpy, sys
name, *sys.argv[1:] = sys.argv[1:]
try:
    runpy.run_path(name, run_name="__main__") if name.endswith(".py") else runpy._run_module_as_main(name)
finally:
    print("heavy:", *sorted({HEAVY} & set(sys.modules)))
"""
TRAIN, SCAN = ("train.py", "experiment=jets_qat"), ("scan.py", "experiment=jets_qat")
MODULES = ("verify", "data.fetch", "simulate", "training.slim", "overlay", "tasks.anomaly.detectors")
COMMANDS = ("train.py", "export.py", "scan.py", *(f"nanotrigger.{name}" for name in MODULES))
COMMANDS += ("nanotrigger.cost.sources.oneapi",)


def run(*words: str) -> subprocess.CompletedProcess:
    """Run a script or module, which prints at its end what heavy it has imported."""
    return subprocess.run([sys.executable, "-c", REPORT, *words], capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command):
    done = run(command, "--help")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("usage: ")
    assert done.stdout.endswith("\nheavy:\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((*TRAIN, "network.wieght.width=3"), "unknown key network.wieght.width; did you mean network.weight.width?"),
        ((*TRAIN, "network.weight.widht=3"), "unknown key network.weight.widht; did you mean network.weight.width?"),
        ((*TRAIN, "trainer.max_epoch=3"), "unknown key trainer.max_epoch; did you mean trainer.max_epochs?"),
        ((*TRAIN, "budget.alutz=3"), "unknown key budget.alutz; did you mean budget.aluts?"),
        ((*TRAIN, "model.l1.x=3"), "unknown key model.l1.x; did you mean model.l1?"),
        ((*TRAIN, "outptu=x"), "unknown key outptu; did you mean output?"),
        (("train.py", "experiment=ad_vae", "network.latent_sizes=3"), "did you mean network.latent_size?"),
        (("train.py", "experiment=jets_qta"), "experiment=jets_qta is unknown; choose one of"),
        (("train.py",), "experiment= is missing; choose one of"),
        (("export.py", "ckpt=best.ckpt", "clok_period=3"), "unknown key clok_period; did you mean clock_period?"),
        ((*SCAN, "network.wieght.width=3,4"), "unknown key network.wieght.width; did you mean network.weight.width?"),
        ((*SCAN, "seed=1,2", "export.precission=3"), "unknown key export.precission; did you mean export.precision?"),
        (("scan.py", "study=qat_with"), "study=qat_with is unknown; choose one of"),
        (("scan.py", "experiment=jets_qta", "seed=1,2"), "experiment=jets_qta is unknown; choose one of"),
        *(((command, "--nonsense"), f"(see python -m {command} --help)") for command in COMMANDS[3:]),
    ],
)
def test_a_wrong_argument_is_one_line(words, message):
    done = run(*words)
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
    assert done.stdout == "heavy:\n"
