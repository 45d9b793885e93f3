"""Exposure control by the engine itself: sittings of simulated candidates through its verbs."""

from __future__ import annotations

from typing import Any

import numpy as np

from cat_engine.core.exposure_parameters import Wanted, sympson_hetter_parameters
from cat_engine.core.test_package import RuleChoice
from psychometrics.exposure import exposure_rates, overlap_of_rates, pairwise_overlap
from psychometrics.models.items import dichotomous_columns
from tests.validation.banks import drawn_normal, three_parameter
from tests.validation.engine_sittings import LENGTH, Design, Outcome, Packages, sit
from tests.validation.findings import Effort, Finding, Say, Topic, above, at_most, below, exactly, together
from tests.validation.monte_carlo import Measured, error_ratio

SIZE, CANDIDATES = 500, 1000
LIMIT = 0.25

REMARKS = """\
The highest of several hundred rates exceeds the limit a little by chance alone. a-stratification spends the
first half of a test on the weaker half of the slopes by design; what that costs depends on how far slopes
spread (here ln a has a deviation of 0.3). Chang and Ying compared it with selection under Sympson-Hetter
control."""


def designs() -> tuple[Design, ...]:
    """What is compared with maximum information without control."""
    items = {"items": LENGTH}
    return (
        Design("none"),
        Design("randomesque", exposure=RuleChoice("randomesque", {"sizes": [10]})),
        Design("progressive", RuleChoice("progressive", items)),
        Design("proportional", RuleChoice("proportional", items)),
        Design("stratified", RuleChoice("stratified", {**items, "strata": 4, "blocked": False})),
        Design(
            "item_eligibility",
            eligibility=RuleChoice("item_eligibility", {"rate_per_mille": round(1000 * LIMIT)}),
        ),
    )


def topic(effort: Effort, say: Say) -> Topic:
    """All designs on one pool; a-stratification with blocking on a pool whose slopes go with difficulty."""
    pool = three_parameter(SIZE, 61)
    theta = drawn_normal(effort.candidates(CANDIDATES, 100), 62)
    packages = Packages(pool)
    outcomes: dict[str, Outcome] = {}
    for design in (*designs(), _sympson_hetter(packages, effort)):
        outcomes[design.name] = sit(pool, packages.under(design), theta)
        say(f"  {design.name}: {theta.size} sittings of {LENGTH} items through the engine")
    found = [
        _same_scores(outcomes),
        _greedy(outcomes),
        _formula(outcomes),
        *(_evens(outcomes, name) for name in ("randomesque", "progressive", "proportional", "stratified")),
        _stratified_loss(outcomes),
        *(_limits(outcomes, name) for name in ("sympson_hetter", "item_eligibility")),
        *_blocked(effort),
    ]
    say("  b-blocking")
    return Topic(
        "Exposure control",
        f"A 3PL pool of {SIZE} items, tests of {LENGTH}, {theta.size} candidates from N(0, 1): whole"
        " sittings through the verbs of the engine, with its own rules, draws and counts. The same"
        " candidates answer the same item alike under every design.",
        tuple(found),
        remarks=f"{REMARKS}\n\n{_table(outcomes)}",
    )


def _sympson_hetter(packages: Packages, effort: Effort) -> Design:
    part = packages.under(Design("none")).sections[0]
    wanted = Wanted(
        rate_per_mille=round(1000 * LIMIT), candidates=effort.candidates(4000, 1000), seed="validation"
    )
    found = sympson_hetter_parameters(part, wanted, length=LENGTH)
    parameters = found.by_code(part.pool)[0]
    return Design("sympson_hetter", exposure=RuleChoice("sympson_hetter", {"parameters": parameters}))


def _loss(outcomes: dict[str, Outcome], name: str) -> Measured:
    return error_ratio(outcomes[name].errors, outcomes["none"].errors)


def _same_scores(outcomes: dict[str, Outcome]) -> Finding:
    worst = max(outcome.distance for outcome in outcomes.values())
    return Finding(
        "engine_scores_are_the_library's",
        "The engine, which counts in whole numbers on 121 nodes, scores like the converged posterior mean"
        " in floats",
        "theory",
        "equal",
        f"largest difference {worst:.1e} over {len(outcomes)} designs",
        exactly(worst < 5e-4),
    )


def _greedy(outcomes: dict[str, Outcome]) -> Finding:
    none = outcomes["none"]
    same = float((none.first == none.first[0]).mean())
    return Finding(
        "greedy_selection_wears_few_items",
        "Without control, maximum information uses a part of the pool, and all see the same first item",
        "measured with another program: 30 of 500 3PL items, maximum information, 1,000 candidates",
        "72 % of the pool unused, overlap 0.43, first item seen by all",
        f"{100 * none.unused:.0f} % unused, overlap {none.overlap.shown()}, first item seen by"
        f" {100 * same:.0f} %",
        together(exactly(none.unused > 0.4 and same == 1.0), above(none.overlap, 0.25)),
    )


def _formula(outcomes: dict[str, Outcome]) -> Finding:
    """(N rho_pairs (N - 1) + ...) in closed form: exact for every design, whatever N."""
    worst = 0.0
    for outcome in outcomes.values():
        n = outcome.seen.shape[0]
        large = overlap_of_rates(exposure_rates(outcome.seen), LENGTH)
        worst = max(worst, abs((n * large - 1.0) / (n - 1) - pairwise_overlap(outcome.seen)))
    return Finding(
        "overlap_follows_from_rates",
        "The mean overlap of two tests follows from the exposure rates alone: (n / L) var(r) + L / n",
        "Chen, Ankenmann & Spray (2003)",
        "equal, with (N Σr² - L) / ((N - 1) L) for N tests",
        f"largest difference {worst:.1e}",
        exactly(worst < 1e-12),
    )


EVENING: dict[str, tuple[str, str, float | None]] = {
    "randomesque": (
        "Drawing among the ten best items lowers overlap",
        "Kingsbury & Zara (1989); Revuelta & Ponsoda (1998)",
        1.20,
    ),
    "progressive": (
        "The progressive method leaves fewer items unused, at a small price in exactness",
        "Revuelta & Ponsoda (1998); Barrada, Olea, Ponsoda & Abad (2008)",
        1.20,
    ),
    "proportional": (
        "The proportional method leaves fewer items unused, at a small price in exactness",
        "Segall (2004); Barrada, Olea, Ponsoda & Abad (2008)",
        1.20,
    ),
    "stratified": (
        "a-stratification evens exposure",
        "Chang & Ying (1999)",
        None,
    ),
}


def _evens(outcomes: dict[str, Outcome], name: str) -> Finding:
    claim, source, most = EVENING[name]
    none, here, loss = outcomes["none"], outcomes[name], _loss(outcomes, name)
    overlap = Measured(
        here.overlap.value - none.overlap.value, float(np.hypot(here.overlap.error, none.overlap.error))
    )
    return Finding(
        f"evens_{name}",
        claim,
        source,
        "direction",
        f"overlap {here.overlap.shown()} ({none.overlap.shown()}), unused {100 * here.unused:.0f} %"
        f" ({100 * none.unused:.0f} %), χ² {here.unevenness:.0f} ({none.unevenness:.0f}); RMSE"
        f" {loss.shown()} of that without control",
        together(
            below(overlap, 0.0),
            exactly(here.unused < none.unused and here.unevenness < none.unevenness),
            exactly(True) if most is None else at_most(loss, most),
        ),
    )


def _stratified_loss(outcomes: dict[str, Outcome]) -> Finding:
    loss = _loss(outcomes, "stratified")
    return Finding(
        "stratification_keeps_efficiency",
        "a-stratification keeps the efficiency of estimation",
        "Chang & Ying (1999)",
        "efficiency maintained; here read as a loss of at most 10 %",
        f"RMSE {loss.shown()} of that of maximum information",
        at_most(loss, 1.10),
    )


def _limits(outcomes: dict[str, Outcome], name: str) -> Finding:
    here, loss = outcomes[name], _loss(outcomes, name)
    claims = {
        "sympson_hetter": (
            "Sympson-Hetter parameters found by simulation hold the highest rate at the limit",
            "Sympson & Hetter (1985); van der Linden (2003)",
        ),
        "item_eligibility": (
            "Item eligibility from running counts holds the highest rate at the limit",
            "van der Linden & Veldkamp (2004)",
        ),
    }
    claim, source = claims[name]
    return Finding(
        f"limits_{name}",
        claim,
        source,
        f"highest rate about {LIMIT}",
        f"{here.highest.shown()} (without control {outcomes['none'].highest.shown()}); overlap"
        f" {here.overlap.shown()}, RMSE {loss.shown()} of that without control",
        at_most(here.highest, LIMIT + 0.02),
    )


def _blocked(effort: Effort) -> list[Finding]:
    """Where steep items are hard ones, strata by slope alone lack easy items late in the test."""
    plain = three_parameter(SIZE, 63)
    b = plain.thresholds[:, 0]
    pool = dichotomous_columns(plain.a * np.exp(0.12 * b), b, plain.c, 1.0, D=1.0)
    theta = drawn_normal(effort.candidates(CANDIDATES, 100), 64)
    packages = Packages(pool)
    rule: dict[str, Any] = {"items": LENGTH, "strata": 4}
    outcomes = [
        sit(
            pool,
            packages.under(Design("b", RuleChoice("stratified", {**rule, "blocked": blocked}))),
            theta,
        )
        for blocked in (True, False)
    ]
    errors = error_ratio(outcomes[0].errors, outcomes[1].errors)
    overlap = [outcome.overlap for outcome in outcomes]
    change = Measured(
        overlap[0].value - overlap[1].value, float(np.hypot(overlap[0].error, overlap[1].error))
    )
    correlation = float(np.corrcoef(pool.a, b)[0, 1])
    return [
        Finding(
            "blocking_evens_exposure",
            f"Where slopes and difficulties correlate (here {correlation:.2f}), b-blocking improves exposure",
            "Chang, Qian & Ying (2001)",
            "better control of exposure",
            f"overlap {overlap[0].shown()} against {overlap[1].shown()}",
            below(change, 0.0),
        ),
        Finding(
            "blocking_lowers_error",
            "There b-blocking also lowers the mean squared error",
            "Chang, Qian & Ying (2001)",
            "smaller mean squared error",
            f"RMSE ratio {errors.shown()}",
            below(errors, 1.0),
        ),
    ]


def _table(outcomes: dict[str, Outcome]) -> str:
    rows = ["| design | highest rate | unused | overlap | χ² | RMSE over none |", "|---|---|---|---|---|---|"]
    for name, outcome in outcomes.items():
        rows.append(
            f"| {name} | {outcome.highest.value:.3f} | {100 * outcome.unused:.0f} % |"
            f" {outcome.overlap.shown()} | {outcome.unevenness:.0f} | {_loss(outcomes, name).shown()} |"
        )
    return "\n".join(rows)
