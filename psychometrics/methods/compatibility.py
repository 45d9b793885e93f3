"""How to ask for the numbers of catR where a plain call gives others, and where no call gives them.

Pure data; docs/methods.md prints it as a table. The call is held as code, so that it cannot go out of date.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from psychometrics.estimation import (
    eap,
    finite_sample,
    grids,
    jeffreys,
    posterior_mode,
    robust,
    search,
    weighted_likelihood,
)
from psychometrics.models import items
from psychometrics.selection import content, expected, reading, tables


@dataclass(frozen=True, slots=True)
class Compatibility:
    """One number of catR: what it is, what computes it here, and which settings or limits belong to it."""

    number: str
    code: tuple[Callable[..., object] | StrEnum, ...]
    settings: str


CATR = "Compatibility with catR"

ABOUT_CATR = (
    "The R package catR (Magis & Barrada, 2017) is what adaptive tests are often compared with. A plain call"
    " here gives what the literature defines, converged; these calls give what catR 3.17 prints."
)

COMPATIBILITY: tuple[Compatibility, ...] = (
    Compatibility(
        "EAP and its error",
        (eap.eap_estimates, grids.catr_grid),
        "33 nodes on [-4, 4], for any normal prior as `catr_grid(NormalPrior(mean, sd))`. The converged grid"
        " gives the true posterior mean, 0.01 to 0.06 away beyond 2.3.",
    ),
    Compatibility(
        "Error of the mode under Jeffreys' prior",
        (jeffreys.jeffreys_mode_estimates, jeffreys.JeffreysError.CATR),
        "`error=JeffreysError.CATR`; the same as the default where D is 1.",
    ),
    Compatibility(
        "Robust estimate",
        (robust.robust_estimates, robust.ResidualMetric.CATR),
        "`RobustSettings(residual=ResidualMetric.CATR)`: residuals without D; the same where D is 1.",
    ),
    Compatibility(
        "Maximum likelihood and robust estimates of aberrant answers",
        (posterior_mode.maximum_likelihood_estimates, robust.robust_estimates, search.Search.CROSSING),
        "Several roots, 3PL and 4PL: by default the highest point, also a bound, and robust the highest"
        " root. `search=Search.CROSSING` answers a root if the equation is positive at -4 and negative at 4,"
        " else the bound. Of three roots catR finds any one; no setting foretells which. The other estimators"
        " always answer the highest point.",
    ),
    Compatibility(
        "Warm's estimate (WL)",
        (weighted_likelihood.warm_estimates,),
        "catR's WL is Warm's own, the default; the WLE of mirt is the mode under Jeffreys' prior, not"
        " the same for the 3PL and 4PL.",
    ),
    Compatibility(
        "Exact standard error",
        (finite_sample.sampling_distribution,),
        "catR finds the roots of all patterns to R's loose default only: its errors are up to 3e-5 away from"
        " the exact ones given here.",
    ),
    Compatibility(
        "MEI",
        (expected.expected_information_after_mode,),
        "Its update is the posterior mode; `kind` is Fisher's or the observed information."
        ' `CRITERIA["expected_information"]` updates to the posterior mean and ranks differently.',
    ),
    Compatibility(
        "MEPV",
        (expected.expected_posterior_variance, expected.AnswerChance.AT_ESTIMATE),
        "The default: answers weighed at the estimate, on tables whose nodes are `catr_grid().nodes`.",
    ),
    Compatibility(
        "MLWI, MPWI, KL, KLP",
        (tables.criterion_tables, tables.evidence),
        "Tables on `catr_grid().nodes`, and the likelihood as it is: `relative=True` divides all values by"
        " one number, which changes no ranking but every value.",
    ),
    Compatibility(
        "Values of criteria to the last digits",
        (reading.pool_at,),
        "`pool_at(items, theta)` computes the curves; `tables.reader.at(theta)` reads them to about 1e-6.",
    ),
    Compatibility(
        "Content balancing",
        (content.content_group,),
        "Deficit of shares of the items given, as catR. The engine's rule `shares` looks one item ahead,"
        " share (n + 1) - n_g, and may name another group.",
    ),
    Compatibility(
        "Items as a matrix with empty cells",
        (items.ItemParameters, items.item_columns),
        "`b` is a tuple, (0.5,) for one difficulty. Empty cells of items with fewer categories are left out"
        " of it: None and NaN are refused.",
    ),
)
