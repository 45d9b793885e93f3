"""Cleaning of authored HTML: what may stand in an item, and nothing else.

A positive list of elements and attributes, for text, tables and drawings (SVG with presentation attributes
only). No scripts, no handlers, no styles, no links, nothing that is fetched from elsewhere. Cleaning happens
when an item is saved and again when a package is made, so a row changed behind our back does not reach a
candidate either.
"""

import nh3

TEXT = frozenset(
    ["p", "br", "strong", "em", "b", "i", "u", "sub", "sup", "ul", "ol", "li", "blockquote", "span", "div"]
)
TABLES = frozenset(["table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"])
DRAWINGS = frozenset(
    [
        "figure",
        "figcaption",
        "svg",
        "title",
        "desc",
        "g",
        "path",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "text",
        "tspan",
        "defs",
        "pattern",
    ]
)
_GEOMETRY = frozenset(
    [
        "x",
        "y",
        "x1",
        "y1",
        "x2",
        "y2",
        "cx",
        "cy",
        "r",
        "rx",
        "ry",
        "width",
        "height",
        "d",
        "points",
        "transform",
        "viewBox",
        "fill",
        "stroke",
        "stroke-width",
        "stroke-linecap",
        "stroke-linejoin",
        "stroke-dasharray",
        "fill-opacity",
        "stroke-opacity",
        "fill-rule",
        "opacity",
        "font-size",
        "font-weight",
        "font-family",
        "text-anchor",
        "dominant-baseline",
        "patternUnits",
        "patternTransform",
        "preserveAspectRatio",
        "xmlns",
    ]
)
_EVERYWHERE = frozenset(
    ["class", "id", "lang", "dir", "role", "aria-label", "aria-labelledby", "aria-describedby", "aria-hidden"]
)
_CELLS = frozenset(["colspan", "rowspan", "scope", "headers"])

_ATTRIBUTES: dict[str, set[str]] = {
    "*": set(_EVERYWHERE),
    **{name: set(_CELLS) for name in ("th", "td")},
    **{name: set(_GEOMETRY) | {"focusable"} for name in DRAWINGS},
}

_cleaner = nh3.Cleaner(
    tags=set(TEXT | TABLES | DRAWINGS),
    attributes=_ATTRIBUTES,
    generic_attribute_prefixes={"data-"},
    strip_comments=True,
    link_rel=None,
    url_schemes=set(),
)


def clean(html: str) -> str:
    """The HTML with everything removed that is not on the list."""
    return _cleaner.clean(html)
