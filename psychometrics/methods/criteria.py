"""Criteria that rank the items of a pool, what content makes of them, and the choice itself."""

from psychometrics.methods.catalogue import Group, Method
from psychometrics.selection import (
    choice,
    content,
    divergence,
    expected,
    information_criteria,
    location,
    mixtures,
    reading,
    stratification,
    tables,
)

CRITERIA_OF_SELECTION = Group(
    "Selection criteria",
    "A value for every item of a pool. L is the likelihood of the responses so far, p the prior density,"
    " theta_hat the interim estimate; integrals run over the nodes of the tables.",
    (
        Method(
            "Maximum Fisher information (MFI)",
            (information_criteria.maximum_information,),
            "u_i = I_i(theta_hat)",
            "Lord (1980)",
            "Once some answers are in. Without exposure control it wears out a few strong items.",
        ),
        Method(
            "Likelihood-weighted information (MLWI)",
            (information_criteria.likelihood_weighted_information,),
            "u_i = integral L(theta) I_i(theta) dtheta",
            "Veerkamp & Berger (1997)",
            "Early items, without a prior.",
        ),
        Method(
            "Posterior-weighted information (MPWI)",
            (information_criteria.posterior_weighted_information,),
            "u_i = integral L(theta) p(theta) I_i(theta) dtheta",
            "van der Linden (1998)",
            "As cheap as maximum information and safer while the estimate is far off.",
        ),
        Method(
            "Likelihood-weighted divergence (KL)",
            (divergence.likelihood_weighted_divergence,),
            "u_i = integral L(x) KL_i(theta_hat || x) dx",
            "Barrada, Olea, Ponsoda & Abad (2009)",
            "Early items, without a prior, when abilities far from the estimate are still possible.",
        ),
        Method(
            "Posterior-weighted divergence (KLP)",
            (divergence.posterior_weighted_divergence,),
            "u_i = integral L(x) p(x) KL_i(theta_hat || x) dx",
            "Chang & Ying (1996)",
            "The same with a prior; becomes maximum information as the posterior narrows.",
        ),
        Method(
            "Global information in a window",
            (divergence.window_divergence,),
            "u_i = integral KL_i(theta_hat || x) dx over |x - theta_hat| <= delta\n"
            "delta = 3 / sqrt(n) after n items",
            "Chang & Ying (1996)",
            "A window that narrows with the test instead of a weight.",
        ),
        Method(
            "Discrimination index (GDI)",
            (divergence.discrimination_index,),
            "u_i = sum_k Var(P_ik(theta)) / 2, theta distributed as L",
            "Kaplan, de la Torre & Barrada (2015)",
            "Short tests; close to expected posterior variance at a fraction of its cost.",
        ),
        Method(
            "Posterior discrimination index (GDIP)",
            (divergence.posterior_discrimination_index,),
            "u_i = sum_k Var(P_ik(theta)) / 2, theta distributed as L p",
            "Kaplan, de la Torre & Barrada (2015)",
            "The same with a prior.",
        ),
        Method(
            "Expected information (MEI)",
            (
                expected.expected_information,
                expected.expected_information_after_mode,
                expected.expected_information_after,
                expected.AnswerChance,
            ),
            "u_i = sum_k P(X_i = k) I_i(estimate after answer k)",
            "van der Linden (1998); van der Linden & Pashley (2010)",
            "Looks one answer ahead: information that lies where the estimate will not be is not counted."
            " Updates to the posterior mean by name, to the mode as catR does, or by any estimator.",
        ),
        Method(
            "Expected posterior variance (MEPV)",
            (expected.expected_posterior_variance,),
            "u_i = sum_k P(X_i = k) Var(theta | x, X_i = k), wanted small",
            "Owen (1975); van der Linden (1998)",
            "Short tests reported by posterior mean: it minimises the error that is reported.",
        ),
        Method(
            "Closest difficulty",
            (location.distance_to, location.difficulties),
            "u_i = |b_i - theta_hat|, wanted small",
            "Urry (1970)",
            "Rasch pools, and strata of like discrimination.",
        ),
        Method(
            "Closest maximum of information",
            (location.information_maxima,),
            "u_i = |theta_i - theta_hat|, wanted small, theta_i = argmax I_i(theta)\n"
            "3PL: theta_i = b_i + ln((1 + sqrt(1 + 8 c_i)) / 2) / (D a_i)",
            "Birnbaum (1968); Magis (2013)",
            "The same for items that can be guessed, and for every other model.",
        ),
        Method(
            "Information per unit of time",
            (information_criteria.information_per_second,),
            "u_i = I_i(theta_hat) / E(T_i)^power",
            "Fan, Wang, Chang & Douglas (2012); Choe, Kern & Chang (2018)",
            "Where minutes are scarce and items differ in the time they take.",
        ),
        Method(
            "Random selection",
            (mixtures.random_values,),
            "u_i uniform on [0, 1)",
            "Kingsbury & Zara (1989)",
            "The yardstick for other criteria, and seeding of items that are to be calibrated.",
        ),
        Method(
            "Progressive mixture",
            (mixtures.progressive_values, mixtures.mixture_weight, mixtures.precision_weight),
            "u_i = (1 - W) R_i + W I_i, R_i uniform on [0, max I)\n"
            "W = sum_{f=1..position} (f - 1)^t / sum_{f=1..length} (f - 1)^t, or,\n"
            "where precision ends the test, W = max(I / I_wanted, (position - 1) / (most - 1))^t",
            "Revuelta & Ponsoda (1998); Barrada, Olea, Ponsoda & Abad (2008); Magis & Barrada (2017)",
            "Spreads the first items over the pool, where information is worth little yet.",
        ),
        Method(
            "Proportional mixture",
            (mixtures.proportional_chances, choice.drawn_item),
            "P(i) = I_i^h / sum_j I_j^h, h = length W",
            "Segall (2004); Barrada, Olea, Ponsoda & Abad (2008)",
            "As the progressive mixture, as a lottery with stated chances.",
        ),
        Method(
            "a-stratification",
            (stratification.strata_by, stratification.stratum_at),
            "items by rising a in strata 0 .. K - 1 of equal size\n"
            "stratum floor((position - 1) K / length) serves a position",
            "Chang & Ying (1999); Barrada, Mazuela & Olea (2006)",
            "Even use of the pool without counting: strong items wait until the estimate can use them.",
        ),
        Method(
            "a-stratification with b-blocking",
            (stratification.b_blocked_strata,),
            "items by rising b in blocks of K\n"
            "in each block the item of rank r = 0 .. K - 1 by a goes to stratum r",
            "Chang, Qian & Ying (2001)",
            "Pools in which a and b correlate: every stratum gets the whole range of difficulty.",
        ),
    ),
)

CONTENT = Group(
    "Content constraints",
    "How a blueprint is met without a programme to solve. Item i has c_ik of constraint k, the test has x_k.",
    (
        Method(
            "Largest deficit of a share",
            (content.content_group,),
            "next group = argmax_g share_g - n_g / n",
            "Kingsbury & Zara (1989)",
            "A few content groups with wanted shares. The engine's rule `shares` looks one item ahead, so"
            " that the two may name different groups.",
        ),
        Method(
            "Weighted deviations",
            (content.weighted_deviations, content.ContentBounds),
            "u_i = sum_k w_k [(lower_k - e_ik)+ + (e_ik - upper_k)+] - w I_i, wanted small\n"
            "e_ik = x_k + c_ik + (length - n - 1) mean_k, mean_k over the other available items",
            "Swanson & Stocking (1993); Stocking & Swanson (1993)",
            "Many soft constraints whose weights are tuned by simulation.",
        ),
        Method(
            "Maximum priority index",
            (content.priority_index, content.quota_shares),
            "u_i = I_i prod_k (w_k f_k)^c_ik\n"
            "f_k = (lower_k - x_k) / lower_k while minima are unmet, then (upper_k - x_k) / upper_k",
            "Cheng & Chang (2009)",
            "Many constraints and exposure quotas at little cost.",
        ),
    ),
)

CHOICE = Group(
    "Choice and tables",
    "From values to an item, and what makes criteria fast.",
    (
        Method(
            "Best items",
            (choice.best_item, choice.best_items, choice.available_items, choice.Sense),
            "i = argmax u_i or argmin u_i over the available items; of equals the first in the pool",
            "Lord (1980)",
            "Simulations and tests that need no exposure control.",
        ),
        Method(
            "Randomesque choice",
            (choice.randomesque_item,),
            "one of the m best items, each with probability 1 / m",
            "Kingsbury & Zara (1989)",
            "A simple guard of the first items of a test.",
        ),
        Method(
            "Evidence on the nodes",
            (
                tables.criterion_tables,
                tables.CriterionTables,
                tables.evidence,
                tables.evidence_of,
                tables.Evidence,
                tables.trapezoid_lengths,
            ),
            "L(theta_q) = prod_j P_j(x_j | theta_q)\n"
            "integral f dtheta = sum_q f(theta_q) h, h / 2 at the ends",
            "Davis & Rabinowitz (1984)",
            "Every criterion above becomes a matrix product over nodes, items and categories.",
        ),
        Method(
            "Curves read from a table",
            (reading.pool_at, reading.pool_reader, reading.PoolReader, reading.hermite_weights),
            "cubic Hermite interpolation between nodes 0.05 apart; error at most h^4 max |f''''| / 384",
            "de Boor (2001)",
            "The whole pool at a new estimate, ten times faster than from the models.",
        ),
    ),
)
