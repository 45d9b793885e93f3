"""Several abilities at once, and items that share more than the ability."""

from psychometrics.methods.catalogue import Group, Method
from psychometrics.multidimensional import estimation, grids, information, items, selection, testlets
from psychometrics.multidimensional.items import MultidimensionalModel

ABILITIES = Group(
    "Several abilities",
    "theta is a vector of K abilities with a correlated normal prior; a response depends on it only through"
    " the composite a . theta of its item.",
    (
        Method(
            "Compensatory models of items scored 0 or 1 (M2PL, M3PL, M4PL)",
            (
                MultidimensionalModel.TWO_PARAMETER,
                MultidimensionalModel.THREE_PARAMETER,
                MultidimensionalModel.FOUR_PARAMETER,
            ),
            "P(X = 1 | theta) = c + (d - c) / (1 + exp(-D (a . theta + e)))",
            "Reckase (2009)",
            "Items that need several abilities, one of which can make up for another.",
        ),
        Method(
            "Multidimensional graded response model",
            (MultidimensionalModel.GRADED_RESPONSE,),
            "P(X >= k | theta) = 1 / (1 + exp(-D (a . theta + e_k))), e_1 > e_2 > ...",
            "Muraki & Carlson (1995)",
            "Ordered ratings of several abilities.",
        ),
        Method(
            "Multidimensional generalised partial credit model",
            (MultidimensionalModel.GENERALISED_PARTIAL_CREDIT,),
            "P(X = k | theta) proportional to exp(sum_{j <= k} D (a . theta + e_j))",
            "Yao & Schwarz (2006)",
            "Tasks solved in steps that need several abilities.",
        ),
        Method(
            "Items of several abilities",
            (
                items.MultidimensionalColumns,
                items.multidimensional_columns,
                items.between_item_columns,
                items.points_axis,
                items.composites,
                items.category_log_probabilities,
                items.category_probabilities,
                items.category_log_gradients,
            ),
            "ln P_ik as a function of a_i . theta; between-item: a_i has one entry that is not 0, e = -a b",
            "Adams, Wilson & Wang (1997); Reckase (2009)",
            "Pools whose items each measure one of several correlated abilities, or mixtures of them.",
        ),
        Method(
            "Information matrix",
            (
                information.fisher_information,
                information.total_information,
                information.information_along,
                information.log_likelihood,
                information.log_likelihood_gradient,
                information.log_likelihood_hessian,
                information.own_responses,
                information.OwnResponses,
            ),
            "gradient sum l' a, Hessian sum l'' a a', Fisher information sum I a a'",
            "Reckase & McKinley (1991); Segall (1996)",
            "How well each direction of the space of abilities is measured.",
        ),
        Method(
            "Priors and product grids",
            (
                grids.correlated_prior,
                grids.MultivariateNormalPrior,
                grids.normal_grid,
                grids.gauss_hermite_grid,
                grids.uniform_grid,
            ),
            "theta = mean + L z, L L' = covariance; trapezoid or Gauss-Hermite rule in each axis of z",
            "Golub & Welsch (1969); Trefethen & Weideman (2014)",
            "Posterior means: the trapezoid rule by default, Gauss-Hermite with few responses.",
        ),
        Method(
            "EAP of several abilities",
            (
                estimation.eap_estimates,
                estimation.posterior_mass,
                estimation.MultidimensionalEstimate,
                estimation.MultidimensionalEstimates,
            ),
            "theta_hat = sum_q theta_q p(theta_q | x), covariance of the same posterior",
            "Bock & Mislevy (1982); Segall (1996)",
            "Two or three abilities: the correlations let the items of one speak for the others.",
        ),
        Method(
            "MAP of several abilities",
            (estimation.map_estimates,),
            "theta_hat = argmax ln L(theta) - (theta - mean)' S^-1 (theta - mean) / 2\n"
            "covariance (I(theta_hat) + S^-1)^-1",
            "Segall (1996)",
            "More abilities than a grid can hold, and comparison with other programs.",
        ),
        Method(
            "Errors of several abilities",
            (information.standard_errors, information.errors_of_precision),
            "SE_k = ((I + S^-1)^-1)_kk^(1/2), I expected or observed, S^-1 with a prior only",
            "Segall (1996)",
            "Infinite for an ability that the items given do not fix.",
        ),
        Method(
            "D-optimality",
            (selection.d_optimality, selection.precision_so_far),
            "u_i = det(M + w_i a_i a_i') = det M (1 + w_i a_i' M^-1 a_i)",
            "Segall (1996); Mulder & van der Linden (2009)",
            "All abilities shall be measured well: the usual choice.",
        ),
        Method(
            "A-optimality",
            (selection.a_optimality,),
            "u_i = -trace (M + w_i a_i a_i')^-1",
            "Mulder & van der Linden (2009)",
            "Abilities whose errors are reported one by one.",
        ),
        Method(
            "Least error of a composite",
            (selection.c_optimality,),
            "u_i = -v' (M + w_i a_i a_i')^-1 v for the composite v . theta",
            "van der Linden (1999b); Mulder & van der Linden (2009)",
            "Tests that report one weighted sum of their abilities.",
        ),
        Method(
            "Divergence over the posterior",
            (selection.kullback_leibler, selection.finite_log_probabilities, selection.divergences),
            "u_i = sum_q p(theta_q | x) sum_k P_ik(theta_hat) ln(P_ik(theta_hat) / P_ik(theta_q))",
            "Chang & Ying (1996); Veldkamp & van der Linden (2002)",
            "The first items, while the estimate is uncertain in every direction.",
        ),
    ),
)

TESTLETS = Group(
    "Item sets with an effect of their own",
    "Items about one stimulus share more than the ability; as independent items they overstate precision.",
    (
        Method(
            "Testlet model",
            (
                testlets.ItemSetColumns,
                testlets.marginal_log_likelihood,
                testlets.marginal_log_likelihood_derivatives,
                testlets.effect_grid,
            ),
            "P(X_i = k | theta, gamma_g) = P_i(k | theta + gamma_g), gamma_g ~ N(0, s_g^2)\n"
            "L_g(theta) = integral prod_{i in g} P_i(x_i | theta + gamma) phi(gamma; s_g) dgamma",
            "Bradlow, Wainer & Wang (1999); Gibbons & Hedeker (1992); Louis (1982)",
            "Passages, cases and figures with several items each.",
        ),
        Method(
            "Estimates with set effects summed out",
            (testlets.marginal_eap_estimates, testlets.marginal_map_estimates),
            "mean or mode of p(theta) prod_g L_g(theta)",
            "Bradlow, Wainer & Wang (1999); Bock & Mislevy (1982)",
            "Scores of tests with item sets whose errors shall be honest.",
        ),
        Method(
            "Information of an item set",
            (testlets.set_information, testlets.marginal_information),
            "I_g(theta) = sum_x L_g(x | theta) (d ln L_g(x | theta) / d theta)^2 < 1 / s_g^2",
            "Bradlow, Wainer & Wang (1999)",
            "How much a set really adds, before it is put into a test.",
        ),
    ),
)
