"""The work of scan.py: every point trained, exported and costed, results and figures, the contest's winner."""

import contextlib
import functools
import io
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import Namespace

from nanotrigger.cli.arguments import EXPORT, export_arguments, point_arguments, with_files
from nanotrigger.cli.export import export_parser, read_target
from nanotrigger.cli.exporting import report_cost
from nanotrigger.cli.processes import prepare_process
from nanotrigger.cli.recorded import check_point
from nanotrigger.cli.training import CheckCLI, train
from nanotrigger.cli.wording import read_settings
from nanotrigger.command import as_input_error, wide_console
from nanotrigger.cost.sources import sources_asked
from nanotrigger.cost.sources.source import read_design
from nanotrigger.cost.sources.yosys import OpenSynthesis
from nanotrigger.data.split import JudgedSplit
from nanotrigger.errors import FirmwareError, InputError
from nanotrigger.files import write_checksums, write_json
from nanotrigger.firmware.backends import backend_named
from nanotrigger.firmware.export import export
from nanotrigger.firmware.target import Target, input_format, settled
from nanotrigger.scan.contest import candidates, enter, leaderboard_table, make_entry, read_leaderboard
from nanotrigger.scan.draw import write_figures
from nanotrigger.scan.measure import measure
from nanotrigger.scan.plan import Contest, Plan, Value
from nanotrigger.scan.points import Points
from nanotrigger.scan.progress import Progress, collect_rows, results_table
from nanotrigger.scan.quality import lower_end
from nanotrigger.scan.results import RESULTS, STUDY, read_study, write_results
from nanotrigger.scan.storage import open_study
from nanotrigger.scan.workers import supervise
from nanotrigger.tasks import task_of
from nanotrigger.training.checkpoint import load_trained
from nanotrigger.training.run_checkpoints import read_history


def run_scan(plan: Plan, settings: Namespace, configs: Path) -> int:
    """Run every point of a plan that has not run yet, print what came of it and return the exit code.

    Args:
        plan: of the scan.
        settings: scan.py's own.
        configs: the folder that holds `experiment/NAME.yaml`.

    Returns:
        0; 1 if a point failed or no network won.

    Raises:
        InputError: a value that cannot be used, or a storage that cannot be reached.
    """
    prepare_process()
    check_plan(plan, configs)
    if plan.contest:
        read_leaderboard(settings.leaderboard)  # now rather than when the winner is to be entered
    folder = settings.output or Path("checkpoints/scans") / plan.name
    storage = settings.storage or str(folder / "storage.journal")
    points = Points(open_study(plan, storage), plan)
    if settings.retry:
        points.retry_failed()
    left = points.unclaimed()
    if 0 < left < settings.workers:
        print(f"workers={settings.workers}: {left} points are left, one process for each")
    with Progress(points) as progress:

        def show() -> None:
            if progress.show():
                _write_study(points, progress.rows, folder)

        run = functools.partial(run_in_worker, configs)
        supervise(points, storage, folder, run, workers=settings.workers, show=show)
    return _conclude(points, folder, settings.leaderboard)


def run_in_worker(configs: Path, plan: Plan, keys: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Run a point in a process of its own, which is prepared as train.py's is."""
    prepare_process()
    return run_point(plan, keys, folder, configs=configs)


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
    for remark, numbers in _remarks(complete).items():
        print(f"warning: point{'s' * (len(numbers) > 1)} {', '.join(numbers)}: {remark}")
    if failed:
        print(f"error: {len(failed)} of {len(rows)} points failed; retry=true runs them again", file=sys.stderr)
    won = plan.contest is None or _settle(plan, plan.contest, complete, folder, leaderboard)
    return 0 if won and not failed else 1


def _remarks(rows: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Return what was remarked on trainings and exports: the line → the points of which it was said."""
    points: dict[str, list[str]] = {}
    for row in rows:
        if row.get("remarks"):
            points.setdefault(row["remarks"], []).append(str(row["point"]))
    return points


def _write_study(points: Points, rows: list[dict[str, Any]], folder: Path) -> None:
    """Write what is scanned and the points that are finished, as the figures read them."""
    events = next((row["events"] for row in rows if row.get("events")), "")
    write_json(folder / STUDY, {**points.plan.to_json(), "points": points.plan.size, "data": events})
    write_results(rows, folder / RESULTS)


def _settle(plan: Plan, contest: Contest, rows: list[dict[str, Any]], folder: Path, leaderboard: Path) -> bool:
    """Choose on the validation split, confirm on the test split, enter the leaderboard; return whether one won.

    A candidate is tested once. If the test split does not confirm it, the next cheapest one is tested.
    """
    if not rows:
        print(
            "error: no point ended with a network, so there is none to compare with "
            f"contest.threshold={contest.threshold}; the lines above say why, such as a budget that was not reached",
            file=sys.stderr,
        )
        return False
    above = candidates(rows, contest.threshold)
    if not above:
        best = max((lower_end(row) or 0.0 for row in rows), default=0.0)
        print(
            f"error: no network exceeds contest.threshold={contest.threshold} on the validation split; the best one "
            f"reaches {best:.4f} at the lower end of its interval",
            file=sys.stderr,
        )
        return False
    entry: dict[str, Any] = {}
    tested = None
    for chosen in above:
        entries = read_leaderboard(leaderboard)
        known = (entry for entry in entries if entry["sha256"] == chosen["sha256_checkpoint"])
        entry = next((entry for entry in known if entry["threshold"] == contest.threshold), {})
        if not entry:
            entry, tested = _confirmed(plan, contest.threshold, chosen, folder), chosen
            entries = enter(leaderboard, entry)
        if entry["confirmed"]:
            break
    wide_console().print(leaderboard_table(entries))
    print(f"leaderboard   {leaderboard}")
    if not entry["confirmed"]:
        print(
            f"error: the test split confirms none of the {len(above)} networks that exceed "
            f"contest.threshold={contest.threshold} on the validation split; search on with more contest.points",
            file=sys.stderr,
        )
        return False
    if tested not in (None, chosen):  # what lies in winner/ is a cheaper one that was not confirmed
        _confirmed(plan, contest.threshold, chosen, folder)
    print(f"winner        point {chosen['point']}; its firmware is in {folder / 'winner'}")
    return True


def _confirmed(plan: Plan, threshold: float, chosen: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Export the chosen network once more, judged on the test split, and return its entry in the leaderboard."""
    run = folder / "points" / f"{chosen['point']:04}"
    keys = with_files(plan, {key: value for key, value in chosen.items() if key.startswith(EXPORT)})
    with contextlib.redirect_stdout(io.StringIO()):
        confirmed = measure_point(keys, run / "best.ckpt", folder / "winner", split="test")
    config = yaml.safe_load((run / "config.yaml").read_text(encoding="utf-8"))
    synthesis = _synthesis(
        folder, read_target(read_settings(export_parser(), export_arguments(keys, run / "best.ckpt")))
    )
    return make_entry(plan.name, threshold, chosen, confirmed, config, synthesis)


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


def check_plan(plan: Plan, configs: Path) -> None:
    """Build what each value of each axis leads to, the other axes at their first value, without training.

    Raises:
        InputError: a value that cannot be used; names it and its key.
    """
    for keys in plan.samples:
        with as_input_error():
            _check(plan, keys, configs)


def _check(plan: Plan, keys: dict[str, Value], configs: Path) -> None:
    checkpoint = plan.checkpoint or Path("best.ckpt")
    settings = read_settings(export_parser(), export_arguments(with_files(plan, keys), checkpoint), prefix=EXPORT)
    target = read_target(settings)
    backend_named(target.backend).check(target)
    sources_asked(settings.report)
    if plan.ckpt is None:
        data = train(point_arguments(plan, keys, Path("unused"), configs), configs, cli=CheckCLI).datamodule
        _check_data(settings.data, data)
        return
    trained = load_trained(checkpoint)
    _check_data(settings.data, task_of(trained).data_module)
    network = trained.network
    input_format(network, settled(network, target))


def _check_data(source: str | None, data: Any) -> None:
    """Check that the file is there by whose events a point is judged."""
    if source is not None and not data.path_of(source).is_file():
        raise InputError(f"{EXPORT}data={source}: no such file; give a source as of data.source")


def run_point(plan: Plan, keys: dict[str, Value], folder: Path, *, configs: Path) -> dict[str, Any]:
    """Train a network in `folder`, or take the plan's, export it into `folder/export` and return its results.

    Args:
        plan: of the scan.
        keys: what this point sets.
        folder: of the point.
        configs: the folder that holds `experiment/NAME.yaml`.

    Raises:
        InputError: a setting that cannot be used.
        TrainingError: the training ended without what it was for, or was another than the keys say.
        FirmwareError: the firmware does not build, or differs from the network.
    """
    seconds = None
    checkpoint = plan.checkpoint or folder / "best.ckpt"
    if plan.ckpt is None:
        start = time.monotonic()
        with as_input_error():
            train(point_arguments(plan, keys, folder, configs), configs)
        check_point(keys, folder / "config.yaml")
        seconds = round(time.monotonic() - start, 2)
    split: JudgedSplit = "validation" if plan.contest else "test"
    return {"seconds_training": seconds} | measure_point(
        with_files(plan, keys), checkpoint, folder / "export", split=split
    )


def measure_point(keys: dict[str, Value], checkpoint: Path, output: Path, *, split: JudgedSplit) -> dict[str, Any]:
    """Export a checkpoint with a point's keys and return its results on a split.

    Raises:
        InputError: a setting that cannot be used.
        FirmwareError: the firmware does not build, or differs from the network.
    """
    start = time.monotonic()
    settings = read_settings(export_parser(), export_arguments(keys, checkpoint), prefix=EXPORT)
    result = export(checkpoint, output, target=read_target(settings), data=settings.data, split=split)
    difference = result.judgement.difference
    if difference is not None:
        raise FirmwareError(str(difference))
    metrics = checkpoint.with_name("metrics.csv")
    history = read_history(metrics) if metrics.is_file() else {}
    row = measure(result, report_cost(result, settings.report), history)
    write_checksums(output)
    return {**row, "seconds_export": round(time.monotonic() - start, 2)}
