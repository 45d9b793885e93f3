"""Response models of one ability, and the information that responses carry."""

from psychometrics import information
from psychometrics.estimation import moment_slopes
from psychometrics.methods.catalogue import Group, Method
from psychometrics.models import dichotomous, items, nominal, polytomous
from psychometrics.models.items import ResponseModel

MODELS = Group(
    "Response models",
    "The probability of each category of a response given ability. D, the constant of the logistic metric (1"
    " or 1.702), belongs to the calibration and is always stated. A pool may mix all of them.",
    (
        Method(
            "1PL and Rasch model",
            (ResponseModel.ONE_PARAMETER,),
            "P(X = 1 | theta) = 1 / (1 + exp(-D a (theta - b))), one slope a for all items; Rasch: a = D = 1",
            "Rasch (1960)",
            "Small calibration samples, and tests whose sum score shall say all there is to say.",
        ),
        Method(
            "2PL",
            (ResponseModel.TWO_PARAMETER,),
            "P(X = 1 | theta) = 1 / (1 + exp(-D a (theta - b)))",
            "Birnbaum (1968)",
            "Items that differ in discrimination and can hardly be guessed.",
        ),
        Method(
            "3PL",
            (ResponseModel.THREE_PARAMETER,),
            "P(X = 1 | theta) = c + (1 - c) / (1 + exp(-D a (theta - b)))",
            "Birnbaum (1968)",
            "Multiple choice: somebody without the ability is still right with probability c.",
        ),
        Method(
            "4PL",
            (
                ResponseModel.FOUR_PARAMETER,
                dichotomous.probabilities,
                dichotomous.log_probabilities,
                dichotomous.log_probabilities_at,
                dichotomous.log_derivatives_at,
            ),
            "P(X = 1 | theta) = c + (d - c) / (1 + exp(-D a (theta - b)))",
            "Barton & Lord (1981)",
            "Where the able slip too: early mistakes then weigh less. Needs large calibration samples.",
        ),
        Method(
            "Graded response model",
            (
                ResponseModel.GRADED_RESPONSE,
                polytomous.graded_probabilities,
                polytomous.graded_log_probabilities_at,
                polytomous.graded_log_derivatives_at,
            ),
            "P(X >= k | theta) = 1 / (1 + exp(-D a (theta - b_k))), b_1 < b_2 < ...",
            "Samejima (1969)",
            "Ordered ratings, such as behaviour on a scale; thresholds always rise.",
        ),
        Method(
            "Partial credit model",
            (ResponseModel.PARTIAL_CREDIT,),
            "P(X = k | theta) proportional to exp(sum_{j <= k} D (theta - d_j))",
            "Masters (1982)",
            "Tasks solved in steps, in the Rasch tradition: the sum of points says all there is to say.",
        ),
        Method(
            "Generalised partial credit model",
            (
                ResponseModel.GENERALISED_PARTIAL_CREDIT,
                polytomous.partial_credit_probabilities,
                polytomous.partial_credit_log_probabilities_at,
                polytomous.partial_credit_log_derivatives_at,
            ),
            "P(X = k | theta) proportional to exp(sum_{j <= k} D a (theta - d_j))",
            "Muraki (1992)",
            "Partial credit where tasks discriminate differently; steps may stand in any order.",
        ),
        Method(
            "Rating scale model",
            (ResponseModel.RATING_SCALE, polytomous.rating_scale_steps, items.rating_scale_items),
            "P(X = k | theta) proportional to exp(sum_{j <= k} D (theta - b_i - t_j))\n"
            "t_j common to all items",
            "Andrich (1978)",
            "Many items with the same answer scale and few respondents.",
        ),
        Method(
            "Nominal response model",
            (
                ResponseModel.NOMINAL_RESPONSE,
                nominal.nominal_log_probabilities_at,
                nominal.nominal_log_derivatives_at,
            ),
            "P(X = k | theta) proportional to exp(D a_k theta + c_k), a_0 = c_0 = 0",
            "Bock (1972)",
            "Options without an order: which wrong option was taken says something too.",
        ),
        Method(
            "Mixed pools",
            (
                items.ItemColumns,
                items.item_columns,
                items.dichotomous_columns,
                items.category_probabilities,
                items.category_log_probabilities,
                items.category_log_derivatives,
                items.expected_scores,
                items.log_probabilities_at,
                items.log_derivatives_at,
            ),
            "ln P_ik(theta), its first and its second derivative, whatever the model of item i\n"
            "E(X_i | theta) = sum_k k P_ik(theta)",
            "Lord (1980); Samejima (1969)",
            "Everything else: information, estimation and selection know categories, not models.",
        ),
    ),
)

INFORMATION = Group(
    "Information",
    "How much a response says about ability, before it came and after.",
    (
        Method(
            "Fisher information",
            (
                information.fisher_information,
                information.total_information,
                information.expected_observed_information,
            ),
            "I(theta) = sum_k P_k (d ln P_k / d theta)^2 = -E(d^2 ln P_X / d theta^2)",
            "Birnbaum (1968); Samejima (1969)",
            "What an item is expected to say close to an ability; adds up over items.",
        ),
        Method(
            "Observed information",
            (information.observed_information,),
            "-d^2 ln P_x / d theta^2 at the response x",
            "Efron & Hinkley (1978)",
            "What the responses that came did say. It may be negative under the 3PL and 4PL.",
        ),
        Method(
            "Moments of the score function",
            (
                information.expected_moments,
                information.expected_moments_at,
                information.ExpectedMoments,
                moment_slopes.moment_slopes_at,
                moment_slopes.MomentSlopes,
            ),
            "I, I' = sum_k P_k (l_k'^3 + 2 l_k' l_k''), J = sum_k P_k' P_k'' / P_k",
            "Warm (1989)",
            "The bias of maximum likelihood and its corrections. J = I' without asymptotes only.",
        ),
        Method(
            "Kullback-Leibler information",
            (information.kullback_leibler_information,),
            "KL(theta || x) = sum_k P_k(theta) ln(P_k(theta) / P_k(x))",
            "Kullback & Leibler (1951); Chang & Ying (1996)",
            "How well a response tells two abilities apart, however far from each other they are.",
        ),
    ),
)
