"""Maximum likelihood where there is no maximum, or more than one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychometrics.arrays import NOT_ADMINISTERED, FloatArray
from psychometrics.estimation.eap import eap_estimates, log_likelihood
from psychometrics.estimation.grids import STANDARD_NORMAL, NormalPrior, converged_grid
from psychometrics.estimation.jeffreys import jeffreys_mode_estimates
from psychometrics.estimation.no_maximum import (
    Fences,
    NoMaximum,
    NoMaximumPolicy,
    fenced_likelihood_estimates,
    likelihood_estimates,
    stepped_ability,
)
from psychometrics.estimation.posterior_mode import map_estimates, maximum_likelihood_estimates
from psychometrics.estimation.search import Bounds
from psychometrics.estimation.weighted_likelihood import warm_estimates
from psychometrics.information import expected_moments, total_information
from psychometrics.models.items import (
    ItemColumns,
    ItemParameters,
    category_log_derivatives,
    dichotomous_columns,
    item_columns,
)

Bank = Callable[[str, float], ItemColumns]
PRIOR = NormalPrior(0.3, 1.4)
POLICIES = {policy: NoMaximum(policy, PRIOR, Fences(-3.0, 3.0, 4.0)) for policy in NoMaximumPolicy}
LADDER = dichotomous_columns(np.linspace(0.8, 1.6, 7), np.linspace(-2, 2, 7), 0.2, 1.0, D=1.702)
MIXED = item_columns(
    [
        ItemParameters("3PL", 1.4, (-0.6,), 0.2),
        ItemParameters("GPCM", 0.9, (0.4, -0.3, 1.1)),
        ItemParameters("GRM", 1.6, (-1.2, -0.1, 0.9, 2.0)),
        ItemParameters("4PL", 1.8, (0.2,), 0.15, 0.95),
        ItemParameters("NRM", 1.0, (0.3, -0.4), slopes=(0.8, 1.7)),
    ],
    D=1.0,
)


@pytest.mark.parametrize("policy", NoMaximumPolicy)
def test_only_candidates_without_a_maximum_are_answered_by_the_policy(policy: NoMaximumPolicy) -> None:
    rows = np.array([[1] * 7, [1, 1, 1, 0, 1, 0, 0], [0] * 7, [-1, -1, 1, -1, -1, -1, -1]])
    got = likelihood_estimates(LADDER, rows, no_maximum=POLICIES[policy])
    assert got.without_maximum.tolist() == [True, False, True, True]
    usual = maximum_likelihood_estimates(LADDER, rows)
    assert got[1] == usual[1]
    expected = {
        NoMaximumPolicy.BOUNDED: usual,
        NoMaximumPolicy.POSTERIOR_MEAN: eap_estimates(LADDER, rows, converged_grid(PRIOR)),
        NoMaximumPolicy.POSTERIOR_MODE: map_estimates(LADDER, rows, PRIOR),
        NoMaximumPolicy.WARM: warm_estimates(LADDER, rows),
        NoMaximumPolicy.FENCES: fenced_likelihood_estimates(LADDER, rows, fences=Fences(-3.0, 3.0, 4.0)),
    }[policy]
    for candidate in (0, 2, 3):
        assert got[candidate] == expected[candidate]
    if policy is not NoMaximumPolicy.BOUNDED:
        assert got.theta[0] != usual.theta[0]


@pytest.mark.parametrize("policy", NoMaximumPolicy)
@given(seed=st.integers(0, 10_000))
def test_a_batch_with_a_policy_gives_the_bits_of_one_candidate(policy: NoMaximumPolicy, seed: int) -> None:
    chance = np.random.default_rng(seed)
    rows = chance.integers(0, MIXED.category_counts, size=(6, len(MIXED)))
    rows[chance.random(rows.shape) < 0.4] = NOT_ADMINISTERED
    rows = rows[(rows >= 0).any(axis=1)]
    together = likelihood_estimates(MIXED, rows, no_maximum=POLICIES[policy])
    for candidate, row in enumerate(rows):
        alone = likelihood_estimates(MIXED, row, no_maximum=POLICIES[policy])
        assert alone[0] == together[candidate]
        assert alone.without_maximum[0] == together.without_maximum[candidate]


def test_guessing_can_explain_mixed_answers_best_at_minus_infinity() -> None:
    """A hard item right by luck, four easy ones wrong: the likelihood falls from the left to the right."""
    items = dichotomous_columns(np.full(5, 2.0), [-1.5, -1.0, -0.5, 0.0, 2.5], 0.25, 1.0, D=1.0)
    got = likelihood_estimates(items, [0, 0, 0, 0, 1], no_maximum=NoMaximum())
    assert got.without_maximum.tolist() == [True]
    assert got.theta.tolist() == [-4.0]
    limit, at_bound = log_likelihood(items, [0, 0, 0, 0, 1], [-1e6, -4.0])[0]
    assert limit == pytest.approx(np.log(0.25) + 4 * np.log(0.75))
    assert limit > at_bound


def test_a_maximum_inside_that_is_lower_than_the_limit_at_infinity_is_marked() -> None:
    """Two maxima of a likelihood: one inside, one at minus infinity and higher. BOUNDED answers the highest
    point of the range and says that it is no maximum of the likelihood."""
    items = dichotomous_columns([1.0, 2.5, 2.5], [-1.0, 1.3, 1.5], 0.3, 1.0, D=1.0)
    row = [0, 1, 1]
    narrow, wide = Bounds(-0.5, 4.0), Bounds(-4.0, 4.0)
    limit = log_likelihood(items, row, -1e6)[0, 0]
    got = likelihood_estimates(items, row, no_maximum=NoMaximum(), bounds=narrow)
    assert 0.5 < got.theta[0] < 3.0
    assert limit > log_likelihood(items, row, got.theta)[0, 0]
    assert got.without_maximum.tolist() == [True]
    assert likelihood_estimates(items, row, no_maximum=NoMaximum(), bounds=wide).theta.tolist() == [-4.0]


def test_far_bounds_where_the_likelihood_is_level_are_no_maximum() -> None:
    """With bounds of 60 the derivative underflows to 0 long before the bound; that is not a maximum."""
    items = dichotomous_columns(np.full(4, 1.5), [-1.0, 0.0, 0.5, 1.0], 0.0, 1.0, D=1.702)
    got = likelihood_estimates(items, [[1] * 4, [1, 1, 0, 0]], no_maximum=NoMaximum(), bounds=Bounds(-60, 60))
    assert got.without_maximum.tolist() == [True, False]


def test_all_top_and_all_bottom_of_items_with_many_categories() -> None:
    top = MIXED.category_counts - 1
    got = likelihood_estimates(
        MIXED, [top, np.zeros_like(top)], no_maximum=POLICIES[NoMaximumPolicy.POSTERIOR_MEAN]
    )
    assert got.without_maximum.all()
    assert -4 < got.theta[1] < 0 < got.theta[0] < 4


def test_fences_hold_and_hardly_move_those_between_them() -> None:
    rows = [[1] * 7, [0] * 7, [1, 1, 1, 1, 0, 0, 0]]
    fences = Fences(-3.0, 3.0, 5.0)
    got = fenced_likelihood_estimates(LADDER, rows, fences=fences)
    assert -3.4 < got.theta[1] < -2.0
    assert 2.0 < got.theta[0] < 3.4
    free = maximum_likelihood_estimates(LADDER, rows)
    assert got.theta[2] == pytest.approx(free.theta[2], abs=1e-3)
    with_fences = item_columns(
        [ItemParameters("3PL", a, (b,), 0.2) for a, b in zip(LADDER.a, LADDER.thresholds[:, 0], strict=True)]
        + [ItemParameters("2PL", 5.0, (-3.0,)), ItemParameters("2PL", 5.0, (3.0,))],
        D=1.702,
    )
    as_items = maximum_likelihood_estimates(with_fences, [[*row, 1, 0] for row in rows])
    np.testing.assert_allclose(got.theta, as_items.theta, atol=1e-12)
    np.testing.assert_allclose(got.standard_error, total_information(LADDER, got.theta) ** -0.5, rtol=1e-12)
    with pytest.raises(ValueError, match="outside the bounds"):
        fenced_likelihood_estimates(LADDER, rows, fences=fences, bounds=Bounds(-2.0, 2.0))
    with pytest.raises(ValueError, match="no fences"):
        Fences(1.0, -1.0)
    with pytest.raises(ValueError, match="slope of the fences"):
        Fences(slope=0.0)


def test_items_that_say_nothing_have_no_likelihood() -> None:
    items = dichotomous_columns([0.0, 0.0], [0.0, 1.0], 0.2, 1.0, D=1.0)
    with pytest.raises(ValueError, match="row 0: the items given say nothing"):
        maximum_likelihood_estimates(items, [1, 0])
    with pytest.raises(ValueError, match="row 0: the items given say nothing"):
        likelihood_estimates(items, [1, 0], no_maximum=NoMaximum())
    for estimates in (warm_estimates, jeffreys_mode_estimates):
        with pytest.raises(ValueError, match="row 0: the items given carry no information"):
            estimates(items, [1, 0])
    with pytest.raises(ValueError, match="row 1: no response"):
        likelihood_estimates(items, [[1, 0], [-1, -1]], no_maximum=NoMaximum())
    got = likelihood_estimates(items, [1, 0], no_maximum=POLICIES[NoMaximumPolicy.POSTERIOR_MEAN])
    assert got.theta[0] == pytest.approx(0.3)
    assert got.without_maximum.tolist() == [True]


@given(st.floats(-4, 4), st.floats(-4, 4), st.floats(0, 5), st.lists(st.booleans(), min_size=1, max_size=12))
def test_steps_go_the_way_of_the_answers(
    start: float, easiest: float, width: float, rights: list[bool]
) -> None:
    theta = start
    for right in rights:
        moved = float(stepped_ability(theta, all_right=right, easiest=easiest, hardest=easiest + width))
        assert moved >= theta if right else moved <= theta
        theta = moved
    assert min(start, easiest) <= theta <= max(start, easiest + width)


def test_steps_are_half_the_way() -> None:
    got = stepped_ability([0.0, 0.0, 5.0], all_right=[True, False, True], easiest=-3.0, hardest=2.0)
    assert got.tolist() == [1.0, -1.5, 5.0]
    with pytest.raises(ValueError, match="no pool"):
        stepped_ability(0.0, all_right=True, easiest=1.0, hardest=0.0)


@pytest.mark.parametrize("half", [0.05, 0.1, 0.15])
@pytest.mark.parametrize("shift", [0.0125, -0.0125])
@pytest.mark.parametrize("tilt", [-0.01, -0.002, 0.002, 0.01])
def test_two_peaks_of_almost_one_height_are_compared_at_their_tops(
    half: float, shift: float, tilt: float
) -> None:
    """One peak lies on a node of the search, the other between two nodes and a little higher or lower."""
    place = np.array([-2.0125 - half, -2.0125 + half, 2.0125 - half, 2.0125 + half]) + shift
    items = dichotomous_columns([4.0, 4.0, 4.0, 4.0 * (1 + tilt)], place, 0.15, 0.85, D=1.702)
    row, fine = [1, 0, 1, 0], np.linspace(-4.0, 4.0, 16_001)
    got = maximum_likelihood_estimates(items, row)
    reached = log_likelihood(items, row, got.theta)[0, 0]
    assert reached >= log_likelihood(items, row, fine)[0].max() - 1e-9


def test_a_peak_that_lies_on_a_node_is_found_to_the_last_digit() -> None:
    """The slope at the node is then rounding error only, and the first secant is of no use."""
    place = np.array([-3.3, -2.7, 2.7, 3.3])
    items = dichotomous_columns([8.0, 8.0, 8.0, 7.992], place, 0.15, 0.85, D=1.702)
    assert maximum_likelihood_estimates(items, [1, 0, 1, 0]).theta[0] == pytest.approx(-3.0, abs=1e-9)


@given(seed=st.integers(0, 100_000), D=st.sampled_from([1.0, 1.702]))
def test_no_local_maximum_is_reported_for_aberrant_answers(seed: int, D: float) -> None:
    chance = np.random.default_rng(seed)
    n = int(chance.integers(3, 12))
    items = dichotomous_columns(
        chance.uniform(0.6, 3.0, n), chance.uniform(-3, 3, n), chance.uniform(0.0, 0.35, n), 1.0, D=D
    )
    rows = chance.integers(0, 2, size=(8, n))
    fine = np.linspace(-4.0, 4.0, 4001)
    likelihood = log_likelihood(items, rows, fine)
    heights: dict[str, Callable[[FloatArray], FloatArray]] = {
        "likelihood": np.zeros_like,
        "normal": lambda theta: np.asarray(-0.5 * theta**2),
        "jeffreys": lambda theta: np.asarray(0.5 * np.log(total_information(items, theta))),
    }
    estimates = {
        "likelihood": maximum_likelihood_estimates(items, rows),
        "normal": map_estimates(items, rows, STANDARD_NORMAL),
        "jeffreys": jeffreys_mode_estimates(items, rows),
    }
    for name, height in heights.items():
        theta = estimates[name].theta
        reached = np.diagonal(log_likelihood(items, rows, theta)) + height(theta)
        assert (reached >= (likelihood + height(fine)).max(axis=1) - 1e-9).all(), name


@given(seed=st.integers(0, 100_000))
def test_warms_estimate_is_a_root_of_its_equation_or_a_bound(seed: int) -> None:
    chance = np.random.default_rng(seed)
    n = int(chance.integers(1, 10))
    items = dichotomous_columns(
        chance.uniform(0.6, 2.5, n), chance.uniform(-3, 3, n), chance.uniform(0.0, 0.35, n), 1.0, D=1.0
    )
    row = chance.integers(0, 2, size=n)
    theta = float(warm_estimates(items, row).theta[0])
    moments = expected_moments(items, theta)
    score = category_log_derivatives(items, theta).score[0, np.arange(n), row].sum()
    equation = score + moments.bias_term.sum() / (2 * moments.information.sum())
    if abs(theta) < 4.0:
        assert equation == pytest.approx(0.0, abs=1e-8)
    else:
        assert np.sign(equation) == np.sign(theta)


def test_every_case_with_two_maxima_at_the_default_bounds(
    oracle: dict[str, Any], bank_of_oracle: Bank
) -> None:
    """Also the cases kept back are of this shape: the estimate is the higher of the listed maxima."""
    for case in oracle["multimodal_ml_3PL"]["cases"]:
        items = bank_of_oracle(case["bank"], 1.0).take(case["items"])
        for bounds in (Bounds(), Bounds(-6.0, 6.0), Bounds(-10.0, 10.0)):
            got = likelihood_estimates(items, case["responses"], no_maximum=NoMaximum(), bounds=bounds)
            inside = log_likelihood(items, case["responses"], np.linspace(bounds.lower, bounds.upper, 4001))[
                0
            ]
            if inside.max() <= max(case["loglik"]) + 1e-6:
                assert got.theta[0] == pytest.approx(case["global_mle"], abs=1e-6), bounds
