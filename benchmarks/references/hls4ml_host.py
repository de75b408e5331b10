"""Plugin of pytest: hls4ml's tests compile oneAPI projects as Nanotrigger does on a machine without icpx."""

from pathlib import Path

from hls4ml.backends.oneapi.oneapi_backend import OneAPIBackend
from hls4ml.model import ModelGraph

from nanotrigger.firmware.backends.oneapi.emulate import compile_library


def _compile(backend: OneAPIBackend, model: ModelGraph) -> Path:
    """Compile a project that hls4ml wrote; return the library, which is named by the project's stamp as hls4ml's is."""
    name, project = model.config.get_project_name(), Path(model.config.get_output_dir()).resolve()
    build = project / "build" / model.config.get_config_value("Stamp")
    build.mkdir(parents=True)
    return compile_library(project, name, build, "g++")


OneAPIBackend.compile = _compile
