"""Every figural matrix is solved here from its drawing: points and circles are read, rules are guessed and
tried.

The reader measures outlines; it knows neither the generator's features nor which option is the key. A rule
that fits the eight cells shown predicts the ninth; all rules that fit must predict the same cell, and one
option must be it.
"""

from __future__ import annotations

import cmath
import math
import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator

import pytest

from item_bank.demonstration.drafts import DraftItem
from item_bank.demonstration.figural_matrices import LANGUAGES, items

ITEMS = items()
Points = list[tuple[float, float]]
Cell = dict[
    str, int
]  # what is measured: corners, count, shade, and bearing, length of arrows or bearing of a mark
CENTRE = 48.0
ALLOWED = {"svg", "g", "rect", "circle", "polygon", "text"}


def parse(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314  -- our own drawing, made a line above


def shade_of(element: ET.Element) -> int:
    if element.get("fill") == "none":
        return 0
    return 1 if element.get("fill-opacity") else 2


def bearing(x: float, y: float) -> int:
    """Eighths of a turn, clockwise from straight up."""
    return round(math.atan2(x - CENTRE, CENTRE - y) / (math.pi / 4)) % 8


def corners_of(element: ET.Element) -> Points:
    numbers = [float(text) for text in re.split("[ ,]", element.get("points", "")) if text]
    moved = re.fullmatch(
        r"translate\(([\d.]+) ([\d.]+)\)(?: rotate\((\d+)\))?", element.get("transform", "translate(0 0)")
    )
    assert moved is not None
    turn = cmath.rect(1, math.radians(float(moved[3] or 0)))
    placed = [
        complex(float(moved[1]), float(moved[2])) + turn * complex(x, y)
        for x, y in zip(numbers[::2], numbers[1::2], strict=True)
    ]
    return [(corner.real, corner.imag) for corner in placed]


def middle(points: Points) -> tuple[float, float]:
    return sum(x for x, _ in points) / len(points), sum(y for _, y in points) / len(points)


def gap_of(ring: ET.Element) -> int:
    """The eighth of a turn at which a ring of seven dots has none; it is drawn clockwise from the right."""
    turned = re.fullmatch(r"rotate\((-?\d+) 48 48\)", ring.get("transform", ""))
    assert turned is not None
    lengths = [float(text) for text in ring.get("stroke-dasharray", "").split()]
    eighth = 2 * math.pi * float(ring.get("r", "0")) / 8
    assert lengths[::2] == [0.0] * 7
    assert lengths[1::2] == pytest.approx([eighth] * 6 + [2 * eighth], abs=0.001)
    return (round(float(turned[1]) / 45) + 7 + 2) % 8


def read_cell(group: ET.Element) -> Cell:
    rings = [child for child in group if child.get("stroke-dasharray")]
    figures = [child for child in group if child.tag in {"polygon", "circle"} and child not in rings]
    shades = {shade_of(figure) for figure in figures}
    kinds = {len(corners_of(figure)) for figure in figures}
    assert len(shades) == len(kinds) == 1, "figures of one cell look alike"
    cell = {"corners": kinds.pop(), "count": len(figures), "shade": shades.pop()}
    if cell["corners"] == 7:  # an arrow: its tip is the corner furthest from the other six
        points = corners_of(figures[0])
        tip = max(points, key=lambda p: sum(math.dist(p, other) for other in points))
        box = max(math.dist(p, q) for p in points for q in points)
        return {"bearing": bearing(*tip), "length": round(box / 18), "shade": cell["shade"]}
    if rings:
        mark = figures[0]
        round_at = (float(mark.get("cx", "0")), float(mark.get("cy", "0")))
        at = middle(corners_of(mark)) if cell["corners"] else round_at
        cell["bearing"] = bearing(*at)
        assert gap_of(*rings) == cell["bearing"], "the figure stands where the ring has no dot"
    return cell


def shown_cells(item: DraftItem, language: str) -> list[list[Cell | None]]:
    """The grid in reading order by where its groups stand; the ninth is None."""
    root = parse(item.bodies[language].stimulus)
    placed: dict[tuple[int, int], Cell] = {}
    for group in root.iter("g"):
        found = re.fullmatch(r"translate\((\d+) (\d+)\)", group.get("transform", ""))
        assert found is not None
        placed[int(found[2]) // 100, int(found[1]) // 100] = read_cell(group)
    assert len(placed) == 8
    return [[placed.get((row, column)) for column in range(3)] for row in range(3)]


def predictions(lines: list[list[int]], modulus: int | None) -> Iterator[int]:
    """The third value of the last line, by each rule that holds in the first two; lines are rows or
    columns."""
    (a1, a2, a3), (b1, b2, b3), (c1, c2) = lines

    def same(x: int, y: int) -> bool:
        return (x - y) % modulus == 0 if modulus else x == y

    if a1 == a2 == a3 and b1 == b2 == b3 and c1 == c2:
        yield c1
    step = a2 - a1
    if all(same(y - x, step) for x, y in ((a2, a3), (b1, b2), (b2, b3), (c1, c2))):
        yield (c2 + step) % modulus if modulus else c2 + step
    values = {a1, a2, a3}
    if len(values) == 3 and {b1, b2, b3} == values and c1 != c2 and {c1, c2} < values:
        yield (values - {c1, c2}).pop()
    if modulus is None and a1 + a2 == a3 and b1 + b2 == b3:
        yield c1 + c2
    if modulus is None and a1 - a2 == a3 and b1 - b2 == b3:
        yield c1 - c2


def solved(item: DraftItem, language: str) -> dict[str, set[int]]:
    """Per measured feature: what the fitting rules say the ninth cell shows."""
    grid = shown_cells(item, language)
    first = grid[0][0]
    assert first is not None
    found: dict[str, set[int]] = {}
    for feature in first:
        known = [[cell[feature] for cell in row if cell is not None] for row in grid]
        turned = [[row[n] for row in known if len(row) > n] for n in range(3)]
        ordered = feature in ("count", "length", "shade")
        modulus = 8 if feature == "bearing" else None
        if (
            not ordered and modulus is None
        ):  # corners are names, not amounts: only sameness and sets make sense
            names = {value: 1000 + 37**n for n, value in enumerate(sorted({v for row in known for v in row}))}
            back = {name: value for value, name in names.items()}
            coded = [[[names[v] for v in line] for line in lines] for lines in (known, turned)]
            guesses = {back[v] for lines in coded for v in predictions(lines, None) if v in back}
        else:
            guesses = {v for lines in (known, turned) for v in predictions(lines, modulus)}
        found[feature] = guesses
    return found


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
@pytest.mark.parametrize("language", LANGUAGES)
def test_all_rules_that_fit_agree_and_lead_to_the_key(item: DraftItem, language: str) -> None:
    found = solved(item, language)
    assert all(len(values) == 1 for values in found.values()), found
    ninth = {feature: min(values) for feature, values in found.items()}
    options = [read_cell(parse(option)) for option in item.bodies[language].options]
    assert [n for n, option in enumerate(options) if option == ninth] == [item.option_points.index(1)]
    assert len({tuple(sorted(option.items())) for option in options}) == 6, "no option is drawn twice"


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
def test_options_alone_do_not_betray_the_key(item: DraftItem) -> None:
    """No feature of the key is more frequent among the options than every other value of that feature."""
    options = [read_cell(parse(option)) for option in item.bodies["id"].options]
    key = options[item.option_points.index(1)]
    for feature in key:
        counts = Counter(option[feature] for option in options)
        if len(counts) > 1:
            assert counts[key[feature]] <= max(n for value, n in counts.items() if value != key[feature])


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
@pytest.mark.parametrize("language", LANGUAGES)
def test_drawings_are_safe_named_and_described(item: DraftItem, language: str) -> None:
    body = item.bodies[language]
    for svg in (body.stimulus, *body.options):
        root = parse(svg)
        assert {element.tag for element in root.iter()} <= ALLOWED
        assert not any("style" in element.attrib or "class" in element.attrib for element in root.iter())
        assert not any(element.get("id") for element in root.iter()), "the page holds several drawings"
        assert root.get("role") == "img"
        assert root.get("aria-label")
        colours = {element.get(name, "none") for element in root.iter() for name in ("fill", "stroke")}
        assert colours <= {"none", "currentColor"}, "the page decides the colour"
        assert int(root.get("width", "999")) <= 288, "fits a screen 320 pixels wide"


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item.code)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_words_for_the_cells_tell_apart_what_the_drawings_tell_apart(
    item: DraftItem, language: str
) -> None:
    """Who listens instead of looking learns as much: equal cells, equal words; different cells, different
    words."""
    body = item.bodies[language]
    spoken = re.findall(r"(?<=[:;] )[^;.]+", parse(body.stimulus).get("aria-label", ""))
    assert len(spoken) == 9
    cells = [cell for row in shown_cells(item, language) for cell in row if cell is not None]
    spoken = spoken[:8]
    for option in body.options:
        root = parse(option)
        cells.append(read_cell(root))
        spoken.append(root.get("aria-label", ""))
    assert len({tuple(sorted(cell.items())) for cell in cells}) == len(set(spoken))
    assert len({(tuple(sorted(c.items())), s) for c, s in zip(cells, spoken, strict=True)}) == len(
        set(spoken)
    )


def test_there_are_fifty_five_with_keys_spread_and_errors_named() -> None:
    assert len(ITEMS) >= 55
    assert len({item.bodies["id"].stimulus for item in ITEMS}) == len(ITEMS)
    places = Counter(item.option_points.index(1) for item in ITEMS)
    assert len(places) == 6
    assert max(places.values()) - min(places.values()) <= 1
    for item in ITEMS:
        assert sum(item.option_points) == 1
        assert [note == "" for note in item.option_notes] == [points == 1 for points in item.option_points]


def test_parameters_stay_in_their_ranges_and_more_rules_are_harder() -> None:
    assert all(-2.6 <= item.b[0] <= 2.8 and 0.7 <= item.a <= 1.9 and item.c == 0.17 for item in ITEMS)
    by_rules = {n: [item.b[0] for item in ITEMS if item.features["rules"] == n] for n in (1.0, 2.0, 3.0)}
    assert max(by_rules[1.0]) < sum(by_rules[2.0]) / len(by_rules[2.0]) < min(by_rules[3.0])
    assert items() == ITEMS
