"""All reports of a oneAPI project, wherever it was built."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

from nanotrigger.cost.devices import resources_of
from nanotrigger.cost.report import ResourceReport, Resources
from nanotrigger.cost.sources.oneapi.counts import Estimate, Fit, read_estimate, read_fit
from nanotrigger.cost.sources.oneapi.records import Build, Schedule, read_build, read_schedule
from nanotrigger.errors import InputError

QUARTUS_FIT, EARLY_ESTIMATE = "quartus fit", "oneapi early estimate"

_SUMMARY, _LOOPS, _QUARTUS = "summary.ndjson", "loop_attr.ndjson", "quartus.ndjson"

Content = TypeVar("Content")


def read_project(project: Path) -> tuple[ResourceReport, ...]:
    """Return the reports of a project, the best source first; a target that Quartus fitted gives two.

    Args:
        project: any folder in which the report's files lie, at whatever depth: an export, an hls4ml project, its build
            folder, or the `.prj` folder of one target.

    Raises:
        InputError: there is no report, or a damaged one.
    """
    builds = _builds(project)
    if not builds:
        raise InputError(f"{project}: no oneAPI report in it, {_SUMMARY} is missing; build one with `make report`")
    _check_one_project(project, builds)
    reports = [report for files in builds.values() for report in _reports(files)]
    return tuple(sorted(reports, key=lambda report: report.source != QUARTUS_FIT))


def _builds(project: Path) -> dict[Path, dict[str, Path]]:
    """Return the files of each build target by their names, which need not lie side by side.

    A target is a `.prj` folder. Where there is none, the files of a folder belong together.
    """
    if not project.is_dir():
        raise InputError(f"{project}: no such folder; name a oneAPI project")
    builds: dict[Path, dict[str, Path]] = defaultdict(dict)
    for name in (_SUMMARY, _QUARTUS, _LOOPS):
        for path in sorted(project.rglob(name)):
            if not _is_hidden(path.relative_to(project)):
                output = next((parent for parent in path.parents if parent.suffix == ".prj"), path.parent)
                builds[output].setdefault(name, path)
    return {output: files for output, files in builds.items() if files.keys() & {_SUMMARY, _QUARTUS}}


def _is_hidden(path: Path) -> bool:
    """Tell whether a path lies in a hidden folder, where unfinished builds are."""
    return any(name.startswith(".") for name in path.parts)


def _check_one_project(project: Path, outputs: Iterable[Path]) -> None:
    names = sorted({output.stem.rpartition(".")[0] or output.stem for output in outputs if output.suffix == ".prj"})
    if len(names) > 1:
        raise InputError(f"{project} has reports of several projects ({', '.join(names)}); name one .prj folder")


def _reports(files: Mapping[str, Path]) -> list[ResourceReport]:
    """Return the reports of one build target: Quartus' fit if there is one, and the compiler's estimate."""
    folder = next(iter(files.values())).parent
    summary, loops, quartus = (files.get(name, folder / name) for name in (_SUMMARY, _LOOPS, _QUARTUS))
    estimate = _in_file(summary, read_estimate)
    fit = _in_file(quartus, read_fit)
    schedule = _in_file(loops, read_schedule) or Schedule()
    build = read_build(folder)
    available = _available(estimate, build)
    reports = []
    if fit:
        reports.append(_of_fit(fit, schedule, build, available))
    if estimate:
        reports.append(_of_estimate(estimate, schedule, build, available))
    if not reports:
        raise InputError(f"{summary} is missing, and Quartus has not run; build the report again")
    return reports


def _in_file(path: Path, read: Callable[[Path], Content | None]) -> Content | None:
    """Return what a file holds, None if there is no such file; an error names the file."""
    if not path.is_file():
        return None
    try:
        return read(path)
    except InputError as error:
        raise error if str(path) in str(error) else InputError(f"{path}: {error}") from error


def _available(estimate: Estimate | None, build: Build) -> Resources | None:
    if estimate and estimate.available:
        return estimate.available
    return resources_of(build.device) if build.device else None


def _of_estimate(estimate: Estimate, schedule: Schedule, build: Build, available: Resources | None) -> ResourceReport:
    assumptions = ["An estimate that the compiler makes before place and route."]
    if schedule.clock is not None:
        assumptions.append("The clock is what the compiler expects to reach.")
    return ResourceReport(
        source=EARLY_ESTIMATE,
        tool_version=build.compiler,
        device=build.device or "unknown device",
        scope="whole IP",
        used=estimate.used,
        available=available,
        latency_cycles=schedule.latency_cycles,
        initiation_interval=schedule.initiation_interval,
        clock=schedule.clock,
        assumptions=(*assumptions, *_common_assumptions(schedule, build)),
        rows=estimate.rows,
    )


def _of_fit(fit: Fit, schedule: Schedule, build: Build, available: Resources | None) -> ResourceReport:
    assumptions = ["Counted by Quartus after place and route."]
    if fit.clock is not None:
        assumptions.append("The clock is the highest that the fitted circuit reaches.")
    return ResourceReport(
        source=QUARTUS_FIT,
        tool_version=build.quartus,
        device=build.device or "unknown device",
        scope="whole IP",
        used=fit.used,
        available=available,
        latency_cycles=schedule.latency_cycles,
        initiation_interval=schedule.initiation_interval,
        clock=fit.clock,
        assumptions=(*assumptions, *_common_assumptions(schedule, build)),
        rows=fit.rows,
    )


def _common_assumptions(schedule: Schedule, build: Build) -> list[str]:
    assumptions = []
    if schedule.latency_cycles is not None:
        assumptions.append("The latency is the compiler's, of its slowest block, not from end to end.")
    if build.name is not None:
        assumptions.append(f"Built as {build.name}.")
    return assumptions
