"""Figural matrices: nine cells, one to three rules, one cell missing.

A cell is drawn from a few features (shape, count, shade, direction, size, place). A rule says how one
feature goes through the grid: by an equal step, each of three values once in every row and column, the same
along a row, or the third cell of a row as the sum of the first two (Carpenter, Just and Shell 1990). The
six options are balanced: no value of a feature is more frequent among them than another, so the key cannot
be found without the matrix (Hu et al. 2021). Drawings use presentation attributes and the current text
colour only: light, dark and print alike.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

from item_bank.demonstration import (
    Parameters,
    difficulty,
    draw,
    key_position,
    keyed_item,
    pick,
    place_key,
    shuffled,
    slope,
)
from item_bank.demonstration.drafts import DraftItem, ItemBody

FAMILY = "figural_matrix"
OPTION_COUNT = 6
LANGUAGES = ("id", "en")
CELL = 96  # side of a cell in the drawing's own units
GAP = 4
SIDE = 3 * CELL + 4 * GAP

Cell = dict[str, int]
Grid = tuple[tuple[int, ...], ...]

DOMAIN = {"shape": 6, "count": 6, "shade": 3, "turn": 8, "size": 3, "place": 8}  # how many values each has
FEATURE_NAMES = dict(zip(DOMAIN, ("bentuk", "jumlah", "arsiran", "arah", "ukuran", "letak"), strict=True))
SCENES = {
    "cluster": ("shape", "count", "shade"),
    "single": ("shape", "shade"),
    "arrow": ("turn", "size", "shade"),
    "clock": ("place", "shape", "shade"),
}

STEPS = ((1, 2), (2, 1), (3, 1), (7, 2), (1, 3), (2, 7), (7, 5), (6, 1))  # eighths of a turn: along, down

PLAN: tuple[tuple[str, str, int], ...] = (
    ("cluster", "count:step", 2),
    ("single", "shape:spread", 2),
    ("single", "shade:spread", 1),
    ("cluster", "count:sum", 2),
    ("arrow", "turn:step", 3),
    ("arrow", "turn:spread", 1),
    ("clock", "place:step", 3),
    ("clock", "shape:spread", 1),
    ("cluster", "count:step shape:spread", 3),
    ("single", "shape:spread shade:spread", 3),
    ("cluster", "count:step shade:row", 2),
    ("cluster", "count:sum shape:row", 3),
    ("cluster", "count:sum shade:spread", 2),
    ("arrow", "turn:step shade:spread", 3),
    ("arrow", "turn:step size:spread", 3),
    ("clock", "place:step shape:spread", 3),
    ("clock", "place:step shade:row", 2),
    ("cluster", "count:step shape:spread shade:spread", 4),
    ("cluster", "count:sum shape:row shade:spread", 3),
    ("arrow", "turn:step size:spread shade:spread", 4),
    ("clock", "place:step shape:spread shade:spread", 5),
)


@dataclass(frozen=True)
class Matrix:
    """Which scene is drawn, how each feature goes through it, and which features a rule moves."""

    scene: str
    kinds: dict[str, str]
    grids: dict[str, Grid]

    def cell(self, row: int, column: int) -> Cell:
        return {feature: grid[row][column] for feature, grid in self.grids.items()}


def _values(feature: str) -> range:
    """Whole numbers that stand for the values of a feature; a count is the count itself."""
    return range(1, 7) if feature == "count" else range(DOMAIN[feature])


def _step(feature: str, index: int) -> Grid:
    """Equal steps along rows and along columns; directions and places go round a circle of eight."""
    if feature == "count":
        down = draw(FAMILY, index, "down", 2)
        first = 1 + draw(FAMILY, index, "first", 2 - down)
        return tuple(tuple(first + down * r + c for c in range(3)) for r in range(3))
    along, down = pick(FAMILY, index, "steps", STEPS)
    first = draw(FAMILY, index, "first", 8)
    return tuple(tuple((first + along * c + down * r) % 8 for c in range(3)) for r in range(3))


def _sum(index: int) -> Grid:
    """Rows (x, y, x + y) of three different totals, not in order, so that no column rule fits by accident."""
    rows = shuffled(FAMILY, index, "rows", ((1, 1), (1, 2), (3, 1), (2, 3), (4, 2)))[:3]
    turned = [row[:: 1 if draw(FAMILY, index, f"turn/{n}", 2) else -1] for n, row in enumerate(rows)]
    return tuple((x, y, x + y) for x, y in turned)


def _grid(feature: str, kind: str, index: int, slant: int) -> Grid:
    if kind == "step":
        return _step(feature, index)
    if kind == "sum":
        return _sum(index)
    values = shuffled(FAMILY, index, f"values/{feature}", _values(feature))[:3]
    if kind == "spread":
        return tuple(tuple(values[(c + slant * r) % 3] for c in range(3)) for r in range(3))
    if kind == "row":
        return tuple((value,) * 3 for value in values)
    return ((2 if feature == "size" else values[0],) * 3,) * 3  # no rule moves it


def _matrix(scene: str, rules: str, index: int) -> Matrix:
    """Two spreads in one matrix slant against each other: all nine pairs of values then occur once."""
    kinds = dict(rule.split(":") for rule in rules.split())
    slant = 1 + draw(FAMILY, index, "slant", 2)
    grids: dict[str, Grid] = {}
    for feature in SCENES[scene]:
        kind = kinds.get(feature, "rests")
        grids[feature] = _grid(feature, kind, index, slant)
        if kind == "spread":
            slant = 3 - slant
    return Matrix(scene, kinds, grids)


def _other_values(matrix: Matrix, feature: str, index: int) -> list[int]:
    """Tempting values instead of the right one: the neighbours', then others seen in the grid, then any."""
    grid = matrix.grids[feature]
    seen = [grid[2][1], grid[1][2], grid[1][1], grid[2][0], grid[0][2]]
    seen += shuffled(FAMILY, index, f"other/{feature}", _values(feature))
    return list(dict.fromkeys(value for value in seen if value != grid[2][2]))


def _option_cells(matrix: Matrix, index: int) -> Iterator[Cell]:
    """The key first, then five wrong cells; every feature that varies shows its values equally often.

    One or two rules: three values of one feature by two of another. Three rules: six of the eight
    combinations of right and wrong, leaving out one combination and its opposite.
    """
    key = matrix.cell(2, 2)
    ruled = list(shuffled(FAMILY, index, "ruled", matrix.kinds))
    resting = [feature for feature in matrix.grids if feature not in matrix.kinds and feature != "count"]
    first, second, *third = (ruled + resting)[: max(2, len(ruled))]
    other = {feature: _other_values(matrix, feature, index) for feature in (first, second, *third)}
    if not third:
        if len(other[first]) < 2:
            first, second = second, first
        for x, y in product((key[first], *other[first][:2]), (key[second], other[second][0])):
            yield {**key, first: x, second: y}
        return
    names = (first, second, *third)
    left_out = pick(FAMILY, index, "left out", ((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    opposite = tuple(1 - wrong for wrong in left_out)
    for wrongs in product((0, 1), repeat=3):
        if wrongs not in (left_out, opposite):
            slips = {name: other[name][0] for name, wrong in zip(names, wrongs, strict=True) if wrong}
            yield {**key, **slips}


def _note(matrix: Matrix, cell: Cell) -> str:
    key = matrix.cell(2, 2)
    slipped = [feature for feature in cell if cell[feature] != key[feature]]
    if not slipped:
        return ""
    if cell == matrix.cell(2, 1):
        return "mengulang sel tetangga di sebelah kiri"
    if cell == matrix.cell(1, 2):
        return "mengulang sel tetangga di atasnya"
    names = " dan ".join(FEATURE_NAMES[feature] for feature in slipped)
    if not any(feature in matrix.kinds for feature in slipped):
        return f"mengubah ciri yang tetap: {names}"
    amount = {1: "satu aturan terlewat", 2: "dua ciri keliru sekaligus", 3: "semua aturan terlewat"}
    return f"{amount[len(slipped)]}: {names}"


SHADES = ('fill="none"', 'fill="currentColor" fill-opacity="0.32"', 'fill="currentColor"')
CORNERS = (0, 3, 4, 5, 10, 12)  # per shape: circle, triangle, square, pentagon, star, cross
RADII = {3: (1.12,), 4: (1.12,), 5: (1.0,), 10: (1.12, 0.5), 12: (1.15, 1.15, 0.42)}
START = {3: -6, 4: -3, 5: -6, 10: -6, 12: -7}  # direction of the first corner, in twelfths of half a turn
SPOTS: dict[int, tuple[tuple[int, int], ...]] = {
    1: ((48, 48),),
    2: ((29, 48), (67, 48)),
    3: ((48, 29), (27, 66), (69, 66)),
    4: ((28, 28), (68, 28), (28, 68), (68, 68)),
    5: ((24, 24), (72, 24), (48, 48), (24, 72), (72, 72)),
    6: ((17, 31), (48, 31), (79, 31), (17, 65), (48, 65), (79, 65)),
}
ARROW = ((0, -34), (25, -5), (10, -5), (10, 32), (-10, 32), (-10, -5), (-25, -5))
ARROW_SCALES = (0.48, 0.76, 1.05)
# seven dots, each a line of no length with round ends, an eighth of a circle of radius 31 apart, and a gap
DOTS = "0 24.347 " * 6 + "0 48.695"
RING = f'fill="none" stroke-width="4.8" stroke-opacity="0.6" stroke-linecap="round" stroke-dasharray="{DOTS}"'


def _points(corners: list[tuple[float, float]]) -> str:
    return " ".join(f"{round(x, 1):g},{round(y, 1):g}" for x, y in corners)


def _outline(shape: int, r: float) -> list[tuple[float, float]]:
    """Corners of a shape whose circle has radius r, seen from the circle's centre."""
    corners = CORNERS[shape]
    radii, first = RADII[corners], START[corners] * math.pi / 12
    lift = 0.14 * r if corners == 3 else 0
    polar = [(r * radii[n % len(radii)], first + 2 * math.pi * n / corners) for n in range(corners)]
    return [(length * math.cos(angle), lift + length * math.sin(angle)) for length, angle in polar]


def _figure(shape: int, shade: int, x: float, y: float, r: float) -> str:
    """Equal shapes have equal corners and are moved to their places, so that they compress to one."""
    if shape == 0:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{0.95 * r:.1f}" {SHADES[shade]}/>'
    corners, moved = _points(_outline(shape, r)), f"translate({round(x, 1):g} {round(y, 1):g})"
    return f'<polygon points="{corners}" {SHADES[shade]} transform="{moved}"/>'


def _on_circle(place: int, radius: float) -> tuple[float, float]:
    angle = math.pi * (place / 4 - 0.5)
    return CELL / 2 + radius * math.cos(angle), CELL / 2 + radius * math.sin(angle)


def _drawn(scene: str, cell: Cell) -> str:
    """The figures of one cell, in a box of CELL by CELL units."""
    if scene == "cluster":
        spots = SPOTS[cell["count"]]
        return "".join(_figure(cell["shape"], cell["shade"], x, y, 13) for x, y in spots)
    if scene == "single":
        return _figure(cell["shape"], cell["shade"], CELL / 2, CELL / 2, 29)
    if scene == "arrow":
        scale = ARROW_SCALES[cell["size"]]
        corners = _points([(x * scale, y * scale) for x, y in ARROW])
        turned = f"translate({CELL // 2} {CELL // 2}) rotate({45 * cell['turn']})"
        return f'<polygon points="{corners}" {SHADES[cell["shade"]]} transform="{turned}"/>'
    ring = f'<circle cx="48" cy="48" r="31" {RING} transform="rotate({45 * cell["place"] - 45} 48 48)"/>'
    return ring + _figure(cell["shape"], cell["shade"], *_on_circle(cell["place"], 31), 13)


def _box(x: int, y: int, extra: str = "") -> str:
    return (
        f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" rx="7" fill="none" stroke-width="1.5" '
        f'stroke-opacity="0.45"{extra}/>'
    )


def _svg(side: int, shown: int, said: str, inside: str) -> str:
    """`shown` is the size in CSS pixels: a matrix fits a screen 320 wide, six options fit two or three to a
    row."""
    return (
        f'<svg viewBox="0 0 {side} {side}" width="{shown}" height="{shown}" role="img" aria-label="{said}" '
        f'fill="none" stroke="currentColor" stroke-width="2.5" stroke-linejoin="round">{inside}</svg>'
    )


def _matrix_svg(matrix: Matrix, language: str) -> str:
    parts = []
    for row, column in product(range(3), repeat=2):
        x, y = GAP + column * (CELL + GAP), GAP + row * (CELL + GAP)
        if (row, column) == (2, 2):
            mark = 'text-anchor="middle" font-size="48" font-weight="600" fill="currentColor" stroke="none"'
            parts.append(_box(x, y, ' stroke-dasharray="7 5"'))
            parts.append(f'<text x="{x + CELL // 2}" y="{y + 65}" {mark}>?</text>')
        else:
            parts.append(_box(x, y))
            figures = _drawn(matrix.scene, matrix.cell(row, column))
            parts.append(f'<g transform="translate({x} {y})">{figures}</g>')
    said = f"{WORDS[language]['matrix']}. {_matrix_text(matrix, language)}"
    return _svg(SIDE, 288, said, "".join(parts))


WORDS = {
    "id": {
        "matrix": "Matriks gambar tiga kali tiga",
        "row": "Baris {n}: {cells}.",
        "missing": "sel yang ditanyakan",
        "question": "<p>Perhatikan pola gambar pada setiap baris dan kolom.</p>"
        "<p>Gambar manakah yang paling tepat mengisi sel bertanda tanya?</p>",
    },
    "en": {
        "matrix": "Three by three matrix of figures",
        "row": "Row {n}: {cells}.",
        "missing": "the cell asked for",
        "question": "<p>Look at the pattern of figures along each row and column.</p>"
        "<p>Which figure best fills the cell with the question mark?</p>",
    },
}
SHAPES = {
    "id": ("lingkaran", "segitiga", "persegi", "segi lima", "bintang", "tanda tambah"),
    "en": ("circle", "triangle", "square", "pentagon", "star", "cross"),
}
SHADE_WORDS = {"id": ("kosong", "kelabu", "pekat"), "en": ("outlined", "grey", "solid")}
SIZE_WORDS = {"id": ("kecil", "sedang", "besar"), "en": ("small", "medium", "large")}
NUMERALS = {
    "id": ("", "satu", "dua", "tiga", "empat", "lima", "enam"),
    "en": ("", "one", "two", "three", "four", "five", "six"),
}
DIRECTIONS = {
    "id": ("atas", "kanan atas", "kanan", "kanan bawah", "bawah", "kiri bawah", "kiri", "kiri atas"),
    "en": ("top", "top right", "right", "bottom right", "bottom", "bottom left", "left", "top left"),
}


def _cell_text(scene: str, cell: Cell, language: str) -> str:
    shade = SHADE_WORDS[language][cell["shade"]]
    if scene == "arrow":
        size, to = SIZE_WORDS[language][cell["size"]], DIRECTIONS[language][cell["turn"]]
        words = {"id": f"panah {size} {shade} ke arah {to}", "en": f"{size} {shade} arrow to the {to}"}
        return words[language]
    shape = SHAPES[language][cell["shape"]]
    if scene == "clock":
        at = DIRECTIONS[language][cell["place"]]
        return f"{shape} {shade} di {at}" if language == "id" else f"{shade} {shape} at the {at}"
    count = cell.get("count", 1)
    if language == "id":
        return f"{NUMERALS['id'][count]} {shape} {shade}"
    plural = "" if count == 1 else "es" if shape == "cross" else "s"
    return f"{NUMERALS['en'][count]} {shade} {shape}{plural}"


def _matrix_text(matrix: Matrix, language: str) -> str:
    words = WORDS[language]
    rows = []
    for row in range(3):
        cells = [_cell_text(matrix.scene, matrix.cell(row, column), language) for column in range(3)]
        if row == 2:
            cells[2] = words["missing"]
        rows.append(words["row"].format(n=row + 1, cells="; ".join(cells)))
    return " ".join(rows)


def _parameters(matrix: Matrix, index: int) -> Parameters:
    """Slope, difficulty and features; g and h are hash draws in 0..6 for the spread of reality.

    b = -3.0 + 1.0 rules + 0.7 sums + 0.3 spreads + 0.4 turning + 0.08 g
    a = 0.9 + 0.18 rules + 0.05 h
    """
    kinds = list(matrix.kinds.values())
    features = {
        "rules": float(len(kinds)),
        "sums": float(kinds.count("sum")),
        "spreads": float(kinds.count("spread")),
        "turning": float(any(matrix.kinds.get(feature) == "step" for feature in ("turn", "place"))),
    }
    b = -3.0 + 1.0 * features["rules"] + 0.7 * features["sums"] + 0.3 * features["spreads"]
    b += 0.4 * features["turning"] + 0.08 * draw(FAMILY, index, "difficulty", 7)
    a = 0.9 + 0.18 * features["rules"] + 0.05 * draw(FAMILY, index, "slope", 7)
    return slope(a), difficulty(b), features


def _body(matrix: Matrix, cells: tuple[Cell, ...], language: str) -> ItemBody:
    def text(cell: Cell) -> str:
        return _cell_text(matrix.scene, cell, language)

    return ItemBody(
        stimulus=_matrix_svg(matrix, language),
        stem=WORDS[language]["question"],
        options=tuple(_svg(CELL, CELL, text(cell), _drawn(matrix.scene, cell)) for cell in cells),
    )


def _item(matrix: Matrix, index: int) -> DraftItem:
    code = f"CONTOH-MF-{index + 1:03d}"
    key, *wrong = _option_cells(matrix, index)
    wrong = list(shuffled(FAMILY, index, "wrong", wrong))
    cells = place_key(key, wrong, key_position(FAMILY, index, OPTION_COUNT))
    names = ", ".join(FEATURE_NAMES[feature] for feature in matrix.kinds)
    return keyed_item(
        code,
        FAMILY,
        ("potensi.intelektual.figural", f"Menemukan aturan perubahan {names} pada matriks gambar"),
        _parameters(matrix, index),
        {language: _body(matrix, cells, language) for language in LANGUAGES},
        tuple(_note(matrix, cell) for cell in cells),
        expected_time_s=25 + 20 * len(matrix.kinds),
    )


def items() -> tuple[DraftItem, ...]:
    plan = [(scene, rules) for scene, rules, count in PLAN for _ in range(count)]
    return tuple(_item(_matrix(scene, rules, index), index) for index, (scene, rules) in enumerate(plan))
