"""Sequential classification at one cut: error rates, and which rule needs fewer items."""

from __future__ import annotations

import numpy as np

from psychometrics.arrays import BoolArray, FloatArray, IntArray
from psychometrics.classification import decision_quality, levels
from psychometrics.decisions import (
    UNDECIDED,
    generalised_likelihood_ratios,
    interval_levels,
    likelihood_ratios,
    sequential_levels,
    wald_bounds,
)
from psychometrics.information import fisher_information
from psychometrics.models.items import ItemColumns, category_probabilities
from tests.validation.banks import answers, at_points, drawn_normal, three_parameter
from tests.validation.findings import Effort, Finding, Say, Topic, at_most, below, equal, together
from tests.validation.monte_carlo import Measured, difference, mean, share
from tests.validation.sittings import Design, most_informative, run, tables_of

SIZE, MOST = 500, 60
CUT, DELTA, RATE = 0.0, 0.25, 0.05
CANDIDATES, GENERALISED, AT_HYPOTHESES = 1500, 300, 2000
CONFIDENCES = (0.80, 0.85, 0.90, 0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99)


class Ended:
    """When each candidate's test ended (N,), and the level given (N,)."""

    def __init__(self, decided: IntArray, forced: IntArray) -> None:
        """`decided` (N, L) is the level after each item or UNDECIDED, `forced` (N,) that at the last item."""
        done = decided != UNDECIDED
        ever = done.any(axis=1)
        first = np.where(ever, np.argmax(done, axis=1), decided.shape[1] - 1)
        self.length: FloatArray = (first + 1).astype(np.float64)
        self.level: IntArray = np.where(ever, decided[np.arange(first.size), first], forced)

    def wrong(self, theta: FloatArray) -> BoolArray:
        """Whose level is not that of the ability."""
        return np.asarray(self.level != levels(theta, [CUT]), dtype=np.bool_)


def topic(effort: Effort, say: Say) -> Topic:
    """Wald's rates, then three comparisons on one population."""
    pool = three_parameter(SIZE, 71)
    theta = drawn_normal(effort.candidates(CANDIDATES, 300), 72)
    given = answers(pool, theta, 73)
    fisher = _by_fisher(pool)
    ratio = ended_by_ratio(pool, fisher, given, MOST)
    found = [_rates(pool, fisher, effort)]
    say("  sequential test at its hypotheses")
    found.append(_against_interval(pool, given, theta, ratio, say))
    found.append(_generalised(pool, fisher, given, theta, effort))
    say("  generalised ratio")
    found.append(_divergence(pool, given, theta, ratio))
    found.append(_expected_accuracy(pool, given, theta))
    return Topic(
        "Classification",
        f"A 3PL bank of {SIZE} items, one cut at θ = {CUT:g}, indifference ± {DELTA}, both error rates"
        f" {RATE}, at most {MOST} items, {theta.size} candidates from N(0, 1). Items of the ratio tests are"
        " the most informative at the cut, in order.",
        tuple(found),
    )


def _by_fisher(pool: ItemColumns) -> IntArray:
    return np.argsort(-fisher_information(pool, CUT)[0], kind="stable")


def _steps(pool: ItemColumns, order: IntArray) -> FloatArray:
    """What answer k to each item in this order adds to the log-likelihood ratio, (L, 2)."""
    items = pool.take(order)
    alone = np.full((2, len(items), len(items)), -1, dtype=np.int64)
    for answer in (0, 1):
        np.fill_diagonal(alone[answer], answer)
    return np.stack([likelihood_ratios(items, one, [CUT], delta=DELTA)[:, 0] for one in alone], axis=1)


def ended_by_ratio(pool: ItemColumns, order: IntArray, given: IntArray, most: int) -> Ended:
    """Sequential probability ratio tests of at most so many items, truncated at the sign of the ratio."""
    order = order[:most]
    steps = _steps(pool, order)
    path = np.cumsum(steps[np.arange(order.size), given[:, order]], axis=1)
    bounds = wald_bounds(RATE, RATE)
    decided = sequential_levels(path.reshape(-1, 1), bounds).reshape(path.shape)
    return Ended(decided, (path[:, -1] >= 0).astype(np.int64))


def _rates(pool: ItemColumns, order: IntArray, effort: Effort) -> Finding:
    """At the two hypotheses themselves, with as many items as the bank has."""
    each = effort.candidates(AT_HYPOTHESES, 400)
    wrong = []
    for seed, truth in enumerate((CUT - DELTA, CUT + DELTA)):
        theta = at_points(np.array([truth]), each)
        ended = ended_by_ratio(pool, order, answers(pool, theta, 74 + seed), SIZE)
        wrong.append(share(ended.wrong(theta)))
    return Finding(
        "wald_rates",
        f"At cut ± {DELTA} the sequential test errs at most as often as asked",
        "Wald (1947); Eggen (1999)",
        f"at most about {RATE:.0%}",
        f"{wrong[0].per_cent()} below, {wrong[1].per_cent()} above",
        together(*(at_most(one, RATE * 1.1) for one in wrong)),
    )


def _against_interval(
    pool: ItemColumns, given: IntArray, theta: FloatArray, ratio: Ended, say: Say
) -> Finding:
    """The confidence that errs as often is sought first; then lengths are compared."""
    sat = run(tables_of(pool), given, Design(most_informative, MOST))
    say(f"  {theta.size} adaptive tests of {MOST} items for the interval rule")
    by_confidence: list[tuple[float, Ended]] = []
    for confidence in CONFIDENCES:
        flat = interval_levels(sat.theta.ravel(), sat.standard_error.ravel(), [CUT], confidence=confidence)
        decided = flat.reshape(sat.theta.shape)
        by_confidence.append((confidence, Ended(decided, levels(sat.theta[:, -1], [CUT]))))
    wrong = ratio.wrong(theta).mean()
    confidence, interval = min(by_confidence, key=lambda pair: abs(pair[1].wrong(theta).mean() - wrong))
    fewer = difference(ratio.length, interval.length)
    return Finding(
        "ratio_against_interval",
        "The sequential probability ratio test needs fewer items than the interval rule at the same error"
        " rate",
        "Spray & Reckase (1996); Eggen & Straetmans (2000)",
        "direction",
        f"{mean(ratio.length).shown(1)} against {mean(interval.length).shown(1)} items; errors"
        f" {share(ratio.wrong(theta)).per_cent()} and {share(interval.wrong(theta)).per_cent()} (interval of"
        f" {confidence:.0%})",
        below(fewer, 0.0),
    )


def _generalised(
    pool: ItemColumns, order: IntArray, given: IntArray, theta: FloatArray, effort: Effort
) -> Finding:
    some = slice(0, effort.candidates(GENERALISED, 60))
    items, bounds = pool.take(order[:MOST]), wald_bounds(RATE, RATE)
    matrix = given[some][:, order[:MOST]]
    decided = np.full(matrix.shape, UNDECIDED)
    last = np.zeros(matrix.shape[0])
    open_ = np.arange(matrix.shape[0])
    for place in range(MOST):
        so_far = items.take(np.arange(place + 1))
        ratios = generalised_likelihood_ratios(so_far, matrix[open_, : place + 1], [CUT], delta=DELTA)
        decided[open_, place] = sequential_levels(ratios, bounds)
        last[open_] = ratios[:, 0]
        open_ = open_[decided[open_, place] == UNDECIDED]
        if not open_.size:
            break
    general = Ended(decided, (last >= 0).astype(np.int64))
    plain = ended_by_ratio(pool, order, given[some], MOST)
    fewer = difference(general.length, plain.length)
    error = share(general.wrong(theta[some])), share(plain.wrong(theta[some]))
    return Finding(
        "generalised_ratio",
        "The generalised likelihood ratio ends sooner than the ratio of two fixed hypotheses",
        "Bartroff, Finkelman & Lai (2008); Thompson (2009)",
        "direction",
        f"{mean(general.length).shown(1)} against {mean(plain.length).shown(1)} items; errors"
        f" {error[0].per_cent()} and {error[1].per_cent()}",
        below(fewer, 0.0),
    )


def _divergence(pool: ItemColumns, given: IntArray, theta: FloatArray, by_fisher: Ended) -> Finding:
    """Kullback-Leibler information between the hypotheses against Fisher information at the cut."""
    high, low = (category_probabilities(pool, CUT + side * DELTA)[0] for side in (1, -1))
    value = (high * np.log(high / low)).sum(axis=1)
    by_divergence = ended_by_ratio(pool, np.argsort(-value, kind="stable"), given, MOST)
    fewer = difference(by_divergence.length, by_fisher.length)
    wrong = share(by_divergence.wrong(theta)), share(by_fisher.wrong(theta))
    change = Measured(wrong[0].value - wrong[1].value, float(np.hypot(wrong[0].error, wrong[1].error)))
    return Finding(
        "divergence_for_classification",
        "Items by Kullback-Leibler information between the hypotheses do as well as or better than by"
        " Fisher information",
        "Eggen (1999)",
        "as well or better",
        f"length {fewer.shown(2)} longer, errors {wrong[0].per_cent()} against {wrong[1].per_cent()}",
        together(at_most(fewer, 0.3), at_most(change, 0.005)),
    )


def _expected_accuracy(pool: ItemColumns, given: IntArray, theta: FloatArray) -> Finding:
    """What a program says of its own classifications, against what became of them."""
    sat = run(tables_of(pool), given, Design(most_informative, 20))
    quality = decision_quality(sat.theta[:, -1], sat.standard_error[:, -1], [CUT])
    right = share(levels(sat.theta[:, -1], [CUT]) == levels(theta, [CUT]))
    return Finding(
        "expected_accuracy",
        "The expected accuracy of classification is the share classified rightly (20 items, posterior means)",
        "Rudner (2005)",
        f"{quality.accuracy:.1%} expected",
        right.per_cent(),
        equal(right, quality.accuracy, 0.005),
    )
