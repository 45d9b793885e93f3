"""Whole adaptive sittings of 20 items, run again and compared item by item with catR and mirtCAT."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from psychometrics.estimation.eap import eap_estimates
from psychometrics.estimation.estimates import Estimate, Estimates
from psychometrics.estimation.grids import STANDARD_NORMAL, catr_grid, trapezoid_grid
from psychometrics.estimation.posterior_mode import map_estimates
from psychometrics.estimation.weighted_likelihood import warm_estimates
from psychometrics.models.items import ItemColumns
from psychometrics.selection.choice import best_item
from psychometrics.selection.criteria import CRITERIA
from psychometrics.selection.reading import PoolAt, pool_at
from psychometrics.selection.tables import CriterionTables, criterion_tables, evidence

Bank = Callable[[str, float], ItemColumns]
Look = Callable[[CriterionTables, float], PoolAt]
DENSE = trapezoid_grid(STANDARD_NORMAL, lower=-12.0, upper=12.0, count=1201)
ESTIMATORS: dict[str, Callable[[ItemColumns, list[int]], Estimates]] = {
    "BM": lambda items, x: map_estimates(items, x, STANDARD_NORMAL),
    "WL": warm_estimates,
    "EAP": lambda items, x: eap_estimates(items, x, catr_grid()),
    "EAP_dense": lambda items, x: eap_estimates(items, x, DENSE),
}
BY_NAME = {criterion.known_as: criterion for criterion in CRITERIA.values()}


@pytest.fixture(scope="module")
def tables_of(bank_of_oracle: Bank) -> Callable[[str, float], CriterionTables]:
    @cache
    def tables(name: str, D: float) -> CriterionTables:
        return criterion_tables(bank_of_oracle(name, D), catr_grid().nodes)

    return tables


def _computed(tables: CriterionTables, theta: float) -> PoolAt:
    return pool_at(tables.items, theta)


def _read(tables: CriterionTables, theta: float) -> PoolAt:
    return tables.reader.at(theta)


def _rerun(
    tables: CriterionTables, trace: dict[str, Any], answers: list[int], look: Look
) -> tuple[list[int], list[Estimate]]:
    """The items of the sitting and the estimate after each, from the answers to the whole bank."""
    criterion, estimator = BY_NAME[trace["select"]], ESTIMATORS[trace["estimate"]]
    free = np.ones(len(tables), dtype=np.bool_)
    given: list[int] = []
    estimates: list[Estimate] = []
    for _ in range(trace["length"]):
        known = evidence(tables, given, [answers[item] for item in given], STANDARD_NORMAL)
        if given:
            values = criterion.values(tables, known, look(tables, estimates[-1].theta))
            item = best_item(values, criterion.sense, free)
        else:
            first = BY_NAME["MFI"]
            item = best_item(first.values(tables, known, look(tables, 0.0)), first.sense, free)
        free[item] = False
        given.append(item)
        estimates.append(estimator(tables.items.take(given), [answers[item] for item in given])[0])
    return given, estimates


def _answers(oracle: dict[str, Any], trace: dict[str, Any]) -> list[int]:
    """What the candidate of the trace answers to each item of the bank."""
    (full,) = [
        full["responses"]
        for full in oracle["full_responses"]
        if (full["bank"], full["true_theta"]) == (trace["bank"], trace["true_theta"])
    ]
    return [int(answer) for answer in full]


@pytest.mark.parametrize("estimate", ESTIMATORS)
def test_every_sitting_is_the_same_item_for_item(
    estimate: str, oracle: dict[str, Any], tables_of: Callable[[str, float], CriterionTables]
) -> None:
    checked = 0
    for trace in oracle["traces"]:
        if trace["estimate"] != estimate:
            continue
        tables = tables_of(trace["bank"], float(trace["D"]))
        items, estimates = _rerun(tables, trace, _answers(oracle, trace), _computed)
        label = str((trace["bank"], trace["true_theta"], trace["select"]))
        assert items == trace["items"], label
        np.testing.assert_allclose(
            [one.theta for one in estimates], trace["theta"], atol=1e-6, rtol=0, err_msg=label
        )
        np.testing.assert_allclose(
            [one.standard_error for one in estimates], trace["se"], atol=1e-6, rtol=0, err_msg=label
        )
        checked += 1
    assert checked >= 5


def test_sittings_that_read_the_pool_from_tables_take_the_same_items(
    oracle: dict[str, Any], tables_of: Callable[[str, float], CriterionTables]
) -> None:
    """Reading is good to about 1e-6, so only sittings without a close decision must agree."""
    checked = 0
    for trace in oracle["traces"]:
        if trace["smallest_relative_gap"] <= 1e-3 or trace["estimate"] != "EAP":
            continue
        tables = tables_of(trace["bank"], float(trace["D"]))
        items, _ = _rerun(tables, trace, _answers(oracle, trace), _read)
        assert items == trace["items"], (trace["bank"], trace["true_theta"], trace["select"])
        checked += 1
    assert checked >= 10


def test_every_pair_of_criterion_and_estimator_recorded_is_run(oracle: dict[str, Any]) -> None:
    assert {trace["select"] for trace in oracle["traces"]} <= BY_NAME.keys()
    assert {trace["estimate"] for trace in oracle["traces"]} == ESTIMATORS.keys()
