"""The engine's criteria, which work on whole numbers, against the psychometrics package on the same nodes."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from cat_engine.core import families, pool_facts
from cat_engine.core.criteria import modes_ahead, one_answer_ahead
from cat_engine.core.pool import Pool
from cat_engine.core.selection import information_per_second
from cat_engine.core.test_package import PoolItem, RuleChoice
from cat_engine.core.views import SectionView
from psychometrics.arrays import FloatArray
from psychometrics.estimation.errors import InformationKind
from psychometrics.estimation.grids import STANDARD_NORMAL, NormalPrior
from psychometrics.estimation.posterior_mode import map_estimates
from psychometrics.models.items import ItemColumns, ItemParameters, item_columns
from psychometrics.response_time import TimeColumns, expected_time_s, posterior_speeds
from psychometrics.selection import divergence, expected, information_criteria
from psychometrics.selection.expected import AnswerChance
from psychometrics.selection.location import difficulties, information_maxima
from psychometrics.selection.mixtures import mixture_weight, proportional_chances
from psychometrics.selection.reading import PoolAt, pool_at
from psychometrics.selection.stratification import b_blocked_strata, strata_by
from psychometrics.selection.tables import (
    CriterionTables,
    Evidence,
    criterion_tables,
    evidence,
    evidence_of,
)
from tests.cat_engine import oracle_pools
from tests.cat_engine import small_packages as small

SELECTION = "cat_engine.core.selection"
D = 1.7
NODES = np.linspace(-6.0, 6.0, 121)
INSIDE = np.linspace(-4.0, 4.0, 81)
Theirs = Callable[[CriterionTables, Evidence, PoolAt], FloatArray]


@cache
def mixed_pool() -> tuple[Pool, ItemColumns]:
    """3PL, 4PL, GPCM and GRM items, with response times."""
    rng = random.Random(77)
    items: list[PoolItem] = []
    for number in range(60):
        a = round(0.5 + (number * 7 % 60) * 0.02 + 0.001 * rng.random(), 5)  # no two alike
        model = ("3PL", "GPCM", "4PL", "GRM")[number % 4]
        if model in ("GPCM", "GRM"):
            b = sorted(round(rng.gauss(0.0, 1.1), 3) + 0.01 * step for step in range(rng.randint(2, 4)))
            items.append(oracle_pools.pool_item(number, model, round(a * 0.7, 5), tuple(b)))
        else:
            c, d = round(rng.uniform(0.0, 0.3), 3), 1.0 if model == "3PL" else round(rng.uniform(0.9, 1.0), 3)
            b1 = round(rng.gauss(0.0, 1.2), 3)
            items.append(oracle_pools.pool_item(number, model, a, (b1,), c=c, d=d))
    items = [
        msgspec.structs.replace(
            item, time_intensity=rng.gauss(4.0, 0.4), time_discrimination=rng.uniform(1.0, 2.5)
        )
        for item in items
    ]
    package = small.package_of(items, [small.adaptive_section("s", items)])
    columns = [ItemParameters(item.model, item.a, item.b, item.c, item.d) for item in items]
    return small.compiled_of(package).sections[0].pool, item_columns(columns, D=D)


@cache
def tables(inside: bool = False) -> CriterionTables:
    return criterion_tables(mixed_pool()[1], INSIDE if inside else NODES)


def views(count: int = 30) -> list[SectionView]:
    """After 1 to 20 answers of a candidate who answers by a model, at a theta near the answers."""
    pool, _ = mixed_pool()
    found = []
    for seed in range(count):
        rng = random.Random(seed)
        answered = tuple(rng.sample(range(pool.size), rng.randint(1, 20)))
        ability = rng.gauss(0.0, 1.0)
        node = round((ability + 6.0) * 10)
        categories = tuple(
            rng.choices(
                range(pool.items[i].categories),
                np.exp(pool.log_probability[i, : pool.items[i].categories, node] / 1e9).tolist(),
            )[0]
            for i in answered
        )
        at = max(-3.0, min(3.0, ability + rng.gauss(0.0, 0.3)))
        found.append(oracle_pools.view(pool, answered, categories, at))
    return found


def rule(name: str, **settings: Any) -> Callable[[SectionView], NDArray[np.int64]]:
    bound: Callable[[SectionView], NDArray[np.int64]] = families.bind(SELECTION, RuleChoice(name, settings))
    return bound


def _spread_of_likelihood(tables: CriterionTables, known: Evidence, at: PoolAt) -> FloatArray:
    """GDI as an integral: the two nodes at the ends count half."""
    halved = evidence_of(tables, known.likelihood * tables.lengths, known.prior)
    return divergence.discrimination_index(tables, halved, at)


CRITERIA: dict[str, tuple[str, dict[str, Any], Theirs, bool]] = {
    "MLWI": (
        "likelihood_weighted_information",
        {},
        information_criteria.likelihood_weighted_information,
        True,
    ),
    "MPWI": (
        "posterior_weighted_information",
        {},
        information_criteria.posterior_weighted_information,
        False,
    ),
    "KL": ("kullback_leibler", {}, divergence.likelihood_weighted_divergence, True),
    "KLP": ("posterior_kullback_leibler", {}, divergence.posterior_weighted_divergence, False),
    "GDI": ("global_discrimination", {"weights": "likelihood"}, _spread_of_likelihood, True),
    "GDIP": ("global_discrimination", {}, divergence.posterior_discrimination_index, False),
    "MEPV": (
        "expected_posterior_variance",
        {"weights": "at_estimate"},
        lambda t, e, a: -expected.expected_posterior_variance(t, e, a),
        False,
    ),
    "MEPV predictive": (
        "expected_posterior_variance",
        {},
        lambda t, e, a: (
            -expected.expected_posterior_variance(t, e, a, chance=AnswerChance.POSTERIOR_PREDICTIVE)
        ),
        False,
    ),
    "MEI at the mean": (
        "expected_information",
        {"weights": "at_estimate"},
        expected.expected_information,
        False,
    ),
    "MEI predictive": (
        "expected_information",
        {},
        lambda t, e, a: expected.expected_information(t, e, a, chance=AnswerChance.POSTERIOR_PREDICTIVE),
        False,
    ),
}


@pytest.mark.parametrize("known_as", CRITERIA)
def test_values_are_those_of_the_psychometrics_package(known_as: str) -> None:
    """In proportion to the best: the engine divides by the integral of the weight, the library does not."""
    name, settings, theirs, inside = CRITERIA[known_as]
    select, of = rule(name, **settings), tables(inside)
    for view in views():
        known = evidence(of, view.answered, view.categories, STANDARD_NORMAL)
        values = theirs(of, known, pool_at(of.items, view.estimate.theta_millionths / 1e6))
        best = int(np.argmax(np.abs(values)))
        ours = select(view) / select(view)[best]
        np.testing.assert_allclose(ours, values / values[best], atol=2e-4, rtol=0)
        free = np.setdiff1d(np.arange(values.size), view.answered)
        assert values[free].max() - values[free[select(view)[free].argmax()]] <= 1e-4 * abs(values[best])


@pytest.mark.parametrize("kind", [InformationKind.EXPECTED, InformationKind.OBSERVED])
def test_expected_information_at_the_updated_mode(kind: InformationKind) -> None:
    names = {InformationKind.EXPECTED: "fisher", InformationKind.OBSERVED: "observed"}
    select = rule("expected_information", weights="at_estimate", updated="mode", information=names[kind])
    for view in views():
        values = expected.expected_information_after_mode(
            mixed_pool()[1],
            view.answered,
            view.categories,
            view.estimate.theta_millionths / 1e6,
            STANDARD_NORMAL,
            kind=kind,
        )
        np.testing.assert_allclose(select(view) / 1e9, values, atol=5e-5, rtol=3e-4)


def test_estimates_after_one_more_answer_are_those_of_the_estimators() -> None:
    """The means and modes of `criteria` against mean and mode of the answers with one more."""
    pool, columns = mixed_pool()
    mean_of = families.bind("cat_engine.core.estimation", RuleChoice("eap"))
    for view in views(6):
        ahead, modes = one_answer_ahead(view), modes_ahead(view)
        for column in range(0, pool.size, 7):
            if column in view.answered:
                continue
            for category in range(pool.items[column].categories):
                after = small.evidence(pool, (*view.answered, column), (*view.categories, category))
                mean = mean_of(after)
                assert ahead.means_millionths()[column, category] == pytest.approx(
                    mean.theta_millionths, abs=100
                )
                variance = ahead.square[column, category] - ahead.mean[column, category] ** 2
                assert variance**0.5 == pytest.approx(mean.standard_error_millionths / 1e6, rel=1e-3)
                responses = np.full(pool.size, -1, dtype=np.int64)
                responses[list(after.answered)] = after.categories
                mode = map_estimates(columns, responses, STANDARD_NORMAL).theta[0]
                assert modes[column, category] / 1e6 == pytest.approx(mode, abs=2e-5)


def test_global_information_is_the_mean_divergence_of_the_window() -> None:
    pool, columns = mixed_pool()
    for half_width in (3_000_000, 1_000_000):
        select = rule("global_information", half_width_millionths=half_width)
        for view in views():
            half = half_width / 1e6 / len(view.answered) ** 0.5
            theta = view.estimate.theta_millionths / 1e6
            values = divergence.window_divergence(columns, theta, half) / (2.0 * half)
            if abs(theta) + half < 6.0:
                # the cubic between nodes leaves (11 / 720) h^4 of the fourth derivative
                np.testing.assert_allclose(select(view) / 1e9, values, atol=1e-3 * values.max())
    assert pool.size == values.size


def test_the_window_starts_whole_and_shrinks_with_the_root_of_the_answers() -> None:
    pool, _ = mixed_pool()
    select = rule("global_information", half_width_millionths=2_000_000)
    narrow = rule("global_information", half_width_millionths=1_000_000)
    none = oracle_pools.view(pool, (), (), 0.25)
    four = oracle_pools.view(pool, (1, 2, 3, 5), (0, 1, 0, 1), 0.25)
    assert (select(four) == narrow(none)).all()


def test_difficulties_and_places_of_most_information() -> None:
    pool, columns = mixed_pool()
    np.testing.assert_allclose(pool_facts.difficulties(pool) / 1e6, difficulties(columns), atol=1e-6)
    places = information_maxima(columns)
    assert np.abs(places).max() < 5.9
    np.testing.assert_allclose(pool_facts.information_maxima(pool) / 1e6, places, atol=2e-5)
    view = oracle_pools.view(pool, (), (), 0.4)
    assert (rule("closest_difficulty")(view) == -np.abs(pool_facts.difficulties(pool) - 400_000)).all()
    assert (rule("closest_maximum")(view) == -np.abs(pool_facts.information_maxima(pool) - 400_000)).all()


@pytest.mark.parametrize("count", [1, 2, 4, 7, 60])
def test_strata_are_those_of_the_psychometrics_package(count: int) -> None:
    pool, columns = mixed_pool()
    a = np.array([item.a for item in pool.items])
    assert np.unique(a).size == a.size, "with equals the two packages may order differently"
    assert (pool_facts.strata(pool, count, "discrimination", False) == strata_by(a, count)).all()
    blocked = b_blocked_strata(a, difficulties(columns), count)
    assert (pool_facts.strata(pool, count, "discrimination", True) == blocked).all()
    peaks = strata_by(pool.information.max(axis=0), count)
    assert (pool_facts.strata(pool, count, "maximum_information", False) == peaks).all()


@pytest.mark.parametrize("power", [0, 500, 1000])
def test_information_per_second_of_the_lognormal_model(power: int) -> None:
    pool, columns = mixed_pool()
    times = TimeColumns(
        np.array([item.time_discrimination for item in pool.items]),
        np.array([item.time_intensity for item in pool.items]),
    )
    prior = NormalPrior(0.1, 0.4)
    settings = {"speed_mean_millionths": 100_000, "speed_deviation_millionths": 400_000}
    select = rule("information_per_second", power_per_mille=power, **settings)
    for number, view in enumerate(views()):
        rng = random.Random(number)
        taken = tuple(rng.randint(2_000, 180_000) for _ in view.answered)
        timed = SectionView(view.evidence, view.start, view.estimate, view.chance, response_times_ms=taken)
        seconds = np.full(pool.size, np.nan)
        seconds[list(view.answered)] = np.array(taken) / 1000.0
        known = posterior_speeds(times, seconds, prior)
        tau, variance = information_per_second.speed(
            timed, information_per_second.Settings(power_per_mille=power, **settings)
        )
        assert tau == pytest.approx(known.tau[0], rel=1e-12)
        assert variance**0.5 == pytest.approx(known.standard_error[0], rel=1e-12)
        wait = expected_time_s(times, known.tau, known.standard_error**2)[0]
        at = pool_at(columns, view.estimate.theta_millionths / 1e6)
        values = information_criteria.information_per_second(at.information, wait, power=power / 1000)
        np.testing.assert_allclose(select(timed) / 1e9, values, atol=1e-4 * values.max())


def test_progressive_weighs_as_the_psychometrics_package_does() -> None:
    """Two views that differ in nothing but the lot: the weight is what is left of the information."""
    pool, _ = mixed_pool()
    for length, acceleration in ((1, 1), (10, 0), (10, 1), (10, 3), (30, 2)):
        select = rule("progressive", items=length, acceleration=acceleration)
        for shown in {0, length // 2, length - 1}:
            answered = tuple(range(shown))
            view = oracle_pools.view(pool, answered, (0,) * shown, 0.3)
            information = pool.information_at(300_000)
            weight = mixture_weight(shown + 1, length, float(acceleration))
            highest = np.delete(information, answered).max()
            lots = view.chance.fractions("selection", pool.ties) / 2.0**32
            expected_values = (1.0 - weight) * highest * lots + weight * information
            np.testing.assert_allclose(select(view), expected_values, atol=2.0, rtol=1e-12)


def test_proportional_draws_in_proportion_to_the_power_of_information() -> None:
    """Chi-square over 4,000 sittings among ten free items, p = 0.001."""
    pool, _ = mixed_pool()
    free = np.arange(10, 20)
    mask = np.zeros(pool.size, dtype=np.bool_)
    mask[free] = True
    length, shown = 10, 5
    select = rule("proportional", items=length)
    information = pool.information_at(200_000)
    chances = proportional_chances(information, mask, position=shown + 1, length=length, acceleration=1.0)
    drawn = np.zeros(pool.size)
    for seed in range(4000):
        held = small.view(pool, range(shown), (0,) * shown, seed=f"proportional-{seed}")
        at = oracle_pools.view(pool, range(shown), (0,) * shown, 0.2).estimate
        view = SectionView(held.evidence, held.start, at, held.chance, shown)
        utility = select(view)
        drawn[free[utility[free].argmax()]] += 1
    wanted = 4000 * chances[free]
    some = wanted > 5
    statistic = float(((drawn[free][some] - wanted[some]) ** 2 / wanted[some]).sum())
    assert some.sum() >= 4
    assert statistic < 27.9  # 9 degrees of freedom at most
