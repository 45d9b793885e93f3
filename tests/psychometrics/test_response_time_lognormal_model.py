"""The lognormal response-time model against the results of another program, and against its definition."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad

from psychometrics.arrays import FloatArray
from psychometrics.estimation.grids import NormalPrior
from psychometrics.response_time import (
    TimeColumns,
    expected_time_s,
    information_per_second,
    log_density,
    maximum_likelihood_speeds,
    posterior_speeds,
    time_misfit,
)

FOLDER = Path(__file__).parents[1] / "oracles" / "calibration"


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((FOLDER / "rt_lognormal.json").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def times() -> FloatArray:
    with (FOLDER / "rt_800x20.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    return np.array(rows[1:], dtype=np.float64)


@pytest.fixture(scope="module")
def items(reference: dict[str, Any]) -> TimeColumns:
    return TimeColumns(np.array(reference["alpha"]), np.array(reference["beta"]))


def test_maximum_likelihood_speeds_agree(
    reference: dict[str, Any], items: TimeColumns, times: FloatArray
) -> None:
    got = maximum_likelihood_speeds(items, times)
    assert got.tau[:10] == pytest.approx(reference["tau_ml_first10"], abs=1e-9)
    assert got.standard_error[0] == pytest.approx(np.sum(items.alpha**2) ** -0.5)


def test_posterior_speeds_agree(reference: dict[str, Any], items: TimeColumns, times: FloatArray) -> None:
    """The file's posterior means carry one and the same constant: beta entered with the wrong sign there."""
    prior = NormalPrior(0.0, float(np.sqrt(reference["tau_var"])))
    got = posterior_speeds(items, times, prior)
    assert got.standard_error[:10] == pytest.approx([reference["tau_post_sd"]] * 10, abs=1e-9)
    doubled = 2.0 * np.sum(items.alpha**2 * items.beta) * reference["tau_post_sd"] ** 2
    assert got.tau[:10] - doubled == pytest.approx(reference["tau_eap_first10"], abs=1e-6)


def test_time_misfit_agrees(reference: dict[str, Any], items: TimeColumns, times: FloatArray) -> None:
    got = time_misfit(items, times)
    assert got.statistic[:10] == pytest.approx(reference["l_t_first10"], abs=1e-7)
    assert (got.degrees_of_freedom == 19).all()
    assert got.p_value[:10] == pytest.approx(stats.chi2.sf(reference["l_t_first10"], 19), abs=1e-9)


def test_the_densities_make_up_the_marginal_log_likelihood(
    reference: dict[str, Any], items: TimeColumns, times: FloatArray
) -> None:
    """ln p(t) = ln p(t | tau) + ln p(tau) - ln p(tau | t) at any tau; the reference is that of ln t."""
    prior = NormalPrior(0.0, float(np.sqrt(reference["tau_var"])))
    speed = posterior_speeds(items, times, prior)
    tau = speed.tau + 0.05
    joint = log_density(items, times, tau).sum(axis=1) + stats.norm.logpdf(tau, 0.0, prior.sd)
    marginal = joint - stats.norm.logpdf(tau, speed.tau, speed.standard_error)
    assert marginal.sum() + np.log(times).sum() == pytest.approx(reference["logLik"], abs=1e-6)


def test_the_density_is_one_and_its_mean_the_expected_time() -> None:
    items = TimeColumns(np.array([1.8]), np.array([3.9]))

    def density(seconds: float) -> float:
        return float(np.exp(log_density(items, [[seconds]], 0.4)[0, 0]))

    whole, mean = (
        quad(lambda t, k=k: t**k * density(t), 0, 4000, points=[10, 40, 100], limit=400)[0] for k in (0, 1)
    )
    assert whole == pytest.approx(1.0, abs=1e-8)
    assert expected_time_s(items, 0.4)[0, 0] == pytest.approx(mean, rel=1e-7)


def test_an_uncertain_speed_lengthens_the_expected_time() -> None:
    """The mean of exp(-tau) over N(m, v) is exp(-m + v / 2)."""
    items = TimeColumns(np.array([1.8, 2.2]), np.array([3.9, 4.4]))
    known = expected_time_s(items, [0.1, -0.3])
    assert known.shape == (2, 2)
    unsure = expected_time_s(items, [0.1, -0.3], [0.04, 0.0])
    assert unsure[0] == pytest.approx(known[0] * np.exp(0.02))
    assert unsure[1] == pytest.approx(known[1])


def test_items_without_a_time_do_not_count(items: TimeColumns, times: FloatArray) -> None:
    some = times[:3].copy()
    some[:, 12:] = np.nan
    first = items.take(np.arange(12))
    whole, part = maximum_likelihood_speeds(items, some), maximum_likelihood_speeds(first, times[:3, :12])
    assert whole.tau == pytest.approx(part.tau, rel=1e-14)
    assert whole.standard_error == pytest.approx(part.standard_error, rel=1e-14)
    assert (time_misfit(items, some).degrees_of_freedom == 11).all()
    assert np.isnan(log_density(items, some, [0.0, 0.0, 0.0])[:, 12:]).all()
    nothing = np.full((1, len(items)), np.nan)
    prior = NormalPrior(0.2, 0.3)
    assert posterior_speeds(items, nothing, prior).tau[0] == pytest.approx(0.2)
    assert posterior_speeds(items, nothing, prior).standard_error[0] == pytest.approx(0.3)
    with pytest.raises(ValueError, match="row 0: no response time"):
        maximum_likelihood_speeds(items, nothing)
    single = np.where(np.arange(len(items)) == 0, 30.0, np.nan)
    assert np.isnan(time_misfit(items, single).p_value[0])


def test_information_per_second_prefers_the_quicker_of_equal_items() -> None:
    items = TimeColumns(np.array([2.0, 2.0]), np.array([3.0, 4.0]))
    rate = information_per_second([[0.5, 0.5]], expected_time_s(items, 0.0))
    assert rate[0, 0] / rate[0, 1] == pytest.approx(np.e)
    with pytest.raises(ValueError, match="expected time"):
        information_per_second(0.5, 0.0)


@pytest.mark.parametrize(
    ("alpha", "beta", "reason"),
    [
        ([1.0, 0.0], [3.0, 3.0], "row 1: alpha"),
        ([1.0, np.nan], [3.0, 3.0], "row 1: alpha"),
        ([1.0, 1.0], [np.inf, 3.0], "row 0: beta"),
        ([1.0], [3.0, 3.0], "share one axis"),
    ],
)
def test_impossible_time_parameters_are_refused(alpha: list[float], beta: list[float], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        TimeColumns(np.array(alpha), np.array(beta))


def test_impossible_times_and_speeds_are_refused(items: TimeColumns) -> None:
    for wrong in (0.0, -3.0, np.inf):
        times = np.full((2, len(items)), 30.0)
        times[1, 4] = wrong
        with pytest.raises(ValueError, match="candidate 1, item 4"):
            maximum_likelihood_speeds(items, times)
    with pytest.raises(ValueError, match="times have shape"):
        time_misfit(items, [[1.0, 2.0]])
    with pytest.raises(ValueError, match="tau is not finite"):
        expected_time_s(items, [0.0, np.nan])
    with pytest.raises(ValueError, match="row 0: the variance"):
        expected_time_s(items, 0.0, -1.0)
