"""Hard processes alone, as Les Houches events (arXiv:hep-ph/0609017) for a second Pythia that decays and showers them.

A particle that comes as such an event decays without memory of how it was made: W and Z isotropically.
"""

from collections.abc import Sequence
from typing import Any

from nanotrigger.simulate.generator import BEAM_ENERGY, FAILURES, start_pythia

PARTONS = (5, 6)  # places of the two that were made, after the system, the beams and the two incoming partons
_INCOMING = (3, 4)
_ALONE = ("PartonLevel:all = off", "ProcessLevel:resonanceDecays = off")
_PROTON, _PROCESS = 2212, 9999
_FROM_INCOMING = (1, 2)  # the mothers, in the numbering of the Les Houches event
_UNKNOWN_SPIN = 9.0
_FACTORIZATION_SCALE = 0.0  # GeV; Pythia damps by it what radiates before a pair of tops, and nothing else


def hard_process(settings: Sequence[str], *, scale: float, seed: int) -> Any:
    """Return events of two partons or bosons that neither decay nor radiate, for `start_pythia(…, events=)`.

    Keep it as long as the Pythia that reads it: Pythia itself does not.

    Args:
        settings: of the process, as lines such as `HardQCD:gg2gg = on`.
        scale: at which the showers start, in GeV.
        seed: 1 to 900,000,000.

    Raises:
        RuntimeError: Pythia refuses the settings.
    """
    import pythia8mc  # late: only simulation needs it, and it is an optional dependency

    class Events(pythia8mc.LHAup):
        """What Pythia asks for: the beams, and event after event."""

        def __init__(self) -> None:
            super().__init__()
            self.setStrategy(3)  # every event counts the same
            self.pythia = start_pythia((*_ALONE, *settings), seed=seed)

        def setInit(self) -> bool:  # noqa: N802 - Pythia calls it so
            self.setBeamA(_PROTON, BEAM_ENERGY)
            self.setBeamB(_PROTON, BEAM_ENERGY)
            self.addProcess(_PROCESS, 1.0, 0.0, 1.0)  # a cross section of 0 would be refused
            return True

        def setEvent(self, process: int = 0) -> bool:  # noqa: N802 - Pythia calls it so
            if not any(self.pythia.next() for _ in range(FAILURES)):
                return False
            self.setProcess(_PROCESS, 1.0, scale)
            self._set_incoming(*(self.pythia.process[place] for place in _INCOMING))
            for place in (*_INCOMING, *PARTONS):
                self._add(self.pythia.process[place], is_incoming=place in _INCOMING)
            return True

        def _set_incoming(self, first: Any, second: Any) -> None:
            fractions = first.e() / BEAM_ENERGY, second.e() / BEAM_ENERGY
            self.setPdf(first.id(), second.id(), *fractions, _FACTORIZATION_SCALE, 0.0, 0.0, True)

        def _add(self, particle: Any, *, is_incoming: bool) -> None:
            status, mothers = (-1, (0, 0)) if is_incoming else (1, _FROM_INCOMING)
            colours = particle.col(), particle.acol()
            momentum = particle.px(), particle.py(), particle.pz(), particle.e()
            self.addParticle(particle.id(), status, *mothers, *colours, *momentum, particle.m(), 0.0, _UNKNOWN_SPIN)

    return Events()
