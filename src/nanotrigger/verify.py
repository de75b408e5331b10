"""Verify a run, an export, or any folder with SHA256SUMS: python -m nanotrigger.verify RUN."""

import sys
from pathlib import Path
from types import ModuleType

from nanotrigger.cli.verify import Finding, main, verify


class _Verify(ModuleType):
    """This module, which importing it puts in the place of the function `nanotrigger.verify`: it can be called too."""

    def __call__(self, folder: str | Path) -> list[Finding]:
        return verify(Path(folder))


if __name__ == "__main__":
    sys.exit(main())
sys.modules[__name__].__class__ = _Verify
