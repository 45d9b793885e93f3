"""Expected a posteriori: mean and standard deviation of the posterior (Bock and Mislevy, 1982).

Exact in the sense of `exact.py`: the log posterior is a sum of stored integers, its exponential is ours, the
weights are rounded to 40 bits, and mean and variance are ratios of integers.
"""

import msgspec

from cat_engine.core.families import About, Rule
from cat_engine.core.posterior_moments import mean_and_deviation
from cat_engine.core.views import Estimate, Evidence


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: the prior is the section's."""


def eap(evidence: Evidence, *, settings: Settings) -> Estimate:
    """Posterior mean and standard deviation over the package's nodes."""
    del settings
    return mean_and_deviation(evidence.weights)


RULE = Rule(
    "eap",
    Settings,
    eap,
    About(
        formula="theta_hat = sum_q theta_q w_q L_q / sum_q w_q L_q; SE = posterior standard deviation",
        source="Bock & Mislevy (1982)",
        use="The default: defined for every pattern, smallest mean squared error under the prior.",
    ),
)
