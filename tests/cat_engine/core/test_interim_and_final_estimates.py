"""The engine's estimators, which work on stored integers, against the psychometrics package and scipy."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from cat_engine.core.compiled import CompiledSection
from cat_engine.core.estimation.eap import Settings as EapSettings
from cat_engine.core.estimation.eap import eap
from cat_engine.core.estimation.posterior_mode import Settings as ModeSettings
from cat_engine.core.estimation.posterior_mode import posterior_mode
from cat_engine.core.exact import exponential
from cat_engine.core.pool import Pool
from cat_engine.core.tables import NODES_MILLIONTHS
from cat_engine.core.test_package import PoolItem, RuleChoice
from cat_engine.core.views import log_prior
from psychometrics.estimation.eap import eap_estimate
from psychometrics.estimation.grids import NormalPrior, trapezoid_grid
from psychometrics.estimation.posterior_mode import map_estimate
from psychometrics.models.items import ItemColumns, ItemParameters, category_log_probabilities, item_columns
from tests.cat_engine import small_packages as small

Case = tuple[tuple[int, ...], tuple[int, ...]]


@cache
def mixed_pool() -> tuple[Pool, ItemColumns]:
    """3PL, GPCM and GRM items in one section."""
    rng = random.Random(404)
    items = [small.choice_item(number, rng, area="a") for number in range(30)]
    items += [small.graded_item(number, rng, model="GPCM", area="a", prefix="G") for number in range(10)]
    items += [small.graded_item(number, rng, model="GRM", area="a", prefix="S") for number in range(10)]
    return pool_of(items)


def pool_of(items: Sequence[PoolItem]) -> tuple[Pool, ItemColumns]:
    package = small.package_of(items, [small.adaptive_section("s", items)])
    parameters = [ItemParameters(item.model, item.a, item.b, item.c, item.d) for item in items]
    return small.compiled_of(package).sections[0].pool, item_columns(parameters, D=package.metric_d)


def cases(count: int) -> list[Case]:
    """Answered items and their categories: of every length, by chance, some all right or all wrong."""
    pool, _ = mixed_pool()
    found = []
    for seed in range(count):
        rng = random.Random(seed)
        answered = tuple(rng.sample(range(pool.size), rng.randint(0, 25)))
        level = rng.choice((0.0, 1.0, None, None, None))
        categories = tuple(
            round(level * (pool.items[i].categories - 1))
            if level is not None
            else rng.randrange(pool.items[i].categories)
            for i in answered
        )
        found.append((answered, categories))
    return found


def vector(pool: Pool, answered: Sequence[int], categories: Sequence[int]) -> NDArray[np.int64]:
    responses = np.full(pool.size, -1, dtype=np.int64)
    responses[list(answered)] = categories
    return responses


def test_the_posterior_mean_agrees_with_the_psychometrics_package() -> None:
    pool, columns = mixed_pool()
    grid = trapezoid_grid(NormalPrior(), lower=-6.0, upper=6.0, count=121)
    for answered, categories in cases(150):
        ours = eap(small.evidence(pool, answered, categories), settings=EapSettings())
        theirs = eap_estimate(columns, vector(pool, answered, categories), grid)
        assert ours.theta_millionths / 1e6 == pytest.approx(theirs.theta, abs=1e-5)
        assert ours.standard_error_millionths / 1e6 == pytest.approx(theirs.standard_error, abs=1e-5)


def test_the_posterior_mode_agrees_with_the_psychometrics_package() -> None:
    pool, columns = mixed_pool()
    for answered, categories in cases(150):
        ours = posterior_mode(small.evidence(pool, answered, categories), settings=ModeSettings())
        theirs = map_estimate(columns, vector(pool, answered, categories), NormalPrior())
        assert ours.theta_millionths / 1e6 == pytest.approx(theirs.theta, abs=2e-5)


def height(columns: ItemColumns, responses: NDArray[np.int64], theta: float) -> float:
    """The log posterior under a standard normal prior, in double precision."""
    log_p = category_log_probabilities(columns, theta)[0]
    given = np.flatnonzero(responses >= 0)
    return float(log_p[given, responses[given]].sum() - 0.5 * theta * theta)


def test_the_posterior_mode_and_its_curvature_agree_with_scipy() -> None:
    pool, columns = mixed_pool()
    for answered, categories in cases(80):
        responses = vector(pool, answered, categories)
        ours = posterior_mode(small.evidence(pool, answered, categories), settings=ModeSettings())
        at = ours.theta_millionths / 1e6
        found = minimize_scalar(
            lambda t, r=responses: -height(columns, r, t),
            bounds=(at - 0.3, at + 0.3),
            method="bounded",
            options={"xatol": 1e-9},
        )
        assert at == pytest.approx(float(found.x), abs=2e-5)
        step = 1e-3
        bend = height(columns, responses, at + step) - 2 * height(columns, responses, at)
        bend = (bend + height(columns, responses, at - step)) / step**2
        assert ours.standard_error_millionths / 1e6 == pytest.approx((-bend) ** -0.5, rel=2e-3)


def test_of_two_modes_the_higher_is_reported() -> None:
    """Easy items wrong, hard ones right: guessing makes two peaks, and a climber may miss the higher."""
    grid = np.linspace(-5.0, 5.0, 2001)
    bimodal = Counter[str]()
    for seed in range(120):
        rng = random.Random(seed)
        wrong, right = 1, rng.choice((5, 6, 7, 10, 12, 14))
        items = [sharp(number, rng.uniform(-0.8, 0.6), rng) for number in range(wrong)]
        items += [sharp(number, rng.uniform(1.6, 2.4), rng) for number in range(wrong, wrong + right)]
        pool, columns = pool_of(items)
        categories = (0,) * wrong + (1,) * right
        log_p = category_log_probabilities(columns, grid)
        heights = log_p[:, range(len(items)), categories].sum(axis=1) - 0.5 * grid**2
        peaks = np.flatnonzero((heights[1:-1] > heights[:-2]) & (heights[1:-1] > heights[2:])) + 1
        at = posterior_mode(small.evidence(pool, range(len(items)), categories), settings=ModeSettings())
        theta = at.theta_millionths / 1e6
        responses = vector(pool, range(len(items)), categories)
        assert height(columns, responses, theta) >= heights.max() - 2e-4
        if len(peaks) > 1:
            nearest = int(np.abs(grid[peaks] - theta).argmin())
            bimodal["left" if nearest == 0 else "right"] += 1
    assert min(bimodal["left"], bimodal["right"]) >= 10, bimodal


def sharp(number: int, b: float, rng: random.Random) -> PoolItem:
    item = small.choice_item(number, rng, area="a")
    values = {name: getattr(item, name) for name in item.__struct_fields__}
    return PoolItem(**{**values, "a": 2.2, "b": (round(b, 3),), "c": 0.25})


def test_without_answers_the_prior_is_the_estimate() -> None:
    pool, _ = mixed_pool()
    for estimate in (
        eap(small.evidence(pool, (), ()), settings=EapSettings()),
        posterior_mode(small.evidence(pool, (), ()), settings=ModeSettings()),
    ):
        assert abs(estimate.theta_millionths) <= 1
        assert estimate.standard_error_millionths == pytest.approx(1_000_000, abs=30)


def test_the_order_of_the_answers_does_not_matter() -> None:
    pool, _ = mixed_pool()
    for answered, categories in cases(60):
        pairs = list(zip(answered, categories, strict=True))
        random.Random(1).shuffle(pairs)
        shuffled = tuple(a for a, _ in pairs), tuple(c for _, c in pairs)
        assert eap(small.evidence(pool, *shuffled), settings=EapSettings()) == eap(
            small.evidence(pool, answered, categories), settings=EapSettings()
        )
        assert posterior_mode(small.evidence(pool, *shuffled), settings=ModeSettings()) == posterior_mode(
            small.evidence(pool, answered, categories), settings=ModeSettings()
        )


def test_a_section_s_own_prior_is_used() -> None:
    rng = random.Random(8)
    items = [small.choice_item(number, rng, area="a") for number in range(10)]
    base = small.adaptive_section("s", items)
    fields = {name: getattr(base, name) for name in base.__struct_fields__}
    section = type(base)(**{**fields, "prior_mean": 1.0, "prior_deviation": 0.5})
    compiled: CompiledSection = small.compiled_of(small.package_of(items, [section])).sections[0]
    estimate = compiled.final(small.evidence(compiled.pool, (), ()))
    assert estimate.theta_millionths == pytest.approx(1_000_000, abs=2)
    assert estimate.standard_error_millionths == pytest.approx(500_000, abs=30)


def test_the_weights_of_the_posterior_mean_are_those_of_the_stored_table() -> None:
    """The engine's mean, done again in fractions of the same stored integers."""
    pool, _ = mixed_pool()
    for answered, categories in cases(25):
        rows = pool.log_probability[list(answered), list(categories)]
        log_posterior = log_prior(0, 1_000_000) + rows.sum(axis=0)
        weights = np.rint(exponential((log_posterior - log_posterior.max()) / 1e9) * float(1 << 40))
        total = sum(int(w) for w in weights)
        first = sum(int(w) * int(t) for w, t in zip(weights, NODES_MILLIONTHS, strict=True))
        ours = eap(small.evidence(pool, answered, categories), settings=EapSettings()).theta_millionths
        assert abs(ours - first / total) <= 0.5 + 1e-6


def test_final_estimators_are_chosen_by_the_package() -> None:
    compiled = small.mixed()
    assert compiled.package.sections[1].final_estimator == RuleChoice("posterior_mode")
    state = small.simulated(compiled, "final", small.THETA)[-1].state
    part = compiled.sections[1]
    shown = state.in_section(1)
    answered = tuple(part.pool.index_of[p.item_id] for p in shown)
    held = small.evidence(part.pool, answered, [p.category for p in shown])
    expected = posterior_mode(held, settings=ModeSettings())
    assert state.score is not None
    assert state.score.sections[1].theta_millionths == expected.theta_millionths
