"""Puts the configurations and the reference checkpoints of the repository into the package when a wheel is built."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

CONFIGS, REFERENCE = Path("configs"), Path("checkpoints/reference")


class BuildWithConfigurations(build_py):
    """Builds the package; one that is installed in editable form finds both in the repository."""

    def run(self) -> None:
        """Build, and add the files."""
        super().run()
        if not self.editable_mode:
            for file in self._files():
                target = Path(self.build_lib, "nanotrigger", file)
                self.mkpath(str(target.parent))
                self.copy_file(str(file), str(target))

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """Return what a build writes."""
        added = [] if self.editable_mode else self._files()
        return super().get_outputs(include_bytecode) + [
            str(Path(self.build_lib, "nanotrigger", file)) for file in added
        ]

    def _files(self) -> list[Path]:
        checkpoints = sorted(REFERENCE.glob("*.ckpt"))
        return [
            *sorted(CONFIGS.rglob("*.yaml")),
            *checkpoints,
            *(path.with_suffix("") / "config.yaml" for path in checkpoints),
        ]


setup(cmdclass={"build_py": BuildWithConfigurations})
