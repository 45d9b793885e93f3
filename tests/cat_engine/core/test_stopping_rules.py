"""When a section stops: each rule against its formula, written down a second time, and against the field."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from functools import cache, partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from cat_engine.core import families
from cat_engine.core.cuts import LikelihoodCurve, decided, log_likelihood_at, wald_bounds
from cat_engine.core.estimation.eap import Settings as EapSettings
from cat_engine.core.estimation.eap import eap
from cat_engine.core.pool import Pool
from cat_engine.core.tables import NODES_MILLIONTHS
from cat_engine.core.test_package import PoolItem, RuleChoice
from cat_engine.core.views import Estimate, SectionView
from psychometrics.decisions import generalised_likelihood_ratios, likelihood_ratios
from psychometrics.decisions import wald_bounds as library_bounds
from psychometrics.estimation.search import Bounds
from psychometrics.information import fisher_information
from psychometrics.models.items import ItemParameters, category_probabilities, item_columns
from tests.cat_engine import small_packages as small

STOPPING = "cat_engine.core.stopping"
ORACLE = Path(__file__).parents[2] / "oracles" / "cat" / "oracle.json"
interim = partial(eap, settings=EapSettings())


def rule(name: str, **settings: Any) -> Any:
    return families.bind(STOPPING, RuleChoice(name, settings))


@cache
def pool() -> Pool:
    rng = random.Random(8)
    items = [small.choice_item(number, rng, area="a") for number in range(60)]
    items += [small.graded_item(number, rng, model="GRM", area="a") for number in range(8)]
    return small.compiled_of(small.package_of(items, [small.adaptive_section("s", items)])).sections[0].pool


def answered(count: int, seed: int = 1, luck: int = 0) -> SectionView:
    """A section after some answers, each the best of 1 + luck draws, at the estimate that they give."""
    held, rng = pool(), random.Random(seed)
    columns = rng.sample(range(held.size), count)
    categories = [
        max(rng.randrange(held.items[column].categories) for _ in range(1 + luck)) for column in columns
    ]
    estimate = interim(small.evidence(held, columns, categories)) if count else None
    return small.view(held, columns, categories, estimate, estimator=interim)


def columns_of(held: Pool, metric_d: float = 1.7) -> Any:
    return item_columns([ItemParameters(i.model, i.a, i.b, i.c, i.d) for i in held.items], D=metric_d)


def as_responses(view: SectionView) -> np.ndarray:
    row = np.full((1, view.pool.size), -1, dtype=np.int64)
    row[0, list(view.answered)] = view.categories
    return row


# ------------------------------------------------------------------------------------------- information


def test_minimum_information_looks_at_the_items_left_and_at_the_metric() -> None:
    """The largest information among the unseen decides, D = 1.7 included; interpolation is good to 1e-4."""
    for seed in range(20):
        view = answered(15, seed)
        theta = view.estimate.theta_millionths / 1e6
        information = fisher_information(columns_of(pool()), theta)[0]
        left = max(information[column] for column in range(pool().size) if column not in view.answered)
        assert rule("minimum_information", target_millionths=math.ceil(left * 1.0001e6))(view)
        assert rule("minimum_information", target_millionths=math.floor(left * 0.9999e6))(view) is None


def test_minimum_information_does_not_count_what_enemies_took() -> None:
    view = answered(5, 3)
    best = int(pool().information_at(view.estimate.theta_millionths).argmax())
    free = view.unseen.copy()
    free[np.argsort(pool().information_at(view.estimate.theta_millionths))[-40:]] = False
    without = SectionView(**{**vars_of(view), "free": free})
    target = int(pool().information_at(view.estimate.theta_millionths)[free].max()) // 1000 + 10
    assert best not in np.flatnonzero(free)
    assert rule("minimum_information", target_millionths=target)(view) is None
    assert rule("minimum_information", target_millionths=target)(without) == "minimum_information"


def vars_of(view: SectionView) -> dict[str, Any]:
    names = ("evidence", "start", "estimate", "chance", "shown", "estimator", "response_times_ms")
    return {name: getattr(view, name) for name in (*names, "time_used_ms", "free", "most_items")}


def test_test_information_is_the_sum_over_the_answers() -> None:
    for seed in range(20):
        view = answered(12, seed)
        information = fisher_information(columns_of(pool()), view.estimate.theta_millionths / 1e6)[0]
        total = float(information[list(view.answered)].sum())
        assert rule("test_information", target_millionths=math.floor(total * 0.9999e6))(view)
        assert rule("test_information", target_millionths=math.ceil(total * 1.0001e6))(view) is None
        assert rule("test_information", target_millionths=1, minimum_items=13)(view) is None


# --------------------------------------------------------------------------------------- the estimate rests


def test_theta_change_needs_every_one_of_the_last_answers() -> None:
    stopped = 0
    for seed in range(60):
        view = answered(20, seed)
        thetas = []
        for count in range(1, 21):
            held = small.evidence(pool(), view.answered[:count], view.categories[:count])
            thetas.append(interim(held).theta_millionths)
        changes = [abs(b - a) for a, b in pairwise(thetas)]
        for answers in (1, 2, 4):
            expected = all(change < 110_000 for change in changes[-answers:])
            found = rule("theta_change", change_millionths=110_000, answers=answers)(view)
            assert (found == "theta_change") is expected
            stopped += expected
    assert 10 < stopped < 150


def test_theta_change_does_not_count_the_first_answer() -> None:
    assert rule("theta_change", change_millionths=9_000_000)(answered(1)) is None
    assert rule("theta_change", change_millionths=9_000_000)(answered(2))
    assert rule("theta_change", change_millionths=9_000_000, answers=3)(answered(3)) is None


# ----------------------------------------------------------------------------------- one more item's worth


def predicted(view: SectionView) -> tuple[float, float]:
    """Posterior deviation now, and the least expected after one more answer: brute force on a fine grid."""
    grid = np.arange(-6.0, 6.0001, 0.02)
    p = category_probabilities(columns_of(view.pool), grid)
    weights = np.exp(-0.5 * grid**2)
    for column, category in zip(view.answered, view.categories, strict=True):
        weights = weights * p[:, column, category]
    weights /= weights.sum()
    deviation = _deviation(grid, weights)
    best = math.inf
    for column in np.flatnonzero(view.unseen):
        chances = (weights[:, None] * p[:, column]).sum(axis=0)
        variance = sum(
            chance * _deviation(grid, weights * p[:, column, k] / chance) ** 2
            for k, chance in enumerate(chances)
            if chance > 0
        )
        best = min(best, variance)
    return deviation, math.sqrt(best)


def _deviation(grid: np.ndarray, weights: np.ndarray) -> float:
    mean = float((grid * weights).sum())
    return math.sqrt(float((grid**2 * weights).sum()) - mean**2)


def test_predicted_error_reduction_has_two_limits() -> None:
    """Below the target the reduction must be worthwhile, above it not less than the least."""
    for seed in range(6):
        view = answered(8, seed)
        deviation, after = predicted(view)
        gain, now = (deviation - after) * 1e6, round(deviation * 1e6)
        more, less = math.ceil(gain) + 30, math.floor(gain) - 30
        name = "predicted_error_reduction"
        far, near = {"target_millionths": now - 1000}, {"target_millionths": now + 1000}
        open_ = {"least_reduction_millionths": 0, "worthwhile_reduction_millionths": 900_000}
        assert rule(name, **far, **{**open_, "least_reduction_millionths": more})(view) == name
        assert rule(name, **far, **{**open_, "least_reduction_millionths": less})(view) is None
        assert rule(name, **near, **{**open_, "worthwhile_reduction_millionths": more})(view) == name
        assert rule(name, **near, **{**open_, "worthwhile_reduction_millionths": less})(view) is None


# ----------------------------------------------------------------------------------------- classification


def oracle_pool() -> tuple[Pool, list[dict[str, Any]]]:
    oracle = json.loads(ORACLE.read_text())
    rows = oracle["banks"]["3PL300"]
    rows = rows["items"] if isinstance(rows, dict) else rows
    items = [
        PoolItem(
            item_id=f"o{number}",
            code=f"O{number}",
            content_hash=f"o{number}",
            interaction="choice",
            model="4PL",
            a=row[0],
            b=(row[1],),
            c=row[2],
            d=row[3],
            option_points=(0, 1),
            area="a",
        )
        for number, row in enumerate(rows)
    ]
    package = small.package_of(items, [small.adaptive_section("s", items)])
    held = small.compiled_of(replace(package, metric_d=1.0)).sections[0].pool
    return held, oracle["classification"]["cases"]


def test_classification_agrees_with_the_field_in_every_oracle_case() -> None:
    """Ratios to 1e-5, the bounds to 1e-8; the decisions of catIrt for both tests."""
    held, cases = oracle_pool()
    kinds = set()
    for case in cases:
        cuts = [round(cut * 1e6) for cut in case["cuts"]]
        delta, rates = round(case["delta"] * 1e6), (round(case["alpha"] * 1e3), round(case["beta"] * 1e3))
        view = small.view(held, case["items"], case["responses"])
        for cut, expected in zip(cuts, case["llr"], strict=True):
            above, below = (log_likelihood_at(view.evidence, cut + side) for side in (delta, -delta))
            assert (above - below) / 1e9 == pytest.approx(expected, abs=1e-5)
        assert wald_bounds(*rates) == pytest.approx((case["lower"] * 1e9, case["upper"] * 1e9), abs=10)
        settings = {"cuts_millionths": cuts, "delta_millionths": delta}
        settings |= {"alpha_per_mille": rates[0], "beta_per_mille": rates[1]}
        for name, field in (
            ("classification_sprt", "catIrt_SPRT"),
            ("classification_glr", "catIrt_GLR_grid0.01"),
        ):
            level = case[field]
            found = rule(name, **settings)(view)
            if level is None:
                assert found is None
            else:
                assert found is not None
                assert found.partition(":")[2] == level_of(level, len(cuts))
            kinds.add((name, found))
    assert {found for _, found in kinds} > {None, "classification_sprt:below", "classification_glr:above"}


def level_of(level: int, cuts: int) -> str:
    """catIrt's level is the number of cuts below the candidate."""
    if level == 0:
        return "below"
    return "above" if level == cuts else f"between_{level}"


def test_ratios_agree_with_the_library_at_cuts_between_the_nodes() -> None:
    """The steep and polytomous pool, D = 1.7, cuts anywhere; the generalised ratio to its grid of 0.01."""
    for seed in range(25):
        rng = random.Random(seed)
        view = answered(18, seed)
        cut, delta = rng.uniform(-2, 2), rng.uniform(0.1, 0.4)
        responses, columns = as_responses(view), columns_of(pool())
        low, high = round((cut - delta) * 1e6), round((cut + delta) * 1e6)
        expected = likelihood_ratios(columns, responses, [cut], delta=delta)[0, 0]
        found = log_likelihood_at(view.evidence, high) - log_likelihood_at(view.evidence, low)
        assert found / 1e9 == pytest.approx(expected, abs=5e-4)
        best = generalised_likelihood_ratios(columns, responses, [cut], delta=delta, bounds=Bounds(-6.0, 6.0))
        over = LikelihoodCurve(view.evidence).highest_between(high, 6_000_000)
        under = LikelihoodCurve(view.evidence).highest_between(-6_000_000, low)
        assert (over - under) / 1e9 == pytest.approx(best[0, 0], abs=2e-3)


def test_the_sequential_test_decides_exactly_where_the_ratio_crosses_a_bound() -> None:
    """Unequal error rates, so that neither bound nor hypothesis can stand for the other."""
    bounds = library_bounds(0.02, 0.2)
    assert wald_bounds(20, 200) == pytest.approx([bound * 1e9 for bound in bounds], abs=1)
    stop = rule("classification_sprt", cuts_millionths=[130_000], alpha_per_mille=20, beta_per_mille=200)
    found = Counter()
    for seed in range(150):
        view = answered(12, seed, luck=seed % 4)
        ratio = likelihood_ratios(columns_of(pool()), as_responses(view), [0.13], delta=0.25)[0, 0]
        if min(abs(ratio - bound) for bound in bounds) < 1e-3:
            continue
        side = "below" if ratio <= bounds.lower else "above" if ratio >= bounds.upper else None
        assert stop(view) == (None if side is None else f"classification_sprt:{side}")
        found[side] += 1
    assert min(found[side] for side in ("below", "above", None)) > 3, found


def test_the_likelihood_is_that_of_the_nodes_at_the_nodes_and_its_edge_beyond() -> None:
    view = answered(30, 5)
    nodes = view.evidence.log_likelihood
    for row in (0, 1, 2, 60, 118, 119, 120):
        assert log_likelihood_at(view.evidence, int(NODES_MILLIONTHS[row])) == nodes[row]
    assert log_likelihood_at(view.evidence, 9_000_000) == nodes[-1]
    whole = LikelihoodCurve(view.evidence).highest_between(-6_000_000, 6_000_000)
    assert whole >= view.evidence.log_likelihood.max()


def test_ratios_that_contradict_each_other_decide_nothing() -> None:
    bounds = wald_bounds(50, 50)
    assert decided([5 * 10**9, -5 * 10**9], bounds) == "between_1"
    assert decided([-5 * 10**9, 5 * 10**9], bounds) is None
    assert decided([5 * 10**9, 0], bounds) is None
    assert decided([5 * 10**9] * 3, bounds) == "above"
    assert decided([bounds[0]], bounds) == "below"
    assert decided([bounds[0] + 1], bounds) is None


def test_the_interval_must_leave_every_cut() -> None:
    settings = {"cuts_millionths": [-500_000, 800_000], "width_millionths": 2_000_000}
    cases = [
        (0, 200_000, "classification_interval:between_1"),
        (0, 250_000, None),
        (1_300_000, 249_999, "classification_interval:above"),
        (1_300_000, 250_000, None),
        (-2_000_000, 700_000, "classification_interval:below"),
    ]
    for theta, error, expected in cases:
        view = small.view(pool(), [1], [0], Estimate(theta, error))
        assert rule("classification_interval", **settings)(view) == expected


def test_error_rates_of_the_sequential_test_are_kept_by_simulation() -> None:
    """At cut -+ delta the wrong side is taken at the rate named at most: 400 draws, 3 of their errors."""
    stop = rule("classification_sprt", cuts_millionths=[0], delta_millionths=300_000)
    p = category_probabilities(columns_of(pool()), [-0.3, 0.3])
    wrong = 0
    rng = np.random.default_rng(4)
    for number in range(400):
        side, columns, categories = number % 2, [], []
        for column in rng.permutation(pool().size):
            columns.append(int(column))
            categories.append(int((rng.random() > np.cumsum(p[side, column])).sum()))
            reason = stop(small.view(pool(), columns, categories))
            if reason is not None:
                wrong += (reason.endswith("above")) != bool(side)
                break
    assert wrong <= 400 * 0.05 + 3 * math.sqrt(400 * 0.05 * 0.95)
