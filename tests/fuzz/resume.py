"""Resume a run with settings changed at random: python -m tests.fuzz.resume --changes 300.

Whatever is changed, the command ends with 0, or with 2 and one line; a setting that may not change is never taken, and
what config.yaml says afterwards is what was asked for.
"""

import argparse
import collections
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from nanotrigger.cli.run_settings import MAY_CHANGE
from tests.conftest import train

STEP = ("experiment=jets_qat", "data.source=simulated", "trainer.limit_train_batches=2", "evaluate=false")
VALUES = (
    *(
        "0",
        "1",
        "2",
        "3",
        "-1",
        "0.5",
        "1e-9",
        "1e9",
        "null",
        "true",
        "false",
        "[]",
        "[1]",
        "{}",
        "''",
        "x",
        "nan",
        "inf",
    ),
    *("cosine", "constant", "plateau", "bf16-mixed", "64-true", "cpu", "auto", "ddp", "min", "max", "val_loss"),
    *("fixed<6,2>", "{width: 6, integer: 2}", "[32]", "[dense_4]", "last.ckpt", "00:00:00:01", "norm", "global"),
)
FEW = {  # others would train, or wait, for ever
    "trainer.max_epochs": ("0", "1", "2", "3"),
    "trainer.devices": ("1", "0", "[0]", "x", "1e9"),
    "trainer.num_nodes": ("1", "0", "x"),
}


def settings_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a config.yaml as they are typed, key → value, without those of the network."""
    flat: dict[str, Any] = {}
    for group, value in config.items():
        if not isinstance(value, dict):
            flat["seed" if group == "seed_everything" else group] = value
        elif group != "network":
            inner = {**value, **(value.get("init_args") or {})}
            flat |= {f"{group}.{key}": part for key, part in inner.items() if key != "init_args"}
    return flat


def end_of(run: Path, words: list[str], before: Mapping[str, Any]) -> str:
    """Return how a resume with some changes ended: `taken`, `nothing left` or `refused`.

    Raises:
        AssertionError: in a bad way.
    """
    done = train(f"ckpt_path={run / 'last.ckpt'}", *words, "evaluate=false", "trainer.accelerator=cpu")
    assert done.returncode in (0, 2), (words, done.returncode, done.stderr[-2000:])
    if done.returncode == 2:
        errors = [line for line in done.stderr.splitlines() if "Warning" not in line and not line.startswith("  ")]
        assert len(errors) == 1 and errors[0].startswith("error: "), (words, done.stderr[-2000:])
        return "refused"
    assert "Traceback" not in done.stderr, (words, done.stderr[-2000:])
    after = settings_of(yaml.safe_load((run / "config.yaml").read_text()))
    changed = {key for key in after if after[key] != before.get(key)}
    assert changed <= MAY_CHANGE, (words, changed)
    return "nothing left" if "nothing is left" in done.stdout else "taken"


def check(count: int, seed: int) -> collections.Counter[str]:
    """Resume so many times; return how that ended."""
    ends: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory() as folder:
        first = Path(folder, "first")
        done = train(*STEP, "trainer.max_epochs=1", f"output={first}")
        assert done.returncode == 0, done.stderr
        before = settings_of(yaml.safe_load((first / "config.yaml").read_text()))
        keys = [key for key in sorted(before) if not key.endswith(("class_path", "output", "ckpt_path"))]
        network = [f"network.{key}" for key in ("hidden", "weight", "weight.width", "output", "learned_bits")]
        for number in range(count):
            chance = random.Random(f"{seed} {number}")
            run = shutil.copytree(first, Path(folder, "run"))
            chosen = chance.sample([*keys, *network], chance.choice((1, 1, 1, 2)))
            words = [f"{key}={chance.choice(FEW.get(key, VALUES))}" for key in ("trainer.max_epochs", *chosen)]
            try:
                ends[end_of(run, words, before)] += 1
            except AssertionError as error:
                ends["bad"] += 1
                print(f"{number}: {error}", file=sys.stderr, flush=True)
            shutil.rmtree(run)
    return ends


def main() -> int:
    """Run the command line; return 1 if a resume came to a bad end."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.resume", description=__doc__)
    parser.add_argument("--changes", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    begin = time.monotonic()
    ends = check(options.changes, options.seed)
    for end, count in ends.most_common():
        print(f"{count:5}  {end}")
    print(f"{time.monotonic() - begin:.0f} s")
    return 1 if ends["bad"] else 0


if __name__ == "__main__":
    sys.exit(main())
