"""scan.py: train, export and cost every point of a grid, or search the contest's winner."""

import contextlib
import functools
import io
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import ArgumentParser, Namespace

from nanotrigger.cli.check_plan import check_plan
from nanotrigger.cli.errors import exit_with_one_line
from nanotrigger.cli.export import export_parser, read_target
from nanotrigger.cli.help import ExampleHelpFormatter
from nanotrigger.cli.point import EXPORT, export_arguments, measure_point, run_point
from nanotrigger.cli.train import prepare_process
from nanotrigger.command import wide_console
from nanotrigger.cost.design import read_design
from nanotrigger.cost.sources.yosys import OpenSynthesis
from nanotrigger.errors import FirmwareError, InputError
from nanotrigger.files import write_json
from nanotrigger.firmware.target import Target
from nanotrigger.scan.collect import collect_rows
from nanotrigger.scan.contest import enter, leaderboard_table, make_entry, read_leaderboard, winner
from nanotrigger.scan.figures import write_figures
from nanotrigger.scan.grammar import compose_plan, read_study_file
from nanotrigger.scan.plan import Contest, Plan
from nanotrigger.scan.points import Points
from nanotrigger.scan.progress import Progress, results_table
from nanotrigger.scan.quality import lower_end
from nanotrigger.scan.results import RESULTS, STUDY, read_study, write_results
from nanotrigger.scan.storage import open_study
from nanotrigger.scan.supervise import supervise

_DESCRIPTION = """
Train, export and cost a network at every point of a grid; the same command again continues:

  python scan.py experiment=jets_qat network.weight.width=2,3,4,6 pruning.sparsity=0,0.5,0.75 seed=1,2,3
  python scan.py experiment=jets_qat network.weight.width,network.bias.width=3,4 workers=2
  python scan.py ckpt=RUN/best.ckpt 'export.precision=fixed<8,6>,fixed<12,6>,fixed<16,6>'
  python scan.py study=qat_width seed=1,2                        configs/study/qat_width.yaml, other seeds
  python scan.py study=contest contest.points=50                 search, and enter the leaderboard
  python scan.py study=qat_width storage=postgresql://HOST/DB    on as many machines as one likes

key=a,b,c varies a key of train.py, or of export.py as export.KEY; key=a fixes it; key1,key2=a,b gives both the same
value. Commas inside brackets or quotes belong to a value: network.hidden=[16,16],[32,32].
Results: OUTPUT/results.csv, OUTPUT/figures/, and each point's run in OUTPUT/points/. docs/scans.md tells more.
Exit code: 0; 1 if a point failed or no network won; 2 for bad input.
"""

_KEYS = r"[A-Za-z_][\w.]*(,[A-Za-z_][\w.]*)*"


def main(root: Path) -> None:
    """Run `scan.py` with `sys.argv`; exit with 0, 1 if a point failed, or 2 and one line on stderr for bad input.

    Args:
        root: the folder that holds `configs`.
    """
    prepare_process()
    exit_with_one_line(lambda: _run(root / "configs"))


def run_in_worker(configs: Path, plan: Plan, keys: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run a point in a process of its own, which is prepared as train.py's is."""
    prepare_process()
    return run_point(plan, keys, folder, configs=configs)


def _run(configs: Path) -> int:
    own, experiments, keys = _split(sys.argv[1:])
    settings = _parser().parse_args(own)
    if settings.workers < 1:
        raise InputError(f"workers={settings.workers}: must be at least 1")
    plan = _plan(settings, experiments, keys, configs / "study")
    check_plan(plan, configs)
    folder = settings.output or Path("checkpoints/scans") / plan.name
    storage = settings.storage or str(folder / "storage.journal")
    points = Points(open_study(plan, storage), plan)
    if settings.retry:
        points.retry_failed()
    with Progress(points) as progress:

        def show() -> None:
            if progress.show():
                _write_study(points, progress.rows, folder)

        run = functools.partial(run_in_worker, configs)
        supervise(points, storage, folder, run, workers=settings.workers, show=show)
    return _conclude(points, folder, settings.leaderboard)


def _conclude(points: Points, folder: Path, leaderboard: Path) -> int:
    """Write results and figures, settle the contest, print all of it and return the exit code."""
    plan, rows = points.plan, collect_rows(points)
    _write_study(points, rows, folder)
    console = wide_console()
    failed = [row for row in rows if row["state"] == "failed"]
    complete = [row for row in rows if row["state"] == "complete"]
    console.print(results_table(plan, rows))
    if complete:
        write_figures([read_study(folder)], folder / "figures")
    print(f"results       {folder / 'results.csv'}, figures in {folder / 'figures'}")
    for row in failed:
        print(f"point {row['point']} failed: {row['error']}", file=sys.stderr)
    if failed:
        print(f"error: {len(failed)} of {len(rows)} points failed; retry=true runs them again", file=sys.stderr)
    won = plan.contest is None or _settle(plan, plan.contest, complete, folder, leaderboard)
    return 0 if won and not failed else 1


def _write_study(points: Points, rows: list[dict[str, Any]], folder: Path) -> None:
    """Write what is scanned and the points that are finished, as the figures read them."""
    events = next((row["events"] for row in rows if row.get("events")), "")
    write_json(folder / STUDY, {**points.plan.to_json(), "points": points.plan.size, "data": events})
    write_results(rows, folder / RESULTS)


def _settle(plan: Plan, contest: Contest, rows: list[dict[str, Any]], folder: Path, leaderboard: Path) -> bool:
    """Choose on the validation split, confirm once on the test split, enter the leaderboard; return whether one won."""
    chosen = winner(rows, contest.threshold)
    if chosen is None:
        best = max((lower_end(row) or 0.0 for row in rows), default=0.0)
        print(
            f"error: no network exceeds contest.threshold={contest.threshold} on the validation split; the best one "
            f"reaches {best:.4f} at the lower end of its interval",
            file=sys.stderr,
        )
        return False
    entries = read_leaderboard(leaderboard)
    if chosen["sha256_checkpoint"] not in [entry["sha256"] for entry in entries]:
        entries = enter(leaderboard, _confirmed(plan.name, contest.threshold, chosen, folder))
    wide_console().print(leaderboard_table(entries))
    print(f"leaderboard   {leaderboard}\nwinner        point {chosen['point']}; its firmware is in {folder / 'winner'}")
    return True


def _confirmed(study: str, threshold: float, chosen: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Export the chosen network once more, judged on the test split, and return its entry in the leaderboard."""
    run = folder / "points" / f"{chosen['point']:04}"
    keys = {key: value for key, value in chosen.items() if key.startswith(EXPORT)}
    with contextlib.redirect_stdout(io.StringIO()):
        confirmed = measure_point(keys, run / "best.ckpt", folder / "winner", split="test")
    config = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
    synthesis = _synthesis(folder, read_target(export_parser().parse_args(export_arguments(keys, run / "best.ckpt"))))
    return make_entry(study, threshold, chosen, confirmed, config, synthesis)


def _synthesis(folder: Path, target: Target) -> dict[str, int] | None:
    """Return what Yosys makes of the winner's datapath, and what is counted of the same; None if it cannot."""
    design = replace(read_design(folder / "winner", target), folder=folder)  # its log lies outside the export
    try:
        found, counted = (report.used for report in OpenSynthesis().reports(design))
    except InputError:  # it is not installed
        return None
    except FirmwareError as error:
        print(f"the leaderboard gets no synthesis: {error}")
        return None
    named = {"aluts": found.aluts, "ffs": found.ffs, "counted_aluts": counted.aluts, "counted_ffs": counted.ffs}
    return {name: number or 0 for name, number in named.items()}


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str], dict[str, str]]:
    """Return scan.py's own arguments, the experiments, and the keys of points."""
    owned = set(_parser().get_defaults().keys())
    own: list[str] = []
    experiments: list[str] = []
    keys: dict[str, str] = {}
    for argument in arguments:
        name, equals, value = argument.removeprefix("--").partition("=")
        if argument in ("-h", "--help") or (name in owned and equals):
            own.append(f"--{name}={value}" if equals else argument)
        elif name == "experiment":
            experiments.append(value)
        elif equals and re.fullmatch(_KEYS, name):
            keys[name] = value
        else:
            raise InputError(f"{argument}: write key=value, or key=a,b,c to vary it; --help shows examples")
    return own, experiments, keys


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        description=_DESCRIPTION, formatter_class=ExampleHelpFormatter, exit_on_error=False, allow_abbrev=False
    )
    parser.add_argument("--study", type=str | None, default=None, help="name of a file in configs/study")
    parser.add_argument("--ckpt", type=str | None, default=None, help="a trained network: points only export it")
    parser.add_argument(
        "--name", type=str | None, default=None, help="of the scan (default: the study's or experiment's)"
    )
    parser.add_argument("--output", type=Path | None, default=None, help="folder (default: checkpoints/scans/NAME)")
    parser.add_argument(
        "--storage", type=str | None, default=None, help="journal file or Optuna URL (default: OUTPUT/storage.journal)"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes on this machine")
    parser.add_argument("--retry", type=bool, default=False, help="run the points that failed again")
    parser.add_argument("--contest.points", type=int | None, default=None, help="networks that a contest trains")
    parser.add_argument(
        "--contest.threshold",
        type=float | None,
        default=None,
        help="what a winner exceeds",
    )
    parser.add_argument("--leaderboard", type=Path, default=Path("checkpoints/leaderboard.json"), help="of contests")
    return parser


def _plan(settings: Namespace, experiments: list[str], keys: dict[str, str], studies: Path) -> Plan:
    """Return the plan of the study's file and the command line."""
    study = read_study_file(settings.study, studies) if settings.study else {}
    changes: dict[str, Any] = {}
    if experiments or settings.ckpt:
        changes = {"experiments": tuple(experiments), "ckpt": settings.ckpt}
    name = settings.name or settings.study or "+".join(experiments) or Path(settings.ckpt or "").stem
    contest = {key: value for key, value in settings.contest.items() if value is not None}
    if contest:
        if study.get("contest") is None:
            raise InputError(
                f"contest.{next(iter(contest))}: only a study with a contest has it, such as study=contest"
            )
        changes["contest"] = replace(study["contest"], **contest)
    return compose_plan(study, keys, **changes, name=name)
