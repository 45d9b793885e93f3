"""What must be true of the response models for any parameters and any ability."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psychometrics.information import (
    expected_moments,
    expected_observed_information,
    fisher_information,
    observed_information,
    total_information,
)
from psychometrics.models import dichotomous, polytomous
from psychometrics.models.items import (
    ItemColumns,
    ItemParameters,
    category_log_derivatives,
    category_log_probabilities,
    category_probabilities,
    dichotomous_columns,
    expected_scores,
    item_columns,
)

slopes = st.floats(0.2, 3.0)
places = st.floats(-4.0, 4.0)
metrics = st.sampled_from([1.0, 1.702])
abilities = st.floats(-6.0, 6.0)


@st.composite
def any_item(draw: st.DrawFn) -> ItemParameters:
    model = draw(st.sampled_from(["2PL", "3PL", "4PL", "GRM", "GPCM", "PCM"]))
    a = draw(slopes)
    if model in {"GRM", "GPCM", "PCM"}:
        steps = draw(st.lists(places, min_size=1, max_size=5))
        if model == "GRM":
            steps = list(np.cumsum([steps[0], *(0.05 + abs(step) for step in steps[1:])]))
        return ItemParameters(model, 1.0 if model == "PCM" else a, tuple(steps))
    c = 0.0 if model == "2PL" else draw(st.floats(0.0, 0.5))
    d = draw(st.floats(0.7, 1.0)) if model == "4PL" else 1.0
    return ItemParameters(model, a, (draw(places),), c, d)


any_items = st.lists(any_item(), min_size=1, max_size=6)


@given(any_items, metrics, st.floats(-1e6, 1e6))
def test_probabilities_are_a_distribution_at_any_ability(
    rows: list[ItemParameters], D: float, theta: float
) -> None:
    items = item_columns(rows, D=D)
    p = category_probabilities(items, theta)[0]
    assert ((p >= 0) & (p <= 1 + 4e-16)).all()  # a last-place unit over 1 is rounding
    np.testing.assert_allclose(p.sum(axis=1), 1.0, rtol=1e-13)
    for row, count in enumerate(items.category_counts):
        assert (p[row, count:] == 0).all()
    information = fisher_information(items, theta)
    assert np.isfinite(information).all()
    assert (information >= 0).all()


@given(any_items, metrics, abilities)
def test_derivatives_are_those_of_the_log_probabilities(
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


@given(any_items, metrics, abilities)
def test_fisher_information_is_the_negative_expected_second_derivative(
    rows: list[ItemParameters], D: float, theta: float
) -> None:
    items = item_columns(rows, D=D)
    np.testing.assert_allclose(
        fisher_information(items, theta), expected_observed_information(items, theta), atol=1e-11, rtol=1e-9
    )


@given(any_items, metrics, abilities)
def test_moments_agree_with_numerical_derivatives(rows: list[ItemParameters], D: float, theta: float) -> None:
    """I' against a difference of I; J against its definition with P' and P'' taken numerically."""
    items, h = item_columns(rows, D=D), 1e-4
    got = expected_moments(items, theta)
    lower, upper = fisher_information(items, [theta - h, theta + h])
    # the difference's own error grows with I''' h^2: relative where information is steep
    np.testing.assert_allclose(got.derivative[0], (upper - lower) / (2 * h), atol=1e-6, rtol=1e-5)
    before, here, after = category_probabilities(items, [theta - h, theta, theta + h])
    some = here > 1e-4
    term = np.zeros_like(here)
    first, second = (after - before) / (2 * h), (after - 2 * here + before) / h**2
    term[some] = (first * second)[some] / here[some]
    rare = ~some & (here > 0)
    if not rare.any():
        np.testing.assert_allclose(got.bias_term[0], term.sum(axis=1), atol=1e-4, rtol=1e-4)


@given(any_items, metrics, abilities, st.floats(-5.0, 5.0), st.floats(0.25, 4.0))
def test_a_linear_change_of_the_metric_changes_no_probability(
    rows: list[ItemParameters], D: float, theta: float, shift: float, stretch: float
) -> None:
    moved = [
        ItemParameters(
            "GPCM" if row.model == "PCM" else row.model,
            row.a / stretch,
            tuple(stretch * b + shift for b in row.b),
            row.c,
            row.d,
        )
        for row in rows
    ]
    old, new = item_columns(rows, D=D), item_columns(moved, D=D)
    there = stretch * theta + shift
    np.testing.assert_allclose(
        category_probabilities(new, there), category_probabilities(old, theta), atol=1e-11
    )
    np.testing.assert_allclose(
        fisher_information(new, there) * stretch**2, fisher_information(old, theta), atol=1e-9, rtol=1e-9
    )


@given(st.lists(any_item().filter(lambda row: row.model != "PCM"), min_size=1, max_size=4), abilities)
def test_the_normal_metric_is_a_steeper_slope(rows: list[ItemParameters], theta: float) -> None:
    steeper = [ItemParameters(row.model, 1.702 * row.a, row.b, row.c, row.d) for row in rows]
    np.testing.assert_allclose(
        fisher_information(item_columns(rows, D=1.702), theta),
        fisher_information(item_columns(steeper, D=1.0), theta),
        rtol=1e-10,
    )


@given(slopes, places, metrics, abilities)
def test_with_two_categories_all_models_are_the_two_parameter_model(
    a: float, b: float, D: float, theta: float
) -> None:
    known = dichotomous.probabilities(theta, a, b, 0.0, 1.0, D=D)[0, 0]
    for probabilities in (polytomous.graded_probabilities, polytomous.partial_credit_probabilities):
        np.testing.assert_allclose(
            probabilities(theta, [a], [[b]], D=D)[0, 0], [1 - known, known], atol=1e-14
        )


@given(any_item(), metrics, abilities)
def test_turning_the_scale_round_turns_the_categories_round(
    row: ItemParameters, D: float, theta: float
) -> None:
    """Holds for every model here: also the 4PL, whose asymptotes change places."""
    turned = ItemParameters(
        "4PL" if len(row.b) == 1 and row.model in {"2PL", "3PL", "4PL"} else row.model,
        row.a,
        tuple(-b for b in reversed(row.b)),
        1.0 - row.d,
        1.0 - row.c,
    )
    here = category_probabilities(item_columns([row], D=D), theta)[0, 0]
    there = category_probabilities(item_columns([turned], D=D), -theta)[0, 0]
    np.testing.assert_allclose(there[::-1], here, atol=1e-14)


@given(any_items, metrics, abilities, st.floats(0.01, 3.0))
def test_expected_score_rises_with_ability(
    rows: list[ItemParameters], D: float, theta: float, more: float
) -> None:
    lower, upper = expected_scores(item_columns(rows, D=D), [theta, theta + more])
    assert (upper >= lower - 1e-14).all()


@settings(max_examples=30)
@given(any_items, metrics, st.lists(abilities, min_size=2, max_size=5))
def test_many_abilities_at_once_give_the_same_as_one_by_one(
    rows: list[ItemParameters], D: float, theta: list[float]
) -> None:
    items = item_columns(rows, D=D)
    table, information = category_log_probabilities(items, theta), fisher_information(items, theta)
    assert table.shape == (len(theta), len(rows), items.thresholds.shape[1] + 1)
    for point, value in enumerate(theta):
        np.testing.assert_array_equal(table[point], category_log_probabilities(items, value)[0])
        np.testing.assert_array_equal(information[point], fisher_information(items, value)[0])
    np.testing.assert_allclose(total_information(items, theta), information.sum(axis=1))


def test_log_probabilities_stay_exact_far_in_the_tails() -> None:
    """At theta = b - 1000 / a the probability is below every float, its logarithm is -1000."""
    far = [-1000.0, 1000.0]
    two = dichotomous.log_probabilities(far, 1.0, 0.0, 0.0, 1.0, D=1.0)[:, 0]
    np.testing.assert_allclose(two, [[0.0, -1000.0], [-1000.0, 0.0]], atol=1e-12)
    guessing = dichotomous.log_probabilities(far, 1.0, 0.0, 0.2, 0.9, D=1.0)[:, 0]
    np.testing.assert_allclose(guessing, np.log([[0.8, 0.2], [0.1, 0.9]]), rtol=1e-13)
    graded, credit = (
        category_log_probabilities(item_columns([ItemParameters(model, 1.0, (-1.0, 1.0))], D=1.0), far)[:, 0]
        for model in ("GRM", "GPCM")
    )
    middle = np.log(np.e - 1 / np.e)  # s(z + 1) - s(z - 1) tends to e^z (e - 1/e)
    np.testing.assert_allclose(graded, [[0, middle - 1000, -1001], [-1001, middle - 1000, 0]], atol=1e-9)
    np.testing.assert_allclose(credit, [[0, -999, -2000], [-2000, -999, 0]], atol=1e-9)


def test_the_score_does_not_die_in_the_tail() -> None:
    """A wrong answer of an immensely able candidate pulls with the full slope D a; naive forms give 0 / 0."""
    items = dichotomous_columns([1.5, 1.5], [0.0, 0.0], [0.0, 0.2], [1.0, 1.0], D=2.0)
    score = category_log_derivatives(items, [-900.0, 900.0]).score
    assert score[1, :, 0] == pytest.approx([-3.0, -3.0])
    assert score[0, 0, 1] == pytest.approx(3.0)
    assert score[0, 1, 1] == 0.0


def test_observed_information_differs_only_where_it_should() -> None:
    rows = [
        ItemParameters("2PL", 1.2, (0.3,)),
        ItemParameters("GPCM", 0.8, (0.5, -0.5, 1.0)),
        ItemParameters("3PL", 1.2, (0.3,), 0.25),
        ItemParameters("GRM", 1.1, (-0.5, 0.8)),
    ]
    items = item_columns(rows, D=1.0)
    expected = fisher_information(items, -1.5)[0]
    observed = observed_information(items, -1.5, [1, 3, 1, 1])[0]
    assert observed[:2] == pytest.approx(expected[:2])
    assert observed[2] < 0 < expected[2]
    assert abs(observed[3] - expected[3]) > 0.01
    assert (observed_information(items, -1.5, [-1, -1, -1, -1]) == 0).all()


def test_rating_scale_steps_are_locations_plus_distances() -> None:
    steps = polytomous.rating_scale_steps([-1.0, 2.0], [-0.5, 0.0, 0.5])
    np.testing.assert_array_equal(steps, [[-1.5, -1.0, -0.5], [1.5, 2.0, 2.5]])


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ItemParameters("3PL", float("nan"), (0.0,), 0.2), "a is not finite"),
        (ItemParameters("3PL", -0.1, (0.0,), 0.2), "slope a is negative"),
        (ItemParameters("3PL", 1.0, (float("inf"),), 0.2), "b is not finite"),
        (ItemParameters("3PL", 1.0, (float("nan"),), 0.2), "b is not finite"),
        (ItemParameters("3PL", 1.0, (0.0,), 1.0), "c is not below 1"),
        (ItemParameters("3PL", 1.0, (0.0,), -0.1), "c is negative"),
        (ItemParameters("3PL", 1.0, (0.0,), float("nan")), "c is not finite"),
        (ItemParameters("4PL", 1.0, (0.0,), 0.4, 0.4), "d is not above the lower asymptote c"),
        (ItemParameters("4PL", 1.0, (0.0,), 0.4, 1.1), "d is above 1"),
        (ItemParameters("2PL", 1.0, (0.0,), 0.2), "2PL has no lower asymptote"),
        (ItemParameters("3PL", 1.0, (0.0,), 0.2, 0.9), "3PL has no upper asymptote"),
        (ItemParameters("2PL", 1.0, (0.0, 1.0)), "2PL takes one difficulty"),
        (ItemParameters("GRM", 1.0, (0.0, 0.0)), "graded thresholds do not increase"),
        (ItemParameters("GRM", 0.0, (0.0, 1.0)), "slope a of a graded item is zero"),
        (ItemParameters("GPCM", 1.0, ()), "there is no threshold"),
        (ItemParameters("GPCM", 1.0, (0.0, float("nan"))), "b is not finite"),
        (ItemParameters("PCM", 1.2, (0.0, 1.0)), "PCM has slope 1"),
        (ItemParameters("5PL", 1.0, (0.0,)), "model '5PL' is not one of"),
    ],
)
def test_impossible_parameters_are_refused_by_row(row: ItemParameters, reason: str) -> None:
    with pytest.raises(ValueError, match=f"row 1: .*{reason}"):
        item_columns([ItemParameters("2PL", 1.0, (0.0,)), row], D=1.0)


def test_impossible_columns_are_refused_by_row() -> None:
    with pytest.raises(ValueError, match="row 1: slope a is negative"):
        dichotomous.probabilities(0.0, [1.0, -1.0], [0.0, 0.0], 0.0, 1.0, D=1.0)
    with pytest.raises(ValueError, match="row 0: graded thresholds do not increase"):
        polytomous.graded_probabilities(0.0, [1.0], [[1.0, 0.0]], D=1.0)
    with pytest.raises(ValueError, match="row 0: a threshold follows an absent one"):
        polytomous.partial_credit_probabilities(0.0, [1.0], [[float("nan"), 0.0]], D=1.0)
    with pytest.raises(ValueError, match="D must be positive"):
        dichotomous_columns(1.0, 0.0, 0.0, 1.0, D=0.0)
    with pytest.raises(ValueError, match="theta 1 is not finite"):
        fisher_information(dichotomous_columns(1.0, 0.0, 0.0, 1.0, D=1.0), [0.0, float("nan")])


def test_columns_cannot_be_written_to_and_keep_no_link_to_their_source() -> None:
    a = np.array([1.0])
    items: ItemColumns = dichotomous_columns(a, 0.0, 0.0, 1.0, D=1.0)
    a[0] = 9.0
    assert items.a[0] == 1.0
    with pytest.raises(ValueError, match="read-only"):
        items.a[0] = 2.0
