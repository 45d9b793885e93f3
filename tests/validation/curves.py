"""Small line charts as SVG, readable on white and on paper, without any script."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape

import numpy as np

from psychometrics.arrays import FloatArray

WIDTH, HEIGHT = 640, 340
LEFT, RIGHT, TOP, BOTTOM = 56, 116, 40, 44
COLOURS = ("#0f5e8c", "#c2571a", "#3f7d3a", "#7a4a8f", "#6b6b6b", "#a3302a")
"""Dark enough for text on white; neighbours differ in lightness as well as in hue."""


@dataclass(frozen=True)
class Curve:
    """A named line through points."""

    name: str
    x: FloatArray
    y: FloatArray
    dashed: bool = False


@dataclass(frozen=True)
class Picture:
    """Curves over one axis; each is labelled at its right end."""

    title: str
    x_name: str
    y_name: str
    curves: tuple[Curve, ...]

    def svg(self) -> str:
        """The whole file."""
        x_ticks = _ticks(np.concatenate([curve.x for curve in self.curves]))
        y_ticks = _ticks(np.concatenate([curve.y for curve in self.curves]))
        to_x = _scale(x_ticks, LEFT, WIDTH - RIGHT)
        to_y = _scale(y_ticks, HEIGHT - BOTTOM, TOP)
        frame = (
            f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="system-ui, sans-serif" font-size="13"'
        )
        lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>',
            f"<title>{escape(self.title)}</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            _text(LEFT, 22, self.title, "#222", ' font-size="15" font-weight="600"'),
            *self._axes(x_ticks, y_ticks, to_x, to_y),
            *self._lines(to_x, to_y),
            "</svg>",
        ]
        return "\n".join(lines) + "\n"

    def _axes(self, x_ticks: FloatArray, y_ticks: FloatArray, to_x: _Scale, to_y: _Scale) -> list[str]:
        lines = []
        for tick in y_ticks:
            y, colour = to_y(tick), "#888" if abs(tick) < 1e-12 else "#ddd"
            ends = f'x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"'
            lines.append(f'<line {ends} stroke="{colour}"/>')
            lines.append(_text(LEFT - 8, y + 4, f"{tick:g}", "#444", ' text-anchor="end"'))
        centred = ' text-anchor="middle"'
        lines += [_text(to_x(t), HEIGHT - BOTTOM + 20, f"{t:g}", "#444", centred) for t in x_ticks]
        lines.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, self.x_name, "#222", centred))
        middle = (TOP + HEIGHT - BOTTOM) / 2
        turned = f'{centred} transform="rotate(-90 14 {middle})"'
        lines.append(_text(14, middle, self.y_name, "#222", turned))
        return lines

    def _lines(self, to_x: _Scale, to_y: _Scale) -> list[str]:
        lines = []
        places = _apart(np.array([to_y(curve.y[-1]) for curve in self.curves]))
        for curve, colour, place in zip(self.curves, COLOURS, places, strict=False):
            points = " ".join(f"{to_x(x):.1f},{to_y(y):.1f}" for x, y in zip(curve.x, curve.y, strict=True))
            style = f'fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"'
            dash = ' stroke-dasharray="6 4"' if curve.dashed else ""
            lines.append(f'<polyline points="{points}" {style}{dash}/>')
            lines.append(_text(WIDTH - RIGHT + 8, place + 4, curve.name, colour))
        return lines


def _text(x: float, y: float, text: str, colour: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}"{more}>{escape(text)}</text>'


@dataclass(frozen=True)
class _Scale:
    """A straight line from numbers to places."""

    start: float
    factor: float
    origin: float

    def __call__(self, value: float) -> float:
        return self.origin + (value - self.start) * self.factor


def _scale(ticks: FloatArray, first: float, last: float) -> _Scale:
    return _Scale(float(ticks[0]), (last - first) / float(ticks[-1] - ticks[0]), first)


def _ticks(values: FloatArray) -> FloatArray:
    """About five round numbers that enclose the values."""
    low, high = float(values.min()), float(values.max())
    rough = max(high - low, 1e-9) / 4
    power = 10.0 ** np.floor(np.log10(rough))
    step = next(power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= rough * 0.999)
    first, last = np.floor(low / step + 1e-9), np.ceil(high / step - 1e-9)
    return np.asarray(np.round(np.arange(first, max(last, first + 1) + 1) * step, 10), dtype=np.float64)


def _apart(places: FloatArray, gap: float = 16.0) -> FloatArray:
    """Labels moved so far that none covers another, and none leaves the frame below."""
    order, out = np.argsort(places).tolist(), places.astype(np.float64).copy()
    for before, after in pairwise(order):
        out[after] = max(out[after], out[before] + gap)
    limit = float(HEIGHT - BOTTOM)
    for place in reversed(order):
        out[place] = min(out[place], limit)
        limit = float(out[place]) - gap
    return out
