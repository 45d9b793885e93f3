"""What must be true of the estimators for any responses."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy.integrate import quad

from psychometrics.arrays import NOT_ADMINISTERED
from psychometrics.estimation.eap import (
    eap_estimate,
    eap_estimates,
    eap_from_log_likelihood,
    log_likelihood,
    posterior,
)
from psychometrics.estimation.errors import InformationKind, error_of_information, standard_errors
from psychometrics.estimation.estimates import Estimates
from psychometrics.estimation.grids import (
    STANDARD_NORMAL,
    Grid,
    NormalPrior,
    catr_grid,
    converged_grid,
    trapezoid_grid,
)
from psychometrics.estimation.posterior_mode import (
    map_estimate,
    map_estimates,
    maximum_likelihood_estimates,
)
from psychometrics.estimation.search import Bounds
from psychometrics.estimation.weighted_likelihood import warm_estimates
from psychometrics.information import fisher_information
from psychometrics.models.items import (
    ItemColumns,
    ItemParameters,
    category_log_probabilities,
    category_probabilities,
    dichotomous_columns,
    item_columns,
)

MIXED = item_columns(
    [
        ItemParameters("3PL", 1.4, (-0.6,), 0.2),
        ItemParameters("GPCM", 0.9, (0.4, -0.3, 1.1)),
        ItemParameters("2PL", 1.1, (0.5,)),
        ItemParameters("GRM", 1.6, (-1.2, -0.1, 0.9, 2.0)),
        ItemParameters("4PL", 1.8, (0.2,), 0.15, 0.95),
        ItemParameters("1PL", 1.0, (-1.0,)),
        ItemParameters("PCM", 1.0, (0.0, 0.7)),
    ],
    D=1.0,
)
GRID = converged_grid()


@st.composite
def response_rows(draw: st.DrawFn) -> list[list[int]]:
    one = st.tuples(*(st.integers(NOT_ADMINISTERED, int(count) - 1) for count in MIXED.category_counts))
    some = one.map(list).filter(lambda row: any(x != NOT_ADMINISTERED for x in row))
    return draw(st.lists(some, min_size=1, max_size=12))


ALL_ESTIMATORS: dict[str, Callable[[ArrayLike], Estimates]] = {
    "EAP": lambda x: eap_estimates(MIXED, x, GRID),
    "MAP": lambda x: map_estimates(MIXED, x, NormalPrior(0.2, 1.3)),
    "ML": lambda x: maximum_likelihood_estimates(MIXED, x),
    "WL": lambda x: warm_estimates(MIXED, x),
}


@pytest.mark.parametrize("name", ALL_ESTIMATORS)
@settings(max_examples=40, deadline=None)
@given(rows=response_rows())
def test_a_batch_gives_each_candidate_the_same_bits_as_alone(name: str, rows: list[list[int]]) -> None:
    estimate = ALL_ESTIMATORS[name]
    together: Estimates = estimate(rows)
    alone = [estimate([row])[0] for row in rows]
    assert together.theta.tolist() == [one.theta for one in alone]
    assert together.standard_error.tolist() == [one.standard_error for one in alone]


@settings(max_examples=25, deadline=None)
@given(rows=response_rows())
def test_items_not_administered_count_for_nothing(rows: list[list[int]]) -> None:
    row = np.array(rows[0])
    given_items = np.flatnonzero(row != NOT_ADMINISTERED)
    short = MIXED.take(given_items)
    for whole, part in (
        (eap_estimate(MIXED, row, GRID), eap_estimate(short, row[given_items], GRID)),
        (
            map_estimate(MIXED, row, STANDARD_NORMAL),
            map_estimate(short, row[given_items], STANDARD_NORMAL),
        ),
    ):
        assert part.theta == pytest.approx(whole.theta, abs=1e-12)
        assert part.standard_error == pytest.approx(whole.standard_error, abs=1e-12)


@settings(max_examples=25, deadline=None)
@given(rows=response_rows(), seed=st.integers(0, 1000))
def test_the_order_of_the_items_does_not_matter(rows: list[list[int]], seed: int) -> None:
    row, order = np.array(rows[0]), np.random.default_rng(seed).permutation(len(MIXED))
    before, after = eap_estimate(MIXED, row, GRID), eap_estimate(MIXED.take(order), row[order], GRID)
    assert after.theta == pytest.approx(before.theta, abs=1e-12)


@settings(max_examples=15, deadline=None)
@given(rows=response_rows())
def test_eap_against_adaptive_integration(rows: list[list[int]]) -> None:
    """scipy's adaptive quadrature of the definition, with the likelihood multiplied up from probabilities."""
    row = rows[0]

    def density(theta: float) -> float:
        p = category_probabilities(MIXED, theta)[0]
        likelihood = np.prod([p[item, x] for item, x in enumerate(row) if x != NOT_ADMINISTERED])
        return float(likelihood * np.exp(-0.5 * theta**2))

    mass, first, second = (
        quad(lambda t, k=k: t**k * density(t), -10, 10, epsabs=1e-13, epsrel=1e-11, limit=200)[0]
        for k in range(3)
    )
    got = eap_estimate(MIXED, row, GRID)
    assert got.theta == pytest.approx(first / mass, abs=1e-6)
    assert got.standard_error == pytest.approx(np.sqrt(second / mass - (first / mass) ** 2), abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(rows=response_rows())
def test_the_mode_is_higher_than_every_point_of_a_fine_grid(rows: list[list[int]]) -> None:
    prior, fine = NormalPrior(-0.3, 1.2), np.linspace(-4.0, 4.0, 4001)
    got = map_estimates(MIXED, rows, prior)

    def height(theta: np.ndarray) -> np.ndarray:
        return log_likelihood(MIXED, rows, theta) - 0.5 * ((theta - prior.mean) / prior.sd) ** 2

    highest = height(fine).max(axis=1)
    reached = height(got.theta)[np.arange(len(rows)), np.arange(len(rows))]
    assert (reached >= highest - 1e-10).all()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.3, 2.5), st.floats(-3, 3), st.floats(0, 0.4)), min_size=1, max_size=15),
    st.sampled_from([1.0, 1.702]),
)
def test_wrong_answers_never_raise_ability_and_right_ones_never_lower_it(
    parameters: list[tuple[float, float, float]], D: float
) -> None:
    a, b, c = np.array(parameters).T
    items = dichotomous_columns(a, b, c, 1.0, D=D)
    for answer, direction in ((0, -1.0), (1, 1.0)):
        steps = np.full((len(a) + 1, len(a)), NOT_ADMINISTERED)
        for step in range(len(a)):
            steps[step + 1 :, step] = answer
        for theta in (
            eap_estimates(items, steps, GRID).theta,
            map_estimates(items, steps, STANDARD_NORMAL).theta,
        ):
            assert (direction * np.diff(theta) >= -1e-11).all()


def test_without_responses_the_prior_remains() -> None:
    nothing = np.full(len(MIXED), NOT_ADMINISTERED)
    prior = NormalPrior(0.4, 1.5)
    assert eap_estimate(MIXED, nothing, converged_grid(prior)).theta == pytest.approx(0.4, abs=1e-12)
    assert eap_estimate(MIXED, nothing, converged_grid(prior)).standard_error == pytest.approx(1.5, abs=1e-9)
    mode = map_estimate(MIXED, nothing, prior)
    assert mode.theta == pytest.approx(0.4, abs=1e-12)
    assert mode.standard_error == pytest.approx(1.5)
    with pytest.raises(ValueError, match="row 1: no response"):
        maximum_likelihood_estimates(MIXED, [np.zeros_like(nothing), nothing])
    with pytest.raises(ValueError, match="row 0: no response"):
        warm_estimates(MIXED, nothing)


def test_all_right_and_all_wrong() -> None:
    """Maximum likelihood answers the bound; Warm's estimate of Rasch items, MAP and EAP are finite."""
    items = dichotomous_columns(np.ones(5), np.linspace(-1, 1, 5), 0.0, 1.0, D=1.0)
    rows = [[1] * 5, [0] * 5]
    bounded = maximum_likelihood_estimates(items, rows, bounds=Bounds(-3.5, 5.0))
    assert bounded.theta.tolist() == [5.0, -3.5]
    for theta in (
        warm_estimates(items, rows).theta,
        map_estimates(items, rows, STANDARD_NORMAL).theta,
        eap_estimates(items, rows, GRID).theta,
    ):
        assert 0.5 < theta[0] < 3.5
        assert theta[1] == pytest.approx(-theta[0], abs=1e-9)


def test_maximum_likelihood_of_two_rasch_items_in_closed_form() -> None:
    """One right of two: the estimate is the mean of the difficulties."""
    items = dichotomous_columns([1.0, 1.0], [-0.7, 1.9], 0.0, 1.0, D=1.0)
    got = maximum_likelihood_estimates(items, [[1, 0], [0, 1]])
    np.testing.assert_allclose(got.theta, 0.6, atol=1e-12)


def test_weighted_likelihood_of_one_rasch_item_in_closed_form() -> None:
    """x - P + (1 - 2P) / 2 = 0 gives P = 3/4 if right, hence theta = b + ln 3 and SE = 4 / sqrt 3."""
    got = warm_estimates(dichotomous_columns(1.0, 0.5, 0.0, 1.0, D=1.0), [[1], [0]])
    np.testing.assert_allclose(got.theta, [0.5 + np.log(3), 0.5 - np.log(3)], atol=1e-12)
    np.testing.assert_allclose(got.standard_error, 4 / np.sqrt(3), atol=1e-12)


def test_named_standard_errors_differ_as_their_names_say() -> None:
    row, theta = np.array([1, 2, 0, 3, 1, 1, 0]), 0.3
    expected = float(fisher_information(MIXED, theta).sum())
    for kind, prior, known in (
        (InformationKind.EXPECTED, None, expected**-0.5),
        (InformationKind.EXPECTED, NormalPrior(0, 2.0), (expected + 0.25) ** -0.5),
    ):
        got = standard_errors(MIXED, row, theta, kind=kind, prior=prior)
        assert got.tolist() == [pytest.approx(known)]
    h = 1e-4
    before, here, after = log_likelihood(MIXED, row, [theta - h, theta, theta + h])[0]
    bend = -(after - 2 * here + before) / h**2
    got = standard_errors(MIXED, row, theta, kind=InformationKind.OBSERVED, prior=None)
    assert got.tolist() == [pytest.approx(bend**-0.5, abs=1e-5)]
    assert error_of_information([0.0, -1.0, 4.0], None).tolist() == [np.inf, np.inf, 0.5]


def test_a_stored_table_gives_the_same_estimate() -> None:
    """ln P computed once at the nodes and stored with twelve decimals; the rows of a sitting added up."""
    row = np.array([1, 2, 0, 3, 1, 1, 0])
    table = np.round(category_log_probabilities(MIXED, GRID.nodes), 12)
    added = sum(table[:, item, x] for item, x in enumerate(row))
    assert isinstance(added, np.ndarray)
    got, direct = eap_from_log_likelihood(added[None, :], GRID)[0], eap_estimate(MIXED, row, GRID)
    assert got.theta == pytest.approx(direct.theta, abs=1e-11)
    assert got.standard_error == pytest.approx(direct.standard_error, abs=1e-11)


def test_a_long_test_does_not_underflow() -> None:
    items: ItemColumns = MIXED.take(np.tile(np.arange(len(MIXED)), 200))
    row = np.tile([1, 2, 0, 3, 1, 1, 0], 200)
    assert log_likelihood(items, row, 0.0)[0, 0] < -745  # exp of it is 0
    fine = trapezoid_grid(STANDARD_NORMAL, lower=-4.0, upper=4.0, count=801)
    mass = posterior(log_likelihood(items, row, fine.nodes), fine)
    assert mass.sum() == pytest.approx(1.0)
    assert eap_estimate(items, row, fine).theta == pytest.approx(
        map_estimate(items, row, STANDARD_NORMAL).theta, abs=1e-3
    )


def test_grids_state_what_they_are() -> None:
    catr = catr_grid()
    assert (catr.nodes[0], catr.nodes[-1], catr.nodes.size) == (-4.0, 4.0, 33)
    assert catr.weights[0] == pytest.approx(catr.weights[16] * np.exp(-8) / 2)
    assert GRID.weights.sum() == pytest.approx(1.0)
    assert Grid(np.array([0.0, 1.0]), np.array([1.0, 3.0])).weights.tolist() == [0.25, 0.75]
    with pytest.raises(ValueError, match="rise"):
        Grid(np.array([1.0, 0.0]), np.array([1.0, 1.0]))
    with pytest.raises(ValueError, match="weights must be finite"):
        Grid(np.array([0.0, 1.0]), np.array([1.0, -1.0]))
    with pytest.raises(ValueError, match="prior sd"):
        NormalPrior(0.0, 0.0)
    with pytest.raises(ValueError, match="no grid"):
        Bounds(2.0, -2.0)


@pytest.mark.parametrize(
    ("responses", "reason"),
    [
        ([[0, 0, 0, 0, 0, 0, 0], [0, 4, 0, 0, 0, 0, 0]], "candidate 1, item 1: there is no category 4"),
        ([0, 0, 2, 0, 0, 0, 0], "candidate 0, item 2: there is no category 2"),
        ([-2, 0, 0, 0, 0, 0, 0], "candidate 0, item 0: there is no category -2"),
        ([0, 0], "expected"),
        ([0.0] * 7, "whole numbers"),
    ],
)
def test_responses_that_cannot_be_are_refused(responses: ArrayLike, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        eap_estimates(MIXED, responses, GRID)
