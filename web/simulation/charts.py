"""Charts of a report: from numbers to the coordinates that its template draws, and to the table beside them.

A picture is 640 by 320 units. Series differ by dashes and by the shape of their points as well as by colour,
so that they are told apart in print and without seeing colour.
"""

import math
from collections.abc import Sequence
from typing import Final

import msgspec

from web.formats import Formats

LEFT, RIGHT, TOP, BOTTOM = 60.0, 624.0, 30.0, 264.0
_NICE: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
_STEPS: Final = 4
_MOST_BARS: Final = 60
WHISKER: Final = 3.0  # half the width of an error bar's ends


class Tick(msgspec.Struct, frozen=True):
    """A mark on an axis: where, and what it says."""

    at: float
    label: str


class ChartWords(msgspec.Struct, frozen=True, kw_only=True):
    """What a chart is called, in the reader's language."""

    id: str
    title: str
    description: str
    x_label: str
    y_label: str


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """One line as numbers: `x` and `y` alike long, `error` the half length of each error bar, if any."""

    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    error: tuple[float, ...] = ()
    style: int = 1
    points: bool = False
    in_table: bool = True


class DrawnSeries(msgspec.Struct, frozen=True, kw_only=True):
    """One line as it is drawn."""

    label: str
    path: str
    whiskers: str
    points: tuple[tuple[float, float], ...]
    style: int


class Bar(msgspec.Struct, frozen=True):
    """One bar."""

    x: float
    y: float
    width: float
    height: float


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A finished picture and the table of the same numbers."""

    words: ChartWords
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    zero: float
    series: tuple[DrawnSeries, ...] = ()
    bars: tuple[Bar, ...] = ()
    limit: Tick | None = None
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Axis(msgspec.Struct, frozen=True):
    """Where numbers lie in the picture, and at which numbers its grid stands."""

    x_first: float
    x_last: float
    y_least: float
    y_most: float
    step: float

    def across(self, value: float) -> float:
        """The place of an x."""
        span = self.x_last - self.x_first
        return round(LEFT + (RIGHT - LEFT) * (value - self.x_first) / span, 1)

    def up(self, value: float) -> float:
        """The place of a y; what lies outside the frame is kept at its edge."""
        inside = min(max(value, self.y_least), self.y_most)
        return round(BOTTOM - (BOTTOM - TOP) * (inside - self.y_least) / (self.y_most - self.y_least), 1)

    def y_ticks(self, formats: Formats, percent: bool) -> tuple[Tick, ...]:
        """The grid."""
        places = next(places for places in range(9) if abs(round(self.step, places) - self.step) < 1e-9)
        first, last = round(self.y_least / self.step), round(self.y_most / self.step)
        return tuple(
            Tick(
                self.up(number * self.step),
                formats.percent(number * self.step)
                if percent
                else formats.number(number * self.step, places),
            )
            for number in range(first, last + 1)
        )


def axis_of(x: tuple[float, float], y: tuple[float, float]) -> Axis:
    """Round numbers around the values; zero is always inside, and a chart of nothing has a frame, too."""
    least, most = min(y[0], 0.0), max(y[1], 0.0)
    step = round_step(max(most - least, 1e-3) / _STEPS)
    x_last = x[1] if x[1] > x[0] else x[0] + 1.0
    bottom = step * math.floor(least / step + 1e-9)
    top = step * math.ceil(most / step - 1e-9)
    return Axis(x[0], x_last, bottom, max(top, bottom + step), step)


def lines(
    words: ChartWords,
    series: Sequence[Series],
    formats: Formats,
    *,
    decimals: int = 3,
    percent: bool = False,
    limit: tuple[float, str] | None = None,
) -> Chart:
    """Lines with error bars and points; the x of all series together make the axis."""
    every_x = sorted({x for one in series for x in one.x})
    heights = [
        y + sign * error
        for one in series
        for y, error in zip(one.y, one.error or (0.0,) * len(one.y), strict=True)
        for sign in (-1.0, 1.0)
    ]
    if limit is not None:
        heights.append(limit[0])
    axis = axis_of((every_x[0], every_x[-1]), (min(heights), max(heights)))
    tabled = [one for one in series if one.in_table]
    return Chart(
        words=words,
        x_ticks=_x_ticks(axis, formats),
        y_ticks=axis.y_ticks(formats, percent),
        zero=axis.up(0.0),
        series=tuple(_drawn(one, axis) for one in series),
        limit=None if limit is None else Tick(axis.up(limit[0]), limit[1]),
        columns=(words.x_label, *(one.label for one in tabled)),
        rows=_rows(tabled, formats, decimals),
    )


def _x_ticks(axis: Axis, formats: Formats) -> tuple[Tick, ...]:
    step = round_step((axis.x_last - axis.x_first) / 8)
    if step > 1 and step % 1:
        step *= 2  # 2.5 is no whole number: 5 is
    places = 0 if step >= 1 else 1
    first, last = math.ceil(axis.x_first / step - 1e-9), math.floor(axis.x_last / step + 1e-9)
    return tuple(
        Tick(axis.across(number * step), formats.number(number * step, places))
        for number in range(first, last + 1)
    )


def _drawn(one: Series, axis: Axis) -> DrawnSeries:
    places = [(axis.across(x), axis.up(y)) for x, y in zip(one.x, one.y, strict=True)]
    whiskers = []
    for (x, _), y, error in zip(places, one.y, one.error, strict=False):
        low, high = axis.up(y - error), axis.up(y + error)
        whiskers.append(
            f"M{x:g} {low:g}V{high:g}M{x - WHISKER:g} {low:g}H{x + WHISKER:g}"
            f"M{x - WHISKER:g} {high:g}H{x + WHISKER:g}"
        )
    return DrawnSeries(
        label=one.label,
        path="M" + "L".join(f"{x:g} {y:g}" for x, y in places),
        whiskers="".join(whiskers),
        points=tuple(places) if one.points else (),
        style=one.style,
    )


def _rows(series: Sequence[Series], formats: Formats, decimals: int) -> tuple[tuple[str, ...], ...]:
    """A row for every x; series that do not know an x leave its cell empty."""
    values = [dict(zip(one.x, one.y, strict=True)) for one in series]
    every_x = sorted({x for one in series for x in one.x})
    return tuple(
        (
            formats.number(x, 2),
            *(formats.number(known[x], decimals) if x in known else "" for known in values),
        )
        for x in every_x
    )


def bars(words: ChartWords, counts: dict[int, int], formats: Formats) -> Chart:
    """How many of each whole number, as shares; neighbours are put together where there are too many."""
    first, last = min(counts), max(counts)
    width = max(1, math.ceil((last - first + 1) / _MOST_BARS))
    total = sum(counts.values())
    bins: dict[int, int] = {}
    for value, times in counts.items():
        place = first + (value - first) // width * width
        bins[place] = bins.get(place, 0) + times
    axis = axis_of((first - 0.5, last + width - 0.5), (0.0, max(bins.values()) / total))
    drawn = []
    for place, times in sorted(bins.items()):
        left, right, top = axis.across(place - 0.5), axis.across(place + width - 0.5), axis.up(times / total)
        gap = min(2.0, (right - left) / 6)
        drawn.append(
            Bar(
                round(left + gap, 1),
                top,
                round(min(right - left - 2 * gap, 60.0), 1),
                round(BOTTOM - top, 1),
            )
        )
    return Chart(
        words=words,
        x_ticks=_x_ticks(axis, formats) if last - first >= width * 8 else _each(axis, sorted(bins), formats),
        y_ticks=axis.y_ticks(formats, percent=True),
        zero=axis.up(0.0),
        bars=tuple(drawn),
        columns=(words.x_label, words.y_label),
        rows=tuple(
            (_range(place, width, formats), formats.percent(times / total, 1))
            for place, times in sorted(bins.items())
        ),
    )


def _each(axis: Axis, places: list[int], formats: Formats) -> tuple[Tick, ...]:
    return tuple(Tick(axis.across(place), formats.number(place)) for place in places)


def _range(place: int, width: int, formats: Formats) -> str:
    if width == 1:
        return formats.number(place)
    return f"{formats.number(place)}–{formats.number(place + width - 1)}"


def round_step(rough: float) -> float:
    """The next round number at or above: 1, 2, 2.5 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(nice * power for nice in _NICE if nice * power >= rough * (1 - 1e-9))
