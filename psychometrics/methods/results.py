"""Response times, decisions, levels, reported scores, the use of a pool and classical statistics."""

from psychometrics import (
    classical,
    classification,
    decisions,
    exposure,
    ranking,
    response_time,
    scaling,
)
from psychometrics.methods.catalogue import Group, Method

TIMES = Group(
    "Response times",
    "Times are in seconds; beta is the time intensity of an item, alpha how little times on it vary, tau the"
    " speed of a candidate.",
    (
        Method(
            "Lognormal model",
            (response_time.TimeColumns, response_time.log_density, response_time.expected_time_s),
            "ln T_ij = beta_i - tau_j + e, e ~ N(0, 1 / alpha_i^2)\n"
            "E(T_ij) = exp(beta_i - tau_j + 1 / (2 alpha_i^2))",
            "van der Linden (2006)",
            "Planning time limits, and choosing items where minutes are scarce.",
        ),
        Method(
            "Speed by maximum likelihood",
            (response_time.maximum_likelihood_speeds,),
            "tau = sum alpha^2 (beta - ln t) / sum alpha^2\nSE = (sum alpha^2)^(-1/2)",
            "van der Linden (2006)",
            "Studies of speed, and the misfit of times.",
        ),
        Method(
            "Posterior speed",
            (response_time.posterior_speeds,),
            "tau = (mean / sd^2 + sum alpha^2 (beta - ln t)) / (1 / sd^2 + sum alpha^2)",
            "van der Linden (2006)",
            "During a test, when few times are in.",
        ),
        Method(
            "Information by expected time",
            (response_time.information_per_second,),
            "u_i = I_i(theta_hat) / E(T_i)",
            "Fan, Wang, Chang & Douglas (2012)",
            "The plain ratio, for batches of candidates; with a power it is a selection criterion.",
        ),
        Method(
            "Misfit of times",
            (response_time.time_misfit, response_time.TimeMisfit),
            "l_t = sum alpha^2 (ln t - beta + tau_hat)^2, chi-square with n - 1 degrees of freedom",
            "Marianti, Fox, Avetisyan, Veldkamp & Tijmstra (2014); Sinharay (2018)",
            "A hint that times do not belong to one steady speed; never a proof of anything.",
        ),
    ),
)

DECISIONS = Group(
    "Sequential decisions",
    "On which side of one or several cut scores a candidate stands, decided as soon as the answers allow.",
    (
        Method(
            "Wald's bounds",
            (decisions.wald_bounds, decisions.RatioBounds),
            "upper = ln((1 - beta) / alpha), lower = ln(beta / (1 - alpha))",
            "Wald (1947)",
            "With every ratio below: error rates hold approximately.",
        ),
        Method(
            "Probability ratio test (SPRT)",
            (decisions.likelihood_ratios, decisions.sequential_levels),
            "ln L(cut + delta) - ln L(cut - delta) at each cut, decided outside the bounds",
            "Wald (1947); Sobel & Wald (1949); Reckase (1983); Eggen (1999)",
            "Levels and nothing else, with the fewest items near the cut.",
        ),
        Method(
            "Generalised likelihood ratio (GLR)",
            (decisions.generalised_likelihood_ratios,),
            "max ln L over theta >= cut + delta, minus max ln L over theta <= cut - delta",
            "Bartroff, Finkelman & Lai (2008); Thompson (2009)",
            "Fewer items than the plain ratio for candidates far from the cut.",
        ),
        Method(
            "Confidence interval",
            (decisions.interval_levels,),
            "decided when no cut lies in theta_hat -+ z SE",
            "Kingsbury & Weiss (1983); Eggen & Straetmans (2000)",
            "Levels where a score is reported as well.",
        ),
        Method(
            "Forced decision",
            (decisions.forced_levels,),
            "level = number of cuts whose ratio is 0 or above",
            "Spray & Reckase (1996)",
            "When a test ends before it has decided.",
        ),
    ),
)

CLASSIFICATION = Group(
    "Classification and ranking",
    "How sure a level or a rank is.",
    (
        Method(
            "Probability of a level",
            (classification.level_probabilities, classification.levels),
            "p_l = Phi((cut_{l+1} - theta_hat) / SE) - Phi((cut_l - theta_hat) / SE)",
            "Rudner (2001)",
            "Beside every level that is reported near a cut.",
        ),
        Method(
            "Accuracy and consistency",
            (classification.decision_quality, classification.DecisionQuality),
            "accuracy = mean p_(level given), consistency = mean sum_l p_l^2",
            "Rudner (2001); Rudner (2005)",
            "Whether a test can carry the decisions that rest on it.",
        ),
        Method(
            "Certainty of a ranking",
            (ranking.probability_above, ranking.pairwise_probability_above),
            "P(A above B) = Phi((theta_A - theta_B) / sqrt(SE_A^2 + SE_B^2))",
            "Goldstein & Spiegelhalter (1996)",
            "Ranked lists: shows which neighbours the test did not separate.",
        ),
    ),
)

SCALING = Group(
    "Reported scores",
    "From theta to the number on the report, in decimal arithmetic that pencil and paper can repeat.",
    (
        Method(
            "Linear reporting scale",
            (scaling.ReportingScale, scaling.round_half_even),
            "score = round(slope theta_hat + intercept), kept within lowest..highest\n"
            "SE(score) = slope SE(theta_hat)",
            "Kolen & Brennan (2014)",
            "Every score report. A half is rounded to the even neighbour.",
        ),
        Method(
            "Level of a reported score",
            (scaling.level,),
            "level = number of cut scores that the reported score reaches",
            "Kolen & Brennan (2014)",
            "Levels on the reported number, so that nobody reads 70 and is told to be below 70.",
        ),
    ),
)

EXPOSURE = Group(
    "Use of a pool",
    "r_i is the share of sittings that saw item i, L the test length, n the number of items.",
    (
        Method(
            "Exposure rates",
            (
                exposure.administration_matrix,
                exposure.exposure_rates,
                exposure.conditional_exposure_rates,
                exposure.exposure_summary,
            ),
            "r_i = sittings that saw item i / sittings; the same within groups of ability",
            "Sympson & Hetter (1985); Stocking & Lewis (1998)",
            "After every simulation and every exam: what is worn out, what is never used.",
        ),
        Method(
            "Overlap of tests",
            (exposure.overlap_of_rates, exposure.pairwise_overlap, exposure.shared_items),
            "sum_i r_i^2 / L; exactly (N sum_i r_i^2 - L) / ((N - 1) L) for N sittings",
            "Chen, Ankenmann & Spray (2003)",
            "What one candidate can tell the next.",
        ),
        Method(
            "Unevenness of use",
            (exposure.unevenness,),
            "chi-square = sum_i (r_i - L / n)^2 / (L / n)",
            "Chang & Ying (1999)",
            "One number for how far a design is from using the pool evenly.",
        ),
    ),
)

CLASSICAL = Group(
    "Classical statistics",
    "Fixed forms that every candidate took whole; in an adaptive test only the difficulty is of use.",
    (
        Method(
            "Difficulty",
            (classical.difficulties,),
            "p_i = mean of points / points possible over those who took item i",
            "Lord & Novick (1968)",
            "First look at new items.",
        ),
        Method(
            "Item-total and item-rest correlation",
            (classical.item_statistics,),
            "corr(X_i, T) and corr(X_i, T - X_i)",
            "Lord & Novick (1968)",
            "Finds items that are keyed wrongly or measure something else.",
        ),
        Method(
            "Coefficient alpha",
            (classical.cronbach_alpha,),
            "alpha = n / (n - 1) (1 - sum_i Var(X_i) / Var(T))",
            "Cronbach (1951)",
            "Reliability of a fixed form; a lower bound when errors are uncorrelated.",
        ),
    ),
)
