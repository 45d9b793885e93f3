"""Multidimensional items: their probabilities, derivatives and information."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit, softmax

from psychometrics.estimation.eap import log_likelihood as unidimensional_log_likelihood
from psychometrics.estimation.errors import InformationKind
from psychometrics.information import fisher_information as unidimensional_information
from psychometrics.models.items import ItemParameters, item_columns
from psychometrics.models.items import category_log_probabilities as unidimensional_log_probabilities
from psychometrics.multidimensional.grids import correlated_prior
from psychometrics.multidimensional.information import (
    fisher_information,
    log_likelihood,
    log_likelihood_gradient,
    log_likelihood_hessian,
    standard_errors,
    total_information,
)
from psychometrics.multidimensional.items import (
    MultidimensionalColumns,
    MultidimensionalItem,
    between_item_columns,
    category_log_gradients,
    category_log_probabilities,
    category_probabilities,
    multidimensional_columns,
)

slopes = st.floats(0.0, 2.5)
intercepts = st.floats(-3.0, 3.0)
metrics = st.sampled_from([1.0, 1.702])


@st.composite
def any_item(draw: st.DrawFn, dimensions: int) -> MultidimensionalItem:
    model = draw(st.sampled_from(["M2PL", "M3PL", "M4PL", "MGRM", "MGPCM"]))
    a = tuple(draw(slopes) for _ in range(dimensions))
    if model in {"MGRM", "MGPCM"}:
        values = draw(st.lists(intercepts, min_size=1, max_size=4))
        if model == "MGRM":
            values = list(values[0] - np.cumsum([0.0, *(0.1 + abs(value) for value in values[1:])]))
        return MultidimensionalItem(model, a, tuple(values))
    c = 0.0 if model == "M2PL" else draw(st.floats(0.0, 0.4))
    d = draw(st.floats(0.7, 1.0)) if model == "M4PL" else 1.0
    return MultidimensionalItem(model, a, (draw(intercepts),), c, d)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[MultidimensionalItem], float, list[float]]:
    dimensions = draw(st.integers(1, 3))
    rows = draw(st.lists(any_item(dimensions), min_size=1, max_size=4))
    theta = [draw(st.floats(-4.0, 4.0)) for _ in range(dimensions)]
    return rows, draw(metrics), theta


def by_definition(row: MultidimensionalItem, D: float, theta: list[float]) -> list[float]:
    """The model's formula in plain steps."""
    eta = sum(a * t for a, t in zip(row.slopes, theta, strict=True))
    if row.model == "MGRM":
        above = [1.0, *(expit(D * (eta + e)) for e in row.intercepts), 0.0]
        return [float(value) for value in -np.diff(above)]
    if row.model == "MGPCM":
        return [float(p) for p in softmax([0.0, *np.cumsum([D * (eta + e) for e in row.intercepts])])]
    p = row.c + (row.d - row.c) * expit(D * (eta + row.intercepts[0]))
    return [float(1 - p), float(p)]


@given(cases())
def test_probabilities_are_those_of_the_formula(
    case: tuple[list[MultidimensionalItem], float, list[float]],
) -> None:
    rows, D, theta = case
    got = category_probabilities(multidimensional_columns(rows, D=D), theta)[0]
    for row, values in zip(rows, got, strict=True):
        want = by_definition(row, D, theta)
        np.testing.assert_allclose(values[: len(want)], want, atol=1e-13)
        assert (values[len(want) :] == 0).all()


@given(cases(), st.sampled_from([-1e6, 1e6]))
def test_values_stay_finite_at_any_ability(
    case: tuple[list[MultidimensionalItem], float, list[float]], far: float
) -> None:
    rows, D, theta = case
    items = multidimensional_columns(rows, D=D)
    point = [far, *theta[1:]]
    p = category_probabilities(items, point)[0]
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-12)
    assert np.isfinite(category_log_gradients(items, point)).all()
    assert np.isfinite(fisher_information(items, point)).all()
    top = np.asarray(items.composite.category_counts) - 1
    assert np.isfinite(log_likelihood(items, top, point)).all()


@given(cases())
def test_gradients_are_those_of_the_log_probabilities(
    case: tuple[list[MultidimensionalItem], float, list[float]],
) -> None:
    rows, D, theta = case
    items, h = multidimensional_columns(rows, D=D), 1e-5
    got = category_log_gradients(items, theta)[0]
    for k in range(len(theta)):
        step = h * np.eye(len(theta))[k]
        before, after = category_log_probabilities(items, [np.array(theta) - step, np.array(theta) + step])
        there = np.isfinite(before)
        np.testing.assert_allclose(
            got[..., k][there], (after[there] - before[there]) / (2 * h), atol=1e-6, rtol=1e-5
        )


@given(cases(), st.data())
def test_likelihood_gradient_and_hessian_are_its_derivatives(
    case: tuple[list[MultidimensionalItem], float, list[float]], data: st.DataObject
) -> None:
    rows, D, theta = case
    items, K, h = multidimensional_columns(rows, D=D), len(theta), 1e-5
    answers = [data.draw(st.integers(-1, int(m) - 1)) for m in items.composite.category_counts]
    gradient = log_likelihood_gradient(items, answers, theta)[0]
    hessian = log_likelihood_hessian(items, answers, theta)[0]
    for k in range(K):
        step = h * np.eye(K)[k]
        pair = [np.array(theta) - step, np.array(theta) + step]
        lower, upper = log_likelihood(items, answers, pair)[0]
        np.testing.assert_allclose(gradient[k], (upper - lower) / (2 * h), atol=2e-6, rtol=1e-5)
        below, above = (log_likelihood_gradient(items, answers, point)[0] for point in pair)
        np.testing.assert_allclose(hessian[k], (above - below) / (2 * h), atol=2e-6, rtol=1e-5)


@given(cases())
def test_information_is_the_expected_outer_product_and_the_expected_curvature(
    case: tuple[list[MultidimensionalItem], float, list[float]],
) -> None:
    rows, D, theta = case
    items = multidimensional_columns(rows, D=D)
    p, gradient = category_probabilities(items, theta)[0], category_log_gradients(items, theta)[0]
    outer = np.einsum("nm,nmk,nml->nkl", p, gradient, gradient)
    got = fisher_information(items, theta)
    assert got.shape == (1, len(rows), len(theta), len(theta))
    np.testing.assert_allclose(got[0], outer, atol=1e-12, rtol=1e-10)
    np.testing.assert_allclose(total_information(items, theta)[0], outer.sum(axis=0), atol=1e-12, rtol=1e-10)
    for row in range(len(rows)):
        one = items.take([row])
        expected = sum(
            -p[row, k] * log_likelihood_hessian(one, [k], theta)[0]
            for k in range(int(items.composite.category_counts[row]))
        )
        np.testing.assert_allclose(got[0, row], expected, atol=1e-10, rtol=1e-8)


BETWEEN = [
    ItemParameters("2PL", 1.2, (0.3,)),
    ItemParameters("GPCM", 0.9, (0.4, -0.3, 1.1)),
    ItemParameters("3PL", 1.4, (-0.6,), 0.2),
    ItemParameters("GRM", 1.6, (-1.2, -0.1, 0.9)),
]


@pytest.mark.parametrize("D", [1.0, 1.702])
def test_items_of_one_dimension_are_the_unidimensional_items(D: float) -> None:
    plain = item_columns(BETWEEN, D=D)
    items = between_item_columns(plain, [0, 1, 1, 0], 2)
    theta = np.array([[-1.5, 0.7], [0.4, -2.0], [2.2, 1.1]])
    of_first, of_second = (unidimensional_log_probabilities(plain, theta[:, k]) for k in (0, 1))
    got = category_log_probabilities(items, theta)
    np.testing.assert_allclose(got[:, [0, 3]], of_first[:, [0, 3]], atol=1e-12)
    np.testing.assert_allclose(got[:, [1, 2]], of_second[:, [1, 2]], atol=1e-12)
    information = fisher_information(items, theta)
    np.testing.assert_allclose(information[:, 0, 0, 0], unidimensional_information(plain, theta[:, 0])[:, 0])
    np.testing.assert_allclose(information[:, 1, 1, 1], unidimensional_information(plain, theta[:, 1])[:, 1])
    assert (information[:, :, 0, 1] == 0).all()
    answers = [[1, 2, 0, 3], [-1, 0, 1, -1]]
    first, second = [[1, -1, -1, 3], [-1, -1, -1, -1]], [[-1, 2, 0, -1], [-1, 0, 1, -1]]
    np.testing.assert_allclose(
        log_likelihood(items, answers, theta),
        unidimensional_log_likelihood(plain, first, theta[:, 0])
        + unidimensional_log_likelihood(plain, second, theta[:, 1]),
        atol=1e-11,
    )


def test_standard_errors_keep_their_two_names_apart() -> None:
    rows = [
        MultidimensionalItem("M3PL", (1.2, 0.4), (0.3,), 0.2),
        MultidimensionalItem("M3PL", (0.3, 1.5), (-0.5,), 0.2),
        MultidimensionalItem("M2PL", (0.9, 0.9), (0.1,)),
    ]
    items, theta, answers = multidimensional_columns(rows, D=1.0), [[0.4, -0.3]], [1, 0, 1]
    prior = correlated_prior([0, 0], [1, 1.2], [[1, 0.5], [0.5, 1]])
    expected = total_information(items, theta)[0] + np.linalg.inv(prior.covariance)
    observed = -log_likelihood_hessian(items, answers, theta)[0] + np.linalg.inv(prior.covariance)
    for kind, precision in ((InformationKind.EXPECTED, expected), (InformationKind.OBSERVED, observed)):
        got = standard_errors(items, answers, theta, kind=kind, prior=prior)
        np.testing.assert_allclose(got[0], np.sqrt(np.diag(np.linalg.inv(precision))), rtol=1e-12)
    assert abs(expected - observed).max() > 0.01


def test_an_ability_that_no_item_fixes_has_an_infinite_error() -> None:
    plain = item_columns([ItemParameters("2PL", 1.2, (0.3,))], D=1.0)
    items = between_item_columns(plain, [1], 3)
    got = standard_errors(items, [1], [[0.0, 0.5, 0.0]], kind=InformationKind.EXPECTED, prior=None)[0]
    alone = unidimensional_information(plain, 0.5)[0, 0] ** -0.5
    np.testing.assert_allclose(got, [np.inf, alone, np.inf])
    both = multidimensional_columns([MultidimensionalItem("M2PL", (1.0, 0.5), (0.0,))], D=1.0)
    one = standard_errors(both, [1], [[0.0, 0.0]], kind=InformationKind.EXPECTED, prior=None)
    assert np.isinf(one).all()
    none = standard_errors(both, [-1], [[0.0, 0.0]], kind=InformationKind.OBSERVED, prior=None)
    assert np.isinf(none).all()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (MultidimensionalItem("M2PL", (1.0,), (0.0,)), "1 slopes among items of 2 dimensions"),
        (MultidimensionalItem("M2PL", (1.0, -0.1), (0.0,)), "a slope is negative"),
        (MultidimensionalItem("M2PL", (1.0, float("nan")), (0.0,)), "a slope is not finite"),
        (MultidimensionalItem("M2PL", (1.0, 1.0), (float("inf"),)), "an intercept is not finite"),
        (MultidimensionalItem("M2PL", (1.0, 1.0), (0.0, 1.0)), "M2PL takes one intercept, not 2"),
        (MultidimensionalItem("M2PL", (1.0, 1.0), (0.0,), 0.2), "M2PL has no lower asymptote"),
        (MultidimensionalItem("M3PL", (1.0, 1.0), (0.0,), 0.2, 0.9), "M3PL has no upper asymptote"),
        (MultidimensionalItem("M3PL", (1.0, 1.0), (0.0,), 1.0), "c is not below 1"),
        (MultidimensionalItem("MGRM", (1.0, 1.0), (0.0, 0.5)), "graded intercepts do not decrease"),
        (MultidimensionalItem("MGPCM", (1.0, 1.0), ()), "there is no threshold"),
        (MultidimensionalItem("2PL", (1.0, 1.0), (0.0,)), "model '2PL' is not one of"),
    ],
)
def test_impossible_items_are_refused_by_row(row: MultidimensionalItem, reason: str) -> None:
    with pytest.raises(ValueError, match=f"row 1: .*{reason}"):
        multidimensional_columns([MultidimensionalItem("M2PL", (1.0, 0.5), (0.0,)), row], D=1.0)


def test_other_shapes_are_refused() -> None:
    items = multidimensional_columns([MultidimensionalItem("M2PL", (1.0, 0.5), (0.0,))], D=1.0)
    with pytest.raises(ValueError, match=r"expected \(q, 2\)"):
        category_probabilities(items, [0.0, 1.0, 2.0])
    with pytest.raises(ValueError, match="row 1: theta is not finite"):
        category_probabilities(items, [[0.0, 1.0], [0.0, np.nan]])
    with pytest.raises(ValueError, match="there is no category 2"):
        log_likelihood(items, [2], [0.0, 0.0])
    with pytest.raises(ValueError, match="2 thetas for 1 candidates"):
        log_likelihood_gradient(items, [1], [[0.0, 0.0], [1.0, 1.0]])
    nominal = item_columns([ItemParameters("NRM", 1.0, (0.0,), slopes=(1.0,))], D=1.0)
    with pytest.raises(ValueError, match="row 0: a nominal item"):
        between_item_columns(nominal, [0], 2)
    plain = item_columns(BETWEEN, D=1.0)
    with pytest.raises(ValueError, match="row 2: the dimension is not one of 0 to 1"):
        between_item_columns(plain, [0, 1, 2, 0], 2)
    columns = np.zeros(2)
    with pytest.raises(ValueError, match="slopes have shape"):
        MultidimensionalColumns(
            np.zeros(2, dtype=np.int64), columns, columns[:, None], columns, columns, D=1.0
        )
