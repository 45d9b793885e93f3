"""The engine's likelihood, Warm, Jeffreys and summed scores against psychometrics and the oracles."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cat_engine.core import families
from cat_engine.core.estimation.sum_score_eap import score_probability
from cat_engine.core.pool import Pool
from cat_engine.core.pool_facts import score_moments
from cat_engine.core.test_package import PoolItem, RuleChoice
from cat_engine.core.views import Estimate
from psychometrics.estimation.estimates import Estimates
from psychometrics.estimation.grids import STANDARD_NORMAL, trapezoid_grid
from psychometrics.estimation.jeffreys import jeffreys_mode_estimates
from psychometrics.estimation.no_maximum import NoMaximum, likelihood_estimates
from psychometrics.estimation.search import Bounds
from psychometrics.estimation.sum_scores import summed_score_estimates
from psychometrics.estimation.weighted_likelihood import warm_estimates
from psychometrics.information import expected_moments
from psychometrics.models.items import ItemColumns, ItemParameters, item_columns
from tests.cat_engine import oracle_pools
from tests.cat_engine import small_packages as small

ESTIMATION = "cat_engine.core.estimation"
D = 1.7
Case = tuple[tuple[int, ...], tuple[int, ...]]


def estimate(name: str, pool: Pool, case: Case, **settings: Any) -> Estimate:
    bound = families.bind(ESTIMATION, RuleChoice(name, settings))
    found: Estimate = bound(small.evidence(pool, *case))
    return found


@cache
def mixed_pool() -> tuple[Pool, ItemColumns]:
    """3PL, 4PL, 2PL, GPCM and GRM items."""
    rng = random.Random(505)
    items: list[PoolItem] = []
    for number in range(50):
        a, model = round(rng.uniform(0.5, 1.8), 3), ("3PL", "GPCM", "2PL", "GRM", "4PL")[number % 5]
        b = tuple(sorted(round(rng.gauss(0.0, 1.1), 3) + 0.01 * step for step in range(3)))
        if model in ("GPCM", "GRM"):
            items.append(oracle_pools.pool_item(number, model, round(a * 0.7, 3), b))
        else:
            c = 0.0 if model == "2PL" else round(rng.uniform(0.1, 0.25), 3)
            items.append(
                oracle_pools.pool_item(number, model, a, b[1:2], c=c, d=0.97 if model == "4PL" else 1.0)
            )
    package = small.package_of(items, [small.adaptive_section("s", items)])
    columns = [ItemParameters(item.model, item.a, item.b, item.c, item.d) for item in items]
    return small.compiled_of(package).sections[0].pool, item_columns(columns, D=D)


def cases(count: int) -> list[Case]:
    """Answers by a model, by chance, all lowest, all highest; 1 to 30 items."""
    pool, _ = mixed_pool()
    found = []
    for seed in range(count):
        rng = random.Random(seed)
        answered = tuple(rng.sample(range(pool.size), rng.randint(1, 30)))
        most = [pool.items[i].categories - 1 for i in answered]
        kind = rng.choice(("model", "model", "chance", "lowest", "highest"))
        if kind == "model":
            node = round(60 + 10 * rng.gauss(0.0, 1.2))
            given = [
                rng.choices(range(m + 1), np.exp(pool.log_probability[i, : m + 1, node] / 1e9).tolist())[0]
                for i, m in zip(answered, most, strict=True)
            ]
        elif kind == "chance":
            given = [rng.randint(0, m) for m in most]
        else:
            given = most if kind == "highest" else [0] * len(most)
        found.append((answered, tuple(given)))
    return found


def matrix(size: int, case: Case) -> NDArray[np.int64]:
    responses = np.full(size, -1, dtype=np.int64)
    responses[list(case[0])] = case[1]
    return responses


def same(ours: Estimate, theirs: Estimates, *, error: float = 2e-5) -> None:
    assert ours.theta_millionths / 1e6 == pytest.approx(float(theirs.theta[0]), abs=2e-5)
    assert ours.standard_error_millionths / 1e6 == pytest.approx(float(theirs.standard_error[0]), rel=error)


def test_maximum_likelihood_agrees() -> None:
    pool, columns = mixed_pool()
    at_bound = 0
    for case in cases(120):
        theirs = likelihood_estimates(columns, matrix(pool.size, case), no_maximum=NoMaximum())
        ours = estimate("maximum_likelihood", pool, case)
        at_bound += abs(ours.theta_millionths) == 4_000_000
        if theirs.standard_error[0] < 100.0:  # at a bound the stored information may be a few billionths
            same(ours, theirs, error=2e-3)
        else:
            assert ours.theta_millionths / 1e6 == pytest.approx(float(theirs.theta[0]), abs=2e-5)
    assert 20 < at_bound < 100


@pytest.mark.parametrize("bound_millionths", [2_500_000, 6_000_000])
def test_bounds_are_kept_wherever_they_are(bound_millionths: int) -> None:
    pool, columns = mixed_pool()
    limit = bound_millionths / 1e6
    bounds = Bounds(-limit, limit)
    for case in cases(60):
        responses = matrix(pool.size, case)
        likelihood = likelihood_estimates(columns, responses, no_maximum=NoMaximum(), bounds=bounds)
        for name, theirs in (
            ("maximum_likelihood", likelihood),
            ("warm", warm_estimates(columns, responses, bounds=bounds)),
            ("jeffreys_mode", jeffreys_mode_estimates(columns, responses, bounds=bounds)),
        ):
            ours = estimate(name, pool, case, bound_millionths=bound_millionths)
            assert ours.theta_millionths / 1e6 == pytest.approx(float(theirs.theta[0]), abs=3e-5), (
                name,
                case,
            )


def test_warm_and_jeffreys_agree_and_are_two_things() -> None:
    pool, columns = mixed_pool()
    apart = 0.0
    for case in cases(120):
        responses = matrix(pool.size, case)
        warm, jeffreys = estimate("warm", pool, case), estimate("jeffreys_mode", pool, case)
        same(warm, warm_estimates(columns, responses))
        same(jeffreys, jeffreys_mode_estimates(columns, responses), error=2e-3)
        apart = max(apart, abs(warm.theta_millionths - jeffreys.theta_millionths) / 1e6)
    assert apart > 0.1


def test_without_guessing_warm_is_the_jeffreys_mode() -> None:
    pool, _ = mixed_pool()
    plain = [i for i, item in enumerate(pool.items) if item.model in ("2PL", "GPCM", "GRM")]
    for seed in range(40):
        rng = random.Random(seed)
        answered = tuple(rng.sample(plain, rng.randint(1, 20)))
        given = tuple(rng.randrange(pool.items[i].categories) for i in answered)
        warm, jeffreys = (estimate(name, pool, (answered, given)) for name in ("warm", "jeffreys_mode"))
        assert warm.theta_millionths == pytest.approx(jeffreys.theta_millionths, abs=30)


def test_summed_scores_agree() -> None:
    pool, columns = mixed_pool()
    grid = trapezoid_grid(STANDARD_NORMAL, lower=-6.0, upper=6.0, count=121)
    for case in cases(120):
        theirs = summed_score_estimates(columns, matrix(pool.size, case), grid)
        same(estimate("sum_score_eap", pool, case), theirs)


def test_equal_sums_on_equal_items_are_equal_scores() -> None:
    pool, _ = mixed_pool()
    answered = tuple(range(0, 50, 5))  # ten 3PL items
    found = {estimate("sum_score_eap", pool, (answered, given)) for given in _patterns(10, 4)}
    assert len(found) == 1
    patterns = {estimate("eap", pool, (answered, given)) for given in _patterns(10, 4)}
    assert len(patterns) == 20


def _patterns(length: int, right: int) -> list[tuple[int, ...]]:
    found: set[tuple[int, ...]] = set()
    rng = random.Random(1)
    while len(found) < 20:
        places = set(rng.sample(range(length), right))
        found.add(tuple(int(place in places) for place in range(length)))
    return sorted(found)


def test_the_policies_where_there_is_no_maximum() -> None:
    pool, _ = mixed_pool()
    flawless: Case = ((0, 5, 10), (1, 1, 1))
    instead = {"posterior_mean": "eap", "posterior_mode": "posterior_mode", "warm": "warm"}
    for policy, other in instead.items():
        answer = estimate("maximum_likelihood", pool, flawless, without_maximum=policy)
        assert answer == estimate(other, pool, flawless)
    assert estimate("maximum_likelihood", pool, flawless).theta_millionths == 4_000_000
    ordinary: Case = (tuple(range(0, 40, 2)), (1, 0) * 10)
    assert len({estimate("maximum_likelihood", pool, ordinary, without_maximum=p) for p in instead}) == 1


def test_of_two_likelihood_maxima_the_higher_is_reported() -> None:
    """Patterns on which other programs report the lower of two maxima."""
    known = oracle_pools.oracle()["multimodal_ml_3PL"]["cases"]
    assert len(known) >= 3
    for entry in known:
        pool = oracle_pools.pool_of(entry["bank"])
        case: Case = (tuple(entry["items"]), tuple(entry["responses"]))
        ours = estimate("maximum_likelihood", pool, case, bound_millionths=6_000_000)
        assert ours.theta_millionths / 1e6 == pytest.approx(entry["global_mle"], abs=1e-5)


def test_moments_of_the_score_are_those_of_the_psychometrics_package() -> None:
    pool, columns = mixed_pool()
    theirs = expected_moments(columns, np.linspace(-6.0, 6.0, 121))
    ours = score_moments(pool)
    assert ours.unit == 2.0**-50
    np.testing.assert_allclose(ours.information.T * ours.unit, theirs.information, atol=3e-6)
    np.testing.assert_allclose(ours.bias_term.T * ours.unit, theirs.bias_term, atol=2e-5)


ORACLE = {
    "ML": "maximum_likelihood",
    "WL": "warm",
    "BM": "posterior_mode",
    "BM_Jeffreys": "jeffreys_mode",
    "EAP_dense": "eap",
}


@pytest.mark.parametrize("known_as", ORACLE)
def test_recorded_estimates(known_as: str) -> None:
    """To 1e-5 within the bounds of the oracle, which are [-4, 4] for all but the dense EAP.

    The posterior mean is cut off at 6: of 25 highest answers to graded items it is 4e-4 lower.
    """
    checked = 0
    for case in oracle_pools.oracle()["estimates"]:
        if known_as not in case:
            continue
        pool = oracle_pools.pool_of(case["bank"], float(case["D"]))
        ours = estimate(ORACLE[known_as], pool, (tuple(case["items"]), tuple(case["responses"])))
        wanted = case[known_as]["theta"]
        if known_as == "BM" and abs(wanted) == 4:
            assert abs(ours.theta_millionths) >= 4_000_000
            continue
        tolerance = 5e-4 if known_as == "EAP_dense" and abs(wanted) > 3 else 1e-5
        assert ours.theta_millionths / 1e6 == pytest.approx(wanted, abs=tolerance), case["id"]
        if known_as in ("ML", "WL", "EAP_dense") and case[known_as]["se"] < 100:
            error = ours.standard_error_millionths / 1e6
            assert error == pytest.approx(case[known_as]["se"], abs=2 * tolerance, rel=2e-5), case["id"]
        checked += 1
    assert checked >= 95


@pytest.mark.parametrize("name", ["maximum_likelihood", "warm", "jeffreys_mode", "sum_score_eap"])
def test_before_the_first_answer_the_prior_stands(name: str) -> None:
    pool, _ = mixed_pool()
    assert estimate(name, pool, ((), ())).theta_millionths == pytest.approx(0, abs=1)


@pytest.mark.parametrize("name", ["maximum_likelihood", "warm", "jeffreys_mode"])
@pytest.mark.parametrize("bound", [4_000_001, 0, 6_100_000, -1_000_000])
def test_bounds_off_the_nodes_are_refused(name: str, bound: int) -> None:
    with pytest.raises(Exception, match=name):
        families.bind(ESTIMATION, RuleChoice(name, {"bound_millionths": bound}))


@pytest.mark.parametrize("name", ["maximum_likelihood", "warm", "jeffreys_mode", "sum_score_eap"])
def test_the_order_of_answers_changes_no_bit(name: str) -> None:
    pool, _ = mixed_pool()
    for number, (answered, given) in enumerate(cases(40)):
        pairs: Sequence[tuple[int, int]] = list(zip(answered, given, strict=True))
        shuffled = random.Random(number).sample(pairs, len(pairs))
        other: Case = (tuple(a for a, _ in shuffled), tuple(g for _, g in shuffled))
        assert estimate(name, pool, (answered, given)) == estimate(name, pool, other)
        one, two = (score_probability(small.evidence(pool, *case)) for case in ((answered, given), other))
        assert one.tobytes() == two.tobytes()
