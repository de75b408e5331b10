"""What an anomaly detector adds to a trigger menu: efficiencies at rates of the trigger, in all and beyond the menu."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from rich.table import Table

from nanotrigger.errors import InputError
from nanotrigger.evaluation.detection import FILLED_CROSSINGS, Detection, check_detection, spread, trigger_rate
from nanotrigger.evaluation.intervals import binomial_interval
from nanotrigger.evaluation.working_point import unsupported, working_point

RATES = (1.0, 5.0, 10.0)  # kHz
_LONGEST_NAME = 30  # characters, in a table
_UNKNOWN = (
    *("threshold", "background_events", "efficiency", "interval", "pure_efficiency", "pure_interval"),
    *("pure_rate_khz", "pure_rate_interval"),
)


def menu_summary(
    scores: Mapping[str, ArrayLike],
    labels: ArrayLike,
    accepted: ArrayLike,
    *,
    class_names: Sequence[str],
    rates: Sequence[float] = RATES,
    crossings: float = FILLED_CROSSINGS,
) -> dict[str, Any]:
    """Return the efficiency of each signal at rates of the trigger, and what of it the menu does not have already.

    A rate is all that the detector accepts, whether or not the menu does. *Pure* is what passes the detector and not
    the menu: the pure efficiency is a fraction of all signal events, the pure rate what the detector adds.

    Args:
        scores: name of the score → values, larger is more anomalous, shape (events,), finite.
        labels: integers, 0 = background, k = signal `class_names[k]`, shape (events,).
        accepted: whether the menu accepts each event, shape (events,).
        class_names: one for each class, the background first.
        rates: in kHz, each above 0 and below `crossings`.
        crossings: rate of the bunch crossings that look like the background, in kHz.

    Returns:
        `crossings_khz`; `menu`: class → fraction that the menu accepts, with its interval; `signals`: signal → score →
        a point for each rate, with `rate_khz`, `false_positive_rate`, `threshold`, `background_events`, `efficiency`,
        `pure_efficiency`, `pure_rate_khz`, and `reason`: why the numbers are None, else None. Intervals are of 68.27 %:
        of efficiencies as of `working_point`, of pure rates by the number of background events (Clopper-Pearson).

    Raises:
        InputError: the arguments do not fit together, or a rate or score is impossible.
    """
    detection = check_detection(scores, labels, class_names)
    passed = np.asarray(accepted)
    if passed.dtype != np.bool_ or passed.shape != detection.labels.shape:
        raise InputError(
            f"the menu's decisions are {passed.dtype} of shape {passed.shape}; give a bool for each of "
            f"{len(detection.labels)} events"
        )
    for rate in rates:
        if not 0 < rate < crossings:
            raise InputError(f"rate {rate} kHz: must be above 0 and below the {crossings:g} kHz of crossings")
    of_class = {name: passed[detection.labels == place] for place, name in enumerate(detection.class_names)}
    return {
        "crossings_khz": float(crossings),
        "menu": {name: _fraction(found) for name, found in of_class.items()},
        "signals": {
            signal: {
                score: [_point(detection, score, signal, of_class, rate, crossings) for rate in rates]
                for score in detection.scores
            }
            for signal in detection.signals
        },
    }


def _fraction(passed: NDArray[np.bool_]) -> dict[str, Any]:
    if not passed.size:
        return {"efficiency": None, "interval": None}
    count = int(passed.sum())
    return {"efficiency": count / len(passed), "interval": list(binomial_interval(count, len(passed)))}


def _point(
    detection: Detection,
    score: str,
    signal: str,
    accepted: Mapping[str, NDArray[np.bool_]],
    rate: float,
    crossings: float,
) -> dict[str, Any]:
    background, wanted = detection.background(score), detection.of_class(score, signal)
    share = rate / crossings
    point = {"rate_khz": float(rate), "false_positive_rate": share}
    reason = unsupported(len(background), share) or (None if wanted.size else "no signal events")
    if reason:
        return {**point, **dict.fromkeys(_UNKNOWN), "reason": reason}
    found = working_point(background, wanted, share)
    pure = working_point(background, wanted, share, counted=~accepted[signal])
    added = int(np.count_nonzero((background > found.threshold) & ~accepted[detection.class_names[0]]))
    ends = binomial_interval(added, len(background))
    return {
        **point,
        "threshold": found.threshold,
        "background_events": found.background_events,
        "efficiency": found.true_positive_rate,
        "interval": list(found.interval),
        "pure_efficiency": pure.true_positive_rate,
        "pure_interval": list(pure.interval),
        "pure_rate_khz": trigger_rate(added / len(background), crossings),
        "pure_rate_interval": [trigger_rate(end, crossings) for end in ends],
        "reason": None,
    }


def menu_table(summary: Mapping[str, Any]) -> Table:
    """Return efficiencies of the first score and of the menu, with their 68 % intervals; "–" where a rate has none.

    Args:
        summary: of `menu_summary`.
    """
    first = next(iter(next(iter(summary["signals"].values()))))
    table = Table(title=f"At trigger rates, by {first}; pure is what the menu does not accept", title_justify="left")
    table.add_column("signal", no_wrap=True, max_width=_LONGEST_NAME)
    for name in ("menu %", "kHz", "efficiency %", "pure %", "pure kHz"):
        table.add_column(name, justify="right", no_wrap=True)
    reasons = set()
    for signal, scores in summary["signals"].items():
        menu = summary["menu"][signal]
        for place, point in enumerate(scores[first]):
            start = ("", "") if place else (signal, _cell(menu["efficiency"], menu["interval"], 100))
            table.add_row(
                *start,
                f"{point['rate_khz']:g}",
                _cell(point["efficiency"], point["interval"], 100),
                _cell(point["pure_efficiency"], point["pure_interval"], 100),
                _cell(point["pure_rate_khz"], point["pure_rate_interval"], 1),
            )
            reasons.add(point["reason"])
        table.add_section()
    if reasons := reasons - {None}:
        table.caption = f"–: {next(iter(sorted(reasons))).partition(';')[0]}"
    return table


def _cell(value: float | None, interval: Sequence[float] | None, factor: float) -> str:
    if value is None or interval is None:
        return "–"
    return spread(factor * value, [factor * end for end in interval], 2)
