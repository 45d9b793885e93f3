"""Agreement with other programs, block by block of the reference file. No chance in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from cat_engine.core.assembly.assembler import Assembler
from psychometrics.arrays import FloatArray, IntArray
from psychometrics.decisions import (
    UNDECIDED,
    generalised_likelihood_ratios,
    likelihood_ratios,
    sequential_levels,
    wald_bounds,
)
from psychometrics.estimation.eap import eap_estimates
from psychometrics.estimation.errors import InformationKind
from psychometrics.estimation.estimates import Estimates
from psychometrics.estimation.finite_sample import sampling_distribution
from psychometrics.estimation.grids import STANDARD_NORMAL, NormalPrior, catr_grid, trapezoid_grid
from psychometrics.estimation.jeffreys import JeffreysError, jeffreys_mode_estimates
from psychometrics.estimation.posterior_mode import map_estimates, maximum_likelihood_estimates
from psychometrics.estimation.robust import ResidualMetric, RobustSettings, robust_estimates
from psychometrics.estimation.search import Bounds
from psychometrics.estimation.weighted_likelihood import warm_estimates
from psychometrics.information import fisher_information
from psychometrics.models.items import ItemColumns
from psychometrics.response_time import TimeColumns, maximum_likelihood_speeds, time_misfit
from psychometrics.selection.choice import Sense, best_item
from psychometrics.selection.criteria import CRITERIA
from psychometrics.selection.expected import expected_information_after_mode
from psychometrics.selection.location import difficulties, distance_to, information_maxima
from psychometrics.selection.reading import pool_at
from psychometrics.selection.tables import criterion_tables, evidence
from tests.cat_engine.core.assembly import shadow_oracle
from tests.validation.findings import Effort, Finding, Say, Topic, exactly
from tests.validation.oracle import bank, of_cat, of_times

Estimator = Callable[[ItemColumns, IntArray], Estimates]
SHIFTED = NormalPrior(0.5, 1.5)
DENSE = trapezoid_grid(STANDARD_NORMAL, lower=-12.0, upper=12.0, count=1201)
HUBER = RobustSettings(tuning=1.0, residual=ResidualMetric.CATR)
ESTIMATORS: dict[str, tuple[str, Estimator]] = {
    "ML": ("maximum likelihood, bounds -4 and 4", maximum_likelihood_estimates),
    "WL": ("Warm's weighted likelihood", warm_estimates),
    "BM": ("posterior mode, N(0, 1)", lambda items, x: map_estimates(items, x, STANDARD_NORMAL)),
    "BM(0.5,1.5)": ("posterior mode, N(0.5, 1.5)", lambda items, x: map_estimates(items, x, SHIFTED)),
    "EAP": ("posterior mean on 33 nodes, N(0, 1)", lambda items, x: eap_estimates(items, x, catr_grid())),
    "EAP(0.5,1.5)": (
        "posterior mean on 33 nodes, N(0.5, 1.5)",
        lambda items, x: eap_estimates(items, x, catr_grid(SHIFTED)),
    ),
    "EAP_dense": ("posterior mean, converged", lambda items, x: eap_estimates(items, x, DENSE)),
    "BM_Jeffreys": (
        "mode under Jeffreys' prior",
        lambda items, x: jeffreys_mode_estimates(items, x, error=JeffreysError.CATR),
    ),
    "ROB_Huber1": ("robust, Huber", lambda items, x: robust_estimates(items, x, HUBER)),
}
OF_STATE = {criterion.known_as: criterion for criterion in CRITERIA.values()}


def topic(effort: Effort, say: Say) -> Topic:
    """All blocks; a quick run takes every fifth estimate and whole test, the rest is always complete."""
    every = 1 if effort.share >= 1 else 5
    found = [*estimates(every), information(), *criteria()]
    say(f"  {len(found)} blocks of estimates, information and criteria compared")
    found += [traces(every), multimodal(), classification(), shadow_tests()]
    found += [exact_errors(), speeds()]
    return Topic(
        "Agreement with other programs",
        "Every recorded case is computed again; what is listed is the largest difference. The reference was"
        " made with catR 3.17 and derived a second time independently; tests/oracles says how.",
        tuple(found),
    )


def _finding(key: str, claim: str, source: str, published: str, ours: str, good: bool) -> Finding:
    return Finding(key, claim, source, published, ours, exactly(good))


def estimates(every: int) -> Iterator[Finding]:
    """Ability and standard error of every recorded pattern, estimator by estimator."""
    for key, (name, estimator) in ESTIMATORS.items():
        cases = [case for case in of_cat()["estimates"] if key in case][::every]
        theta, error = [], []
        for case in cases:
            items = bank(case["bank"], float(case["D"])).take(case["items"])
            got = estimator(items, np.array([case["responses"]]))[0]
            theta.append(abs(got.theta - case[key]["theta"]))
            error.append(abs(got.standard_error - case[key]["se"]))
        yield _finding(
            f"agreement_{key}",
            f"Estimates: {name}",
            "catR 3.17",
            "within 1e-6",
            f"{len(cases)} cases, |dθ| ≤ {max(theta):.1e}, |dSE| ≤ {max(error):.1e}",
            max(*theta, *error) <= 1e-6 and len(cases) >= 10,
        )


def information() -> Finding:
    """Fisher information of every item of every bank."""
    largest, count = 0.0, 0
    for name, block in of_cat()["information"].items():
        for key, D in (("Ii", 1.0), ("Ii_D1.702", 1.702)):
            if key in block:
                known = np.array(block[key])
                largest = max(
                    largest, np.abs(fisher_information(bank(name, D), block["theta"]) - known).max()
                )
                count += known.size
    return _finding(
        "agreement_information",
        "Fisher information of items",
        "catR 3.17",
        "within 1e-9",
        f"{count} values, largest difference {largest:.1e}",
        largest <= 1e-9 and count > 1000,
    )


def criteria() -> Iterator[Finding]:
    """The best item, and the values of the best five, in every recorded state."""
    names = {
        key for state in of_cat()["next_item"] for key, value in state.items() if isinstance(value, dict)
    }
    for name in sorted(names):
        states = [state for state in of_cat()["next_item"] if name in state]
        same, largest = 0, 0.0
        for state in states:
            values, sense = _values(name, state)
            free = np.ones(values.size, dtype=np.bool_)
            free[state["administered"]] = False
            same += best_item(values, sense, free) == state[name]["best"]
            known = np.array(state[name]["values"])
            scale = np.maximum(np.abs(known), 1e-4)  # the file has eleven decimals
            largest = max(largest, float((np.abs(values[state[name]["top5"]] - known) / scale).max()))
        yield _finding(
            f"agreement_{name}",
            f"Selection criterion {name}",
            "catR 3.17",
            "same item, values within 1e-7 relative",
            f"{same} of {len(states)} items the same, values within {largest:.1e}",
            same == len(states) and largest <= 1e-7,
        )


def _values(name: str, state: dict[str, Any]) -> tuple[FloatArray, Sense]:
    items = bank(state["bank"])
    if name.startswith("MEI"):
        kind = InformationKind.EXPECTED if name.endswith("Fisher") else InformationKind.OBSERVED
        answered = (state["administered"], state["responses"], state["theta"])
        return expected_information_after_mode(items, *answered, STANDARD_NORMAL, kind=kind), Sense.MAXIMISE
    if name in {"bOpt", "thOpt"}:
        place = difficulties if name == "bOpt" else information_maxima
        return distance_to(place(items), state["theta"]), Sense.MINIMISE
    tables = criterion_tables(items, catr_grid().nodes)
    known = evidence(tables, state["administered"], state["responses"], STANDARD_NORMAL)
    criterion = OF_STATE[name]
    return criterion.values(tables, known, pool_at(items, state["theta"])), criterion.sense


def traces(every: int) -> Finding:
    """Whole adaptive tests, each run again from the answers the candidate would give to the whole bank."""
    same, largest, chosen = 0, 0.0, of_cat()["traces"][::every]
    for trace in chosen:
        items, theta = _run_again(trace)
        same += items == trace["items"]
        largest = max(largest, float(np.abs(np.array(theta) - trace["theta"]).max()))
    return _finding(
        "agreement_whole_tests",
        "Whole adaptive tests of 20 items",
        "catR 3.17; partly mirtCAT",
        "same items, θ within 1e-6 after each",
        f"{same} of {len(chosen)} tests the same, |dθ| ≤ {largest:.1e}",
        same == len(chosen) and largest <= 1e-6,
    )


def _run_again(trace: dict[str, Any]) -> tuple[list[int], list[float]]:
    (full,) = (
        full["responses"]
        for full in of_cat()["full_responses"]
        if (full["bank"], full["true_theta"]) == (trace["bank"], trace["true_theta"])
    )
    tables = criterion_tables(bank(trace["bank"], float(trace["D"])), catr_grid().nodes)
    free, given, theta = np.ones(len(tables), dtype=np.bool_), list[int](), list[float]()
    for _ in range(trace["length"]):
        known = evidence(tables, given, [full[item] for item in given], STANDARD_NORMAL)
        criterion = OF_STATE[trace["select"] if given else "MFI"]
        values = criterion.values(tables, known, pool_at(tables.items, theta[-1] if given else 0.0))
        given.append(best_item(values, criterion.sense, free))
        free[given[-1]] = False
        answered = np.array([[full[item] for item in given]])
        theta.append(ESTIMATORS[trace["estimate"]][1](tables.items.take(given), answered)[0].theta)
    return given, theta


def multimodal() -> Finding:
    """Likelihoods with two maxima."""
    cases, right = of_cat()["multimodal_ml_3PL"]["cases"], 0
    for case in cases:
        items = bank(case["bank"]).take(case["items"])
        got = maximum_likelihood_estimates(items, case["responses"], bounds=Bounds(-6.0, 6.0))[0]
        right += abs(got.theta - case["global_mle"]) < 1e-6
    return _finding(
        "agreement_multimodal",
        "3PL likelihoods with two maxima: the higher one is found",
        "search over a grid",
        "all",
        f"{right} of {len(cases)}",
        right == len(cases),
    )


def classification() -> Finding:
    """Sequential decisions."""
    cases, same, largest = of_cat()["classification"]["cases"], 0, 0.0
    for case in cases:
        items, bounds = bank("3PL300").take(case["items"]), wald_bounds(case["alpha"], case["beta"])
        plain = likelihood_ratios(items, case["responses"], case["cuts"], delta=case["delta"])
        best = generalised_likelihood_ratios(items, case["responses"], case["cuts"], delta=case["delta"])
        largest = max(largest, float(np.abs(plain[0] - case["llr"]).max()))
        for ratio, key in ((plain, "catIrt_SPRT"), (best, "catIrt_GLR_grid0.01")):
            known = UNDECIDED if case[key] is None else case[key]
            same += int(sequential_levels(ratio, bounds)[0]) == known
    return _finding(
        "agreement_classification",
        "Sequential probability ratio test, and the generalised one",
        "catIrt 0.5.1",
        "same decisions",
        f"{same} of {2 * len(cases)} decisions the same, ratios within {largest:.1e}",
        same == 2 * len(cases) and largest <= 1e-8,
    )


def shadow_tests() -> Finding:
    """Optimal whole tests."""
    cases, same = of_cat()["shadow_tests"]["cases"], 0
    for case in cases:
        lines = shadow_oracle.constraints(sets=case["sets"])
        barred = np.zeros(lines.size, dtype=np.bool_)
        barred[case["ineligible"]] = True
        found = Assembler(lines, shadow_oracle.ties(lines.size)).assemble(
            shadow_oracle.utility(case["theta"]), np.array(case["administered"], dtype=np.int64), barred
        )
        same += found.proven and found.columns.tolist() == sorted(case["items"])
    return _finding(
        "agreement_shadow_tests",
        "Shadow tests with content, key, words, sets and enemies",
        "HiGHS and GLPK",
        "the same whole test, proven best",
        f"{same} of {len(cases)}",
        same == len(cases),
    )


def exact_errors() -> Finding:
    """Exact finite-sample standard errors of the posterior mode."""
    cases, largest = of_cat()["exact_se_2PL100"], 0.0
    for case in cases:
        exact = sampling_distribution(
            bank("2PL100").take(case["items"]),
            lambda items, x: map_estimates(items, x, STANDARD_NORMAL).theta,
        )
        largest = max(largest, abs(float(exact.standard_error(case["theta_BM"])[0]) - case["exact_SE"]))
    return _finding(
        "agreement_exact_error",
        "Exact standard error of short tests (all response patterns)",
        "catR 3.17",
        "within 3e-5: the tolerance of its root search",
        f"{len(cases)} cases, largest difference {largest:.1e}",
        largest <= 3e-5,
    )


def speeds() -> Finding:
    """Speeds and misfit of the lognormal model of response times."""
    known, times = of_times()
    items = TimeColumns(np.array(known["alpha"]), np.array(known["beta"]))
    tau = maximum_likelihood_speeds(items, times).tau[:10] - known["tau_ml_first10"]
    misfit = time_misfit(items, times).statistic[:10] - known["l_t_first10"]
    return _finding(
        "agreement_speed",
        "Speed and its misfit statistic",
        "lavaan 0.6-14",
        "within 1e-7",
        f"10 candidates, |dτ| ≤ {np.abs(tau).max():.1e}, |dl_t| ≤ {np.abs(misfit).max():.1e}",
        max(np.abs(tau).max(), np.abs(misfit).max()) <= 1e-7,
    )
