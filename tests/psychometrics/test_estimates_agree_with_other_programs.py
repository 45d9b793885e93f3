"""Every estimator against catR, mirt and catIrt, case by case."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from psychometrics.estimation.eap import (
    deviation_about,
    eap_estimate,
    eap_estimates,
    log_likelihood,
    posterior,
)
from psychometrics.estimation.estimates import Estimate
from psychometrics.estimation.grids import (
    STANDARD_NORMAL,
    NormalPrior,
    catr_grid,
    converged_grid,
    trapezoid_grid,
)
from psychometrics.estimation.jeffreys import JeffreysError, jeffreys_mode_estimates
from psychometrics.estimation.no_maximum import NoMaximum, likelihood_estimates
from psychometrics.estimation.posterior_mode import (
    map_estimate,
    map_estimates,
    maximum_likelihood_estimates,
)
from psychometrics.estimation.robust import ResidualMetric, RobustSettings, robust_estimates
from psychometrics.estimation.search import Bounds
from psychometrics.estimation.weighted_likelihood import warm_estimates
from psychometrics.models.items import ItemColumns, dichotomous_columns

Bank = Callable[[str, float], ItemColumns]
SHIFTED = NormalPrior(0.5, 1.5)
DENSE = trapezoid_grid(STANDARD_NORMAL, lower=-12.0, upper=12.0, count=1201)
HUBER_OF_CATR = RobustSettings(tuning=1.0, residual=ResidualMetric.CATR)
DICHOTOMOUS_BANKS = {"2PL100", "3PL300", "4PL60"}
BANKS = DICHOTOMOUS_BANKS | {"GRM60", "GPCM60"}
KEYS = {"ML or bound": "ML"}

ESTIMATORS: dict[str, Callable[[ItemColumns, list[int]], Estimate]] = {
    "ML": lambda items, x: maximum_likelihood_estimates(items, x)[0],
    "ML or bound": lambda items, x: likelihood_estimates(items, x, no_maximum=NoMaximum())[0],
    "BM_Jeffreys": lambda items, x: jeffreys_mode_estimates(items, x, error=JeffreysError.CATR)[0],
    "ROB_Huber1": lambda items, x: robust_estimates(items, x, HUBER_OF_CATR)[0],
    "WL": lambda items, x: warm_estimates(items, x)[0],
    "BM": lambda items, x: map_estimate(items, x, STANDARD_NORMAL),
    "BM(0.5,1.5)": lambda items, x: map_estimate(items, x, SHIFTED),
    "EAP": lambda items, x: eap_estimate(items, x, catr_grid()),
    "EAP(0.5,1.5)": lambda items, x: eap_estimate(items, x, catr_grid(SHIFTED)),
    "EAP_dense": lambda items, x: eap_estimate(items, x, DENSE),
}


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_theta_and_standard_error_of_every_case(
    estimator: str, oracle: dict[str, Any], bank_of_oracle: Bank
) -> None:
    key, seen = KEYS.get(estimator, estimator), set()
    for case in oracle["estimates"]:
        if key not in case:  # robust weights are for items scored 0 or 1
            continue
        items = bank_of_oracle(case["bank"], case["D"]).take(case["items"])
        got = ESTIMATORS[estimator](items, case["responses"])
        label = (case["id"], case["D"])
        assert got.theta == pytest.approx(case[key]["theta"], abs=1e-6), label
        assert got.standard_error == pytest.approx(case[key]["se"], abs=1e-6), label
        seen.add(case["bank"])
    assert seen == (DICHOTOMOUS_BANKS if key == "ROB_Huber1" else BANKS)


def test_the_error_of_jeffreys_mode_is_catrs_where_d_is_one(
    oracle: dict[str, Any], bank_of_oracle: Bank
) -> None:
    """catR forgets D in the prior's curvature; with D = 1.702 its error is another number than ours."""
    apart = []
    for case in oracle["estimates"]:
        items = bank_of_oracle(case["bank"], case["D"]).take(case["items"])
        got, catr = jeffreys_mode_estimates(items, case["responses"])[0], case["BM_Jeffreys"]
        if case["D"] == 1:
            assert got.standard_error == pytest.approx(catr["se"], abs=1e-6), case["id"]
        else:
            apart.append(abs(got.standard_error - catr["se"]))
    assert max(apart) > 0.1


def test_every_key_of_every_case_has_its_estimator(oracle: dict[str, Any]) -> None:
    named = {key for case in oracle["estimates"] for key, value in case.items() if isinstance(value, dict)}
    assert named == {KEYS.get(name, name) for name in ESTIMATORS}


def test_estimates_at_every_step_of_the_recorded_sittings(
    oracle: dict[str, Any], bank_of_oracle: Bank
) -> None:
    """The sittings that were steered by MAP and by Warm's estimate."""
    steered = {"BM": lambda items, x: map_estimates(items, x, STANDARD_NORMAL), "WL": warm_estimates}
    checked = set()
    for trace in oracle["traces"]:
        if trace["estimate"] not in steered:
            continue
        bank = bank_of_oracle(trace["bank"], trace["D"])
        matrix = np.full((len(trace["items"]), len(trace["items"])), -1)
        for step, response in enumerate(trace["responses"]):
            matrix[step:, step] = response
        got = steered[trace["estimate"]](bank.take(trace["items"]), matrix)
        np.testing.assert_allclose(got.theta, trace["theta"], atol=1e-6)
        np.testing.assert_allclose(got.standard_error, trace["se"], atol=1e-6)
        checked.add((trace["estimate"], trace["bank"]))
    assert {("BM", "3PL300"), ("WL", "3PL300")} <= checked


def test_the_default_grid_is_converged(oracle: dict[str, Any], bank_of_oracle: Bank) -> None:
    for case in oracle["estimates"]:
        items = bank_of_oracle(case["bank"], case["D"]).take(case["items"])
        got = eap_estimate(items, case["responses"], converged_grid())
        assert got.theta == pytest.approx(case["EAP_dense"]["theta"], abs=2e-8), case["id"]
        assert got.standard_error == pytest.approx(case["EAP_dense"]["se"], abs=2e-8), case["id"]


def test_log_likelihood(oracle: dict[str, Any], bank_of_oracle: Bank) -> None:
    for case in oracle["estimates"]:
        items = bank_of_oracle(case["bank"], case["D"]).take(case["items"])
        got = log_likelihood(items, case["responses"], [-2.0, 0.0, 2.0])[0]
        np.testing.assert_allclose(got, case["loglik_at_-2_0_2"], atol=1e-9)


def test_global_maximum_of_likelihoods_with_two_maxima(oracle: dict[str, Any], bank_of_oracle: Bank) -> None:
    cases = oracle["multimodal_ml_3PL"]["cases"]
    assert len(cases) >= 5
    for case in cases:
        items = bank_of_oracle(case["bank"], 1.0).take(case["items"])
        got = maximum_likelihood_estimates(items, case["responses"], bounds=Bounds(-6.0, 6.0))
        assert got.theta[0] == pytest.approx(case["global_mle"], abs=1e-6)
        height = log_likelihood(items, case["responses"], [got.theta[0], *case["local_maxima"]])[0]
        assert height[0] >= height[1:].max() - 1e-12


def test_estimates_along_whole_adaptive_sittings(oracle: dict[str, Any], bank_of_oracle: Bank) -> None:
    """Step by step of the recorded sittings, the responses so far marked in a matrix over the whole bank."""
    checked = 0
    for trace in oracle["traces"]:
        if trace["estimate"] not in {"EAP", "EAP_dense"}:
            continue
        bank = bank_of_oracle(trace["bank"], trace["D"])
        matrix = np.full((len(trace["items"]), len(bank)), -1)
        for step, (item, response) in enumerate(zip(trace["items"], trace["responses"], strict=True)):
            matrix[step:, item] = response
        got = eap_estimates(bank, matrix, catr_grid() if trace["estimate"] == "EAP" else DENSE)
        np.testing.assert_allclose(got.theta, trace["theta"], atol=1e-6)
        np.testing.assert_allclose(got.standard_error, trace["se"], atol=1e-6)
        checked += 1
    assert checked >= 20


def test_published_estimates(
    oracle: dict[str, Any], published_items: Callable[[dict[str, Any]], ItemColumns]
) -> None:
    checked = set()
    for entry in oracle["published"]:
        given = entry["given"]
        method = given.get("method") or ("ML" if "_ml_" in entry["id"] else None)
        if method is None or not entry["verified"]:
            continue
        items = published_items(given)
        got = {
            "ML": lambda items=items, x=given["x"]: maximum_likelihood_estimates(items, x)[0],
            "EAP 33 nodes [-4,4]": lambda items=items, x=given["x"]: eap_estimate(items, x, catr_grid()),
        }[method]()
        assert got.theta == pytest.approx(entry["expected"], abs=entry["abs_tol"]), entry["id"]
        checked.add(entry["id"])
    assert {"adt/ml_4pl", "caMST/eap", "adt/grm_ml_[2, 1, 2]", "adt/gpcm_ml_[2, 1, 2]"} <= checked


def test_published_numbers_of_two_short_tests() -> None:
    """Values of condecon/adaptivetesting and of catR by way of caMST, as their tests state them."""
    four = [(1.32, -0.63, 0.17, 0.87), (1.07, 0.18, 0.10, 0.93), (0.84, -0.84, 0.19, 1.0)]
    items = _four_parameter(four)
    assert map_estimate(items, [0, 1, 0], STANDARD_NORMAL).theta == pytest.approx(-0.4741753, abs=1e-6)
    assert eap_estimate(items, [0, 1, 0], catr_grid()).theta == pytest.approx(-0.4565068, abs=1e-6)
    got = map_estimate(
        _four_parameter([(1, -1, 0, 1), (1.2, 0, 0, 1), (0.8, 1, 0, 1)]), [1, 0, 1], STANDARD_NORMAL
    )
    assert got.theta == pytest.approx(0.1307695, abs=1e-6)
    assert got.standard_error == pytest.approx(0.7705124, abs=1e-6)


def test_posterior_deviation_about_another_point(
    oracle: dict[str, Any], published_items: Callable[[dict[str, Any]], ItemColumns]
) -> None:
    (entry,) = [entry for entry in oracle["published"] if entry["id"] == "adt/se_eap_around_0"]
    items, grid = published_items(entry["given"]), catr_grid()
    mass = posterior(log_likelihood(items, entry["given"]["x"], grid.nodes), grid)
    about = deviation_about(mass, grid, np.array([float(entry["given"]["about"])]))
    assert about[0] == pytest.approx(entry["recomputed"], abs=1e-9)


def _four_parameter(rows: list[tuple[float, float, float, float]]) -> ItemColumns:
    a, b, c, d = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    return dichotomous_columns(a, b, c, d, D=1.0)
