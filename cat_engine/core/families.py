"""Families of rules, found by their registry.

A family is a folder of modules; each module has one `RULE`: its name, its frozen settings type and one
function. Other distributions add members under an entry-point group named after the folder, for instance
`cat_engine.core.selection`. Adding a rule touches one file.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from importlib.metadata import entry_points
from typing import Any

import msgspec

from cat_engine.core.test_package import PoolItem, RuleChoice, Section
from cat_engine.foundation.refusals import Refusal, Refused

FAMILIES = tuple(
    f"cat_engine.core.{folder}"
    for folder in ("start", "selection", "content", "eligibility", "exposure", "stopping", "estimation")
)
ONE, SEVERAL, ANY = "one ability", "several abilities", "any"


@dataclass(frozen=True)
class About:
    """What docs/methods.md says of a rule: its formula, its literature, when to use it."""

    formula: str
    source: str
    use: str


@dataclass(frozen=True)
class Rule:
    """One member of a family. `function` takes the family's arguments, then `settings` by keyword."""

    name: str
    settings: type[msgspec.Struct]
    function: Callable[..., Any]
    about: About
    abilities: str = ONE  # which sections it can serve: of one ability, of several, or any
    # rules of the same family that the settings name
    nested: Callable[[Any], tuple[RuleChoice, ...]] | None = None
    # of a stopping rule: the number of items after which it stops whatever was answered
    most_items: Callable[[Any], int | None] | None = None
    keeps_sets: bool = False  # of a content rule: it takes care of item sets itself
    reads_shares: bool = False  # of a content rule: it keeps the shares of the section's blueprint
    takes_long: bool = False  # a step may cost tens of milliseconds: a server decides it in a thread
    # what does not fit between the settings and a section with its items, in words, or ""
    problem: Callable[[Any, Section, tuple[PoolItem, ...]], str] | None = None

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (self.function.__doc__ or "").strip().partition("\n")[0]


@cache
def members(family: str) -> Mapping[str, Rule]:
    """All rules of a family by name, the product's own and those of other distributions."""
    package = importlib.import_module(family)
    rules = [
        importlib.import_module(f"{family}.{module.name}").RULE
        for module in pkgutil.iter_modules(package.__path__)
    ]
    rules += [entry_point.load() for entry_point in entry_points(group=family)]
    return {rule.name: rule for rule in sorted(rules, key=lambda rule: rule.name)}


def bind(family: str, choice: RuleChoice, abilities: str | None = None) -> Callable[..., Any]:
    """The chosen rule's function with its checked settings, or a refusal that names rule and field.

    `abilities` says how many the section measures, where that matters to the family. Rules that the settings
    name are tried too.
    """
    rule = _member(family, choice)
    if abilities is not None and rule.abilities not in (ANY, abilities):
        reason = f"{choice.rule} does not serve a section that measures {abilities}"
        raise Refused(Refusal.PACKAGE_INVALID, reason=reason)
    settings = _settings(rule, choice)
    for inner in rule.nested(settings) if rule.nested else ():
        bind(family, inner, abilities)
    return partial(rule.function, settings=settings)


def settings_of(family: str, choice: RuleChoice) -> msgspec.Struct:
    """The rule's checked settings, those that were not named at their defaults."""
    return _settings(_member(family, choice), choice)


def most_items(family: str, choice: RuleChoice) -> int | None:
    """The number of items after which a stopping rule stops in any case; None where there is none."""
    rule = _member(family, choice)
    return rule.most_items(_settings(rule, choice)) if rule.most_items else None


def problem(family: str, choice: RuleChoice, section: Section, items: tuple[PoolItem, ...]) -> str:
    """What does not fit between a rule's settings and its section with these items, in words, or ""."""
    rule = _member(family, choice)
    return rule.problem(_settings(rule, choice), section, items) if rule.problem else ""


def length_of(section: Section) -> int | None:
    """The number of items at which the stopping rules end a section in any case; None where they do not."""
    lengths = (most_items("cat_engine.core.stopping", choice) for choice in section.stopping)
    return min((length for length in lengths if length is not None), default=None)


def abilities_of(section: Section) -> str:
    """How many abilities a section measures, in the words of `Rule.abilities`."""
    return SEVERAL if section.dimensions else ONE


def reads_shares(section: Section) -> bool:
    """Whether the shares of a section's blueprint decide what is asked."""
    return section.mode == "adaptive" and _member("cat_engine.core.content", section.content).reads_shares


def rules_of(section: Section) -> tuple[tuple[str, RuleChoice], ...]:
    """Every rule of a section with its family."""
    chosen = (
        ("start", section.start),
        ("selection", section.selection),
        ("content", section.content),
        ("eligibility", section.eligibility),
        ("exposure", section.exposure),
        *(("stopping", choice) for choice in section.stopping),
        ("estimation", section.interim_estimator),
        ("estimation", section.final_estimator),
    )
    return tuple((f"cat_engine.core.{family}", choice) for family, choice in chosen)


def check_rules(section: Section, items: tuple[PoolItem, ...]) -> None:
    """Refuse a section with an unknown rule or setting, or with one that does not fit it or its items."""
    for family, choice in rules_of(section):
        bind(family, choice, abilities_of(section))
        found = problem(family, choice, section, items)
        if found:
            raise Refused(Refusal.PACKAGE_INVALID, reason=f"{section.section_id}: {choice.rule}: {found}")
    if section.blueprint and section.mode == "adaptive" and not reads_shares(section):
        reason = f"{section.section_id}: {section.content.rule} keeps no shares: write them as lines"
        raise Refused(Refusal.PACKAGE_INVALID, reason=reason)


def _member(family: str, choice: RuleChoice) -> Rule:
    rule = members(family).get(choice.rule)
    if rule is None:
        raise Refused(Refusal.PACKAGE_RULE_UNKNOWN, family=family.rpartition(".")[2], rule=choice.rule)
    return rule


def _settings(rule: Rule, choice: RuleChoice) -> msgspec.Struct:
    try:
        return msgspec.convert(choice.settings, rule.settings)
    except msgspec.ValidationError as error:
        raise Refused(Refusal.PACKAGE_INVALID, reason=f"{choice.rule}: {error}") from error
