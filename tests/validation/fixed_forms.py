"""Recovery of ability on fixed forms: bias, error and its calibration, estimator by estimator."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.stats import binom

from psychometrics.arrays import FloatArray
from psychometrics.estimation.grids import converged_grid
from psychometrics.estimation.robust import RobustSettings, RobustWeight, robust_estimates
from psychometrics.estimation.sum_scores import summed_score_estimates
from psychometrics.information import expected_moments, total_information
from psychometrics.models.items import ItemColumns, category_probabilities, dichotomous_columns
from tests.validation.banks import (
    answers,
    at_points,
    drawn_normal,
    partial_credit,
    three_parameter,
    two_parameter,
)
from tests.validation.curves import Curve, Picture
from tests.validation.estimators import BY_NAME, WIDE, estimate
from tests.validation.findings import (
    Effort,
    Finding,
    Say,
    Topic,
    above,
    at_most,
    below,
    equal,
    exactly,
    together,
)
from tests.validation.monte_carlo import Measured, deviation, error_ratio, mean, root_mean_square, share

POINTS = np.linspace(-2.0, 2.0, 9)
LENGTH = 40
EACH = 600
POPULATION = 4000
FORMS: dict[str, Callable[[], ItemColumns]] = {
    "3PL": lambda: three_parameter(LENGTH, 11),
    "2PL": lambda: two_parameter(LENGTH, 12),
    "GPCM": lambda: partial_credit(LENGTH // 2, 13),
}


class Recovery:
    """Errors of every estimator at every ability point: `errors` and `reported` by name, (points, N)."""

    def __init__(self, items: ItemColumns, names: tuple[str, ...], each: int, seed: int) -> None:
        theta = at_points(POINTS, each)
        matrix = answers(items, theta, seed)
        self.items = items
        self.errors: dict[str, FloatArray] = {}
        self.reported: dict[str, FloatArray] = {}
        for name in names:
            got = estimate(name, items, matrix)
            self.errors[name] = (got.theta - theta).reshape(POINTS.size, each)
            self.reported[name] = got.standard_error.reshape(POINTS.size, each)

    def bias(self, name: str) -> list[Measured]:
        """At each ability point."""
        return [mean(errors) for errors in self.errors[name]]

    def spread(self, name: str) -> list[Measured]:
        """Standard deviation of the estimate at each ability point."""
        return [deviation(errors) for errors in self.errors[name]]

    def mean_absolute_bias(self, name: str) -> Measured:
        """Over the ability points; the error takes the signs as known."""
        bias = self.bias(name)
        error = np.sqrt(np.sum([one.error**2 for one in bias])) / len(bias)
        return Measured(float(np.mean([abs(one.value) for one in bias])), float(error))


def topic(effort: Effort, say: Say) -> Topic:
    """Three fixed forms, then a population."""
    recoveries = {}
    for number, (model, form) in enumerate(FORMS.items()):
        names = ("ML", "Warm", "MAP", "EAP") if model == "3PL" else ("ML", "Warm", "EAP")
        recoveries[model] = Recovery(form(), names, effort.candidates(EACH, 60), 100 + number)
        say(f"  {model}: {POINTS.size} ability points recovered by {', '.join(names)}")
    found = [
        _first_order_bias("2PL", 0.0, 1.0),
        _first_order_bias("3PL", 0.2, 1.0),
        _weighted(recoveries["3PL"]),
        *(_inward(model, one) for model, one in recoveries.items()),
        *(_errors_reported(model, one) for model, one in recoveries.items()),
        *_population(FORMS["3PL"](), effort),
        _robust(effort),
    ]
    each = effort.candidates(EACH, 60)
    return Topic(
        "Recovery on fixed forms",
        f"Forms of {LENGTH} items (3PL, 2PL) and {LENGTH // 2} items of four categories (GPCM), item"
        f" parameters known; {each} candidates at each of {POINTS.size} ability points from -2 to 2, and a"
        f" population of {effort.candidates(POPULATION, 300)} from N(0, 1). Estimates are sought between -6"
        " and 6.",
        tuple(found),
        pictures=tuple(_pictures(recoveries["3PL"])),
    )


def _exact_biases(c: float, length: int, theta: float) -> tuple[float, float, float]:
    """Exact bias of ML and of Warm's estimate on a form of equal items, and -J / (2 I^2).

    The number of right answers says all that such a form can say, and it is binomial: nothing is simulated.
    """
    items = dichotomous_columns(np.full(length, 1.3), np.zeros(length), c, 1.0, D=1.0)
    patterns = (np.arange(length) < np.arange(length + 1)[:, None]).astype(np.int64)
    chance = float(category_probabilities(items.take([0]), theta)[0, 0, 1])
    weight = binom.pmf(np.arange(length + 1), length, chance)
    moments = expected_moments(items, theta)
    formula = -float(moments.bias_term.sum()) / (2.0 * float(moments.information.sum()) ** 2)
    plain, warm = (float(weight @ estimate(name, items, patterns).theta) - theta for name in ("ML", "Warm"))
    return plain, warm, formula


def _first_order_bias(model: str, c: float, theta: float) -> Finding:
    lengths = (20, 60, 180)
    exact = [_exact_biases(c, length, theta) for length in lengths]
    ratios = [plain / formula for plain, _, formula in exact]
    left = exact[-1][1] / exact[-1][0]
    return Finding(
        f"bias_formula_{model}",
        f"{model}: the bias of ML is -J / (2 I²) to first order, and Warm's correction takes it away",
        "Lord (1983); Warm (1989)",
        "exact bias / formula tends to 1; Warm / ML to 0",
        f"{', '.join(f'{ratio:.3f}' for ratio in ratios)} with {lengths[0]}, {lengths[1]}, {lengths[2]}"
        f" items; Warm / ML {left:.3f} at {lengths[-1]} (exact, at θ = {theta:g})",
        exactly(
            abs(ratios[-1] - 1.0) < 0.05 and abs(ratios[-1] - 1.0) < abs(ratios[0] - 1.0) and abs(left) < 0.05
        ),
    )


def _weighted(one: Recovery) -> Finding:
    plain, warm = one.mean_absolute_bias("ML"), one.mean_absolute_bias("Warm")
    gain = Measured(plain.value - warm.value, float(np.hypot(plain.error, warm.error)))
    return Finding(
        "warm_is_less_biased",
        "3PL: weighted likelihood is less biased than maximum likelihood",
        "Warm (1989)",
        "direction",
        f"mean |bias| {warm.shown()} against {plain.shown()}",
        above(gain, 0.0),
    )


def _inward(model: str, one: Recovery) -> Finding:
    low, high = one.bias("EAP")[0], one.bias("EAP")[-1]
    return Finding(
        f"inward_{model}",
        f"{model}: the posterior mean is drawn towards the prior's",
        "Bock & Mislevy (1982)",
        "bias > 0 at low, < 0 at high ability",
        f"{low.shown()} at θ = -2, {high.shown()} at θ = 2",
        together(above(low, 0.0), below(high, 0.0)),
    )


def _errors_reported(model: str, one: Recovery) -> Finding:
    """Asymptotic errors against the spread over candidates of one ability, in the middle of the range."""
    middle = slice(2, -2)
    ratios = {}
    for name in ("ML", "Warm"):
        spread = np.array([s.value for s in one.spread(name)[middle]])
        relative = np.array([s.error / s.value for s in one.spread(name)[middle]])
        reported = one.reported[name][middle].mean(axis=1)
        value = reported / spread
        ratios[name] = Measured(
            float(value.mean()), float(np.sqrt(np.sum((value * relative) ** 2)) / value.size)
        )
    return Finding(
        f"errors_reported_{model}",
        f"{model}: 1 / √I is the spread of ML and Warm estimates, in the middle of the range",
        "theory: asymptotic",
        "mean SE / spread 1, within 10 %",
        ", ".join(f"{name} {ratio.shown()}" for name, ratio in ratios.items()),
        together(*(equal(ratio, 1.0, tolerance=0.10) for ratio in ratios.values())),
    )


def _population(items: ItemColumns, effort: Effort) -> list[Finding]:
    theta = drawn_normal(effort.candidates(POPULATION, 300), 21)
    matrix = answers(items, theta, 22)
    got = {name: estimate(name, items, matrix) for name in BY_NAME}
    error = {name: one.theta - theta for name, one in got.items()}
    posterior = got["EAP"]
    z = np.abs(error["EAP"]) / posterior.standard_error
    by_score = summed_score_estimates(items, matrix, converged_grid()).theta - theta
    worse = {name: error_ratio(error[name], error["EAP"]) for name in BY_NAME if name != "EAP"}
    calibrated = error_ratio(error["EAP"], posterior.standard_error)
    bound = float(np.sqrt(np.mean(1.0 / total_information(items, theta))))
    reached = root_mean_square(error["EAP"])
    return [
        Finding(
            "posterior_mean_is_most_exact",
            "3PL: in the population of the prior the posterior mean has the smallest mean squared error",
            "Bock & Mislevy (1982); Wang & Vispoel (1998)",
            "direction",
            "RMSE over that of EAP: " + ", ".join(f"{name} {one.shown()}" for name, one in worse.items()),
            together(
                *(above(one, 1.0) for name, one in worse.items() if name != "MAP"),
                at_most(
                    Measured(1.0 - worse["MAP"].value, worse["MAP"].error), 0.0
                ),  # nearly the same estimator
            ),
        ),
        Finding(
            "posterior_deviation_is_calibrated",
            "3PL: the root mean square of the posterior deviation is the RMSE of the posterior mean",
            "theory; Wang & Vispoel (1998)",
            "1",
            f"RMSE / deviation {calibrated.shown()}",
            equal(calibrated, 1.0),
        ),
        Finding(
            "posterior_coverage",
            "3PL: ± 1.96 posterior deviations cover the ability of 95 % of the population (± 1: 68 %)",
            "theory, for posteriors near normal",
            "95 %, 68.3 %",
            f"{share(z < 1.96).per_cent()}, {share(z < 1.0).per_cent()}",
            together(equal(share(z < 1.96), 0.95, 0.01), equal(share(z < 1.0), 0.683, 0.02)),
        ),
        Finding(
            "shrinkage_beats_the_likelihood_bound",
            "3PL: under the prior EAP is more exact than any unbiased estimator could be",
            "theory: Cramér-Rao bound √E(1 / I)",
            f"RMSE below {bound:.3f}",
            reached.shown(),
            below(reached, bound),
        ),
        Finding(
            "summed_scores_lose_little",
            "3PL: posterior means from summed scores are nearly as exact as from response patterns",
            "Thissen, Pommerich, Billeaud & Williams (1995)",
            "direction: a little less exact",
            f"RMSE ratio {error_ratio(by_score, error['EAP']).shown()}",
            together(
                above(error_ratio(by_score, error["EAP"]), 1.0),
                below(error_ratio(by_score, error["EAP"]), 1.15),
            ),
        ),
    ]


def _robust(effort: Effort) -> Finding:
    """Able candidates who slip on the easiest items."""
    count = effort.candidates(2000, 300)
    rng = np.random.default_rng(31)
    b = np.sort(rng.normal(0.0, 1.2, LENGTH))
    items = dichotomous_columns(np.full(LENGTH, 1.3), b, 0.0, 1.0, D=1.0)
    theta = np.full(count, 1.0)
    matrix = answers(items, theta, 32)
    slipped = matrix.copy()
    slipped[:, :4] = 0
    settings = RobustSettings(RobustWeight.TUKEY, 4.0)
    careful = robust_estimates(items, slipped, settings, bounds=WIDE).theta - theta
    plain = estimate("ML", items, slipped).theta - theta
    price = error_ratio(
        robust_estimates(items, matrix, settings, bounds=WIDE).theta - theta,
        estimate("ML", items, matrix).theta - theta,
    )
    gain = mean(np.abs(plain)).value - mean(np.abs(careful)).value
    error = mean(np.abs(plain) - np.abs(careful)).error
    return Finding(
        "robust_resists_slips",
        "2PL: after slips on the four easiest items the biweight estimate is less biased than ML, at a"
        " small price where nobody slips",
        "Mislevy & Bock (1982); Schuster & Yuan (2011)",
        "direction",
        f"bias {mean(careful).shown()} against {mean(plain).shown()}; without slips RMSE ratio"
        f" {price.shown()}",
        together(above(Measured(gain, error), 0.0), at_most(price, 1.15)),
    )


def _pictures(one: Recovery) -> list[tuple[str, str]]:
    names = ("ML", "Warm", "MAP", "EAP")
    bias = Picture(
        "Bias by ability: 3PL form of 40 items",
        "θ",
        "bias",
        tuple(Curve(name, POINTS, np.array([m.value for m in one.bias(name)])) for name in names),
    )
    theory = 1.0 / np.sqrt(total_information(one.items, POINTS))
    spread = Picture(
        "Standard deviation of estimates by ability: 3PL form of 40 items",
        "θ",
        "SD",
        (
            *(Curve(name, POINTS, np.array([m.value for m in one.spread(name)])) for name in names),
            Curve("1 / √I", POINTS, theory, dashed=True),
        ),
    )
    return [("fixed-form-bias.svg", bias.svg()), ("fixed-form-error.svg", spread.svg())]
