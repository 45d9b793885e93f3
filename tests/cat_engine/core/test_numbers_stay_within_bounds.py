"""At the edge of what is frozen nothing overflows, divides by nothing or leaves the tables."""

from __future__ import annotations

import random
import warnings
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from cat_engine.core import families
from cat_engine.core.chance import Chance
from cat_engine.core.compiled import CompiledPackage, compile_package
from cat_engine.core.criteria import window_weights
from cat_engine.core.events import FormerEstimate, SectionEnded
from cat_engine.core.exact import WEIGHT_BITS
from cat_engine.core.pool_facts import score_moments
from cat_engine.core.simulation import simulate_sitting
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import Dimension, PoolItem, RuleChoice, Share
from cat_engine.foundation.refusals import Refused
from tests.cat_engine import small_packages as small
from tests.cat_engine.spatial_packages import section_of, spatial_item

R = RuleChoice


def items_of(n: int = 60, **changes: Any) -> list[PoolItem]:
    rng = random.Random(1)
    return [replace(small.choice_item(number, rng, area="ab"[number % 2]), **changes) for number in range(n)]


def compiled_of(items: list[PoolItem], **changes: Any) -> CompiledPackage:
    section = replace(small.adaptive_section("s", items, sizes=(1,)), **changes)
    return compile_package(freeze(small.package_of(items, [section])))


def length(items: int) -> tuple[RuleChoice, ...]:
    return (R("fixed_length", {"items": items}),)


# ------------------------------------------------------------------------------------------ the prior


def test_a_section_ends_when_the_score_is_as_precise_as_was_asked_whatever_it_started_from() -> None:
    """A former error of 0.25 is nearly enough for a target of 0.4; the final score does not know it."""
    former = FormerEstimate(section_id="s", theta_millionths=0, standard_error_millionths=250_000)
    error = R("standard_error", {"target_millionths": 400_000})
    for together in (False, True):
        start = R("former_result", {"in_final_score": together})
        compiled = compiled_of(items_of(), start=start, stopping=(error, *length(40)))
        created = replace(small.created_on(compiled), former=(former,))
        last = simulate_sitting(compiled, created, {"s": 0.0}, small.START_MS, "r")[-1].state
        assert last.score is not None
        section = last.score.sections[0]
        assert section.stop_reason == "standard_error"
        assert section.standard_error_millionths is not None
        assert section.standard_error_millionths <= 400_000
        assert section.items == 1 if together else section.items > 3


@pytest.mark.parametrize("error", [0, 10**15])
def test_a_former_error_beyond_any_prior_is_brought_within(error: int) -> None:
    former = FormerEstimate(section_id="s", theta_millionths=0, standard_error_millionths=error)
    compiled = compiled_of(items_of(), start=R("former_result", {"least_error_millionths": 50_000}))
    part = compiled.sections[0]
    prior = part.start(part.pool, former, Chance("s", 0)).prior
    assert prior.standard_error_millionths == (20_000_000 if error else 50_000)
    with pytest.raises(Refused):
        compiled_of(items_of(), start=R("former_result", {"least_error_millionths": 49_999}))


@pytest.mark.parametrize("changes", [{"prior_deviation": 0.05}, {"prior_deviation": 20.0}])
@pytest.mark.parametrize("mean", [-6.0, 6.0])
def test_the_narrowest_and_widest_prior_still_make_a_posterior(
    changes: dict[str, float], mean: float
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled = compiled_of(items_of(), prior_mean=mean, stopping=length(5), **changes)
        state = small.simulated(compiled, "prior", 0.0)[-1].state
    assert state.score is not None
    assert state.score.sections[0].standard_error_millionths
    pool = compiled.sections[0].pool
    log_posterior = small.evidence(pool, (), ()).log_posterior
    assert log_posterior.max() <= 0
    assert log_posterior[[0, -1]].min() < log_posterior.max()


@pytest.mark.parametrize("changes", [{"deviation": 0.04}, {"deviation": 21.0}, {"mean": 7.0}])
def test_each_of_several_abilities_has_a_prior_within_the_same_bounds(changes: dict[str, float]) -> None:
    rng = random.Random(1)
    items = [spatial_item(number, rng, 2) for number in range(12)]
    section = section_of(items, 2, "determinant_optimality")
    dimensions: tuple[Dimension, ...] = (replace(section.dimensions[0], **changes), section.dimensions[1])
    with pytest.raises(Refused, match="the prior's"):
        freeze(small.package_of(items, [replace(section, dimensions=dimensions)]))


# ------------------------------------------------------------------------------- steep items, odd windows


@pytest.mark.parametrize("rule", ["warm", "jeffreys_mode"])
def test_the_steepest_items_all_in_one_place_do_not_overflow_the_moments(rule: str) -> None:
    """40 items with D a = 29.9 have J = 2,500 each near their difficulty: 2**67 of the finest units."""
    steep = items_of(40, a=17.6, b=(0.05,), c=0.0, model="2PL")
    compiled = compiled_of(steep, stopping=length(40), final_estimator=R(rule), interim_estimator=R(rule))
    pool = compiled.sections[0].pool
    moments = score_moments(pool)
    information = moments.information.sum(axis=0)
    assert (information >= 0).all()
    exact = pool.information[::2].sum(axis=1) / 1e9
    near = exact > 1e-3
    np.testing.assert_allclose((information * moments.unit)[near], exact[near], rtol=0.05)
    assert abs(int(moments.bias_term.sum(axis=0).max())) * moments.unit > 4096.0
    low, high = (
        compiled.sections[0].final(small.evidence(pool, range(40), [category] * 20 + [0] * 20))
        for category in (0, 1)
    )
    assert low.theta_millionths < 0 < high.theta_millionths
    assert high.standard_error_millionths < 11_000 < low.standard_error_millionths


def test_a_window_that_leaves_the_nodes_has_its_weight_on_the_nearest() -> None:
    for lower, upper, node in ((6.1, 7.0, 120), (-9.0, -6.0, 0), (1.0, 1.0, 70), (6.0, 6.5, 120)):
        weights = window_weights(lower, upper)
        assert np.flatnonzero(weights).tolist() == [node]
        assert weights[node] == float(1 << (WEIGHT_BITS - 1))


@pytest.mark.parametrize("start", [-6_000_000, 6_000_000])
def test_first_aims_spread_about_the_edge_of_the_tables_stay_on_them(start: int) -> None:
    compiled = compiled_of(
        items_of(),
        start=R("spread", {"reach_millionths": 3_000_000}),
        start_theta_millionths=start,
        selection=R("global_information", {"half_width_millionths": 100_000}),
        stopping=length(2),
    )
    part = compiled.sections[0]
    aims = [part.start(part.pool, None, Chance(str(n), 0)).theta_millionths for n in range(40)]
    assert max(abs(aim) for aim in aims) == 6_000_000
    for number in range(6):
        assert small.simulated(compiled, f"edge-{number}", 0.0)[-1].state.score is not None


def test_the_shortest_response_times_do_not_overflow_information_per_second() -> None:
    items = items_of(time_intensity=-20.0, time_discrimination=100.0)
    items[3] = replace(items[3], time_intensity=3.0)
    rule = R("information_per_second", {"power_per_mille": 4000})
    pool = compiled_of(items, selection=rule).sections[0].pool
    utility = families.bind("cat_engine.core.selection", rule)(small.view(pool))
    assert (utility >= 0).all()
    assert utility[3] < np.delete(utility, 3).min()


# ----------------------------------------------------------------------------------- shares, abilities


def test_the_end_names_the_areas_that_fall_short_of_their_share() -> None:
    """Four items of b are all there is; of ten, half were to be of b."""
    items = [*items_of(20)[::2], *items_of(8)[1::2]]
    for stopping, unmet in ((length(9), ()), (length(10), ()), (length(13), ("b",))):
        compiled = compiled_of(items, blueprint=(Share("a", 500), Share("b", 500)), stopping=stopping)
        events = [event for progress in small.simulated(compiled, "short", 0.0) for event in progress.events]
        assert [event.unmet for event in events if isinstance(event, SectionEnded)] == [unmet]


@pytest.mark.parametrize(
    "changes",
    [
        {"selection": R("maximum_information")},
        {"start": R("former_result")},
        {"start": R("spread")},
        {"stopping": (R("classification_sprt", {"cuts_millionths": [0]}),)},
        {"final_estimator": R("eap")},
    ],
)
def test_a_rule_of_one_ability_is_refused_for_several_when_frozen(changes: dict[str, Any]) -> None:
    rng = random.Random(1)
    items = [spatial_item(number, rng, 2) for number in range(12)]
    section = replace(section_of(items, 2, "determinant_optimality"), **changes)
    with pytest.raises(Refused, match="does not serve a section that measures several abilities"):
        freeze(small.package_of(items, [section]))


def test_a_rule_of_several_abilities_is_refused_for_one_when_frozen() -> None:
    with pytest.raises(Refused, match="measures one ability"):
        compiled_of(items_of(), selection=R("trace_optimality"))


# ------------------------------------------------------------------------------------ proportional draws


@pytest.mark.parametrize("selection", ["closest_difficulty", "expected_posterior_variance"])
def test_a_proportional_draw_prefers_the_better_also_where_utilities_are_negative(selection: str) -> None:
    pool = compiled_of(items_of()).sections[0].pool
    view = small.view(pool)
    utility = families.bind("cat_engine.core.selection", R(selection))(view)
    assert utility.max() <= 0
    expose = families.bind("cat_engine.core.exposure", R("proportional_draw", {"powers": [8]}))
    drawn = [
        expose(small.view(pool, seed=str(seed)), utility, np.arange(pool.size)).drawn for seed in range(200)
    ]
    assert np.mean(drawn) < pool.size / 4  # a blind draw gives pool.size / 2


def test_a_utility_of_nothing_has_no_chance_in_a_proportional_draw() -> None:
    pool = compiled_of(items_of()).sections[0].pool
    utility = np.array([0, 5] * (pool.size // 2), dtype=np.int64)
    expose = families.bind("cat_engine.core.exposure", R("proportional_draw", {"powers": [1]}))
    for seed in range(100):
        assert expose(small.view(pool, seed=str(seed)), utility, np.arange(pool.size)).index % 2 == 1
