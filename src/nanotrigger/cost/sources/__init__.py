"""Sources: who says what firmware costs, in one list, the best first."""

from collections.abc import Iterable

from nanotrigger.cost.report import ResourceReport
from nanotrigger.cost.sources.oneapi.vendor import EarlyEstimate, QuartusFit
from nanotrigger.cost.sources.source import Source
from nanotrigger.cost.sources.structural import StructuralCount
from nanotrigger.cost.sources.yosys import OpenSynthesis
from nanotrigger.errors import InputError

SOURCES: list[Source] = [QuartusFit(), EarlyEstimate(), OpenSynthesis(), StructuralCount()]


def source_named(name: str) -> Source:
    """Return the source of a name, as resources.json has it.

    Raises:
        InputError: it is not in `SOURCES`.
    """
    for source in SOURCES:
        if source.name == name:
            return source
    known = ", ".join(source.name for source in SOURCES)
    raise InputError(f"source {name!r} of resources is unknown; take one of {known}, or add it to SOURCES")


def options() -> tuple[str, ...]:
    """Return the words that ask for sources, the quickest first.

    >>> options()
    ('structural', 'yosys', 'vendor')
    """
    return tuple(dict.fromkeys(source.option for source in reversed(SOURCES)))


def sources_asked(option: str) -> tuple[Source, ...]:
    """Return the sources that a word asks for, after those of every export.

    >>> [source.name for source in sources_asked("vendor")]
    ['structural count', 'oneapi early estimate', 'quartus fit']

    Raises:
        InputError: it asks for none.
    """
    if option not in options():
        raise InputError(f"report={option}: unknown; choose one of {', '.join(options())}")
    first = [source for source in SOURCES if source.in_every_export]
    asked = [source for source in reversed(SOURCES) if source.option == option and not source.in_every_export]
    return (*first, *asked)


def best_first(reports: Iterable[ResourceReport]) -> tuple[ResourceReport, ...]:
    """Return the reports by their source, the headline first; equal sources keep their order.

    Raises:
        InputError: a report's source is not in `SOURCES`.
    """
    return tuple(sorted(reports, key=lambda report: SOURCES.index(source_named(report.source))))
