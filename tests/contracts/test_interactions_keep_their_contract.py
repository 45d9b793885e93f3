"""Every interaction, found by its registry, keeps the contract: it scores each answer, or refuses it."""

from __future__ import annotations

import inspect
import random
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cat_engine.core.engine import ScoredResponse
from cat_engine.core.test_package import PoolItem
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.interactions import registry
from tests.cat_engine import small_packages as small

RESPONSE_REFUSALS = {Refusal.RESPONSE_MISSING, Refusal.RESPONSE_UNKNOWN}
every_interaction = pytest.mark.parametrize(("name", "module"), registry.names().items())


def items(name: str) -> list[PoolItem]:
    rng = random.Random(5)
    made = [small.choice_item(number, rng, area="a") for number in range(4)]
    made += [small.graded_item(number, rng, model="GPCM", area="a") for number in range(4)]
    return [small.replaced(item, interaction=name) for item in made]


def test_there_are_interactions_and_unknown_names_are_known_to_be_unknown() -> None:
    assert "choice" in registry.names()
    with pytest.raises(KeyError):
        registry.interaction("hologram")


@every_interaction
def test_an_interaction_is_found_by_its_name_and_says_what_it_is(name: str, module: ModuleType) -> None:
    assert registry.interaction(name) is module
    assert (module.__doc__ or "").strip()
    assert list(inspect.signature(module.score).parameters) == ["item", "response"]


@every_interaction
def test_a_simulated_candidate_s_answers_are_scored_as_the_simulation_scored_them(
    name: str, module: ModuleType
) -> None:
    """Every option there is: points and category fit the item and each other."""
    for item in items(name):
        for number, points in enumerate(item.option_points, start=1):
            scored: ScoredResponse = module.score(item, f"o{number}")
            assert scored.response == f"o{number}"
            assert scored.points == points
            assert 0 <= scored.category < item.categories
            assert scored.category == points - item.points_minimum


@every_interaction
def test_no_answer_is_refused_as_missing(name: str, module: ModuleType) -> None:
    with pytest.raises(Refused) as refused:
        module.score(items(name)[0], "")
    assert refused.value.code is Refusal.RESPONSE_MISSING


@every_interaction
@settings(deadline=None)
@given(response=st.text(max_size=40))
def test_any_text_is_scored_or_refused_with_a_code(name: str, module: ModuleType, response: str) -> None:
    item = items(name)[0]
    try:
        scored: ScoredResponse = module.score(item, response)
    except Refused as refused:
        codes = {refused.code}
    else:
        codes = set()
        assert item.points_minimum <= scored.points <= item.points_maximum
        assert module.score(item, scored.response) == scored
    assert codes <= RESPONSE_REFUSALS


@every_interaction
@pytest.mark.parametrize("response", ["o0", "o6", "O1", "o1 ", " o1", "1", "o01", "o１", "o1\x00", "o-1"])
def test_what_only_looks_like_an_option_is_refused(name: str, module: ModuleType, response: str) -> None:
    with pytest.raises(Refused) as refused:
        module.score(items(name)[0], response)
    assert refused.value.code is Refusal.RESPONSE_UNKNOWN
