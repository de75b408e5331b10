"""The event generator: Pythia 8 (arXiv:2203.11601), started from settings and a seed."""

from collections.abc import Sequence
from typing import Any

from nanotrigger.errors import InputError

_COMMON_SETTINGS = ("Print:quiet = on", "Beams:eCM = 13000.")  # the rest is Pythia's default, the Monash tune


def start_pythia(settings: Sequence[str], *, seed: int) -> Any:
    """Return a fresh Pythia of proton-proton collisions at 13 TeV.

    A fresh one for every chunk: reseeding a used one would not forget the events before.

    Args:
        settings: lines as `HardQCD:gg2gg = on`.
        seed: 1 to 900,000,000.

    Raises:
        RuntimeError: Pythia refuses the settings.
    """
    import pythia8mc  # late: only simulation needs it, and it is an optional dependency

    pythia = pythia8mc.Pythia("", False)
    for setting in (*_COMMON_SETTINGS, *settings, "Random:setSeed = on", f"Random:seed = {seed}"):
        if not pythia.readString(setting):
            raise RuntimeError(f"Pythia does not know the setting {setting!r}")
    if not pythia.init():
        raise RuntimeError(f"Pythia cannot start with {', '.join(settings)}")
    return pythia


def generator_versions() -> dict[str, str]:
    """Return the versions of Pythia's and FastJet's Python packages.

    Raises:
        InputError: one of them is missing.
    """
    try:
        import fastjet  # late: only simulation needs them, and they are optional dependencies
        import pythia8mc
    except ImportError as error:
        raise InputError(
            f'simulation needs {error.name}: pip install "nanotrigger[simulate]" '
            '(from a clone: pip install -e ".[simulate]")'
        ) from error
    pythia = pythia8mc.Pythia("", False)
    return {"pythia": f"{pythia.parm('Pythia:versionNumber'):.3f}", "fastjet": str(fastjet.__version__)}
