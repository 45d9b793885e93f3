"""Curves as pictures: from numbers to the coordinates that a template draws, and to the table beside them.

A picture is 640 by 320 units; the template only writes down what stands here. Lines differ by their dashes as
well as by their weight, so that they are told apart in print and without seeing colour.
"""

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from web.formats import Formats

LEFT, RIGHT, TOP, BOTTOM = 56.0, 624.0, 26.0, 268.0
_NICE: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
TABLE_STEP: Final = 0.5


class PlotTick(msgspec.Struct, frozen=True):
    """A mark on an axis: where, and what it says."""

    at: float
    label: str


class PlotSeries(msgspec.Struct, frozen=True):
    """One line of the picture; `style` 1 to 5 chooses its dashes."""

    label: str
    path: str
    style: int


class Curve(msgspec.Struct, frozen=True):
    """One line as numbers, at the same places as all others of its plot."""

    label: str
    values: tuple[float, ...]


class LinePlot(msgspec.Struct, frozen=True, kw_only=True):
    """A finished picture and the table of the same numbers."""

    id: str
    title: str
    description: str
    x_label: str
    y_label: str
    x_ticks: tuple[PlotTick, ...]
    y_ticks: tuple[PlotTick, ...]
    series: tuple[PlotSeries, ...]
    cuts: tuple[PlotTick, ...]
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class PlotWords(msgspec.Struct, frozen=True, kw_only=True):
    """What a plot is called, in the reader's language."""

    id: str
    title: str
    description: str
    x_label: str
    y_label: str


def line_plot(
    words: PlotWords,
    x: Sequence[float],
    curves: Sequence[Curve],
    formats: Formats,
    *,
    y_most: float | None = None,
    decimals: int = 2,
    cuts: Sequence[tuple[float, str]] = (),
) -> LinePlot:
    """Lay out the lines: x as given, y from zero to `y_most` or to a round number above the highest value."""
    highest = max(max(curve.values) for curve in curves) or 1.0
    step = _round_step((y_most or highest) / 4)
    frame = _Frame(x[0], x[-1], y_most or step * math.ceil(highest / step - 1e-9))
    places = next(places for places in range(9) if abs(round(step, places) - step) < 1e-9)
    return LinePlot(
        id=words.id,
        title=words.title,
        description=words.description,
        x_label=words.x_label,
        y_label=words.y_label,
        x_ticks=tuple(
            PlotTick(frame.across(value), formats.number(value))
            for value in range(math.ceil(x[0]), math.floor(x[-1]) + 1)
        ),
        y_ticks=tuple(
            PlotTick(frame.up(number * step), formats.number(number * step, places))
            for number in range(round(frame.top / step) + 1)
        ),
        series=tuple(
            PlotSeries(curve.label, frame.path(x, curve.values), style)
            for style, curve in enumerate(curves, start=1)
        ),
        cuts=tuple(PlotTick(frame.across(value), label) for value, label in cuts if x[0] <= value <= x[-1]),
        columns=(words.x_label, *(curve.label for curve in curves)),
        rows=_rows(x, curves, formats, decimals),
    )


class _Frame(msgspec.Struct, frozen=True):
    """Where numbers lie in the picture: x from the left to the right edge, y from zero to the top."""

    first: float
    last: float
    top: float

    def across(self, value: float) -> float:
        """The place of an x."""
        return round(LEFT + (RIGHT - LEFT) * (value - self.first) / (self.last - self.first), 1)

    def up(self, value: float) -> float:
        """The place of a y; what lies above the frame is kept at its edge."""
        return round(BOTTOM - (BOTTOM - TOP) * min(value, self.top) / self.top, 1)

    def path(self, x: Sequence[float], y: Sequence[float]) -> str:
        """A line through the points."""
        first, *rest = (f"{self.across(a):g} {self.up(b):g}" for a, b in zip(x, y, strict=True))
        return f"M{first}L{' '.join(rest)}"


def _rows(
    x: Sequence[float], curves: Sequence[Curve], formats: Formats, decimals: int
) -> tuple[tuple[str, ...], ...]:
    """The table: a row for every half of theta."""
    shown = [
        place for place, value in enumerate(x) if abs(value / TABLE_STEP - round(value / TABLE_STEP)) < 1e-6
    ]
    return tuple(
        (
            formats.number(x[place], 1),
            *(formats.number(curve.values[place], decimals) for curve in curves),
        )
        for place in shown
    )


def _round_step(rough: float) -> float:
    """The next round number at or above: 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(nice * power for nice in _NICE if nice * power >= rough * (1 - 1e-9))
