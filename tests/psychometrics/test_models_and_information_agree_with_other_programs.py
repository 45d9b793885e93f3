"""Probabilities, information and score functions against catR and against published numbers."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from psychometrics.estimation.errors import error_of_information
from psychometrics.estimation.grids import STANDARD_NORMAL
from psychometrics.information import expected_moments, fisher_information, total_information
from psychometrics.models import dichotomous, polytomous
from psychometrics.models.items import (
    ItemColumns,
    category_log_derivatives,
    category_log_probabilities,
    category_probabilities,
    dichotomous_columns,
    expected_scores,
)

Bank = Callable[[str, float], ItemColumns]
Published = Callable[[dict[str, Any]], ItemColumns]


@pytest.mark.parametrize("name", ["2PL100", "3PL300", "4PL60", "GRM60", "GPCM60"])
def test_information_of_every_item(name: str, oracle: dict[str, Any], bank_of_oracle: Bank) -> None:
    known = oracle["information"][name]
    items = bank_of_oracle(name, known["D"])
    np.testing.assert_allclose(fisher_information(items, known["theta"]), known["Ii"], atol=1e-9)
    at_zero = expected_moments(items, 0.0)
    np.testing.assert_allclose(at_zero.derivative[0], known["dIi_at0"], atol=1e-9)
    np.testing.assert_allclose(at_zero.bias_term[0], known["Ji_at0"], atol=1e-9)


def test_information_on_the_normal_metric(oracle: dict[str, Any], bank_of_oracle: Bank) -> None:
    known = oracle["information"]["3PL300"]
    items = bank_of_oracle("3PL300", 1.702)
    np.testing.assert_allclose(fisher_information(items, known["theta"]), known["Ii_D1.702"], atol=1e-9)


@pytest.mark.parametrize("name", ["2PL100", "3PL300", "4PL60"])
def test_probabilities_of_dichotomous_items(name: str, oracle: dict[str, Any]) -> None:
    a, b, c, d = np.array(oracle["banks"][name]["items"][:5]).T
    got = dichotomous.probabilities(0.5, a, b, c, d, D=1.0)
    np.testing.assert_allclose(got[0], oracle["information"][name]["Pi_at0.5_first5"], atol=1e-9)


@pytest.mark.parametrize(
    ("name", "probabilities"),
    [
        ("GRM60", polytomous.graded_probabilities),
        ("GPCM60", polytomous.partial_credit_probabilities),
    ],
)
def test_probabilities_of_polytomous_items(
    name: str, probabilities: Callable[..., np.ndarray], oracle: dict[str, Any]
) -> None:
    rows = np.array(oracle["banks"][name]["items"][:5], dtype=np.float64)  # an absent category becomes NaN
    got = probabilities(0.5, rows[:, 0], rows[:, 1:], D=1.0)[0]
    for item, known in enumerate(oracle["information"][name]["Pi_at0.5_first5"]):
        np.testing.assert_allclose(got[item, : len(known)], known, atol=1e-9)
        assert (got[item, len(known) :] == 0).all()


def test_published_standard_errors(oracle: dict[str, Any], published_items: Published) -> None:
    priors = {"adt/se_eid": None, "adt/se_4pl": None, "adt/se_bm_4pl": STANDARD_NORMAL, "adt/gpcm_se0": None}
    entries = {entry["id"]: entry for entry in oracle["published"] if entry["id"] in priors}
    assert entries.keys() == priors.keys()
    for name, entry in entries.items():
        information = total_information(published_items(entry["given"]), entry["given"]["theta"])
        got = error_of_information(information, priors[name])[0]
        assert got == pytest.approx(entry["expected"], abs=entry["abs_tol"]), name


def test_published_numbers_of_smarter_balanced(oracle: dict[str, Any], published_items: Published) -> None:
    checked = 0
    for entry in oracle["published"]:
        if not entry["id"].startswith("smarter/"):
            continue
        items, given = published_items(entry["given"]), entry["given"]
        derivatives = category_log_derivatives(items, given["theta"])
        if "_info_" in entry["id"]:
            got = fisher_information(items, given["theta"])[0, 0]
        elif "_expected_" in entry["id"]:
            got = expected_scores(items, given["theta"])[0, 0]
        elif "_d1_" in entry["id"]:
            got = derivatives.score[0, 0, given["u"]]
        else:
            got = derivatives.curvature[0, 0, given["u"]]
        assert got == pytest.approx(entry["expected"], abs=entry["abs_tol"]), entry["id"]
        checked += 1
    assert checked >= 10


def test_published_numbers_of_test_design(oracle: dict[str, Any], published_items: Published) -> None:
    checked = 0
    theta = np.arange(-3.0, 4.0)
    for entry in oracle["published"]:
        if not entry["id"].startswith("testdesign/"):
            continue
        items = published_items(entry["given"])
        if entry["id"].endswith("fisher"):
            got = np.log(fisher_information(items, theta)).sum()
        elif entry["id"].endswith("prob"):
            got = category_log_probabilities(items, theta).sum()
        else:
            got = np.log(expected_scores(items, theta)).sum()
        assert got == pytest.approx(entry["expected"], abs=entry["abs_tol"]), entry["id"]
        checked += 1
    assert checked >= 8


def test_an_item_worked_by_hand() -> None:
    """3PL, a = 1, b = 0, c = 0.2 at theta = 0: P = 0.6, P' = 0.2, I = 0.2^2 / (0.6 * 0.4) = 1 / 6."""
    assert dichotomous.probabilities(0.0, 1.0, 0.0, 0.2, 1.0, D=1.0)[0, 0] == pytest.approx(0.6)
    items = _one_three_parameter_item()
    assert fisher_information(items, 0.0)[0, 0] == pytest.approx(1 / 6)
    np.testing.assert_allclose(category_probabilities(items, 0.0)[0, 0], [0.4, 0.6])
    assert category_log_derivatives(items, 0.0).score[0, 0, 1] == pytest.approx(1 / 3)
    assert math.exp(category_log_probabilities(items, 0.0)[0, 0, 0]) == pytest.approx(0.4)


def _one_three_parameter_item() -> ItemColumns:
    return dichotomous_columns(1.0, 0.0, 0.2, 1.0, D=1.0)
