"""Classification by likelihood ratios and by intervals: catIrt's decisions, and what must hold of any."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychometrics.classification import levels
from psychometrics.decisions import (
    UNDECIDED,
    RatioBounds,
    forced_levels,
    generalised_likelihood_ratios,
    interval_levels,
    likelihood_ratios,
    sequential_levels,
    wald_bounds,
)
from psychometrics.estimation.eap import log_likelihood
from psychometrics.models.items import ItemColumns, ItemParameters, dichotomous_columns, item_columns

Bank = Callable[[str, float], ItemColumns]
MIXED = item_columns(
    [
        ItemParameters("3PL", 1.4, (-0.4,), 0.2),
        ItemParameters("GRM", 1.1, (-1.0, 0.2, 1.1)),
        ItemParameters("GPCM", 0.8, (0.5, -0.3)),
        ItemParameters("2PL", 0.9, (0.3,)),
    ],
    D=1.702,
)
PATTERNS = st.tuples(st.integers(-1, 1), st.integers(-1, 3), st.integers(-1, 2), st.integers(-1, 1))


def _level(known: int | None) -> int:
    return UNDECIDED if known is None else known


def test_every_recorded_decision(oracle: dict[str, Any], bank_of_oracle: Bank) -> None:
    cases = oracle["classification"]["cases"]
    assert len(cases) >= 15
    for case in cases:
        items = bank_of_oracle("3PL300", 1.0).take(case["items"])
        bounds = wald_bounds(case["alpha"], case["beta"])
        assert bounds.upper == pytest.approx(case["upper"], abs=1e-10)
        assert bounds.lower == pytest.approx(case["lower"], abs=1e-10)
        plain = likelihood_ratios(items, case["responses"], case["cuts"], delta=case["delta"])
        np.testing.assert_allclose(plain[0], case["llr"], rtol=1e-7, atol=1e-10)
        assert sequential_levels(plain, bounds)[0] == _level(case["catIrt_SPRT"])
        best = generalised_likelihood_ratios(items, case["responses"], case["cuts"], delta=case["delta"])
        assert sequential_levels(best, bounds)[0] == _level(case["catIrt_GLR_grid0.01"])
    assert {_level(case["catIrt_SPRT"]) for case in cases} == {UNDECIDED, 0, 1, 2}


def test_a_ratio_worked_by_hand() -> None:
    """One Rasch item of difficulty 0 answered rightly: ln P(0.5) - ln P(-0.5), cut 0, delta 0.5."""
    items = dichotomous_columns(1.0, 0.0, 0.0, 1.0, D=1.0)
    expected = math.log((1 + math.exp(0.5)) / (1 + math.exp(-0.5)))
    assert likelihood_ratios(items, [1], [0.0], delta=0.5)[0, 0] == pytest.approx(expected)
    assert likelihood_ratios(items, [0], [0.0], delta=0.5)[0, 0] == pytest.approx(-expected)
    steep = dichotomous_columns(1.0, 0.0, 0.0, 1.0, D=1.702)
    assert likelihood_ratios(steep, [1], [0.0], delta=0.5)[0, 0] == pytest.approx(1.702 * expected)


@given(st.lists(PATTERNS, min_size=1, max_size=4))
def test_the_generalised_ratio_is_that_of_the_best_hypotheses_on_each_side(
    patterns: list[tuple[int, ...]],
) -> None:
    cuts, delta = [-0.5, 0.6], 0.2
    got = generalised_likelihood_ratios(MIXED, patterns, cuts, delta=delta)
    for column, cut in enumerate(cuts):
        upper = log_likelihood(MIXED, patterns, np.linspace(cut + delta, 4.0, 3001)).max(axis=1)
        lower = log_likelihood(MIXED, patterns, np.linspace(-4.0, cut - delta, 3001)).max(axis=1)
        np.testing.assert_allclose(got[:, column], upper - lower, atol=1e-5)


@given(st.lists(PATTERNS, min_size=2, max_size=4))
def test_a_batch_decides_like_its_candidates_alone(patterns: list[tuple[int, ...]]) -> None:
    for ratios in (likelihood_ratios, generalised_likelihood_ratios):
        together = ratios(MIXED, patterns, [-0.5, 0.6], delta=0.2)
        alone = [ratios(MIXED, [pattern], [-0.5, 0.6], delta=0.2)[0] for pattern in patterns]
        np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize(
    ("ratios", "level"),
    [
        ([3.0, 3.0], 2),
        ([3.0, -3.0], 1),
        ([-3.0, -3.0], 0),
        ([3.0, 0.0], UNDECIDED),
        ([0.0, -3.0], UNDECIDED),
        ([-3.0, 3.0], UNDECIDED),  # below the lower cut and above the higher one
        ([2.0, -2.0], 1),  # on the bounds
    ],
)
def test_a_level_needs_every_cut_decided(ratios: list[float], level: int) -> None:
    assert sequential_levels(ratios, RatioBounds(-2.0, 2.0))[0] == level


def test_what_the_test_says_when_it_must_end() -> None:
    assert forced_levels([[1.0, -0.1], [-0.2, -0.3], [0.5, 0.1]]).tolist() == [1, 0, 2]


@given(st.floats(-3, 3), st.floats(0, 2), st.sampled_from([0.9, 0.95, 0.99]))
def test_an_interval_decides_only_what_the_estimate_says(
    estimate: float, error: float, confidence: float
) -> None:
    cuts = [-0.5, 0.8]
    decided = interval_levels(estimate, error, cuts, confidence=confidence)[0]
    clear = min(abs(estimate - cut) for cut in cuts)
    z = {0.9: 1.6448536269514722, 0.95: 1.959963984540054, 0.99: 2.5758293035489004}[confidence]
    if abs(clear - z * error) > 1e-9:
        assert decided == (levels(estimate, cuts)[0] if clear > z * error else UNDECIDED)


def test_the_interval_is_two_sided() -> None:
    """0.9 above the cut with error 0.5: z = 1.8 lies between the quantiles 1.645 (90 %) and 1.96 (95 %)."""
    assert interval_levels(0.9, 0.5, [0.0], confidence=0.90)[0] == 1
    assert interval_levels(0.9, 0.5, [0.0], confidence=0.95)[0] == UNDECIDED
    assert interval_levels(-0.9, 0.5, [0.0], confidence=0.90)[0] == 0


def test_intervals_of_nobody_known_and_of_certainty() -> None:
    assert interval_levels([0.3, 0.3], [math.inf, 0.0], [0.0], confidence=0.95).tolist() == [UNDECIDED, 1]


def test_error_rates_of_the_sequential_test_are_those_asked_for() -> None:
    """At cut -+ delta with alpha = beta = 0.1 about a tenth at most may be placed wrongly (Wald, 1947)."""
    rng = np.random.default_rng(3)
    a, b = rng.lognormal(0.1, 0.2, 300), rng.normal(0, 1, 300)
    items, bounds, sittings = dichotomous_columns(a, b, 0.0, 1.0, D=1.0), wald_bounds(0.1, 0.1), 2000
    wrong = []
    for truth in (-0.4, 0.4):
        p = 1 / (1 + np.exp(-a * (truth - b)))
        x = (rng.random((sittings, 300)) < p).astype(np.int64)
        steps = x @ np.diag(_step(items, 1)) + (1 - x) @ np.diag(_step(items, 0))
        path = np.cumsum(steps, axis=1)
        crossed = (path >= bounds.upper) | (path <= bounds.lower)
        assert crossed.any(axis=1).mean() > 0.99
        at_first = path[np.arange(sittings), np.argmax(crossed, axis=1)]
        placed = sequential_levels(at_first[:, None], bounds)
        wrong.append(float((placed == (1 if truth < 0 else 0)).mean()))
    assert max(wrong) < 0.1 + 3 * math.sqrt(0.09 / sittings)
    assert min(wrong) > 0.02


def _step(items: ItemColumns, answer: int) -> np.ndarray:
    """What the answer adds to the ratio at cut 0, delta 0.4, item by item."""
    matrix = np.full((len(items), len(items)), -1)
    np.fill_diagonal(matrix, answer)
    return likelihood_ratios(items, matrix, [0.0], delta=0.4)[:, 0]


def test_what_is_refused() -> None:
    items = dichotomous_columns([1.0], [0.0], 0.0, 1.0, D=1.0)
    with pytest.raises(ValueError, match="rates"):
        wald_bounds(0.6, 0.5)
    with pytest.raises(ValueError, match="delta"):
        likelihood_ratios(items, [1], [0.0], delta=0.0)
    with pytest.raises(ValueError, match="not above"):
        likelihood_ratios(items, [1], [0.5, 0.0], delta=0.1)
    with pytest.raises(ValueError, match="no cut score"):
        likelihood_ratios(items, [1], [], delta=0.1)
    with pytest.raises(ValueError, match="must lie between"):
        generalised_likelihood_ratios(items, [1], [3.9], delta=0.25)
    with pytest.raises(ValueError, match="confidence"):
        interval_levels(0.0, 1.0, [0.5], confidence=1.0)
    with pytest.raises(ValueError, match="row 1: the standard error"):
        interval_levels([0.0, 0.0], [1.0, -1.0], [0.5], confidence=0.9)
