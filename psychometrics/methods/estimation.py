"""Quadrature, estimators of one ability, and their standard errors."""

from psychometrics.estimation import (
    conventions,
    eap,
    errors,
    finite_sample,
    grids,
    jeffreys,
    no_maximum,
    posterior_mode,
    robust,
    search,
    sum_scores,
    weighted_likelihood,
)
from psychometrics.estimation.conventions import ErrorConvention
from psychometrics.estimation.no_maximum import NoMaximumPolicy
from psychometrics.methods.catalogue import Group, Method

QUADRATURE = Group(
    "Priors and quadrature",
    "Posterior means are integrals; a grid holds the points and the prior mass that each stands for.",
    (
        Method(
            "Normal prior, trapezoid rule",
            (
                grids.trapezoid_grid,
                grids.converged_grid,
                grids.equally_spaced,
                grids.normal_density,
            ),
            "integral f(theta) p(theta) dtheta = sum_q f(theta_q) w_q\n"
            "w_q proportional to p(theta_q), halved at the ends",
            "Trefethen & Weideman (2014)",
            "The default: 161 points over eight deviations to either side are good to about 1e-8.",
        ),
        Method(
            "Any prior, and the uniform",
            (grids.density_grid, grids.uniform_grid),
            "w_q proportional to p(theta_q) (theta_{q+1} - theta_{q-1}) / 2",
            "Davis & Rabinowitz (1984)",
            "Priors from a former population, and flat ones.",
        ),
        Method(
            "Truncated normal prior",
            (grids.truncated_normal_grid,),
            "trapezoid rule, the weights at both ends with Gregory's corrections up to second differences",
            "Davis & Rabinowitz (1984)",
            "Where no estimate may leave a stated range.",
        ),
        Method(
            "Quadrature of catR",
            (grids.catr_grid,),
            "33 points on [-4, 4]",
            "Magis & Barrada (2017)",
            "Comparison with published results only: off by 0.01 to 0.06 beyond |theta| = 2.3.",
        ),
    ),
)

ESTIMATORS = Group(
    "Estimators of ability",
    "All take a batch of candidates and give one candidate the same bits alone. Every search starts from a"
    " grid over the whole range, so that of several maxima the highest is answered.",
    (
        Method(
            "Expected a posteriori (EAP)",
            (
                eap.eap_estimate,
                eap.eap_estimates,
                eap.eap_from_log_likelihood,
                eap.log_likelihood,
                eap.posterior,
            ),
            "theta_hat = sum_q theta_q L(theta_q) w_q / sum_q L(theta_q) w_q\n"
            "SE = standard deviation of the same posterior",
            "Bock & Mislevy (1982)",
            "The default: always defined, and the least mean squared error under the prior.",
        ),
        Method(
            "Maximum a posteriori (MAP)",
            (
                posterior_mode.map_estimate,
                posterior_mode.map_estimates,
                posterior_mode.normal_penalty,
            ),
            "theta_hat = argmax ln L(theta) - (theta - mean)^2 / (2 sd^2)\n"
            "SE = (I(theta_hat) + 1 / sd^2)^(-1/2)",
            "Samejima (1969)",
            "Comparison with programs that answer the mode; needs no quadrature.",
        ),
        Method(
            "Maximum likelihood",
            (posterior_mode.maximum_likelihood_estimates, posterior_mode.likelihood_tops),
            "theta_hat = argmax ln L(theta) within the bounds\nSE = I(theta_hat)^(-1/2)",
            "Birnbaum (1968); Lord (1980)",
            "Long tests whose result may not lean on a prior. All right or all wrong gives the bound."
            " So do aberrant answers under the 3PL and 4PL whose likelihood is highest there.",
        ),
        Method(
            "Policies where there is no maximum",
            (*NoMaximumPolicy, no_maximum.likelihood_estimates),
            "no maximum: L is highest at an end of the range, or as high at infinity as anywhere in it\n"
            "then the bound, the posterior mean or mode, Warm's estimate, or the estimate with fences",
            "Lord (1980); Samejima (1973); Han (2016)",
            "Maximum likelihood on short tests: says whose estimate the policy gave.",
        ),
        Method(
            "Maximum likelihood with fences (MLEF)",
            (no_maximum.fenced_likelihood_estimates,),
            "theta_hat = argmax ln L(theta) + ln P(right on the low fence) + ln P(wrong on the high fence)",
            "Han (2016)",
            "Short tests without a prior, treating every candidate alike.",
        ),
        Method(
            "Variable step",
            (no_maximum.stepped_ability,),
            "theta_new = theta + (b_max - theta) / 2 while all answers are right\n"
            "theta_new = theta - (theta - b_min) / 2 while all are wrong",
            "Dodd (1990)",
            "Interim estimates by maximum likelihood while all answers are alike.",
        ),
        Method(
            "Warm's weighted likelihood",
            (weighted_likelihood.warm_estimates, weighted_likelihood.warm_correction),
            "l'(theta) + J(theta) / (2 I(theta)) = 0\nSE = I(theta_hat)^(-1/2)",
            "Warm (1989)",
            "Scores without a prior that are finite for every pattern and hardly biased.",
        ),
        Method(
            "Mode under Jeffreys' prior",
            (jeffreys.jeffreys_mode_estimates, jeffreys.JeffreysError, jeffreys.prior_curvature),
            "l'(theta) + I'(theta) / (2 I(theta)) = 0\nSE = (I - (ln I)'' / 2)^(-1/2)",
            "Jeffreys (1946); Firth (1993)",
            "What some programs call WLE; equals Warm's only without asymptotes, else up to 0.8 apart.",
        ),
        Method(
            "Mean under Jeffreys' prior",
            (jeffreys.jeffreys_eap_estimates,),
            "theta_hat = integral theta L I^(1/2) dtheta / integral L I^(1/2) dtheta over a stated range",
            "Jeffreys (1946)",
            "A posterior mean without a population behind it; the range is part of the result.",
        ),
        Method(
            "EAP from summed scores",
            (
                sum_scores.summed_score_probabilities,
                sum_scores.summed_score_table,
                sum_scores.summed_scores,
                sum_scores.summed_score_estimates,
            ),
            "P_{i+1}(s | theta) = sum_k P_i(s - points of k | theta) P(X_{i+1} = k | theta)\n"
            "theta_s = sum_q theta_q P(s | theta_q) w_q / sum_q P(s | theta_q) w_q",
            "Lord & Wingersky (1984); Thissen, Pommerich, Billeaud & Williams (1995)",
            "Fixed forms and modules, where the same points must mean the same ability.",
        ),
        Method(
            "Robust estimation",
            (
                robust.robust_estimates,
                robust.residual_weights,
                robust.RobustWeight,
                robust.ResidualMetric,
            ),
            "sum_i w(r_i) d ln P_i(x_i) / d theta = 0, r_i = D a_i (theta - b_i)\n"
            "Huber: w = min(1, k / |r|); Tukey: w = (1 - (r / k)^2)^2 for |r| < k, else 0",
            "Mislevy & Bock (1982); Schuster & Yuan (2011)",
            "Studies of slips and lucky guesses. Items scored 0 or 1 only; a root goes before a bound.",
        ),
        Method(
            "Search from a grid",
            (
                search.highest_points,
                search.refine_maxima,
                search.rooted_heights,
                search.crossings,
                search.RunningIntegral,
                search.Bounds,
                search.Search,
            ),
            "climb from every peak of the grid that can still win; answer the highest top",
            "Samejima (1973)",
            "Every estimator above that maximises: likelihoods of the 3PL and 4PL may have several maxima.",
        ),
    ),
)

STANDARD_ERRORS = Group(
    "Standard errors",
    "Programs that all say standard error mean different numbers; here each has its name. I is expected"
    " information at theta, l the log-likelihood, sd the deviation of a normal prior.",
    (
        Method(
            "From expected information",
            (
                ErrorConvention.EXPECTED_INFORMATION,
                errors.InformationKind,
                errors.standard_errors,
                errors.standard_errors_of_pairs,
                errors.error_of_information,
                conventions.standard_errors_by,
            ),
            "SE = I^(-1/2)",
            "Birnbaum (1968); Warm (1989)",
            "With maximum likelihood and Warm's estimate.",
        ),
        Method(
            "From observed information",
            (ErrorConvention.OBSERVED_INFORMATION,),
            "SE = (-l'')^(-1/2)",
            "Efron & Hinkley (1978)",
            "The curvature at the responses that came; infinite where it is not positive.",
        ),
        Method(
            "Sandwich",
            (ErrorConvention.SANDWICH,),
            "SE = (sum_i l_i'^2)^(1/2) / -l''",
            "White (1982)",
            "Where the model may be wrong for this candidate.",
        ),
        Method(
            "Bayes modal",
            (ErrorConvention.BAYES_MODAL, ErrorConvention.BAYES_MODAL_OBSERVED),
            "SE = (I + 1 / sd^2)^(-1/2), or (-l'' + 1 / sd^2)^(-1/2)",
            "Samejima (1969)",
            "With the MAP under a normal prior.",
        ),
        Method(
            "Posterior deviation",
            (ErrorConvention.POSTERIOR_DEVIATION, eap.deviation_about),
            "SE = (sum_q (theta_q - E(theta | x))^2 p(theta_q | x))^(1/2)",
            "Bock & Mislevy (1982)",
            "With the EAP; the usual error of a score report.",
        ),
        Method(
            "Jeffreys",
            (
                ErrorConvention.JEFFREYS,
                ErrorConvention.JEFFREYS_CATR,
                jeffreys.jeffreys_standard_errors,
            ),
            "SE = (I - (ln I)'' / 2)^(-1/2); the catR form computes (ln I)'' as if D were 1",
            "Magis (2016)",
            "With the mode under Jeffreys' prior.",
        ),
        Method(
            "Sampling error of corrected and modal estimates",
            (
                ErrorConvention.BAYES_MODAL_SAMPLING,
                ErrorConvention.WARM_SAMPLING,
                ErrorConvention.JEFFREYS_SAMPLING,
            ),
            "SE = I^(1/2) / (I - r'), where the estimating equation is l' + r = 0\n"
            "r = -(theta - mean) / sd^2, J / (2 I) or I' / (2 I)",
            "Magis (2016)",
            "The spread over repeated tests of one candidate, which is less than a posterior's.",
        ),
        Method(
            "Error of robust estimates",
            (robust.robust_standard_errors,),
            "SE = (sum_i w_i^2 I_i)^(1/2) / sum_i w_i I_i",
            "Magis (2014a)",
            "With the robust estimators.",
        ),
        Method(
            "Exact sampling distribution",
            (finite_sample.sampling_distribution, finite_sample.SamplingDistribution),
            "SE(theta) = (sum_r P(r | theta) (est(r) - E)^2)^(1/2), E = sum_r P(r | theta) est(r)",
            "Magis (2014b)",
            "Short tests of up to 16 items scored 0 or 1, where asymptotic errors promise too much.",
        ),
    ),
)
