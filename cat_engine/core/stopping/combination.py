"""Several stopping rules as one: all of these, any of those, between a minimum and a maximum of items."""

from typing import Annotated

import msgspec

from cat_engine.core import families
from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.test_package import PoolItem, RuleChoice, Section
from cat_engine.core.views import SectionView

FAMILY = "cat_engine.core.stopping"


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Stop when every rule of `all_of` speaks, or one of `any_of`; never before the minimum of items, and in
    any case at the maximum. The rules may be combinations themselves.
    """

    all_of: tuple[RuleChoice, ...] = ()
    any_of: tuple[RuleChoice, ...] = ()
    minimum_items: Annotated[int, msgspec.Meta(ge=1)] = 1
    maximum_items: Annotated[int, msgspec.Meta(ge=1)] | None = None


def combination(view: SectionView, *, settings: Settings) -> str | None:
    """The reason with the reasons of the parts that decided, those of `all_of` joined by "+"."""
    count = len(view.answered)
    if settings.maximum_items is not None and count >= settings.maximum_items:
        return "combination:maximum_items"
    if count < settings.minimum_items:
        return None
    for choice in settings.any_of:
        reason = families.bind(FAMILY, choice)(view)
        if reason is not None:
            return f"combination:{reason}"
    reasons = []
    for choice in settings.all_of:
        reason = families.bind(FAMILY, choice)(view)
        if reason is None:
            return None
        reasons.append(reason)
    return f"combination:{'+'.join(reasons)}" if reasons else None


def _nested(settings: Settings) -> tuple[RuleChoice, ...]:
    return settings.all_of + settings.any_of


def _most_items(settings: Settings) -> int | None:
    """The least of the maximum, of the lengths of `any_of`, and of the greatest length of `all_of`."""
    lengths = [families.most_items(FAMILY, choice) for choice in settings.any_of]
    together = [families.most_items(FAMILY, choice) for choice in settings.all_of]
    known = [length for length in together if length is not None]
    if known and len(known) == len(together):
        lengths.append(max(known))
    least = min((length for length in lengths if length is not None), default=None)
    bounds = [] if least is None else [max(least, settings.minimum_items)]
    return min(bounds if settings.maximum_items is None else [*bounds, settings.maximum_items], default=None)


def _problem(settings: Settings, section: Section, items: tuple[PoolItem, ...]) -> str:
    if not settings.all_of and not settings.any_of and settings.maximum_items is None:
        return "combination: nothing is combined"
    if settings.maximum_items is not None and settings.maximum_items < settings.minimum_items:
        return "combination: the minimum of items is above the maximum"
    found = (families.problem(FAMILY, choice, section, items) for choice in _nested(settings))
    return next((problem for problem in found if problem), "")


RULE = Rule(
    "combination",
    Settings,
    combination,
    About(
        formula="n >= maximum, or n >= minimum and (all of A or any of B)",
        source="common practice; Thompson & Weiss (2011)",
        use="A minimum and a maximum about every other rule; two criteria that must hold together.",
    ),
    abilities=ANY,
    nested=_nested,
    most_items=_most_items,
    problem=_problem,
)
