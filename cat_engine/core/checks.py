"""What makes a test package contradictory: sections, blueprints, item sets and panels that cannot be run.

Each check says in words what is wrong, naming the line, set or item, or "" when all is well. (Item parameters
are the response models' to judge, see `tables`; rules judge their settings themselves.)
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from cat_engine.core import families
from cat_engine.core.content_amounts import ATTRIBUTES, COUNTED, ITEM_SETS, amounts, expected_seconds, is_in
from cat_engine.core.matrices import prior_problem
from cat_engine.core.test_package import Constraint, Panel, PoolItem, Section, Stage
from cat_engine.foundation.refusals import Refusal, Refused

MODES = ("adaptive", "linear", "multistage")
ROUTED_BY = ("theta", "points", "module_points")
NAMED = ("area", "interaction", "item_set")
THETA_LIMIT_MILLIONTHS = 6_000_000
INTENSITY_LIMIT = 20.0
TIME_DISCRIMINATIONS = (0.1, 100.0)
LONGEST_S = 10_000_000

Items = Sequence[PoolItem]


def check_section(section: Section, by_id: Mapping[str, PoolItem]) -> None:
    """Refuse a section that could not be run, whatever its rules, with the reason."""
    if not section.item_ids:
        raise Refused(Refusal.PACKAGE_EMPTY_POOL, section=section.section_id)
    for item_id in section.item_ids:
        if item_id not in by_id:
            raise Refused(Refusal.PACKAGE_INVALID, reason=f"{section.section_id}: unknown item {item_id}")
    items = tuple(by_id[item_id] for item_id in section.item_ids)
    checks: tuple[Callable[[Section, Items], str], ...] = (
        _frame, _shares, _lines, _demands, _item_sets, _panels
    )  # fmt: skip
    for found in (check(section, items) for check in checks):
        if found:
            raise Refused(Refusal.PACKAGE_INVALID, reason=f"{section.section_id}: {found}")


def item_problem(item: PoolItem) -> str:
    """What is wrong with an item beyond the parameters of its response model."""
    if not item.option_points or item.points_maximum - item.points_minimum != item.categories - 1:
        return "option points do not match the categories"
    if item.word_count < 0:
        return "the word count is negative"
    intensity, discrimination = item.time_intensity, item.time_discrimination
    if (intensity is None) != (discrimination is None):
        return "a response time needs both an intensity and a discrimination"
    if intensity is not None and not abs(intensity) <= INTENSITY_LIMIT:
        return f"the time intensity is not between {-INTENSITY_LIMIT} and {INTENSITY_LIMIT}"
    least, most = TIME_DISCRIMINATIONS
    if discrimination is not None and not least <= discrimination <= most:
        return f"the time discrimination is not between {least} and {most}"
    if expected_seconds(item) > LONGEST_S:
        return f"more than {LONGEST_S} seconds are expected"
    return ""


def check_forms(sections: Sequence[Section], by_id: Mapping[str, PoolItem]) -> None:
    """Refuse fixed forms that ask an item again, or an enemy of one: nothing is left out of a form.

    Items that an earlier section may choose count as asked.
    """
    before: dict[str, str] = {}
    for section in sections:
        form = frozenset(section.item_ids) if section.mode == "linear" else frozenset()
        for item_id in section.item_ids if form else ():
            item = by_id[item_id]
            enemy = next((other for other in item.enemies if other in form or other in before), "")
            found = ""
            if item_id in before:
                found = f"{item.code} may have been asked in {before[item_id]}"
            elif enemy:
                where = before.get(enemy, "the same form")
                found = f"{item.code} is an enemy of {by_id[enemy].code} in {where}"
            if found:
                raise Refused(Refusal.PACKAGE_INVALID, reason=f"{section.section_id}: {found}")
        before |= {item_id: section.section_id for item_id in section.item_ids if item_id not in before}


def _frame(section: Section, items: Items) -> str:
    if len(set(section.item_ids)) != len(items):
        return "duplicate item"
    codes = _repeated(item.code for item in items)
    if codes:
        return f"two items have the code {codes[0]}"
    if section.mode not in MODES:
        return f"unknown mode {section.mode}"
    contents: dict[str, str] = {}
    for item in items:
        if item.content_hash in contents:  # between equals the content decides, never the pool's order
            return f"{contents[item.content_hash]} and {item.code} are one item: their content is the same"
        contents[item.content_hash] = item.code
    prior = prior_problem(section.prior_mean, section.prior_deviation)
    if prior:
        return prior
    if abs(section.start_theta_millionths) > THETA_LIMIT_MILLIONTHS:
        return "the start lies beyond the tables"
    return ""


# --------------------------------------------------------------------------------------------- blueprint


def _shares(section: Section, items: Items) -> str:
    areas = _repeated(share.area for share in section.blueprint)
    if areas:
        return f"two shares for the area {areas[0]}"
    for share in section.blueprint:
        if not 0 <= share.per_mille <= 1000:
            return f"the share of {share.area} is not between 0 and 1000 thousandths"
        if share.per_mille and not any(is_in(item.area, share.area) for item in items):
            return f"a share for {share.area}, an area without items"
    total = sum(share.per_mille for share in section.blueprint)
    return f"the shares sum to {total} thousandths" if total > 1000 else ""


def _lines(section: Section, items: Items) -> str:
    names = _repeated(line.name for line in section.constraints)
    if names:
        return f"two lines are named {names[0]}"
    longest = _most_items(section)
    for line in section.constraints:
        found = _line(line, items, longest)
        if found:
            return f"line {line.name}: {found}"
    return ""


def _line(line: Constraint, items: Items, longest: int) -> str:
    if not line.name or line.attribute not in ATTRIBUTES:
        return "the line has no name" if not line.name else f"unknown attribute {line.attribute}"
    if line.minimum < 0 or line.weight < 0 or line.priority < 0:
        return "minimum, weight and priority cannot be negative"
    if line.maximum is not None and line.minimum > line.maximum:
        return "the minimum is above the maximum"
    if line.attribute == "seconds" and any(item.time_intensity is None for item in items):
        code = next(item.code for item in items if item.time_intensity is None)
        return f"item {code} has no response time"
    held = amounts(line, items)
    if line.attribute == "key" and not (line.value.isdecimal() and int(line.value)):
        return f"{line.value} is no place of an option"
    if line.attribute in NAMED and not any(held):
        return f"no item has {line.attribute} {line.value}"
    if not line.strict:  # what the pool cannot give, a soft line gives way to
        return ""
    if line.attribute == ITEM_SETS:
        sets = len({item.item_set for item in items if item.item_set})
        return f"the pool has {sets} item sets" if line.minimum > sets else ""
    most = sum(sorted(held, reverse=True)[:longest])
    return f"{most} at most can be reached" if line.minimum > most else ""


class _Range(NamedTuple):
    """What all lines of one value ask together, and their names."""

    names: str
    minimum: int
    maximum: int


def _demands(section: Section, _items: Items) -> str:
    """Strict minima of one attribute that exceed the length, a maximum, or what their area allows."""
    longest = _most_items(section)
    for attribute in COUNTED:
        ranges = _ranges([x for x in section.constraints if x.strict and x.attribute == attribute])
        below = dict.fromkeys(ranges, 0)
        total = 0
        for value in sorted(ranges, key=len, reverse=True):  # what lies below an area has a longer name
            own = ranges[value]
            if own.minimum > own.maximum:
                return f"lines {own.names}: a minimum of {own.minimum} and a maximum of {own.maximum}"
            if below[value] > own.maximum:
                return f"line {own.names}: the minima below it sum to {below[value]}"
            need = max(own.minimum, below[value])
            above = [other for other in ranges if other != value and is_in(value, other)]
            if attribute == "area" and above:
                below[max(above, key=len)] += need
            else:
                total += need
        if total > longest:
            return f"the minima of {attribute} sum to {total}, the test has {longest} items at most"
    return ""


def _ranges(lines: Sequence[Constraint]) -> dict[str, _Range]:
    found: dict[str, _Range] = {}
    for line in lines:
        maximum = sys.maxsize if line.maximum is None else line.maximum
        one = _Range(line.name, line.minimum, maximum)
        other = found.get(line.value, one)
        names = one.names if other is one else f"{other.names} and {one.names}"
        found[line.value] = _Range(names, max(one.minimum, other.minimum), min(one.maximum, other.maximum))
    return found


def _most_items(section: Section) -> int:
    length = families.length_of(section)
    return len(section.item_ids) if length is None else min(len(section.item_ids), length)


def _item_sets(section: Section, items: Items) -> str:
    repeated = _repeated(item_set.set_id for item_set in section.item_sets)
    if repeated:
        return f"item set {repeated[0]} is defined twice"
    for item_set in section.item_sets:
        members = [item for item in items if item.item_set == item_set.set_id]
        found = ""
        if not members:
            found = "no item belongs to it"
        elif item_set.minimum_items < 1:
            found = "its minimum is below 1"
        elif item_set.maximum_items is not None and item_set.maximum_items < item_set.minimum_items:
            found = "its minimum is above its maximum"
        elif item_set.minimum_items > len(members):
            found = f"its minimum is {item_set.minimum_items}, it has {len(members)} items"
        elif item_set.ordered and _repeated(str(item.set_order) for item in members):
            found = "two items have the same place in its order"
        if found:
            return f"item set {item_set.set_id}: {found}"
    for item in items:
        for other in items:
            if item.item_set and item.item_set == other.item_set and other.item_id in item.enemies:
                return f"item set {item.item_set}: {item.code} and {other.code} are enemies"
    return ""


# --------------------------------------------------------------------------------------------- multistage


def _panels(section: Section, items: Items) -> str:
    if section.mode != "multistage":
        return "panels belong to a multistage section" if section.panels else ""
    if not section.panels:
        return "a multistage section needs panels"
    repeated = _repeated(panel.panel_id for panel in section.panels)
    if repeated:
        return f"panel {repeated[0]} is defined twice"
    by_id = {item.item_id: item for item in items}
    for panel in section.panels:
        found = _panel(panel, by_id)
        if found:
            return f"panel {panel.panel_id}: {found}"
    return ""


def _panel(panel: Panel, by_id: Mapping[str, PoolItem]) -> str:
    modules = [module for stage in panel.stages for module in stage.modules]
    if not panel.stages or any(not stage.modules for stage in panel.stages):
        return "a stage has no modules"
    if len(panel.stages[0].modules) > 1 and panel.stages[0].by != "theta":
        return "the first stage cannot be decided by points: there are none yet"
    repeated = _repeated(module.module_id for module in modules)
    if repeated:
        return f"module {repeated[0]} is defined twice"
    for module in modules:
        unknown = [item_id for item_id in module.item_ids if item_id not in by_id]
        if unknown or not module.item_ids:
            reason = f"names {unknown[0]}, which is not in the pool" if unknown else "has no items"
            return f"module {module.module_id} {reason}"
    asked = _repeated(item_id for module in modules for item_id in module.item_ids)
    if asked:
        return f"item {by_id[asked[0]].code} stands in two places"
    held = {item_id for module in modules for item_id in module.item_ids}
    for item_id in held:
        enemies = held & set(by_id[item_id].enemies)
        if enemies:
            return f"items {by_id[item_id].code} and {by_id[min(enemies)].code} are enemies"
    before: Sequence[str] = ("",)
    for number, stage in enumerate(panel.stages, start=1):
        found = _stage(stage, before)
        if found:
            return f"stage {number}: {found}"
        before = [module.module_id for module in stage.modules]
    return ""


def _stage(stage: Stage, before: Sequence[str]) -> str:
    if stage.by not in ROUTED_BY:
        return f"nothing is decided by {stage.by}"
    for module in stage.modules:
        unknown = [name for name in module.follows if name not in before]
        if unknown:
            return f"module {module.module_id} follows {unknown[0]}, which is not in the stage before"
    for name in before:
        if not any(not module.follows or name in module.follows for module in stage.modules):
            return f"no module may follow {name}"
    after = [known.after for known in stage.routes]
    if _repeated(after):
        return "two routes for the same module before"
    if len(stage.modules) > 1 and "" not in after and not set(before) <= set(after):
        return "no route for every module before"
    for known in stage.routes:
        if known.after and known.after not in before:
            return f"a route after {known.after}, which is not in the stage before"
        if len(known.cuts) != len(stage.modules) - 1:
            return f"{len(known.cuts)} cuts between {len(stage.modules)} modules"
        if any(upper <= lower for lower, upper in pairwise(known.cuts)):
            return "the cuts of a route do not rise"
    return ""


def _repeated(names: Iterable[str]) -> list[str]:
    return sorted(name for name, times in Counter(names).items() if times > 1)
