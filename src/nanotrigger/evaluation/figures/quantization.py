"""What quantization does: the staircase of each format, inputs before and after."""

import textwrap
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch
from matplotlib.ticker import NullFormatter
from numpy.typing import ArrayLike, NDArray

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.labels import LEGEND_CHARACTERS, MOST_PANELS, first_of, shortened
from nanotrigger.evaluation.figures.page import COLOURS, Sample, drawn, line_style, new_panels, round_ticks
from nanotrigger.numbers import FixedPoint

_COLUMNS = 3
_POINTS = 4001
_FAMILY_COLUMNS = 4
_TITLE_CHARACTERS = 34  # of a panel, in a line
_MARGIN = 0.35  # of the range, drawn beyond either end
_VISIBLE_STEPS = 40  # a finer staircase looks like a line, and gets a magnified inset

_BINS = 60
_TAIL = 0.001  # fraction of the events left out at each end of an axis


@drawn
def quantizer_staircases(formats: Mapping[str, FixedPoint]) -> Figure:
    """Draw one panel for each format: output over input, the ideal line, step and range, and which tensors have it.

    Args:
        formats: name of the tensor (such as "weight") → its format; the first one of a format has its panel's place.

    Raises:
        InputError: no format.
    """
    if not formats:
        raise InputError("formats is empty; give at least one, such as {'weight': FixedPoint(4, 2)}")
    tensors: defaultdict[FixedPoint, list[str]] = defaultdict(list)
    for name, fixed_point in formats.items():
        tensors[fixed_point].append(name)
    shown, left_out = first_of(len(tensors), MOST_PANELS, "formats")
    roundings = " or ".join(dict.fromkeys("down" if each.rounds_down else "to nearest even" for each in tensors))
    notes = ["Fixed-point formats", f"round {roundings}, saturate", *left_out]
    figure, body, panels = new_panels(shown, columns=_COLUMNS, panel_height=2.2, notes=notes)
    for axes, (fixed_point, names) in zip(panels, tensors.items(), strict=False):
        _draw_format(axes, fixed_point)
        remarks = [", narrow"] * fixed_point.narrow + [", down"] * fixed_point.rounds_down
        title = f"{shortened(', '.join(names), LEGEND_CHARACTERS)}: {fixed_point}{''.join(remarks)}"
        axes.set_title("\n".join(textwrap.wrap(title, _TITLE_CHARACTERS)), fontsize=8)
    handles, entries = panels[0].get_legend_handles_labels()
    body.legend(handles, entries, loc="outside upper center", ncols=1 if len(panels) == 1 else 3)
    return figure


@drawn
def staircase_family() -> Figure:
    """Draw the staircases of signed formats of 1 to 8 bits, with one and with two integer bits, over the ideal line.

    One bit is binary whatever its integer bits; the sign is one of these.
    """
    notes = ["Signed fixed-point formats", "round to nearest even, saturate"]
    figure, body, panels = new_panels(8, columns=_FAMILY_COLUMNS, panel_height=1.65, notes=notes)
    inputs = np.linspace(-2.5, 2.5, _POINTS)
    for width, axes in enumerate(panels, start=1):
        axes.plot(inputs, inputs, color="0.6", linestyle=(0, (5, 1.5)), linewidth=0.8)
        for integer in (2, 1) if width > 1 else (1,):
            axes.plot(inputs, FixedPoint(width, integer).quantize(inputs), **line_style(integer - 1))
        axes.set(xlim=(-2.5, 2.5), ylim=(-2.5, 2.5), xlabel="Input", ylabel="Output")
        axes.set_title("1 bit: binary" if width == 1 else f"{width} bits", fontsize=7)
    handles = [Line2D([], [], **line_style(integer - 1)) for integer in (1, 2)]
    ideal = Line2D([], [], color="0.6", linestyle=(0, (5, 1.5)), linewidth=0.8)
    names = ["one integer bit, the sign: −1 to 1", "two: −2 to 2", "ideal: output = input"]
    body.legend([*handles, ideal], names, loc="outside upper center", ncols=3)
    return figure


def _draw_format(axes: Axes, fixed_point: FixedPoint) -> None:
    minimum, maximum = fixed_point.minimum, fixed_point.maximum
    margin = _MARGIN * (maximum - minimum)
    low, high = minimum - margin, maximum + margin
    axes.axvspan(low, minimum, color="0.9", linewidth=0, label="Out of range: saturates")
    axes.axvspan(maximum, high, color="0.9", linewidth=0)
    _draw_staircase(axes, fixed_point, low=low, high=high)
    axes.set(xlim=(low, high), ylim=(low, high), ylabel="Output")
    axes.set_xlabel("Input", loc="center")  # clear of a power of ten at the right end
    axes.xaxis.set_major_locator(round_ticks(5))
    axes.yaxis.set_major_locator(round_ticks(5))
    axes.text(0.04, 0.96, describe(fixed_point), transform=axes.transAxes, va="top", fontsize=6.5)
    if maximum - minimum > _VISIBLE_STEPS * fixed_point.step:
        _draw_magnified(axes, fixed_point)


def _draw_staircase(axes: Axes, fixed_point: FixedPoint, *, low: float, high: float) -> None:
    values = np.linspace(low, high, _POINTS)
    axes.plot(
        values,
        values,
        color=COLOURS[1],
        linestyle=(0, (5, 1.5)),
        linewidth=0.8,
        label="Ideal: output = input",
    )
    axes.plot(values, fixed_point.quantize(values), color=COLOURS[0], linewidth=1, label="Quantized")


def _draw_magnified(axes: Axes, fixed_point: FixedPoint) -> None:
    """Draw a few steps around the middle of the range into the free corner, with an arrow one step long."""
    step = fixed_point.step
    middle = float(fixed_point.quantize(np.array([(fixed_point.minimum + fixed_point.maximum) / 2]))[0])
    low, high = middle - 3 * step, middle + 3 * step
    inset = axes.inset_axes((0.57, 0.07, 0.38, 0.38))
    _draw_staircase(inset, fixed_point, low=low, high=high)
    inset.set(xlim=(low, high), ylim=(low, high), xticks=[], yticks=[])
    inset.minorticks_off()
    start, end = (middle + 0.5 * step, middle - 1.2 * step), (middle + 1.5 * step, middle - 1.2 * step)
    arrow = FancyArrowPatch(start, end, arrowstyle="|-|", shrinkA=0, shrinkB=0, mutation_scale=2, linewidth=0.6)
    inset.add_patch(arrow)
    inset.text(middle + step, middle - 1.6 * step, "1 step", ha="center", va="top", fontsize=6)


def describe(fixed_point: FixedPoint) -> str:
    r"""Return step and range in matplotlib's mathtext.

    >>> print(describe(FixedPoint(4, 2)))
    Step $2^{-2}$ = 0.25
    Minimum −2
    Maximum 1.75
    >>> print(describe(FixedPoint(1, 1)))
    Values ±1
    """
    if fixed_point.is_binary:
        return f"Values ±{fixed_point.step:g}"
    exponent = fixed_point.integer - fixed_point.width
    step = f"Step $2^{{{exponent}}}$ = {fixed_point.step:.4g}"
    minimum, maximum = (f"{bound:.10g}".replace("-", "−") for bound in (fixed_point.minimum, fixed_point.maximum))
    return f"{step}\nMinimum {minimum}\nMaximum {maximum}"


@drawn
def quantized_inputs(
    before: ArrayLike, after: ArrayLike, *, number: FixedPoint, feature_names: Sequence[str], sample: Sample
) -> Figure:
    """Draw one panel for each feature: its density before and after quantization.

    The bins of the quantized values are as wide as a whole number of their steps and hold equally many of them, those
    before are as wide or an odd part of it: zero, which absent objects have, is never at the edge of a bin. The panel
    names the share of the events that saturate: they lie more than half a step beyond the range of the format.

    Args:
        before: inputs of the quantizer, shape (events, features), finite.
        after: its outputs, the same shape.
        number: its format.
        feature_names: one for each column, with the unit if there is one.
        sample: what is drawn; its size must be the number of events.

    Raises:
        InputError: the arguments do not fit together, or a value is not finite.
    """
    values, words = (np.asarray(array, np.float64) for array in (before, after))
    expected = (len(values), len(feature_names))
    if values.shape != expected or words.shape != expected or not values.size:
        raise InputError(
            f"inputs have shape {values.shape} before and {words.shape} after quantization; "
            f"give both as (events, {len(feature_names)}), a column for each name"
        )
    if not (np.isfinite(values).all() and np.isfinite(words).all()):
        raise InputError("inputs hold NaN or infinite values; clean the data first")
    sample.check_size(len(values))
    shown, left_out = first_of(len(feature_names), MOST_PANELS, "features")
    notes = [sample.source, sample.extent, f"Inputs quantized to {number}", *left_out]
    figure, body, panels = new_panels(shown, columns=_COLUMNS, panel_height=1.9, notes=notes)
    for axes, name, column, quantized in zip(panels, feature_names, values.T, words.T, strict=False):
        _draw_input(axes, column, quantized, number)
        axes.set_xlabel(shortened(name, LEGEND_CHARACTERS))
    body.supylabel("Probability density", fontsize=8)
    handles, entries = panels[0].get_legend_handles_labels()
    body.legend(handles, entries, loc="outside upper center", ncols=2)
    return figure


def _draw_input(axes: Axes, column: NDArray[np.float64], quantized: NDArray[np.float64], number: FixedPoint) -> None:
    edges = word_edges(*_range(column), number.step)
    bins = len(edges) - 1
    parts = max(_BINS // bins - 1, 0) // 2 * 2 + 1  # of a bin; an odd number, so that no edge is a multiple of the step
    fine = np.interp(np.arange(bins * parts + 1) / parts, np.arange(bins + 1), edges)
    after = _draw_density(axes, quantized, edges, fill=True, color=COLOURS[5], label="after quantization")
    before = _draw_density(axes, column, fine, color=COLOURS[2], linewidth=0.9, label="before")
    one_event = 1 / (len(column) * (edges[1] - edges[0]))
    axes.set(xlim=(edges[0], edges[-1]), yscale="log", ylim=(one_event / 2, 10 * max(after, before, one_event)))
    axes.xaxis.set_major_locator(round_ticks(4))
    axes.yaxis.set_minor_formatter(NullFormatter())
    saturated = (column < number.minimum - number.step / 2) | (column > number.maximum + number.step / 2)
    text = f"{saturated.mean():.2%} saturate".replace("%", " %")
    axes.text(0.5, 0.96, text, transform=axes.transAxes, ha="center", va="top", fontsize=6.5)


def _draw_density(axes: Axes, values: NDArray[np.float64], edges: NDArray[np.float64], **style: Any) -> float:
    """Draw counts over all values, also those beyond the edges, and the width of a bin; return the highest density."""
    densities = np.histogram(values, edges)[0] / (len(values) * np.diff(edges))
    axes.stairs(densities, edges, **style)
    return float(densities.max())


def word_edges(low: float, high: float, step: float) -> NDArray[np.float64]:
    """Return edges of about 60 bins or fewer, halfway between the multiples of `step`, that enclose `low` and `high`.

    >>> word_edges(-0.3, 0.6, 0.5)
    array([-0.75, -0.25,  0.25,  0.75])
    """
    words = int(np.ceil((high - low) / (_BINS * step)))  # in a bin
    first = int(np.rint(low / step))
    bins = (int(np.rint(high / step)) - first) // words + 1
    return np.asarray(step * (first - 0.5 + words * np.arange(bins + 1)), np.float64)


def _range(column: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(column, [_TAIL, 1 - _TAIL])
    if low == high:
        return float(low - 0.5), float(high + 0.5)
    return float(low), float(high)
