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

from cat_engine.core.test_package import RuleChoice
from cat_engine.foundation.refusals import Refusal, Refused


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


def bind(family: str, choice: RuleChoice) -> Callable[..., Any]:
    """The chosen rule's function with its checked settings, or a refusal that names rule and field."""
    rule = members(family).get(choice.rule)
    if rule is None:
        raise Refused(Refusal.PACKAGE_RULE_UNKNOWN, family=family.rpartition(".")[2], rule=choice.rule)
    try:
        settings = msgspec.convert(choice.settings, rule.settings)
    except msgspec.ValidationError as error:
        raise Refused(Refusal.PACKAGE_INVALID, reason=f"{choice.rule}: {error}") from error
    return partial(rule.function, settings=settings)
