"""Which of several solutions is answered: the highest, a root before a bound, or the root that catR finds."""

from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq

from psychometrics.arrays import FloatArray
from psychometrics.estimation.posterior_mode import maximum_likelihood_estimates
from psychometrics.estimation.robust import RobustSettings, residual_weights, robust_estimates
from psychometrics.estimation.search import Bounds, Search, rooted_heights
from psychometrics.models.items import ItemColumns, category_log_derivatives, dichotomous_columns

GUESSED = dichotomous_columns([0.9, 2.2, 1.9, 2.1], [-2.5, -1.9, -1.9, 1.8], 0.2, 0.95, D=1.0)
SLIPS = [0, 0, 1, 1]
HUBER = RobustSettings()


def _score(items: ItemColumns, row: list[int], theta: float) -> FloatArray:
    score = category_log_derivatives(items, [theta]).score[0]
    return np.asarray(score[np.arange(len(row)), row], dtype=np.float64)


def _robust_equation(theta: float) -> float:
    weights = residual_weights(GUESSED, np.array([[theta]]), HUBER)[0]
    return float((weights * _score(GUESSED, SLIPS, theta)).sum())


def test_a_robust_root_goes_before_a_bound() -> None:
    theta = robust_estimates(GUESSED, [SLIPS], HUBER).theta[0]
    assert -4 < theta < 4
    assert _robust_equation(theta) == pytest.approx(0.0, abs=1e-10)
    assert _robust_equation(theta - 0.01) > 0 > _robust_equation(theta + 0.01)


def test_without_a_root_the_bound_is_the_robust_answer() -> None:
    got = robust_estimates(GUESSED, [[1, 1, 1, 1], [0, 0, 0, 0]], HUBER).theta
    assert got.tolist() == [4.0, -4.0]


def test_maximum_likelihood_may_take_the_root_in_place_of_a_higher_bound() -> None:
    rows = [SLIPS, [1, 1, 0, 0], [1, 1, 1, 1], [0, 0, 0, 0]]
    items = dichotomous_columns([1.5, 1.5, 1.5, 1.5], [-1.0, -0.5, 0.0, 0.5], 0.1, 1.0, D=1.0)
    crossing = maximum_likelihood_estimates(items, rows, search=Search.CROSSING)
    ends = {k: [float(_score(items, row, end).sum()) for end in (-4.0, 4.0)] for k, row in enumerate(rows)}
    for k, row in enumerate(rows):
        low, high = ends[k]
        if low > 0 > high:
            root = brentq(lambda at, row=row: float(_score(items, row, at).sum()), -4, 4, xtol=1e-14)
            assert crossing.theta[k] == pytest.approx(root, abs=1e-10)
        else:
            assert crossing.theta[k] == (-4.0 if low <= 0 else 4.0)
    assert {low > 0 > high for low, high in ends.values()} == {True, False}


@pytest.mark.parametrize("search", list(Search))
def test_one_root_is_the_same_for_every_search(search: Search) -> None:
    rng = np.random.default_rng(4)
    items = dichotomous_columns(rng.uniform(0.7, 1.8, 12), rng.normal(size=12), 0.0, 1.0, D=1.702)
    rows = (rng.random((40, 12)) < 0.5).astype(int)
    known = maximum_likelihood_estimates(items, rows, bounds=Bounds(-6, 6))
    got = maximum_likelihood_estimates(items, rows, bounds=Bounds(-6, 6), search=search)
    np.testing.assert_allclose(got.theta, known.theta, atol=1e-10)
    np.testing.assert_allclose(got.standard_error, known.standard_error, atol=1e-9)
    alone = maximum_likelihood_estimates(items, rows[7], bounds=Bounds(-6, 6), search=search)
    assert alone.theta[0] == got.theta[7]


def test_a_search_may_be_named_by_text_and_must_exist() -> None:
    by_text: Any = "crossing"
    named = robust_estimates(GUESSED, [SLIPS], HUBER, search=by_text).theta
    assert named == robust_estimates(GUESSED, [SLIPS], HUBER, search=Search.CROSSING).theta
    unknown: Any = "lowest"
    with pytest.raises(ValueError, match="Search is one of highest, crossing"):
        maximum_likelihood_estimates(GUESSED, [SLIPS], search=unknown)


def test_heights_remain_beside_roots_only() -> None:
    heights = np.array([[5.0, 1.0, 2.0, 1.0, 0.0], [5.0, 4.0, 3.0, 2.0, 1.0], [9.0, 1.0, 3.0, 1.0, 0.0]])
    slopes = np.array(
        [[-1.0, 1.0, 1.0, -1.0, -1.0], [-1.0, -1.0, -1.0, -1.0, -1.0], [-1.0, 1.0, 0.0, -1.0, -1.0]]
    )
    kept = np.isfinite(rooted_heights(heights, slopes))
    assert kept.tolist() == [
        [False, False, True, True, False],
        [True] * 5,
        [False, True, True, False, False],
    ]
