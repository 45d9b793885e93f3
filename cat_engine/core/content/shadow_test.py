"""Shadow tests (van der Linden & Reese, 1998): a whole test that meets every line stands behind each item."""

from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from cat_engine.core import families
from cat_engine.core.assembly.conflicts import conflict
from cat_engine.core.assembly.constraints import InfeasibleBlueprint
from cat_engine.core.assembly.search import Limits
from cat_engine.core.blueprint import set_openers
from cat_engine.core.exact import Integers
from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.pool import NO_ITEMS
from cat_engine.core.shadow import assembler_of, blueprint_of, problem_of
from cat_engine.core.test_package import PoolItem, Section
from cat_engine.core.views import Eligible, SectionView, Utility

UTILITY_BITS = 31
"""Utilities are cut to these, so that the sum of a whole test and its ties fits 64 bits."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The length of the whole test; when it is assembled anew; how much work that may cost.

    It is assembled anew at every `refresh_items`-th item, if the last answer moved the estimate by at least
    `refresh_change_millionths`; in between the last one is used. The limits count nodes and iterations of the
    solver, not seconds, so that a replay decides alike.
    """

    items: Annotated[int, msgspec.Meta(ge=1)]
    refresh_items: Annotated[int, msgspec.Meta(ge=1)] = 1
    refresh_change_millionths: Annotated[int, msgspec.Meta(ge=0)] = 0
    nodes: Annotated[int, msgspec.Meta(ge=1)] = Limits().nodes
    iterations: Annotated[int, msgspec.Meta(ge=1)] = Limits().iterations


def shadow_test(
    view: SectionView, utility: Utility, free: NDArray[np.bool_], *, settings: Settings
) -> Eligible:
    """The free items of the best whole test that holds everything asked so far and meets every line.

    Lines that cannot be kept give way in the order of their priority and are named; strict ones never do.
    """
    taken = np.array(view.answered, dtype=np.int64)
    held = np.array(view.assembled, dtype=np.int64)
    if held.size and not _is_due(view, settings):
        rest = _may_open(view, held, taken, free)
        if rest.size:
            return Eligible(rest, utility, assembled=view.assembled)
    barred = ~free
    barred[_of_sets_left(view)] = True
    barred[taken] = False
    assembler = assembler_of(view.pool, settings.items)
    try:
        test = assembler.assemble(
            utility >> max(0, int(np.abs(utility).max()).bit_length() - UTILITY_BITS),
            taken,
            barred,
            incumbent=held if held.size else None,
            limits=Limits(settings.nodes, settings.iterations),
        )
    except InfeasibleBlueprint as refused:
        return Eligible(NO_ITEMS, utility, relaxed=refused.names)
    assembled = tuple(int(column) for column in test.columns)
    rest = _may_open(view, test.columns, taken, free)
    return Eligible(rest, utility, relaxed=test.relaxed, assembled=assembled)


def _is_due(view: SectionView, settings: Settings) -> bool:
    """Whether the shadow test is to be assembled anew."""
    if view.shown % settings.refresh_items:
        return False
    before = view.estimate_before if settings.refresh_change_millionths else None
    if before is None:
        return True
    moved = abs(view.estimate.theta_millionths - before.theta_millionths)
    return moved >= settings.refresh_change_millionths


def _may_open(view: SectionView, test: Integers, taken: Integers, free: NDArray[np.bool_]) -> Integers:
    """The columns of a shadow test that can come next: not asked yet, free, no middle of an ordered set."""
    rest = np.setdiff1d(test, taken)
    # an item that exposure keeps back still has its place in the order of its set
    opening = set_openers(view.pool, view.unseen, view.answered, rest.size)
    return rest[free[rest] & opening[rest]]


def _of_sets_left(view: SectionView) -> list[int]:
    """Columns of the item sets that were begun: a set is not come back to once it is left."""
    begun = {view.pool.items[column].item_set for column in view.answered} - {""}
    return [int(column) for set_id in sorted(begun) for column in view.pool.columns_of_set[set_id]]


def _problem(settings: Settings, section: Section, items: tuple[PoolItem, ...]) -> str:
    """Contradictions are found when the package is frozen, not in front of a candidate: those of the lines,
    with the length of the section, and with the items that everybody is asked first.
    """
    lengths = [families.most_items("cat_engine.core.stopping", choice) for choice in section.stopping]
    longest = min([len(items), *(length for length in lengths if length is not None)])
    if settings.items < longest and longest in lengths:
        return f"a test of {settings.items} items in a section that ends at {longest}"
    strict_minima = [line.name for line in section.constraints if line.strict and line.minimum]
    if settings.items > longest and strict_minima:
        return f"a test of {settings.items} items, cut at {longest}, may not reach {strict_minima[0]}"
    found = problem_of(section, items, settings.items)
    if found or section.start.rule != "routing_set":
        return found
    column = {item.code: index for index, item in enumerate(items)}
    first = np.array([column[code] for code in section.start.settings["items"]], dtype=np.int64)
    names = conflict(blueprint_of(section, items, settings.items), first, hard_only=True)
    return "no test with the routing set meets these lines: " + ", ".join(names) if names else ""


RULE = Rule(
    "shadow_test",
    Settings,
    shadow_test,
    About(
        formula="max sum_i u_i x_i over tests x that meet every line, x_i = 1 for the items asked so far",
        source="van der Linden & Reese (1998); van der Linden (2005)",
        use="Blueprints with ranges, item sets, enemies, words, time and keys: the only rule that keeps all.",
    ),
    ANY,
    problem=_problem,
    keeps_sets=True,
    reads_shares=True,
    takes_long=True,
)
