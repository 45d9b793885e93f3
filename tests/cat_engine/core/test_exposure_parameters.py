"""Exposure parameters found by simulation keep the limit in sittings of the engine itself."""

from __future__ import annotations

import math
import random
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest

from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.exposure_parameters import (
    Wanted,
    stocking_lewis_parameters,
    sympson_hetter_parameters,
)
from cat_engine.core.exposure_simulation import ManySittings, Rates
from cat_engine.core.simulation import simulate_sitting
from cat_engine.core.test_package import RuleChoice, Share
from cat_engine.foundation.refusals import Refusal, Refused
from psychometrics.exposure import conditional_exposure_rates
from tests.cat_engine import small_packages as small

SIZE, LENGTH, SITTINGS = 100, 10, 500
CUTS = (-500_000, 500_000)
AREAS = ("verbal", "numeric")
WANTED = Wanted(candidates=1_000, tolerance_per_mille=15)


def compiled_with(**rules: RuleChoice) -> CompiledPackage:
    rng = random.Random(14)
    items = [small.choice_item(number, rng, area=AREAS[number % 2]) for number in range(SIZE)]
    wanted = sorted(items, key=lambda item: abs(item.b[0]) - item.a)  # by many: enemies that do meet
    pairs = [(one.code, other.code) for one, other in zip(wanted[:8:2], wanted[1:8:2], strict=True)]
    items = list(small.with_enemies(items, pairs))
    section = small.adaptive_section(
        "s", items, blueprint=(Share("verbal", 600), Share("numeric", 400)), sizes=(1,)
    )
    section = msgspec.structs.replace(section, **rules)
    return small.compiled_of(small.package_of(items, [section], time_allowed_s=86_400))


@cache
def thetas() -> np.ndarray[Any, Any]:
    return np.random.default_rng(9).normal(size=SITTINGS)


def seen_by_engine(compiled: CompiledPackage) -> np.ndarray[Any, Any]:
    """Which items the engine's own sittings see, (sittings, n)."""
    pool = compiled.sections[0].pool
    seen = np.zeros((SITTINGS, SIZE), dtype=np.bool_)
    for number, theta in enumerate(thetas().tolist()):
        created = small.created_on(compiled, seed=f"sitting-{number}")
        last = simulate_sitting(compiled, created, {"s": theta}, small.START_MS, f"person-{number}")[-1]
        seen[number, [pool.index_of[p.item_id] for p in last.state.presentations]] = True
    return seen


def test_the_simulation_sees_what_the_engine_gives() -> None:
    """Rates without control, item by item, within five standard errors of both samples."""
    compiled = compiled_with()
    engine_rates = seen_by_engine(compiled).mean(axis=0)
    simulated = ManySittings(compiled.sections[0], length=LENGTH, seed="x").rates(
        np.full((1, SIZE), 1000), (), np.random.default_rng(4).normal(size=(1, 4000)), 1
    )
    p = (engine_rates * SITTINGS + simulated.administered[0] * 4000) / (SITTINGS + 4000)
    error = np.sqrt(p * (1 - p) * (1 / SITTINGS + 1 / 4000))
    assert (np.abs(engine_rates - simulated.administered[0]) <= 5 * error).all()
    assert simulated.administered.sum() == pytest.approx(LENGTH)
    assert np.array_equal(simulated.selected, simulated.administered), "nothing is passed over"


def test_administered_is_selected_times_the_parameter() -> None:
    compiled = compiled_with()
    parameters = np.full((1, SIZE), 1000)
    parameters[0, ::3] = 400
    found = ManySittings(compiled.sections[0], length=LENGTH, seed="x").rates(
        parameters, (), np.random.default_rng(4).normal(size=(1, 4000)), 1
    )
    product = found.selected * parameters / 1000
    assert np.abs(found.administered - product).max() < 5 * math.sqrt(0.25 / 4000)
    assert np.array_equal(found.administered[0, 1::3], found.selected[0, 1::3])


def test_sympson_hetter_parameters_keep_the_limit() -> None:
    plain = compiled_with()
    found = sympson_hetter_parameters(plain.sections[0], WANTED)
    assert found.converged
    assert found.highest[0] > 0.9
    assert found.highest[-1] <= 0.265
    table = found.by_code(plain.sections[0].pool)[0]
    controlled = compiled_with(exposure=RuleChoice("sympson_hetter", {"parameters": table}))
    rates = seen_by_engine(controlled).mean(axis=0)
    # the tolerance, and what chance adds to the highest of a hundred rates of 500 sittings
    assert rates.max() < 0.265 + 3.5 * math.sqrt(0.25 * 0.75 / SITTINGS)
    assert (rates > 0.2).sum() > 10, "the limit is used up, not undercut"


def test_the_same_parameters_start_item_eligibility() -> None:
    """A number per item and sitting: what passes and what is eligible are one thing."""
    plain = compiled_with()
    table = sympson_hetter_parameters(plain.sections[0], WANTED).by_code(plain.sections[0].pool)[0]
    settings = {"start": [table], "rate_per_mille": 250}
    part = compiled_with(eligibility=RuleChoice("item_eligibility", settings)).sections[0]
    assert 0 < len(table) < SIZE
    assert part.section.eligibility.settings["start"][0] == table


def test_stocking_lewis_parameters_keep_the_limit_at_every_ability() -> None:
    plain = compiled_with()
    found = stocking_lewis_parameters(plain.sections[0], WANTED, CUTS)
    assert found.converged
    assert found.parameters.shape == (3, SIZE)
    tables = list(found.by_code(plain.sections[0].pool))
    settings = {"cuts_millionths": list(CUTS), "parameters": tables}
    seen = seen_by_engine(compiled_with(exposure=RuleChoice("stocking_lewis", settings)))
    group = np.searchsorted(np.array(CUTS) / 1e6, thetas())
    rates = conditional_exposure_rates(seen, group, 3)
    error = math.sqrt(0.25 * 0.75 / np.bincount(group).min())
    assert rates.max() < 0.265 + 3.5 * error


def test_another_simulation_can_be_put_in_its_place() -> None:
    """What is adjusted by is an argument: here, a world in which every item is selected by everybody."""
    numbers: list[int] = []

    def everybody(parameters: Any, cuts: Any, groups: Any, number: int) -> Rates:
        numbers.append(number)
        return Rates(np.ones((1, SIZE)), parameters / 1000)

    found = sympson_hetter_parameters(compiled_with().sections[0], WANTED, simulate=everybody)
    assert found.converged
    assert (found.parameters == 250).all()
    assert numbers == [1, 2]


def test_the_same_arguments_find_the_same_parameters() -> None:
    part = compiled_with().sections[0]
    few = Wanted(candidates=200, simulations=4, tolerance_per_mille=0)
    one, other = (sympson_hetter_parameters(part, few) for _ in range(2))
    assert np.array_equal(one.parameters, other.parameters)
    assert one.highest == other.highest
    assert not one.converged


def test_what_cannot_be_found_is_refused() -> None:
    part = compiled_with().sections[0]
    with pytest.raises(ValueError, match="cannot all keep"):
        sympson_hetter_parameters(part, Wanted(rate_per_mille=99))
    with pytest.raises(ValueError, match="must rise"):
        stocking_lewis_parameters(part, WANTED, (0, 0))
    with pytest.raises(Refused) as refused:
        sympson_hetter_parameters(compiled_with(selection=RuleChoice("random")).sections[0], WANTED)
    assert refused.value.code is Refusal.PACKAGE_INVALID
