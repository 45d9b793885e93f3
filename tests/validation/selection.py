"""What the literature found about selection criteria, on one 3PL bank."""

from __future__ import annotations

import numpy as np

from psychometrics.arrays import FloatArray
from psychometrics.response_time import TimeColumns, expected_time_s
from psychometrics.selection.choice import Sense, best_item
from psychometrics.selection.divergence import likelihood_weighted_divergence
from psychometrics.selection.information_criteria import information_per_second
from psychometrics.selection.tables import evidence_of
from tests.validation.banks import answers, at_points, drawn_normal, three_parameter
from tests.validation.curves import Curve, Picture
from tests.validation.estimators import estimate
from tests.validation.findings import Effort, Finding, Say, Topic, above, at_most, below, equal, together
from tests.validation.monte_carlo import Measured, error_ratio, ratio, root_mean_square
from tests.validation.sittings import (
    Design,
    Position,
    Select,
    Sittings,
    at_random,
    by_criterion,
    most_informative,
    run,
    tables_of,
)

SIZE, LENGTH = 500, 30
EARLY, LATE = 5, 20
POPULATION, EXTREME = 1000, 400
LOW = "low ability"
FINE_NODES = np.linspace(-4.0, 4.0, 81)


def _window(now: Position) -> int:
    """Chang and Ying's window of 3 / sqrt(n): Kullback-Leibler weighted alike within, not at all outside."""
    half = 3.0 / np.sqrt(max(now.place - 1, 1))
    inside = (np.abs(now.tables.nodes - now.theta) <= half).astype(np.float64)
    known = evidence_of(now.tables, inside, np.ones_like(inside))
    return best_item(likelihood_weighted_divergence(now.tables, known, now.at), Sense.MAXIMISE, now.available)


BY_MEAN: dict[str, Select] = {
    "MFI": most_informative,
    "MPWI": by_criterion("posterior_weighted_information"),
    "KLP": by_criterion("posterior_weighted_divergence"),
    "MEPV": by_criterion("expected_posterior_variance_predictive"),
    "MEI": by_criterion("expected_information_predictive"),
}
BY_LIKELIHOOD: dict[str, Select] = {
    "MFI": most_informative,
    "MLWI": by_criterion("likelihood_weighted_information"),
    "KL": by_criterion("likelihood_weighted_divergence"),
    "KL window": _window,
}
LONG_NAMES = {
    "MPWI": "posterior-weighted information",
    "KLP": "posterior-weighted Kullback-Leibler information",
    "MEPV": "expected posterior variance",
    "MEI": "expected information",
    "MLWI": "likelihood-weighted information",
    "KL": "likelihood-weighted Kullback-Leibler information",
    "KL window": "Kullback-Leibler information over θ ± 3 / √n",
}


def at_likelihood(select: Select) -> Select:
    """The same rule at the maximum of the likelihood within -4 and 4 instead of the posterior mean."""

    def chosen(now: Position) -> int:
        if now.columns:
            now.theta = float(now.tables.nodes[np.argmax(now.evidence.likelihood)])
        return select(now)

    return chosen


class Tried:
    """Criteria on the same candidates: a population, and candidates of low ability."""

    def __init__(self, effort: Effort, say: Say) -> None:
        pool = three_parameter(SIZE, 41)
        self.tables, fine = tables_of(pool), tables_of(pool, FINE_NODES)
        self.count, self.low = effort.candidates(POPULATION, 60), effort.candidates(EXTREME, 50)
        self.theta = np.concatenate(
            [drawn_normal(self.count, 42), at_points(np.array([-2.0, -3.0]), self.low)]
        )
        ends = np.cumsum([0, self.count, self.low, self.low])
        self.groups = {
            name: slice(start, end)
            for name, start, end in zip(("population", "θ = -2", "θ = -3"), ends[:-1], ends[1:], strict=True)
        }
        self.groups[LOW] = slice(self.count, None)
        self.given = answers(pool, self.theta, 43)
        self.by_mean: dict[str, Sittings] = {}
        for name, select in {**BY_MEAN, "random": at_random(44)}.items():
            self.by_mean[name] = run(self.tables, self.given, Design(select, LENGTH))
            say(f"  {name}: {self.theta.size} tests of {LENGTH} items")
        self.by_likelihood: dict[str, dict[int, FloatArray]] = {}
        for name, select in BY_LIKELIHOOD.items():
            sat = run(fine, self.given, Design(at_likelihood(select), LATE))
            errors = {place: estimate("ML", pool, sat.matrix(place)).theta for place in (EARLY, LATE)}
            self.by_likelihood[name] = {
                place: np.clip(theta, -4.0, 4.0) - self.theta for place, theta in errors.items()
            }
            say(f"  {name} at the likelihood's maximum: {self.theta.size} tests of {LATE} items")

    def errors(self, name: str, place: int, group: str) -> FloatArray:
        """Posterior mean minus ability after `place` items."""
        return self.by_mean[name].error(self.theta, place)[self.groups[group]]

    def against_fisher(self, name: str, place: int, group: str) -> Measured:
        """RMSE over that of maximum information, same candidates, posterior means."""
        return error_ratio(self.errors(name, place, group), self.errors("MFI", place, group))

    def against_fisher_ml(self, name: str, place: int, group: str) -> Measured:
        """The same where ability is estimated by maximum likelihood throughout."""
        some = self.groups[group]
        return error_ratio(self.by_likelihood[name][place][some], self.by_likelihood["MFI"][place][some])


def topic(effort: Effort, say: Say) -> Topic:
    """Criteria early and late, and information per second."""
    tried = Tried(effort, say)
    found = [
        *(_early_ml(tried, name) for name in BY_LIKELIHOOD if name != "MFI"),
        *(_late_ml(tried, name) for name in BY_LIKELIHOOD if name != "MFI"),
        *(_by_mean(tried, name) for name in ("MPWI", "KLP", "MEI")),
        _variance(tried),
        _chance(tried),
        _seconds(tried),
    ]
    return Topic(
        "Selection criteria",
        f"A 3PL bank of {SIZE} items; {tried.count} candidates from N(0, 1) and {tried.low} each at θ = -2"
        " and -3. All criteria meet the same candidates with the same answers, so ratios of RMSE are of"
        " paired errors. MFI is maximum Fisher information at the estimate. Ability is estimated either by"
        " maximum likelihood within -4 and 4 throughout, as in the early literature, or by posterior means"
        " under N(0, 1).",
        tuple(found),
        pictures=(_picture(tried),),
        remarks=_table(tried),
    )


def _early_ml(tried: Tried, name: str) -> Finding:
    low = [tried.against_fisher_ml(name, EARLY, group) for group in ("θ = -2", "θ = -3", LOW)]
    return Finding(
        f"early_{name}",
        f"ML throughout: {LONG_NAMES[name]} is more exact than MFI in the first {EARLY} items at low ability",
        "Chang & Ying (1996); Veerkamp & Berger (1997); Chen, Ankenmann & Chang (2000)",
        "better early, marginally so at θ = -3 and -2",
        f"RMSE over MFI's {low[0].shown()} at θ = -2, {low[1].shown()} at θ = -3, {low[2].shown()} together",
        below(low[2], 1.0),
    )


def _late_ml(tried: Tried, name: str) -> Finding:
    later = tried.against_fisher_ml(name, LATE, "population")
    return Finding(
        f"late_{name}",
        f"ML throughout: {LONG_NAMES[name]} has little advantage over MFI left after {LATE} items",
        "Chen, Ankenmann & Chang (2000)",
        "no advantage beyond 10 items",
        f"RMSE over MFI's {later.shown()} in the population",
        equal(later, 1.0, tolerance=0.05),
    )


def _by_mean(tried: Tried, name: str) -> Finding:
    low, everybody, late = (
        tried.against_fisher(name, *where)
        for where in ((EARLY, LOW), (EARLY, "population"), (LATE, "population"))
    )
    return Finding(
        f"means_{name}",
        f"Posterior means: {LONG_NAMES[name]} has no advantage over MFI left after {LATE} items",
        "Chen, Ankenmann & Chang (2000); Chen & Ankenmann (2004)",
        "similar beyond 10 items",
        f"RMSE over MFI's {late.shown()} in the population (after {EARLY} items {everybody.shown()};"
        f" {low.shown()} at low ability)",
        equal(late, 1.0, tolerance=0.03),
    )


def _variance(tried: Tried) -> Finding:
    low, late = tried.against_fisher("MEPV", EARLY, LOW), tried.against_fisher("MEPV", LENGTH, "population")
    return Finding(
        "means_MEPV",
        "Posterior means: expected posterior variance, which looks one answer ahead, gains early at low"
        " ability, and nothing late",
        "van der Linden (1998); van der Linden & Pashley (2010)",
        "direction",
        f"RMSE over MFI's {low.shown()} after {EARLY} items at low ability; {late.shown()} after {LENGTH} in"
        " the population",
        together(below(low, 1.0), equal(late, 1.0, tolerance=0.03)),
    )


def _chance(tried: Tried) -> Finding:
    worse = tried.against_fisher("random", LATE, "population")
    return Finding(
        "information_beats_chance",
        f"Items drawn at random measure far worse than informative ones ({LATE} items)",
        "Lord (1980)",
        "direction",
        f"RMSE over MFI's {worse.shown()}",
        above(worse, 1.2),
    )


def _seconds(tried: Tried) -> Finding:
    """Times independent of information; speed known, as after the first few items."""
    rng = np.random.default_rng(45)
    times = TimeColumns(np.full(SIZE, 2.0), rng.normal(4.0, 0.45, SIZE))
    expected = expected_time_s(times, 0.0)[0]

    def select(now: Position) -> int:
        values = information_per_second(np.maximum(now.information, 0.0), expected)
        return best_item(values, Sense.MAXIMISE, now.available)

    group = tried.groups["population"]
    quick = run(tried.tables, tried.given[group], Design(select, LENGTH))
    plain = tried.by_mean["MFI"]
    seconds = ratio(expected[quick.columns].sum(axis=1), expected[plain.columns[group]].sum(axis=1))
    errors = error_ratio(quick.error(tried.theta[group]), plain.error(tried.theta)[group])
    return Finding(
        "information_per_second",
        "Information per expected second shortens the time of a test at a small price in exactness",
        "Fan, Wang, Chang & Douglas (2012); Choe, Kern & Chang (2018)",
        "direction",
        f"time {seconds.shown()} of MFI's, RMSE {errors.shown()} of MFI's ({LENGTH} items)",
        together(below(seconds, 0.8), at_most(errors, 1.10)),
    )


def _picture(tried: Tried) -> tuple[str, str]:
    places = np.arange(1, LENGTH + 1)
    group = "population"
    curves = tuple(
        Curve(
            name,
            places.astype(np.float64),
            np.array([root_mean_square(tried.errors(name, int(place), group)).value for place in places]),
            dashed=name == "random",
        )
        for name in ("MFI", "MPWI", "KLP", "MEPV", "random")
    )
    return "criteria.svg", Picture(
        "RMSE by test length: 3PL bank of 500 items", "items", "RMSE", curves
    ).svg()


def _table(tried: Tried) -> str:
    """RMSE of each criterion after 5, 10, 20 and 30 items."""
    places = (5, 10, 20, 30)
    rows = [
        "RMSE in the population after so many items:",
        "",
        "| criterion | 5 | 10 | 20 | 30 |",
        "|---|---|---|---|---|",
    ]
    for name in tried.by_mean:
        cells = [root_mean_square(tried.errors(name, place, "population")).shown() for place in places]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)
