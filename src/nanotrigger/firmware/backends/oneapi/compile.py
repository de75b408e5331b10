"""Compile a firmware project into a shared library that runs on the host."""

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from nanotrigger.errors import FirmwareError, InputError
from nanotrigger.tools import run_tool

Compiler = Literal["icpx", "g++"]

_STAND_IN = Path(__file__).parent / "host_sycl"


def find_compiler(wanted: Compiler | None = None) -> Compiler:
    """Return the compiler to use: `wanted`, or else icpx if it is on the PATH, or else g++.

    Raises:
        InputError: it is not on the PATH.
    """
    candidates: tuple[Compiler, ...] = (wanted,) if wanted else ("icpx", "g++")
    for compiler in candidates:
        if shutil.which(compiler):
            return compiler
    missing = f"{wanted} is not" if wanted else "neither icpx nor g++ is"
    raise InputError(f"{missing} on the PATH; install g++, or source oneAPI's setvars.sh")


def compile_library(project: Path, name: str, build: Path, compiler: Compiler) -> Path:
    """Compile the sources of project `name` as they are now; return the library, which lies in `build`.

    Raises:
        InputError: icpx is there but cmake is not.
        FirmwareError: the sources do not compile.
    """
    return _with_icpx(project, build) if compiler == "icpx" else _with_gcc(project, name, build)


def compiler_version(compiler: Compiler) -> str:
    """Return the first line with which the compiler introduces itself."""
    return run_tool([compiler, "--version"]).splitlines()[0]


def _with_gcc(project: Path, name: str, build: Path) -> Path:
    library = build / f"lib{name}.so"
    sources = project / "src"
    run_tool(
        [
            "g++",
            *("-std=c++17", "-O2", "-fPIC", "-shared"),
            "-fno-gnu-unique",  # else two networks in one process would share their weights
            "-fmax-errors=3",
            "-w",  # attributes and pragmas for the FPGA compiler mean nothing here
            *("-I", str(_STAND_IN), "-I", str(_ac_types())),
            # both sources as one: half of the time goes into reading the same headers
            *("-include", str(sources / "firmware" / f"{name}.cpp"), str(sources / f"{name}_bridge.cpp")),
            *("-o", str(library)),
        ]
    )
    return library


def _with_icpx(project: Path, build: Path) -> Path:
    """Do what hls4ml's own `compile` does, outside the project."""
    if not shutil.which("cmake"):
        raise InputError("icpx needs cmake, which is not on the PATH; install it, or compile with g++")
    try:
        run_tool(["cmake", "-S", str(project), "-B", str(build)])
        run_tool(["cmake", "--build", str(build), "--target", "lib"])
    except FirmwareError as error:
        hint = "icpx builds FPGA firmware up to oneAPI 2025.0; with a later one, take it off the PATH to use g++"
        raise FirmwareError(f"{error}\n({hint})") from error
    return next(build.glob("lib*.so"))


def _ac_types() -> Path:
    """Return hls4ml's copy of the ac_types headers, without importing hls4ml, which takes a while."""
    package = find_spec("hls4ml")
    if package is None or not package.submodule_search_locations:
        raise InputError("hls4ml is not installed; it has the fixed-point headers")
    return Path(package.submodule_search_locations[0], "templates", "quartus", "ac_types")
