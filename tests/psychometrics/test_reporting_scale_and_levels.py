"""Scale scores, levels, and how sure they are."""

from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from psychometrics.classification import decision_quality, level_probabilities, levels
from psychometrics.ranking import pairwise_probability_above, probability_above
from psychometrics.scaling import ReportingScale, level

HUNDRED = ReportingScale(slope=15.0, intercept=50.0, lowest=0.0, highest=100.0)
TENTHS = ReportingScale(slope=100.0, intercept=500.0, lowest=200.0, highest=800.0, decimals=1)
CUTS = (60.0, 70.0, 85.0)


@pytest.mark.parametrize(
    ("scale", "theta", "value"),
    [
        (HUNDRED, 0.0, 50.0),
        (HUNDRED, 0.1, 52.0),  # 51.5 to the even neighbour
        (HUNDRED, 0.3, 54.0),  # 54.5 to the even neighbour, not up
        (HUNDRED, -0.1, 48.0),  # 48.5 to the even neighbour
        (HUNDRED, 4.0, 100.0),
        (HUNDRED, -4.0, 0.0),
        (TENTHS, 0.12345, 512.3),
        (TENTHS, 0.0005, 500.0),  # 500.05 is a half of a tenth: to the even tenth
        (TENTHS, 0.0015, 500.2),  # 500.15 likewise, though no float is 500.15
        (TENTHS, 1.005, 600.5),
    ],
)
def test_scale_scores(scale: ReportingScale, theta: float, value: float) -> None:
    assert scale.score(theta, 0.3).value == value


def test_error_and_ends_of_the_scale() -> None:
    inside = HUNDRED.score(1.0, 0.3)
    assert (inside.standard_error, inside.at_lowest, inside.at_highest) == (4.5, False, False)
    high, low = HUNDRED.score(3.5, 0.4), HUNDRED.score(-9.0, 0.4)
    assert (high.at_highest, high.at_lowest, high.standard_error) == (True, False, 6.0)
    assert (low.at_highest, low.at_lowest) == (False, True)


@given(st.floats(-3.0, 3.0))
def test_scores_are_what_exact_arithmetic_gives(theta: float) -> None:
    exact = Decimal(100) * Decimal(repr(theta)) + Decimal(500)
    assert TENTHS.score(theta, 0.1).value == float(exact.quantize(Decimal("0.1"), ROUND_HALF_EVEN))
    assert abs(TENTHS.score(theta, 0.1).value - (500 + 100 * theta)) <= 0.05 + 1e-9


@given(st.floats(-6.0, 6.0), st.floats(0.0, 2.0))
def test_more_ability_never_scores_less(theta: float, more: float) -> None:
    assert HUNDRED.score(theta + more, 0.3).value >= HUNDRED.score(theta, 0.3).value


def test_a_score_is_never_negative_zero() -> None:
    value = ReportingScale(1.0, 0.0, -5.0, 5.0).score(-0.2, 0.1).value
    assert str(value) == "0.0"


def test_cut_scores_go_back_to_theta() -> None:
    assert HUNDRED.theta(65.0) == pytest.approx(1.0)


def test_a_score_on_a_cut_has_reached_it() -> None:
    assert [level(score, CUTS) for score in (0.0, 59.0, 60.0, 69.0, 70.0, 84.0, 85.0, 100.0)] == [
        *(0, 0, 1, 1, 2, 2, 3, 3)
    ]
    assert levels([59.0, 60.0, 84.9, 85.0], CUTS).tolist() == [0, 1, 2, 3]
    assert level(10.0, ()) == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((0.0, 50.0, 0.0, 100.0), "slope"),
        ((-1.0, 50.0, 0.0, 100.0), "slope"),
        ((1.0, float("nan"), 0.0, 100.0), "intercept"),
        ((1.0, 50.0, 100.0, 100.0), "not below highest"),
        ((1.0, 50.0, 0.5, 100.0), "lowest 0.5 cannot be reported with 0 decimals"),
    ],
)
def test_impossible_scales_are_refused(arguments: tuple[float, float, float, float], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ReportingScale(*arguments)


def test_impossible_cuts_and_estimates_are_refused() -> None:
    with pytest.raises(ValueError, match="cut score 1"):
        level(50.0, (70.0, 70.0))
    with pytest.raises(ValueError, match="theta must be finite"):
        HUNDRED.score(float("nan"), 0.3)
    with pytest.raises(ValueError, match="standard error"):
        HUNDRED.score(0.0, -0.1)
    with pytest.raises(ValueError, match="row 1: the estimate is not finite"):
        level_probabilities([0.0, float("inf")], 0.3, (0.0,))
    with pytest.raises(ValueError, match="row 0: the standard error"):
        pairwise_probability_above([0.0], [float("nan")])


def test_level_probabilities_against_the_normal_distribution() -> None:
    got = level_probabilities([0.2, -1.0], [0.4, 0.3], [-0.5, 0.6])
    for row, (theta, se) in enumerate([(0.2, 0.4), (-1.0, 0.3)]):
        steps = np.asarray(norm.cdf([-0.5, 0.6], theta, se))
        np.testing.assert_allclose(got[row], [steps[0], steps[1] - steps[0], 1 - steps[1]], atol=1e-14)


@given(
    st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 2)), min_size=1, max_size=6),
    st.lists(st.integers(-40, 40), min_size=0, max_size=4, unique=True).map(sorted),
)
def test_level_probabilities_are_a_distribution(
    estimates: list[tuple[float, float]], tenths: list[int]
) -> None:
    cuts = [tenth / 10 for tenth in tenths]
    theta, se = np.array(estimates).T
    p = level_probabilities(theta, se, cuts)
    assert p.shape == (len(estimates), len(cuts) + 1)
    assert (p >= 0).all()
    np.testing.assert_allclose(p.sum(axis=1), 1.0, atol=1e-13)
    for row in np.flatnonzero(se == 0):
        assert p[row, levels(theta, cuts)[row]] == 1.0


def test_far_levels_keep_their_digits() -> None:
    (p,) = level_probabilities(0.0, 1.0, [10.0, 11.0])
    assert p[2] == pytest.approx(norm.sf(11.0), rel=1e-12)
    assert p[1] == pytest.approx(norm.sf(10.0) - norm.sf(11.0), rel=1e-12)


def test_accuracy_and_consistency_of_decisions() -> None:
    """On the cut: right half of the time. Certain: always."""
    assert decision_quality([0.0], [0.5], [0.0]) == pytest.approx((0.5, 0.5))
    assert decision_quality([1.0, -1.0], [0.0, 0.0], [0.0]) == (1.0, 1.0)
    accuracy, consistency = decision_quality([0.5], [0.5], [0.0])
    p = norm.cdf(1.0)
    assert accuracy == pytest.approx(p)
    assert consistency == pytest.approx(p**2 + (1 - p) ** 2)


def test_probability_of_being_truly_above() -> None:
    assert probability_above(1.0, 0.3, 0.5, 0.4) == pytest.approx(norm.cdf(1.0))
    assert probability_above(0.5, 0.3, 0.5, 0.4) == 0.5
    assert probability_above(1.0, 0.0, 0.5, 0.0) == 1.0
    assert probability_above(0.5, 0.0, 1.0, 0.0) == 0.0
    assert probability_above(0.5, 0.0, 0.5, 0.0) == 0.5


@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0, 2)), min_size=1, max_size=6))
def test_pairwise_probabilities_are_complementary(estimates: list[tuple[float, float]]) -> None:
    theta, se = np.array(estimates).T
    p = pairwise_probability_above(theta, se)
    np.testing.assert_allclose(p + p.T, 1.0, atol=1e-14)
    assert (np.diag(p) == 0.5).all()
