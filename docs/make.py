"""Make every record, figure and table of the documents: `make reference`, which is `python docs/make.py`.

Data are simulated, networks trained and exported, studies scanned, by commands that a user could give. What they leave
is kept in checkpoints/reference, the figures in docs/figures, and `tables.py` writes the tables. It takes hours; after
an interruption the same command goes on, and what is made already is not made again.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from graphlib import TopologicalSorter
from pathlib import Path

import h5py
import tables

from nanotrigger.command import exit_code
from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures import save_figure, staircase_family
from nanotrigger.files import sha256, write_checksums, write_json, write_text
from nanotrigger.scan.draw import write_figures
from nanotrigger.scan.results import read_study
from nanotrigger.tasks.anomaly.comparison import read_detectors, write_comparison
from nanotrigger.tasks.overlay import write_overlay
from nanotrigger.training.slim import slim

MADE = Path("checkpoints/made")
REFERENCE = Path("checkpoints/reference")
FIGURES = Path("docs/figures")
TIMES = REFERENCE / "times.json"  # seconds of every step, where it was made last

DATA = {  # name → arguments of the simulation, file
    "jets": ("jets --n 200000 --seed 2", Path("data/jets_simulated.h5")),
    "events": ("events --background 100000 --signal 4000 --seed 1", Path("data/adc2021_simulated.h5")),
}
_JETS, _EVENTS = (f"data.source={path}" for _, path in DATA.values())
_FROM_FLOAT = ("warm_start.ckpt=checkpoints/reference/jets_float.ckpt", "trainer.max_epochs=20")
_SHIPPED_JETS = "data.source=simulated"  # those with constituents

TRAININGS: dict[str, tuple[str | None, tuple[str, ...]]] = {
    # name → the step from which it starts, if any, arguments of train.py; demo is what `make demo` does
    "jets_float": ("jets", ("experiment=jets_float", _JETS)),
    "jets_qat": ("jets", ("experiment=jets_qat", _JETS)),
    "jets_pruned": ("jets_float", ("experiment=jets_pruned", _JETS)),
    "jets_qat_pruned": ("jets_float", ("experiment=jets_qat_pruned", _JETS)),
    "course_qat": ("jets_float", ("experiment=course_qat", _JETS, *_FROM_FLOAT)),
    "course_pruned": ("jets_float", ("experiment=course_pruned", _JETS)),
    **{
        f"jets_budget_{aluts}": ("jets", ("experiment=jets_budget", _JETS, f"budget.aluts={aluts}"))
        for aluts in (300, 600, 1000, 2000, 5000)
    },
    **{
        f"jets_{kind}_{how}": (None, (f"experiment=jets_{experiment}", _SHIPPED_JETS, *words))
        for kind in ("deepsets", "cnn")
        for how, experiment, words in (
            ("float", f"{kind}_float", ()),
            ("qat", kind, ()),
            ("qat_pruned", kind, ("pruning.sparsity=0.5",)),
        )
    },
    "ad_ae": ("events", ("experiment=ad_ae", _EVENTS)),
    "ad_vae": ("events", ("experiment=ad_vae", _EVENTS)),
    "ad_ae_qat": ("ad_ae", ("experiment=ad_ae_qat", _EVENTS)),
    "ad_ae_qat_pruned": ("ad_ae", ("experiment=ad_ae_qat", _EVENTS, "pruning.sparsity=0.5")),
    "ad_vae_qat": ("ad_vae", ("experiment=ad_vae_qat", _EVENTS)),
    "ad_ae_budget": ("ad_ae", ("experiment=ad_ae_budget", _EVENTS)),
    "demo": ("jets", ("experiment=jets_qat", _SHIPPED_JETS, "trainer.enable_progress_bar=false")),
}
FLOAT = ("jets_float", "jets_pruned", "course_pruned", "jets_deepsets_float", "jets_cnn_float", "ad_ae", "ad_vae")
"""Networks that are not quantized; only the first is exported, to `fixed<16,6>`."""
SHIPPED = ("jets_float", "jets_qat", "ad_ae", "ad_ae_qat", "ad_ae_qat_pruned", "ad_vae", "ad_vae_qat")
"""Networks whose checkpoints are in the repository."""

_BOARD = MADE / "leaderboard.json"
_CONTEST = ("study=contest", _JETS, "workers=2", f"leaderboard={_BOARD}")
STUDIES = {  # name → the step from which it starts, arguments of scan.py
    "post_training": ("jets_float", ("study=post_training",)),
    "qat_width": ("jets_float", ("study=qat_width", _JETS)),
    "sparsity": ("jets_float", ("study=sparsity", _JETS, "seed=1,2")),
    "ad_input": ("ad_ae", ("study=ad_input", _EVENTS)),
    "contest": ("jets", (*_CONTEST, "contest.points=24")),
    "contest_75": (
        "contest",
        (*_CONTEST, "contest.threshold=0.75", "budget.share=0.24,0.28,0.32,0.36", "contest.points=8"),
    ),
}

OF_RUNS = ("config.yaml", "metrics.csv", "test.json", "roc.csv")
OF_EXPORTS = ("parity.json", "resources.json", "emulation.json")
OF_STUDIES = ("study.json", "results.csv")


@dataclass(frozen=True)
class Step:
    """A command that makes something.

    Attributes:
        name: of the step.
        arguments: of Python.
        after: the step that comes before, if any.
    """

    name: str
    arguments: tuple[str, ...]
    after: str | None = None

    @property
    def stamp(self) -> Path:
        """The file that says by which command it was made."""
        return MADE / "done" / f"{self.name}.json"

    @property
    def log(self) -> Path:
        """The file with what the command prints."""
        return MADE / "logs" / f"{self.name}.txt"

    def is_done(self) -> bool:
        """Return whether it need not run.

        Raises:
            InputError: it was made by another command.
        """
        if not self.stamp.is_file():
            return False
        made_by = json.loads(self.stamp.read_text(encoding="utf-8"))
        if made_by != list(self.arguments):
            raise InputError(
                f"{self.name} was made by `python {' '.join(made_by)}`; to have it made anew, delete what it made "
                f"and {self.stamp}"
            )
        return True

    def run(self) -> float:
        """Run the command and return the seconds that it took.

        Raises:
            InputError: it failed; with the last line that it printed.
        """
        start = time.monotonic()
        with self.log.open("w", encoding="utf-8") as file:
            done = subprocess.run([sys.executable, *self.arguments], stdout=file, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            last = "".join(self.log.read_text(encoding="utf-8").strip().splitlines()[-1:])
            raise InputError(f"{self.name} ended with exit code {done.returncode}: {last} (more in {self.log})")
        write_json(self.stamp, self.arguments)
        return time.monotonic() - start


def steps() -> Iterator[Step]:
    """Yield every step, those that take long first."""
    for name, (arguments, path) in DATA.items():
        yield Step(name, ("-m", "nanotrigger.simulate", *arguments.split(), "--out", str(path)))
    for name, (start, arguments) in STUDIES.items():
        yield Step(name, ("scan.py", *arguments, f"output={MADE / 'studies' / name}"), start)
    for name, (start, arguments) in TRAININGS.items():
        folder = MADE / name
        yield Step(name, ("train.py", *arguments, f"output={folder}", "ckpt_path=last"), start)
        if name not in FLOAT[1:]:
            format_ = ("precision=fixed<16,6>",) if name in FLOAT else ()
            yield Step(f"{name}_export", ("export.py", f"ckpt={folder}/best.ckpt", *format_), name)


def adopt_data(todo: Mapping[str, Step]) -> None:
    """Take data that lie there already and say that they are what the step would make."""
    for name, (_, path) in DATA.items():
        if path.is_file() and not todo[name].stamp.is_file():
            with h5py.File(path) as file:
                made_by = str(file.attrs.get("command", "another program"))
            arguments = [*made_by.split()[1:], "--out", str(path)]
            if arguments != list(todo[name].arguments):
                raise InputError(f"{path} was made by `{made_by}`, not by {DATA[name][0]!r}; move it away")
            write_json(todo[name].stamp, arguments)


def make(at_once: int) -> None:
    """Make everything.

    Raises:
        InputError: a step failed, or was made by another command.
    """
    run_steps(at_once)
    keep_winner()
    draw()
    tables.write()
    write_checksums(REFERENCE)


def run_steps(at_once: int) -> None:
    """Run all steps that are not done, so many at once, and keep what they leave.

    Raises:
        InputError: a step failed, or was made by another command.
    """
    for folder in ("logs", "done"):
        (MADE / folder).mkdir(parents=True, exist_ok=True)
    todo = {step.name: step for step in steps()}
    adopt_data(todo)
    left = {name for name, step in todo.items() if not step.is_done()}
    times = json.loads(TIMES.read_text(encoding="utf-8")) if TIMES.is_file() else {}
    order = TopologicalSorter({name: () if step.after is None else (step.after,) for name, step in todo.items()})
    order.prepare()
    ready: list[str] = []
    running: dict[Future[float], str] = {}
    with ThreadPoolExecutor(at_once) as executor:
        while order.is_active():
            ready += order.get_ready()
            made = [name for name in ready if name not in left]
            for name in made:
                ready.remove(name)
                keep(name)
                order.done(name)
            if made:  # others may be ready now
                continue
            while ready and len(running) < at_once:
                step = todo[ready.pop(0)]
                announce(step, left, times, at_once)
                running[executor.submit(step.run)] = step.name
            finished = wait(running, return_when=FIRST_COMPLETED).done if running else ()
            for name, future in [(running.pop(future), future) for future in finished]:
                times[name] = round(future.result())
                write_json(TIMES, dict(sorted(times.items())))
                left.remove(name)
                keep(name)
                order.done(name)


def announce(step: Step, left: Collection[str], times: Mapping[str, int], at_once: int) -> None:
    """Say what is being made, and how long it and all that is left will take."""
    unknown = [name for name in left if name not in times]
    rest = timedelta(seconds=round(sum(times.get(name, 0) for name in left) / at_once))
    about = f"about {timedelta(seconds=times[step.name])}" if step.name in times else "never timed"
    more = f" and {len(unknown)} that were never timed" if unknown else ""
    print(f"{step.name}: {about}; {len(left)} steps are left, about {rest}{more}", flush=True)
    print(f"  python {' '.join(step.arguments)}", flush=True)


def keep(name: str) -> None:
    """Copy the records of a step into checkpoints/reference."""
    if name in STUDIES:
        _copy(MADE / "studies" / name, REFERENCE / "studies" / name, OF_STUDIES)
    elif name.endswith("_export"):
        run = name.removesuffix("_export")
        _copy(MADE / run / "export", REFERENCE / run / "export", OF_EXPORTS)
        if run == "demo":
            texts = [(MADE / "logs" / f"{step}.txt").read_text(encoding="utf-8") for step in (run, name)]
            printed = "".join(texts).replace(str(MADE / run), "checkpoints/jets_qat/<time>")
            write_text(REFERENCE / run / "printed.txt", printed)
    elif name in TRAININGS:
        _copy(MADE / name, REFERENCE / name, OF_RUNS)
        if name in SHIPPED:
            _slim(MADE / name / "best.ckpt", name)


def keep_winner() -> None:
    """Copy the contest's leaderboard, and the network that leads it."""
    _copy(MADE, REFERENCE, ("leaderboard.json",))
    entry = json.loads(_BOARD.read_text(encoding="utf-8"))["entries"][0]
    found = (MADE / "studies" / entry["study"] / "points").glob("*/best.ckpt")
    run = next(path.parent for path in found if sha256(path) == entry["sha256"])
    _copy(run, REFERENCE / "jets_contest", OF_RUNS)
    _slim(run / "best.ckpt", "jets_contest")


def draw() -> None:
    """Draw the documents' figures."""
    drawn = MADE / "figures"
    studies = {name: read_study(REFERENCE / "studies" / name) for name in STUDIES}
    for folder, names in {"course": ("post_training", "qat_width", "sparsity"), "input": ("ad_input",)}.items():
        write_figures([studies[name] for name in names], drawn / folder)
    write_figures([studies["contest"]], drawn / "contest")
    write_comparison(read_detectors([REFERENCE / name for name in tables.DETECTORS]), drawn)
    FIGURES.mkdir(exist_ok=True)
    for path in (*(drawn / "course").glob("*.png"), drawn / "input" / "scan_network_input.png"):
        shutil.copyfile(path, FIGURES / path.name)
    save_figure(staircase_family(), drawn / "staircases")
    write_overlay([REFERENCE / name for name in ("jets_float", "jets_qat")], drawn / "float_and_qat")
    write_overlay([MADE / name for name in ("jets_float", "jets_pruned")], drawn / "float_and_pruned")
    shutil.copyfile(drawn / "staircases.png", FIGURES / "staircases.png")
    shutil.copyfile(drawn / "float_and_qat" / "overlay_history.png", FIGURES / "history_float_qat.png")
    shutil.copyfile(drawn / "float_and_pruned" / "overlay_weights.png", FIGURES / "weights_float_pruned.png")
    shutil.copyfile(drawn / "contest" / "tradeoff.png", FIGURES / "contest.png")
    shutil.copyfile(drawn / "detectors.png", FIGURES / "ad_detectors.png")
    for name in ("latent", "momenta", "reconstruction", "trigger_rate"):
        shutil.copyfile(MADE / "ad_ae" / "figures" / f"{name}.png", FIGURES / f"ad_{name}.png")


def _copy(folder: Path, target: Path, names: tuple[str, ...]) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in names:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, target / name)


def _slim(checkpoint: Path, name: str) -> None:
    slim(checkpoint, REFERENCE / f"{name}.ckpt")


def main() -> int:
    """Run the command line and return its exit code: 0; 2 if something could not be made."""
    os.chdir(Path(__file__).resolve().parent.parent)
    return exit_code(lambda: make(at_once=os.cpu_count() or 1), interrupted="interrupted: the same command goes on")


if __name__ == "__main__":
    sys.exit(main())
