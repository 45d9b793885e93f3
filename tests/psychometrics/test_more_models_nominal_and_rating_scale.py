"""The nominal response model and the rating scale model, alone and in one pool with the others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import ArrayLike
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from psychometrics.arrays import NOT_ADMINISTERED
from psychometrics.estimation.eap import eap_estimates
from psychometrics.estimation.estimates import Estimates
from psychometrics.estimation.grids import STANDARD_NORMAL, converged_grid, normal_density
from psychometrics.estimation.posterior_mode import map_estimates, maximum_likelihood_estimates
from psychometrics.estimation.weighted_likelihood import warm_estimates
from psychometrics.information import (
    expected_moments,
    expected_observed_information,
    fisher_information,
    observed_information,
)
from psychometrics.models.items import (
    NOMINAL,
    ItemColumns,
    ItemParameters,
    category_log_derivatives,
    category_log_probabilities,
    category_probabilities,
    item_columns,
    rating_scale_items,
)

category_values = st.floats(-3.0, 3.0)
metrics = st.sampled_from([1.0, 1.702])
abilities = st.floats(-6.0, 6.0)

MIXED = [
    ItemParameters("3PL", 1.4, (-0.6,), 0.2),
    ItemParameters("NRM", 1.0, (0.4, -0.7, 0.1), slopes=(0.6, 1.1, -0.8)),
    ItemParameters("GPCM", 0.9, (0.4, -0.3, 1.1)),
    ItemParameters("NRM", 1.0, (1.2,), slopes=(1.7,)),
    ItemParameters("GRM", 1.6, (-1.2, -0.1, 0.9, 2.0)),
    *rating_scale_items([-0.5, 0.8], [-0.9, 0.1, 0.8]),
    ItemParameters("2PL", 1.1, (0.5,)),
]


@st.composite
def nominal_item(draw: st.DrawFn) -> ItemParameters:
    count = draw(st.integers(1, 5))
    values = st.lists(category_values, min_size=count, max_size=count)
    return ItemParameters("NRM", 1.0, tuple(draw(values)), slopes=tuple(draw(values)))


nominal_items = st.lists(nominal_item(), min_size=1, max_size=4)


def exponents(row: ItemParameters, theta: float, D: float) -> list[float]:
    """The model as Bock wrote it, category by category."""
    return [0.0, *(D * a * theta + c for a, c in zip(row.slopes, row.b, strict=True))]


@given(nominal_items, metrics, abilities)
def test_nominal_probabilities_are_the_softmax_of_slope_and_intercept(
    rows: list[ItemParameters], D: float, theta: float
) -> None:
    got = category_probabilities(item_columns(rows, D=D), theta)[0]
    for row, values in zip(rows, got, strict=True):
        m = len(row.b) + 1
        np.testing.assert_allclose(values[:m], softmax(exponents(row, theta, D)), atol=1e-14)
        assert (values[m:] == 0).all()


@given(nominal_items, metrics, st.sampled_from([-1e6, -1e3, 1e3, 1e6]))
def test_nominal_values_stay_finite_at_any_ability(
    rows: list[ItemParameters], D: float, theta: float
) -> None:
    items = item_columns(rows, D=D)
    p = category_probabilities(items, theta)[0]
    assert ((p >= 0) & (p <= 1)).all()
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-13)
    log_p = category_log_probabilities(items, theta)[0]
    for row, count in enumerate(items.category_counts):
        assert np.isfinite(log_p[row, :count]).all()
    for value in (*category_log_derivatives(items, theta), *expected_moments(items, theta)):
        assert np.isfinite(value).all()


def test_far_log_probabilities_are_the_difference_of_the_exponents() -> None:
    items = item_columns([ItemParameters("NRM", 1.0, (0.5, -0.25), slopes=(1.0, -2.0))], D=1.0)
    up, down = category_log_probabilities(items, [1e6, -1e6])[:, 0]
    np.testing.assert_allclose(up, [-1e6 - 0.5, 0.0, -3e6 - 0.75], rtol=1e-15)
    np.testing.assert_allclose(down, [-2e6 + 0.25, -3e6 + 0.75, 0.0], rtol=1e-15)


@given(nominal_items, metrics, abilities)
def test_nominal_derivatives_are_those_of_the_log_probabilities(
    rows: list[ItemParameters], D: float, theta: float
) -> None:
    items, h = item_columns(rows, D=D), 1e-4
    before, here, after = category_log_probabilities(items, [theta - h, theta, theta + h])
    got = category_log_derivatives(items, theta)
    there = np.isfinite(here)
    slope = (after[there] - before[there]) / (2 * h)
    bend = (after[there] - 2 * here[there] + before[there]) / h**2
    np.testing.assert_allclose(got.score[0][there], slope, atol=2e-6, rtol=1e-5)
    np.testing.assert_allclose(got.curvature[0][there], bend, atol=1e-4, rtol=1e-4)
    assert (got.score[0][~there] == 0).all()
    assert (got.curvature[0][~there] == 0).all()


@given(nominal_items, metrics, abilities)
def test_nominal_information_obeys_both_identities_and_the_canonical_form(
    rows: list[ItemParameters], D: float, theta: float
) -> None:
    """I = E[-l''], the same at every response, and I' = J as in every exponential family."""
    items = item_columns(rows, D=D)
    moments = expected_moments(items, theta)
    np.testing.assert_allclose(
        moments.information, expected_observed_information(items, theta), atol=1e-11, rtol=1e-9
    )
    np.testing.assert_allclose(
        observed_information(items, theta, [0] * len(rows)), moments.information, atol=1e-11, rtol=1e-9
    )
    np.testing.assert_allclose(moments.derivative, moments.bias_term, atol=1e-9, rtol=1e-8)
    lower, upper = fisher_information(items, [theta - 1e-4, theta + 1e-4])
    np.testing.assert_allclose(moments.derivative[0], (upper - lower) / 2e-4, atol=1e-5, rtol=1e-5)


@given(st.floats(0.2, 2.5), st.lists(st.floats(-3, 3), min_size=1, max_size=4), metrics, abilities)
def test_partial_credit_is_the_nominal_model_with_rising_slopes(
    a: float, steps: list[float], D: float, theta: float
) -> None:
    k = np.arange(1, len(steps) + 1)
    nominal = ItemParameters(
        "NRM", 1.0, tuple(-D * a * np.cumsum(steps)), slopes=tuple(float(value) for value in a * k)
    )
    credit = ItemParameters("GPCM", a, tuple(steps))
    both = item_columns([nominal, credit], D=D)
    p, information = category_probabilities(both, theta)[0], fisher_information(both, theta)[0]
    np.testing.assert_allclose(p[0], p[1], atol=1e-12)
    assert information[0] == pytest.approx(information[1], rel=1e-7, abs=1e-12)


def test_the_metric_multiplies_the_category_slopes_and_leaves_the_intercepts() -> None:
    normal = item_columns([ItemParameters("NRM", 1.0, (0.4, -0.7), slopes=(0.6, 1.1))], D=1.702)
    steep = ItemParameters("NRM", 1.0, (0.4, -0.7), slopes=(1.702 * 0.6, 1.702 * 1.1))
    logistic = item_columns([steep], D=1.0)
    theta = [-2.0, 0.0, 1.3]
    np.testing.assert_allclose(
        category_probabilities(normal, theta), category_probabilities(logistic, theta), atol=1e-15
    )
    np.testing.assert_allclose(category_probabilities(normal, 0.0)[0, 0], softmax([0.0, 0.4, -0.7]))


def test_the_order_of_the_other_categories_means_nothing() -> None:
    row = ItemParameters("NRM", 1.0, (0.4, -0.7, 0.1), slopes=(0.6, 1.1, -0.8))
    turned = ItemParameters("NRM", 1.0, row.b[::-1], slopes=row.slopes[::-1])
    p = category_probabilities(item_columns([row, turned], D=1.0), [-1.0, 0.5])
    np.testing.assert_allclose(p[:, 0, [0, 3, 2, 1]], p[:, 1], rtol=1e-14)


def test_a_rating_scale_item_is_a_partial_credit_item_of_the_same_steps() -> None:
    scale = rating_scale_items([-1.0, 2.0], [-0.5, 0.0, 0.5])
    assert [row.model for row in scale] == ["RSM", "RSM"]
    assert scale[1].b == (1.5, 2.0, 2.5)
    credit = [ItemParameters("PCM", 1.0, row.b) for row in scale]
    theta = np.linspace(-4, 4, 9)
    np.testing.assert_array_equal(
        category_log_probabilities(item_columns(scale, D=1.0), theta),
        category_log_probabilities(item_columns(credit, D=1.0), theta),
    )


@pytest.mark.parametrize("D", [1.0, 1.702])
def test_neighbours_of_another_model_change_no_bit(D: float) -> None:
    pool, theta = item_columns(MIXED, D=D), np.linspace(-5, 5, 11)
    for row, item in enumerate(MIXED):
        alone = item_columns([item], D=D)
        m = int(alone.category_counts[0])
        assert pool.category_counts[row] == m
        for of_pool, of_one in zip(
            (category_log_probabilities(pool, theta), *category_log_derivatives(pool, theta)),
            (category_log_probabilities(alone, theta), *category_log_derivatives(alone, theta)),
            strict=True,
        ):
            np.testing.assert_array_equal(of_pool[:, row, :m], of_one[:, 0])


def density(rows: list[ItemParameters], answers: list[int], theta: float) -> float:
    """Likelihood of a mixed pool at D = 1 in plain steps, independent of the code under test."""
    product = 1.0
    for row, answer in zip(rows, answers, strict=True):
        if answer == NOT_ADMINISTERED:
            continue
        if row.model == "NRM":
            p = softmax(exponents(row, theta, 1.0))
        elif row.model == "GRM":
            above = [1.0, *(1 / (1 + np.exp(-row.a * (theta - b))) for b in row.b), 0.0]
            p = -np.diff(above)
        elif row.model in {"GPCM", "RSM"}:
            p = softmax([0.0, *np.cumsum([row.a * (theta - b) for b in row.b])])
        else:
            s = row.c + (row.d - row.c) / (1 + np.exp(-row.a * (theta - row.b[0])))
            p = np.array([1 - s, s])
        product *= float(p[answer])
    return product


ANSWERS = [[1, 2, 1, 0, 3, 2, 1, 1], [0, 3, 0, 1, 1, 0, -1, 0], [1, 1, 3, 1, 4, 3, 3, -1]]


@pytest.mark.parametrize("answers", ANSWERS)
def test_estimates_in_a_mixed_pool_are_those_of_the_plain_likelihood(answers: list[int]) -> None:
    items = item_columns(MIXED, D=1.0)

    def height(theta: float) -> float:
        return density(MIXED, answers, theta) * float(normal_density(theta, STANDARD_NORMAL))

    mass, first, second = (
        quad(lambda t, k=k: t**k * height(t), -10, 10, epsabs=0, epsrel=1e-11, limit=200)[0] for k in range(3)
    )
    eap = eap_estimates(items, answers, converged_grid())[0]
    assert eap.theta == pytest.approx(first / mass, abs=1e-7)
    assert eap.standard_error == pytest.approx(np.sqrt(second / mass - (first / mass) ** 2), abs=1e-7)
    for got, target in (
        (map_estimates(items, answers, STANDARD_NORMAL)[0].theta, height),
        (maximum_likelihood_estimates(items, answers)[0].theta, lambda t: density(MIXED, answers, t)),
    ):
        best = minimize_scalar(lambda t, f=target: -np.log(f(t)), bounds=(-4, 4), options={"xatol": 1e-9})
        assert got == pytest.approx(best.x, abs=2e-6)
    assert np.isfinite(warm_estimates(items, answers)[0].theta)


def test_a_candidate_of_a_mixed_pool_gets_the_same_bits_alone() -> None:
    items = item_columns(MIXED, D=1.0)

    def mean(rows: ArrayLike) -> Estimates:
        return eap_estimates(items, rows, converged_grid())

    def mode(rows: ArrayLike) -> Estimates:
        return map_estimates(items, rows, STANDARD_NORMAL)

    def weighted(rows: ArrayLike) -> Estimates:
        return warm_estimates(items, rows)

    for estimates in (mean, mode, weighted):
        batch = estimates(ANSWERS)
        for candidate, answers in enumerate(ANSWERS):
            assert estimates(answers)[0] == batch[candidate]


def test_take_carries_the_category_slopes() -> None:
    items = item_columns(MIXED, D=1.0)
    picked = items.take([4, 1, 1])
    np.testing.assert_array_equal(
        category_log_probabilities(picked, 0.7)[0], category_log_probabilities(items, 0.7)[0][[4, 1, 1]]
    )
    assert items.take([0, 2]).category_counts.tolist() == [2, 4]
    assert item_columns([MIXED[0]], D=1.0).slopes is None


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ItemParameters("NRM", 1.2, (0.0,), slopes=(1.0,)), "NRM has slope 1, but a is 1.2"),
        (ItemParameters("NRM", 1.0, (0.0, 1.0), slopes=(1.0,)), "NRM has 2 intercepts but 1 slopes"),
        (ItemParameters("NRM", 1.0, (0.0,)), "NRM has 1 intercepts but 0 slopes"),
        (ItemParameters("NRM", 1.0, ()), "there is no threshold"),
        (ItemParameters("NRM", 1.0, (float("nan"),), slopes=(1.0,)), "b is not finite"),
        (ItemParameters("NRM", 1.0, (0.0,), slopes=(float("nan"),)), "a category slope is not finite"),
        (ItemParameters("NRM", 1.0, (0.0,), 0.2, slopes=(1.0,)), "NRM has no lower asymptote"),
        (ItemParameters("GPCM", 1.0, (0.0,), slopes=(1.0,)), "GPCM has no category slopes"),
        (ItemParameters("RSM", 1.2, (0.0, 1.0)), "RSM has slope 1, but a is 1.2"),
        (ItemParameters("RSM", 1.0, (0.0, 1.0), 0.0, 0.9), "RSM has no upper asymptote"),
    ],
)
def test_impossible_nominal_and_rating_scale_items_are_refused_by_row(
    row: ItemParameters, reason: str
) -> None:
    with pytest.raises(ValueError, match=f"row 1: .*{reason}"):
        item_columns([ItemParameters("2PL", 1.0, (0.0,)), row], D=1.0)


@pytest.mark.parametrize(
    ("slopes", "reason"),
    [
        (None, "row 0: a nominal item needs category slopes"),
        ([[1.0]], "slopes have shape"),
        ([[1.0, np.nan], [np.nan, np.nan]], "row 0: a category slope is missing"),
        ([[1.0, np.inf], [np.nan, np.nan]], "row 0: a category slope is infinite"),
        ([[1.0, 2.0], [1.0, np.nan]], "row 1: a category slope has no nominal category"),
    ],
)
def test_impossible_columns_of_category_slopes_are_refused(slopes: object, reason: str) -> None:
    family, ones = np.array([NOMINAL, 1]), np.ones(2)
    given_slopes = None if slopes is None else np.array(slopes, dtype=np.float64)
    with pytest.raises(ValueError, match=reason):
        ItemColumns(family, ones, np.array([[0.0, 1.0], [0.0, 1.0]]), 0 * ones, ones, given_slopes, D=1.0)
