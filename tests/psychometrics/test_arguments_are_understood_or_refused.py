"""What a caller writes is understood or refused with the row, never computed into nonsense."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from psychometrics.classification import levels
from psychometrics.estimation.conventions import ErrorConvention, standard_errors_by
from psychometrics.estimation.errors import InformationKind, standard_errors
from psychometrics.estimation.grids import STANDARD_NORMAL, catr_grid
from psychometrics.estimation.jeffreys import (
    JeffreysError,
    jeffreys_mode_estimates,
    jeffreys_standard_errors,
)
from psychometrics.estimation.no_maximum import NoMaximum, NoMaximumPolicy, likelihood_estimates
from psychometrics.estimation.posterior_mode import map_estimates
from psychometrics.estimation.robust import (
    ResidualMetric,
    RobustSettings,
    RobustWeight,
    robust_estimates,
    robust_standard_errors,
)
from psychometrics.models.items import ItemColumns, ItemParameters, dichotomous_columns, item_columns
from psychometrics.multidimensional import information as of_several
from psychometrics.multidimensional.items import MultidimensionalItem, multidimensional_columns
from psychometrics.selection.choice import Sense, best_item, best_items, randomesque_item
from psychometrics.selection.content import ContentBounds, weighted_deviations
from psychometrics.selection.criteria import CRITERIA
from psychometrics.selection.expected import (
    AnswerChance,
    expected_information,
    expected_information_after,
    expected_information_after_mode,
    expected_posterior_variance,
)
from psychometrics.selection.location import distance_to
from psychometrics.selection.reading import pool_at
from psychometrics.selection.tables import criterion_tables, evidence

ITEMS = dichotomous_columns([1.2, 0.8, 1.6], [0.0, 1.0, -0.5], 0.2, 1.0, D=1.702)
GIVEN = [[1, 0, 1]]
ALL_RIGHT = [[1, 1, 1]]
TABLES = criterion_tables(ITEMS, catr_grid().nodes)
KNOWN = evidence(TABLES, [0], [1], STANDARD_NORMAL)
FREE = [True, True, True]
SEVERAL = multidimensional_columns(
    [MultidimensionalItem("M3PL", (1.0, 0.5), (0.2,), 0.2), MultidimensionalItem("M2PL", (0.4, 1.1), (0.0,))],
    D=1.0,
)


def _after(items: ItemColumns, matrix: Any) -> Any:
    return map_estimates(items, matrix, STANDARD_NORMAL)


BY_NAME: dict[str, tuple[type[Any], Callable[[Any], Any]]] = {
    "best_item": (Sense, lambda name: best_item([1.0, 2.0, 3.0], name, FREE)),
    "best_items": (Sense, lambda name: best_items([1.0, 2.0, 3.0], name, FREE, 2)),
    "randomesque_item": (Sense, lambda name: randomesque_item([1.0, 2.0, 3.0], name, FREE, 2, 0.1)),
    "standard_errors": (
        InformationKind,
        lambda name: standard_errors(ITEMS, GIVEN, 0.3, kind=name, prior=None),
    ),
    "errors_of_several": (
        InformationKind,
        lambda name: of_several.standard_errors(SEVERAL, [[1, 0]], [[0.1, 0.2]], kind=name, prior=None),
    ),
    "standard_errors_by": (
        ErrorConvention,
        lambda name: standard_errors_by(
            name, ITEMS, GIVEN, 0.3, prior=STANDARD_NORMAL if "bayes" in name or "post" in name else None
        ),
    ),
    "jeffreys_standard_errors": (
        JeffreysError,
        lambda name: jeffreys_standard_errors(ITEMS, GIVEN, 0.3, error=name),
    ),
    "jeffreys_mode": (
        JeffreysError,
        lambda name: jeffreys_mode_estimates(ITEMS, GIVEN, error=name).standard_error,
    ),
    "robust_weight": (
        RobustWeight,
        lambda name: robust_estimates(ITEMS, GIVEN, RobustSettings(name, 1.5)).theta,
    ),
    "robust_residual": (
        ResidualMetric,
        lambda name: robust_estimates(ITEMS, GIVEN, RobustSettings(residual=name)).theta,
    ),
    "no_maximum": (
        NoMaximumPolicy,
        lambda name: likelihood_estimates(ITEMS, ALL_RIGHT, no_maximum=NoMaximum(name)).theta,
    ),
    "expected_posterior_variance": (
        AnswerChance,
        lambda name: expected_posterior_variance(TABLES, KNOWN, pool_at(ITEMS, 0.3), chance=name),
    ),
    "expected_information": (
        AnswerChance,
        lambda name: expected_information(TABLES, KNOWN, pool_at(ITEMS, 0.3), chance=name),
    ),
    "expected_information_after_mode": (
        InformationKind,
        lambda name: expected_information_after_mode(ITEMS, [0], [1], 0.3, STANDARD_NORMAL, kind=name),
    ),
    "expected_information_after": (
        InformationKind,
        lambda name: expected_information_after(ITEMS, [0], [1], 0.3, _after, kind=name)[1:],
    ),
}


@pytest.mark.parametrize("function", BY_NAME)
def test_an_option_written_as_text_is_the_option(function: str) -> None:
    options, call = BY_NAME[function]
    answers = {option: call(option) for option in options}
    for option, answer in answers.items():
        np.testing.assert_array_equal(call(str(option.value)), answer, err_msg=option)
    assert len({np.asarray(answer).tobytes() for answer in answers.values()}) > 1, "the options do not differ"


@pytest.mark.parametrize("function", BY_NAME)
def test_an_unknown_option_is_refused_with_those_that_exist(function: str) -> None:
    options, call = BY_NAME[function]
    known = ", ".join(option.value for option in options)
    with pytest.raises(ValueError, match=f"{options.__name__} is one of {known}, not 'otherwise'"):
        call("otherwise")


@pytest.mark.parametrize("estimate", [[0.1, np.nan], [0.1, np.inf]])
def test_a_level_is_of_a_finite_estimate(estimate: list[float]) -> None:
    with pytest.raises(ValueError, match="row 1: the estimate is not finite"):
        levels(estimate, [0.0])


ANSWERS = [
    ([0, 0], [1, 1], "twice"),
    ([7], [1], "row 0: the item is not of this pool"),
    ([1, -1], [1, 1], "row 1: the item is not of this pool"),
    ([0], [2], "row 0: the item has no such category"),
    ([0], [-1], "row 0: the item has no such category"),
    ([0, 1], [1], "2 items administered, but 1 responses"),
    ([0.6], [1], "items administered must be whole numbers"),
    ([0], [0.7], "responses must be whole numbers"),
    ([True, False], [1, 0], "items administered must be whole numbers"),
]


@pytest.mark.parametrize(("administered", "responses", "reason"), ANSWERS)
def test_the_answers_so_far_are_checked_wherever_they_enter(
    administered: Any, responses: Any, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        evidence(TABLES, administered, responses, STANDARD_NORMAL)
    with pytest.raises(ValueError, match=reason):
        expected_information_after_mode(ITEMS, administered, responses, 0.3, STANDARD_NORMAL)
    with pytest.raises(ValueError, match=reason):
        expected_information_after(ITEMS, administered, responses, 0.3, _after)


def test_before_the_first_answer_there_is_nothing_to_check() -> None:
    one = expected_information_after_mode(ITEMS, [], [], 0.0, STANDARD_NORMAL)
    np.testing.assert_allclose(one, expected_information_after(ITEMS, [], [], 0.0, _after), rtol=1e-9)
    assert map_estimates(ITEMS.take([]), [[]], STANDARD_NORMAL).theta.tolist() == [0.0]


@pytest.mark.parametrize("columns", [ITEMS, SEVERAL], ids=["one", "several"])
def test_items_are_taken_by_row_or_by_mask(columns: Any) -> None:
    mask = np.arange(len(columns)) == 1
    assert columns.take(mask).c.tolist() == columns.take([1]).c.tolist() == [columns.c[1]]
    assert len(columns.take([1, 1, 0])) == 3
    for rows, reason in [
        ([0.0, 1.0], "rows must be whole numbers"),
        ([-1], "there is no row -1"),
        ([9], "there is no row 9"),
        ([True] * 7, "a mask of"),
        ([[0]], "one-dimensional"),
    ]:
        with pytest.raises(ValueError, match=reason):
            columns.take(rows)


def test_content_is_counted_of_items_of_the_pool() -> None:
    bounds = ContentBounds(np.eye(3), np.zeros(3), np.full(3, 2.0), np.ones(3))
    assert bounds.counts([2, 0]).tolist() == [1.0, 0.0, 1.0]
    wrong: list[tuple[list[float], str]] = [
        ([-1], "row 0"),
        ([1, 3], "row 1"),
        ([1, 1], "twice"),
        ([0.5], "whole numbers"),
    ]
    for administered, reason in wrong:
        with pytest.raises(ValueError, match=reason):
            bounds.counts(administered)
        with pytest.raises(ValueError, match=reason):
            weighted_deviations(bounds, administered, FREE, [1.0] * 3, length=3, information_weight=1.0)


AT_THETA: dict[str, Callable[[Any], Any]] = {
    "expected": lambda t: standard_errors(ITEMS, GIVEN * 2, t, kind=InformationKind.EXPECTED, prior=None),
    "jeffreys": lambda t: jeffreys_standard_errors(ITEMS, GIVEN * 2, t, error=JeffreysError.CATR),
    "by_convention": lambda t: standard_errors_by(ErrorConvention.SANDWICH, ITEMS, GIVEN * 2, t),
    "robust": lambda t: robust_standard_errors(ITEMS, GIVEN * 2, t, RobustSettings()),
}


@pytest.mark.parametrize("function", AT_THETA)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_errors_at_no_ability_are_refused(function: str, wrong: float) -> None:
    assert np.isfinite(AT_THETA[function]([0.2, 0.3])).all()
    with pytest.raises(ValueError, match="row 1: theta is not finite"):
        AT_THETA[function]([0.2, wrong])
    with pytest.raises(ValueError, match="row 0: theta is not finite"):
        AT_THETA[function](wrong)
    with pytest.raises(ValueError, match="theta has shape"):
        AT_THETA[function]([0.2, 0.3, 0.4])


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_nothing_is_near_no_ability(wrong: float) -> None:
    assert np.isnan(distance_to([0.0, np.nan], 1.0)).tolist() == [False, True]
    with pytest.raises(ValueError, match="theta must be finite"):
        distance_to([0.0, 1.0], wrong)


def test_slopes_that_are_no_slopes_any_more_are_refused() -> None:
    steep = ItemParameters("2PL", 1000.0, (0.0,))
    assert len(item_columns([steep], D=1.0)) == 1
    for item, D in [
        (steep, 1.702),
        (ItemParameters("2PL", 1e300, (0.0,)), 1.0),
        (ItemParameters("GRM", 1e4, (0.0, 1.0)), 1.0),
        (ItemParameters("NRM", 1.0, (0.0,), slopes=(-1e4,)), 1.0),
    ]:
        with pytest.raises(ValueError, match=r"row 1: .*slope D a is"):
            item_columns([ItemParameters("2PL", 1.0, (0.0,)), item], D=D)
    with pytest.raises(ValueError, match="row 0: slope D a is"):
        multidimensional_columns([MultidimensionalItem("M2PL", (1e4, 1.0), (0.0,))], D=1.0)


def test_items_that_say_nothing_have_no_robust_estimate() -> None:
    silent = dichotomous_columns([0.0, 0.0], [0.0, 1.0], 0.0, 1.0, D=1.0)
    with pytest.raises(ValueError, match="row 0: the items given say nothing about ability"):
        robust_estimates(silent, [[1, 0]], RobustSettings())


@pytest.mark.parametrize("b", [0.5, "0.5", None, ("x",), (0.1, None)])
def test_difficulties_are_a_tuple_of_numbers(b: Any) -> None:
    with pytest.raises(ValueError, match=r"row 1: b (is a tuple of numbers|holds)"):
        item_columns([ItemParameters("GRM", 1.0, (0.0, 1.0)), ItemParameters("GRM", 1.0, b)], D=1.0)


def test_expected_information_of_two_kinds_has_two_names() -> None:
    names = [criterion.known_as for criterion in CRITERIA.values()]
    assert len(set(names)) == len(names)
    assert "MEI" not in names, "what others call MEI is expected_information_after_mode"
