"""Begin with a fixed set of items."""

from typing import Annotated

import msgspec

from cat_engine.core.chance import Chance
from cat_engine.core.content_amounts import amounts
from cat_engine.core.events import FormerEstimate
from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.pool import Pool
from cat_engine.core.pool_facts import kept_with_pool
from cat_engine.core.test_package import PoolItem, Section
from cat_engine.core.views import Start, section_prior


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The codes of the items that everybody is asked first, in their order."""

    items: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


def routing_set(pool: Pool, former: FormerEstimate | None, chance: Chance, *, settings: Settings) -> Start:
    """The section's prior, and the items named before any that is chosen.

    One that may not come (an enemy of an item of an earlier section) is left out. Exposure control does not
    hold them back. Items of item sets are refused: a set is opened when there is room for it.
    """
    del former, chance
    start = _columns(pool, settings.items)
    return Start(section_prior(pool), pool.section.start_theta_millionths, start)


@kept_with_pool
def _columns(pool: Pool, codes: tuple[str, ...]) -> tuple[int, ...]:
    column_of = {item.code: column for column, item in enumerate(pool.items)}
    return tuple(column_of[code] for code in codes)


def _problem(settings: Settings, section: Section, items: tuple[PoolItem, ...]) -> str:
    by_code = {item.code: item for item in items}
    unknown = [code for code in settings.items if code not in by_code]
    if unknown:
        return f"the routing set names {unknown[0]}, which is not in the pool"
    if len(set(settings.items)) != len(settings.items):
        return "the routing set names an item twice"
    named = {by_code[code].item_id for code in settings.items}
    at_enmity = [code for code in settings.items if named & set(by_code[code].enemies)]
    if at_enmity:
        return f"the routing set holds an enemy of {at_enmity[0]}"
    in_sets = [code for code in settings.items if by_code[code].item_set]
    if in_sets:
        return f"the routing set holds {in_sets[0]}, which belongs to an item set"
    first = [by_code[code] for code in settings.items]
    for line in section.constraints:
        if line.strict and line.maximum is not None and sum(amounts(line, first)) > line.maximum:
            return f"the routing set goes above the strict maximum of {line.name}"
    return ""


RULE = Rule(
    "routing_set",
    Settings,
    routing_set,
    About(
        formula="items 1 to k are fixed, from k + 1 on they are chosen",
        source="Lord (1971); common practice",
        use="A common warm-up whose content was looked at as a whole; its items are seen by everybody.",
    ),
    abilities=ANY,
    problem=_problem,
)
