"""Content balanced by the largest deficit (after Kingsbury and Zara, 1989)."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from cat_engine.core.content_amounts import is_in
from cat_engine.core.content_lines import strictly_allowed
from cat_engine.core.families import ANY, About, Rule, length_of
from cat_engine.core.pool import NO_ITEMS
from cat_engine.core.test_package import PoolItem, Section
from cat_engine.core.views import Eligible, SectionView, Utility

_AFTER_ALL_OTHERS = 1 << 40
_PASSED_OVER = 1 << 50


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: the shares are the section's blueprint."""


def shares(view: SectionView, utility: Utility, free: NDArray[np.bool_], *, settings: Settings) -> Eligible:
    """The free items of the blueprint line that is furthest behind its share.

    A line whose items are used up is passed over and named: a blueprint that cannot be met is never bent in
    silence. A line with a share of 0 is due only when every other is exhausted; an item of no line never
    comes. Strict lines of the section's constraints keep items back beside it.
    """
    del settings
    pool = view.pool
    lines = pool.section.blueprint
    free, beyond = strictly_allowed(view, free & (pool.area >= 0) if lines else free)
    if not lines:
        return Eligible(np.flatnonzero(free), utility, relaxed=beyond)
    items = len(view.answered) + 1
    surplus = [-line.per_mille * items if line.per_mille else _AFTER_ALL_OTHERS for line in lines]
    line_of = pool.line_of
    for column in view.answered:
        line = line_of[column]
        if line >= 0:
            surplus[line] += 1000
    relaxed = list(beyond)
    for _ in lines:
        line = surplus.index(min(surplus))
        surplus[line] = _PASSED_OVER
        columns = pool.columns_of_line[line]
        indices = columns[free[columns]]
        if indices.size:
            return Eligible(indices, utility, lines[line].area, tuple(relaxed))
        relaxed.append(lines[line].area)
    return Eligible(NO_ITEMS, utility, "", beyond)


def _problem(_settings: Settings, section: Section, items: tuple[PoolItem, ...]) -> str:
    """A test longer than the lines together have items: what is in no line never comes."""
    length = length_of(section)
    if length is None or not section.blueprint or section.mode != "adaptive":
        return ""
    others = [item for item in items if not any(is_in(item.area, line.area) for line in section.blueprint)]
    held = len(items) - len(others)
    if not others or held >= length:
        return ""
    return f"the shares hold {held} items of {length}, and {others[0].code} is in none of them"


RULE = Rule(
    "shares",
    Settings,
    shares,
    About(
        formula="next line = argmax_g share_g (n + 1) - n_g, with n_g of the n items so far from line g",
        source="Kingsbury & Zara (1989), by the largest deficit",
        use="Few content areas with shares and nothing else to keep.",
    ),
    abilities=ANY,
    problem=_problem,
    reads_shares=True,
)
