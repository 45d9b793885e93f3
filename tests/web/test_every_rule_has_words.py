"""Whatever rule a package names, the pages say it in a sentence; whatever ends a section, in another."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from cat_engine.core import adaptive, engine, families, multistage, scoring
from cat_engine.core.test_package import RuleChoice
from cat_engine.results.reports import deciding_rule
from web.analyst.sections import rule_sentence
from web.formats import Formats
from web.language import Language, load_translators

LANGUAGES: tuple[Language, ...] = ("id", "en")
NAMED: dict[str, Any] = {
    "items": 12,
    "cuts_millionths": [-500_000, 800_000],
    "parameters": {},
    "target_millionths": 300_000,
    "change_millionths": 20_000,
    "limit_s": 600,
}


def choices() -> list[RuleChoice]:
    """Every rule with the settings that it cannot do without."""
    found = []
    for family in families.FAMILIES:
        for name, rule in families.members(family).items():
            needed = {
                field.encode_name: NAMED[field.name] if name != "routing_set" else ["R0001", "R0002"]
                for field in msgspec.structs.fields(rule.settings)
                if field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT
            }
            found.append(RuleChoice(name, needed))
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("choice", choices(), ids=lambda choice: choice.rule)
def test_a_rule_is_a_sentence(choice: RuleChoice, language: Language) -> None:
    sentence = rule_sentence(choice, load_translators()[language], Formats())
    assert sentence.endswith(".")
    assert len(sentence) > 15
    assert not re.search(r"[{}_]|\bNone\b|\bTrue\b|\bFalse\b", sentence)


def test_names_of_rules_are_not_used_twice() -> None:
    names = [choice.rule for choice in choices()]
    assert len(set(names)) == len(names)


def test_settings_are_said_as_people_read_them() -> None:
    nested = RuleChoice(
        "combination",
        {
            "any_of": [
                {"rule": "standard_error", "settings": {"target_millionths": 320_000}},
                {"rule": "time_used", "settings": {"limit_s": 900, "of": "section"}},
            ],
            "maximum_items": 40,
        },
    )
    said = rule_sentence(nested, load_translators()["en"], Formats())
    for part in ("most items: 40", "0", "standard error reaches", "900 seconds", "of the section"):
        assert part in said
    cuts = RuleChoice("classification_sprt", {"cuts_millionths": [-500_000, 800_000], "alpha_per_mille": 25})
    assert "2.5%" in rule_sentence(cuts, load_translators()["en"], Formats("en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_whatever_ends_a_section_has_a_sentence_for_candidates(language: Language) -> None:
    t = load_translators()[language]
    ended_by = {
        *families.members("cat_engine.core.stopping"),
        adaptive.POOL_EXHAUSTED,
        adaptive.BLUEPRINT_INFEASIBLE,
        multistage.MULTISTAGE_COMPLETE,
        engine.FINISHED_BY_CANDIDATE,
        scoring.NOT_REACHED,
        "maximum_items",
    } - {"combination"}
    for reason in ended_by:
        assert t.has(f"results.stop_reason.{reason}"), reason


@pytest.mark.parametrize(
    ("reason", "rule"),
    [
        ("fixed_length", "fixed_length"),
        ("classification_sprt:between_1", "classification_sprt"),
        ("combination:standard_error+theta_change", "standard_error"),
        ("combination:combination:classification_glr:above", "classification_glr"),
        ("combination:maximum_items", "maximum_items"),
    ],
)
def test_the_deciding_rule_of_a_reason(reason: str, rule: str) -> None:
    assert deciding_rule(reason) == rule
