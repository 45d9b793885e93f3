"""Recovery by adaptive tests: estimators, whether the likelihood has a maximum, starts, stops, slips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from psychometrics.arrays import FloatArray
from psychometrics.estimation.grids import STANDARD_NORMAL, NormalPrior, converged_grid
from psychometrics.estimation.no_maximum import NoMaximum, likelihood_estimates
from psychometrics.models.items import dichotomous_columns
from psychometrics.selection.choice import Sense, best_items
from tests.validation.banks import answers, at_points, drawn_normal, three_parameter
from tests.validation.curves import Curve, Picture
from tests.validation.estimators import BY_NAME, WIDE, estimate
from tests.validation.findings import Effort, Finding, Say, Topic, above, below, equal, together
from tests.validation.monte_carlo import Measured, deviation, error_ratio, mean, root_mean_square, share
from tests.validation.sittings import Design, Position, Sittings, in_order, most_informative, run, tables_of

SIZE, LENGTH = 500, 30
POINTS = np.linspace(-2.0, 2.0, 5)
EACH, POPULATION = 400, 1500
FORM = 40


class Sat:
    """One 3PL bank, maximum information: a population, and candidates at fixed ability points."""

    def __init__(self, effort: Effort) -> None:
        self.pool = three_parameter(SIZE, 51)
        self.tables = tables_of(self.pool)
        self.population = effort.candidates(POPULATION, 150)
        self.each = effort.candidates(EACH, 60)
        self.theta = np.concatenate([drawn_normal(self.population, 52), at_points(POINTS, self.each)])
        self.given = answers(self.pool, self.theta, 53)
        self.sittings = run(self.tables, self.given, Design(most_informative, LENGTH))
        matrix = self.sittings.matrix()
        self.estimates = {name: estimate(name, self.pool, matrix) for name in BY_NAME}

    def at_point(self, point: int) -> slice:
        """The candidates of one ability point."""
        start = self.population + point * self.each
        return slice(start, start + self.each)

    @property
    def people(self) -> slice:
        """The candidates of the population."""
        return slice(0, self.population)

    def errors(self, name: str) -> FloatArray:
        """Final estimate minus ability."""
        return np.asarray(self.estimates[name].theta - self.theta, dtype=np.float64)


def topic(effort: Effort, say: Say) -> Topic:
    """Final estimates of one design, then variations of it."""
    sat = Sat(effort)
    say(f"  {sat.theta.size} tests of {LENGTH} items, scored by {len(BY_NAME)} estimators")
    found = [_bias(sat), _population(sat), _spread(sat), _posterior(sat), *_existence(sat)]
    found += [*_shorter(sat), _variable_length(sat)]
    say("  fixed forms and variable length")
    found += [*_starts(sat), *_slips(effort)]
    say("  starts and early slips")
    return Topic(
        "Recovery by adaptive tests",
        f"A 3PL bank of {SIZE} items, maximum information at the posterior mean, {LENGTH} items;"
        f" {sat.population} candidates from N(0, 1) and {sat.each} at each of {POINTS.size} ability points"
        " from -2 to 2. The same responses are scored by every estimator.",
        tuple(found),
        pictures=(_picture(sat),),
    )


def _bias(sat: Sat) -> Finding:
    ends = {
        name: [mean(sat.errors(name)[sat.at_point(point)]) for point in (0, POINTS.size - 1)]
        for name in BY_NAME
    }
    warm, eap = ends["Warm"], ends["EAP"]
    wider = [
        Measured(abs(b.value) - abs(w.value), float(np.hypot(b.error, w.error)))
        for b, w in zip(eap, warm, strict=True)
    ]
    shown = "; ".join(f"{name} {low.shown(2)}, {high.shown(2)}" for name, (low, high) in ends.items())
    return Finding(
        "adaptive_bias",
        "Posterior means and modes are biased inward, weighted likelihood hardly at all",
        "Warm (1989); Wang & Vispoel (1998)",
        "direction",
        f"bias at θ = -2, 2: {shown}",
        together(above(ends["EAP"][0], 0.0), below(ends["EAP"][1], 0.0), *(above(one, 0.0) for one in wider)),
    )


def _population(sat: Sat) -> Finding:
    worse = {
        name: error_ratio(sat.errors(name)[sat.people], sat.errors("EAP")[sat.people])
        for name in BY_NAME
        if name != "EAP"
    }
    return Finding(
        "adaptive_rmse",
        "Bayesian estimates have the smaller RMSE in the population of the prior",
        "Bock & Mislevy (1982); Wang & Vispoel (1998)",
        "direction",
        "RMSE over that of EAP: " + ", ".join(f"{name} {one.shown()}" for name, one in worse.items()),
        together(above(worse["ML"], 1.0), above(worse["Warm"], 1.0)),
    )


def _spread(sat: Sat) -> Finding:
    """Reported errors of ML against the actual ones, and of EAP against its own, in the population."""
    reported = {name: sat.estimates[name].standard_error[sat.people] for name in ("ML", "EAP")}
    ratios = {name: error_ratio(sat.errors(name)[sat.people], reported[name]) for name in reported}
    return Finding(
        "adaptive_errors_reported",
        "The posterior deviation tells the actual error; the information-based error of ML understates it a"
        " little",
        "Wang & Vispoel (1998)",
        "EAP: 1; ML: above 1",
        f"RMSE over reported: EAP {ratios['EAP'].shown()}, ML {ratios['ML'].shown()}",
        together(
            equal(ratios["EAP"], 1.0, 0.02),
            above(ratios["ML"], 1.0),
        ),
    )


def _posterior(sat: Sat) -> Finding:
    z = np.abs(sat.errors("EAP")[sat.people]) / sat.estimates["EAP"].standard_error[sat.people]
    covered = share(z < 1.96)
    return Finding(
        "adaptive_coverage",
        "Selection by the responses does not spoil the posterior: ± 1.96 deviations cover 95 % of the"
        " population",
        "theory: the likelihood principle",
        "95 %",
        covered.per_cent(),
        equal(covered, 0.95, 0.01),
    )


def _existence(sat: Sat) -> list[Finding]:
    """Shares of tests whose likelihood has no maximum; the reference is another bank of the same kind."""
    known = {3: 0.37, 5: 0.12, 10: 0.008}
    missing = {}
    for places in known:
        matrix = sat.sittings.matrix(places)[sat.people]
        found = likelihood_estimates(sat.pool, matrix, no_maximum=NoMaximum(), bounds=WIDE)
        missing[places] = share(found.without_maximum)
    return [
        Finding(
            "no_maximum",
            "For a large share of short 3PL tests the likelihood has no maximum",
            "measured on another 500-item 3PL bank: maximum information, posterior means",
            "37 %, 12 %, 0.8 % after 3, 5, 10 items",
            ", ".join(one.per_cent() for one in missing.values()),
            together(
                above(missing[3], 0.2),
                below(missing[3], 0.6),
                below(missing[5], 0.3),
                below(missing[10], 0.05),
            ),
        )
    ]


def _shorter(sat: Sat) -> list[Finding]:
    """Adaptive tests against one form for all, of typical items or of the best ones."""
    people = sat.people
    rng = np.random.default_rng(54)
    grid = converged_grid()
    typical = [int(item) for item in rng.choice(SIZE, FORM, replace=False)]
    merit = sat.tables.information.T @ np.interp(sat.tables.nodes, grid.nodes, grid.weights)
    best = [int(item) for item in best_items(merit, Sense.MAXIMISE, np.ones(SIZE, dtype=np.bool_), FORM)]
    curve = [
        root_mean_square(sat.sittings.error(sat.theta, place)[people]).value for place in range(1, LENGTH + 1)
    ]
    found = []
    for key, name, order, enough, published in (
        ("typical", f"{FORM} typical items of the bank", typical, FORM // 2, "about half the items"),
        ("best", f"the bank's {FORM} most informative items", best, LENGTH, "direction"),
    ):
        form = run(sat.tables, sat.given[people], Design(in_order(order), FORM)).error(sat.theta[people])
        reached = root_mean_square(form)
        needed = next((place for place, value in enumerate(curve, 1) if value <= reached.value), LENGTH + 1)
        against = error_ratio(sat.sittings.error(sat.theta, enough)[people], form)
        found.append(
            Finding(
                f"shorter_than_{key}_form",
                f"An adaptive test is as exact as a fixed form of {name}, with fewer items",
                "Weiss (1982)",
                published,
                f"{needed} of {FORM} items; with {enough} the RMSE is {against.shown()} of the form's",
                below(against, 1.0),
            )
        )
    return found


def _variable_length(sat: Sat) -> Finding:
    """Stop at an error that half of the tests of fixed length reach; same mean length then compared."""
    target = 0.30

    def reached(now: Position) -> bool:
        return now.standard_error <= target

    variable = run(sat.tables, sat.given, Design(most_informative, 60, reached))
    people = sat.people
    fixed = sat.sittings
    length = mean(variable.length[people].astype(np.float64))
    same = max(1, round(length.value))
    spread_fixed = deviation(_at(fixed, min(same, LENGTH))[people])
    spread = deviation(variable.standard_error[people, -1])
    bias = mean(variable.error(sat.theta)[people])
    return Finding(
        "variable_length",
        "Tests that end at a standard error measure everybody alike, and are not biased for it",
        "Babcock & Weiss (2012)",
        "direction",
        f"SD of the standard error {spread.shown()} against {spread_fixed.shown()} with {same} items for all"
        f" (mean length {length.shown(1)}); bias {bias.shown()}",
        together(below(spread, spread_fixed.value), equal(bias, 0.0, 0.01)),
    )


def _at(sittings: Sittings, place: int) -> FloatArray:
    return sittings.standard_error[:, place - 1]


def _starts(sat: Sat) -> list[Finding]:
    """A former result as the prior; and a first item that is far too easy."""
    people = sat.people
    theta, given = sat.theta[people], sat.given[people]
    noise = np.random.default_rng(55).normal(0.0, 0.6, theta.size)
    weight = 1.0 / (1.0 + 0.6**2)
    known = weight * (theta + noise)
    deviation_ = float(np.sqrt(1.0 - weight))
    base = Design(most_informative, LENGTH)
    informed = [
        run(sat.tables, given[[row]], replace(base, prior=NormalPrior(float(known[row]), deviation_))).theta[
            0
        ]
        for row in range(theta.size)
    ]
    errors = np.array(informed) - theta[:, None]
    early, late = (
        error_ratio(errors[:, place - 1], sat.sittings.error(sat.theta, place)[people])
        for place in (5, LENGTH)
    )
    far = run(sat.tables, given, replace(base, prior=STANDARD_NORMAL, start=-2.5))
    short, long = (
        error_ratio(far.error(theta, place), sat.sittings.error(sat.theta, place)[people])
        for place in (3, LENGTH)
    )
    return [
        Finding(
            "former_result",
            "A prior from what is known of the candidate helps short tests most",
            "van der Linden (1999)",
            "direction",
            f"RMSE ratio {early.shown()} after 5 items, {late.shown()} after {LENGTH} (former result with a"
            " standard error of 0.6)",
            together(
                below(early, 0.95),
                below(late, 1.0),
                above(Measured(late.value - early.value, np.hypot(late.error, early.error)), 0.0),
            ),
        ),
        Finding(
            "first_item",
            "A first item of the wrong difficulty hurts short tests, and hardly matters in long ones",
            "van der Linden & Pashley (2010)",
            "direction",
            f"RMSE ratio {short.shown()} after 3 items, {long.shown()} after {LENGTH} (start at θ = -2.5)",
            together(above(short, 1.0), equal(long, 1.0, 0.03)),
        ),
    ]


def _slips(effort: Effort) -> list[Finding]:
    """Able candidates with two wrong answers at the start, weak ones with two lucky guesses."""
    pool = three_parameter(SIZE, 56)
    slipping = dichotomous_columns(pool.a, pool.thresholds[:, 0], pool.c, 0.98, D=1.0)
    each = effort.candidates(400, 80)
    able, weak = np.full(each, 2.0), np.full(each, -2.0)
    able_given, weak_given = answers(pool, able, 57), answers(pool, weak, 58)
    length = 45
    plain, upper = tables_of(pool), tables_of(slipping)
    base = Design(most_informative, length)
    wrong, lucky = replace(base, forced=(0, 0)), replace(base, forced=(1, 1))
    untouched = run(plain, able_given, base).error(able)
    fallen = run(plain, able_given, wrong).error(able)
    raised = run(plain, weak_given, lucky).error(weak) - run(plain, weak_given, base).error(weak)
    four = run(upper, able_given, replace(wrong, prior=NormalPrior(0.0, 1.5))).error(able)
    loss, gain = mean(fallen - untouched), mean(raised)
    return [
        Finding(
            "early_mistakes",
            "Two mistakes at the start cost able candidates more than two lucky guesses give weak ones,"
            f" even in {length} items",
            "Rulison & Loken (2009)",
            "direction",
            f"shift {loss.shown()} at θ = 2, {gain.shown()} at θ = -2",
            together(
                below(loss, 0.0),
                above(Measured(-loss.value - gain.value, float(np.hypot(loss.error, gain.error))), 0.0),
            ),
        ),
        Finding(
            "four_parameters_recover",
            "The 4PL (d = 0.98) with a less informative prior lets them recover",
            "Rulison & Loken (2009)",
            "less bias and RMSE",
            f"bias {mean(four).shown()} against {mean(fallen).shown()}; RMSE ratio"
            f" {error_ratio(four, fallen).shown()}",
            together(above(mean(four - fallen), 0.0), below(error_ratio(four, fallen), 1.0)),
        ),
    ]


def _picture(sat: Sat) -> tuple[str, str]:
    curves = tuple(
        Curve(
            name,
            POINTS,
            np.array([mean(sat.errors(name)[sat.at_point(point)]).value for point in range(POINTS.size)]),
        )
        for name in BY_NAME
    )
    return "adaptive-bias.svg", Picture(
        "Bias by ability: adaptive tests of 30 items", "θ", "bias", curves
    ).svg()
