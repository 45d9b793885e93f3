"""A fixed order of items."""

import msgspec
import numpy as np

from cat_engine.core.exact import Integers
from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.pool import Pool
from cat_engine.core.pool_facts import kept_with_pool
from cat_engine.core.test_package import PoolItem, Section
from cat_engine.core.views import SectionView, Utility


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Codes of the items in the order in which they are asked; all others follow, sorted by code."""

    codes: tuple[str, ...] = ()


def fixed_order(view: SectionView, *, settings: Settings) -> Utility:
    """Minus the place of each item in the order."""
    return order(view.pool, settings.codes)


@kept_with_pool
def order(pool: Pool, codes: tuple[str, ...]) -> Integers:
    """Minus the place of each item, (n,)."""
    column = {item.code: index for index, item in enumerate(pool.items)}
    rest = sorted(column.keys() - set(codes))
    places = np.empty(pool.size, dtype=np.int64)
    for place, code in enumerate((*codes, *rest)):
        places[column[code]] = -place
    places.setflags(write=False)
    return places


def _problem(settings: Settings, _section: Section, items: tuple[PoolItem, ...]) -> str:
    known = {item.code for item in items}
    for code in settings.codes:
        if code not in known or settings.codes.count(code) > 1:
            return f"item {code} {'comes twice' if code in known else 'is not of the section'}"
    return ""


RULE = Rule(
    "fixed_order",
    Settings,
    fixed_order,
    About(
        formula="u_i = -place of item i in the order given",
        source="common practice",
        use="Trials, rehearsals and comparisons: the same items in the same order for all.",
    ),
    ANY,
    problem=_problem,
)
