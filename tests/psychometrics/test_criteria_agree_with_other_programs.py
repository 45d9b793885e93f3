"""Selection criteria against catR: the values of the best five items in every recorded state."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from psychometrics.arrays import FloatArray
from psychometrics.estimation.errors import InformationKind
from psychometrics.estimation.grids import STANDARD_NORMAL, catr_grid
from psychometrics.estimation.posterior_mode import map_estimates
from psychometrics.models.items import ItemColumns
from psychometrics.selection.choice import Sense, best_items
from psychometrics.selection.content import content_group
from psychometrics.selection.criteria import CRITERIA
from psychometrics.selection.expected import expected_information_after, expected_information_after_mode
from psychometrics.selection.location import difficulties, distance_to, information_maxima
from psychometrics.selection.reading import PoolAt, pool_at
from psychometrics.selection.stratification import strata_by
from psychometrics.selection.tables import CriterionTables, criterion_tables, evidence

Bank = Callable[[str, float], ItemColumns]
OF_TABLES = {
    "MFI": "maximum_information",
    "MLWI": "likelihood_weighted_information",
    "MPWI": "posterior_weighted_information",
    "KL": "likelihood_weighted_divergence",
    "KLP": "posterior_weighted_divergence",
    "GDI": "discrimination_index",
    "GDIP": "posterior_discrimination_index",
    "MEPV": "expected_posterior_variance",
}
OTHERS = {"MEI_Fisher", "MEI_observed", "bOpt", "thOpt"}
ROUNDING = 1e-11
"""The recorded values have eleven decimals."""


@pytest.fixture(scope="module")
def tables_of(bank_of_oracle: Bank) -> Callable[[str], CriterionTables]:
    @cache
    def tables(name: str) -> CriterionTables:
        return criterion_tables(bank_of_oracle(name, 1.0), catr_grid().nodes)

    return tables


def _check(state: dict[str, Any], name: str, values: FloatArray, sense: Sense) -> None:
    known, label = state[name], (state["id"], name)
    assert known["want"] == sense.value, label
    free = np.ones(values.size, dtype=np.bool_)
    free[state["administered"]] = False
    assert best_items(values, sense, free, 5).tolist() == known["top5"], label
    np.testing.assert_allclose(values[known["top5"]], known["values"], rtol=1e-7, atol=ROUNDING)


@pytest.mark.parametrize("name", OF_TABLES)
def test_values_and_best_items_of_criteria_from_tables(
    name: str, oracle: dict[str, Any], tables_of: Callable[[str], CriterionTables]
) -> None:
    criterion, checked = CRITERIA[OF_TABLES[name]], 0
    for state in oracle["next_item"]:
        if name not in state:
            continue
        tables = tables_of(state["bank"])
        known = evidence(tables, state["administered"], state["responses"], STANDARD_NORMAL)
        _check(
            state,
            name,
            criterion.values(tables, known, pool_at(tables.items, state["theta"])),
            criterion.sense,
        )
        checked += 1
    assert checked >= 16
    assert criterion.known_as == name


@pytest.mark.parametrize(
    ("name", "kind"),
    [("MEI_Fisher", InformationKind.EXPECTED), ("MEI_observed", InformationKind.OBSERVED)],
)
def test_expected_information_after_the_updated_mode(
    name: str, kind: InformationKind, oracle: dict[str, Any], bank_of_oracle: Bank
) -> None:
    for state in oracle["next_item"]:
        values = expected_information_after_mode(
            bank_of_oracle(state["bank"], 1.0),
            state["administered"],
            state["responses"],
            state["theta"],
            STANDARD_NORMAL,
            kind=kind,
        )
        _check(state, name, values, Sense.MAXIMISE)


def test_expected_information_after_any_estimator(oracle: dict[str, Any], bank_of_oracle: Bank) -> None:
    states = [state for state in oracle["next_item"] if state["bank"] in {"4PL60", "GPCM60"}]
    for state in states[:4] + states[-2:]:
        values = expected_information_after(
            bank_of_oracle(state["bank"], 1.0),
            state["administered"],
            state["responses"],
            state["theta"],
            lambda items, matrix: map_estimates(items, matrix, STANDARD_NORMAL),
        )
        assert np.isnan(values[state["administered"]]).all()
        _check(state, "MEI_Fisher", values, Sense.MAXIMISE)


def test_distance_to_difficulty_and_to_the_place_of_most_information(
    oracle: dict[str, Any], bank_of_oracle: Bank
) -> None:
    checked = 0
    for state in oracle["next_item"]:
        items = bank_of_oracle(state["bank"], 1.0)
        for name, places in (("bOpt", difficulties), ("thOpt", information_maxima)):
            if name in state:
                _check(state, name, distance_to(places(items), state["theta"]), Sense.MINIMISE)
                checked += 1
    assert checked >= 32


def test_every_criterion_recorded_is_checked_here(oracle: dict[str, Any]) -> None:
    recorded = {
        key for state in oracle["next_item"] for key, value in state.items() if isinstance(value, dict)
    }
    assert recorded == OF_TABLES.keys() | OTHERS


def test_reading_the_pool_from_the_table_changes_no_choice(
    oracle: dict[str, Any], tables_of: Callable[[str], CriterionTables]
) -> None:
    for state in oracle["next_item"]:
        tables = tables_of(state["bank"])
        read, exact = tables.reader.at(state["theta"]), pool_at(tables.items, state["theta"])
        _near(read, exact)
        known = evidence(tables, state["administered"], state["responses"], STANDARD_NORMAL)
        free = np.ones(len(tables), dtype=np.bool_)
        free[state["administered"]] = False
        for criterion in CRITERIA.values():
            chosen = [
                best_items(criterion.values(tables, known, at), criterion.sense, free, 1)
                for at in (read, exact)
            ]
            assert chosen[0] == chosen[1], state["id"]


def _near(read: PoolAt, exact: PoolAt) -> None:
    np.testing.assert_allclose(read.probabilities, exact.probabilities, atol=1e-6)
    np.testing.assert_allclose(read.information, exact.information, atol=2e-5)


def test_content_groups_of_kingsbury_and_zara(oracle: dict[str, Any], bank_of_oracle: Bank) -> None:
    known = oracle["kingsbury_zara"]
    items = bank_of_oracle(known["bank"], 1.0)
    names, group = list(known["targets"]), np.arange(len(items)) % 4
    for case in known["cases"]:
        given = np.asarray(case["administered"])
        counts = np.bincount(group[given], minlength=4)
        np.testing.assert_allclose(counts / counts.sum(), case["emp"])
        chosen = content_group(list(known["targets"].values()), counts, np.ones(4, dtype=np.bool_))
        assert names[chosen] == case["group"]
        free = group == chosen
        free[given] = False
        information = pool_at(items, case["theta"]).information
        assert best_items(information, Sense.MAXIMISE, free, 1)[0] == case["chosen"]


def test_strata_of_equal_size_by_slope(oracle: dict[str, Any], bank_of_oracle: Bank) -> None:
    known = oracle["a_stratified"]
    strata = strata_by(bank_of_oracle(known["bank"], 1.0).a, known["K"])
    assert [f"Group{stratum + 1}" for stratum in strata] == known["strata"]
