"""The quantizer's staircase: what comes out of each fixed-point format of a network."""

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from nanotrigger.errors import InputError
from nanotrigger.evaluation.figures.page import new_panels, round_ticks
from nanotrigger.evaluation.figures.style import COLOURS, drawn
from nanotrigger.numbers import FixedPoint

_COLUMNS = 3
_POINTS = 4001
_MARGIN = 0.35  # of the range, drawn beyond either end
_VISIBLE_STEPS = 40  # a finer staircase looks like a line, and gets a magnified inset


@drawn
def quantizer_staircases(formats: Mapping[str, FixedPoint]) -> Figure:
    """Draw one panel for each format: output over input, the ideal line, step and range.

    Args:
        formats: name of the tensor (such as "weight") → its format, in the order of the panels.

    Raises:
        InputError: no format.
    """
    if not formats:
        raise InputError("formats is empty; give at least one, such as {'weight': FixedPoint(4, 2)}")
    figure, body, panels = new_panels(
        len(formats),
        columns=_COLUMNS,
        panel_height=2.2,
        notes=["Fixed-point formats", "round to nearest even, saturate"],
    )
    for axes, (name, fixed_point) in zip(panels, formats.items(), strict=True):
        _draw_panel(axes, fixed_point)
        axes.set_title(f"{name}: {fixed_point}", fontsize=8)
    handles, names = panels[0].get_legend_handles_labels()
    body.legend(handles, names, loc="outside upper center", ncols=1 if len(panels) == 1 else 3)
    return figure


def _draw_panel(axes: Axes, fixed_point: FixedPoint) -> None:
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
