"""Criteria built on Fisher information, at a point or averaged over ability. All are wanted large."""

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import FloatArray, refuse_rows
from psychometrics.selection.reading import PoolAt
from psychometrics.selection.tables import CriterionTables, Evidence


def maximum_information(tables: CriterionTables, evidence: Evidence, at: PoolAt) -> FloatArray:
    """MFI: I_i(theta_hat), shape (n,): what measures best where the candidate seems to be (Lord, 1980)."""
    del tables, evidence
    return at.information


def likelihood_weighted_information(tables: CriterionTables, evidence: Evidence, at: PoolAt) -> FloatArray:
    """MLWI: integral of L(theta) I_i(theta), shape (n,) (Veerkamp & Berger, 1997)."""
    del at
    return np.asarray(evidence.likelihood_weights() @ tables.information, dtype=np.float64)


def posterior_weighted_information(tables: CriterionTables, evidence: Evidence, at: PoolAt) -> FloatArray:
    """MPWI: integral of L(theta) p(theta) I_i(theta), shape (n,) (van der Linden, 1998)."""
    del at
    return np.asarray(evidence.posterior_weights() @ tables.information, dtype=np.float64)


def information_per_second(
    information: ArrayLike, expected_time_s: ArrayLike, *, power: float = 1.0
) -> FloatArray:
    """Information gained per second, I_i / T_i^power, shape (n,) (Fan, Wang, Chang & Douglas, 2012).

    T is the time in seconds the candidate is expected to need; power 0 ignores time, 1 takes the plain ratio,
    values between temper the wish for short items (Choe, Kern & Chang, 2018). Refused: information that is
    negative or not finite, times that are not positive and finite.
    """
    value = np.asarray(information, dtype=np.float64)
    time = np.broadcast_to(np.asarray(expected_time_s, dtype=np.float64), value.shape)
    refuse_rows(~(np.isfinite(value) & (value >= 0)), "information is negative or not finite")
    refuse_rows(~(np.isfinite(time) & (time > 0)), "the expected time is not positive and finite")
    if not (np.isfinite(power) and power >= 0):
        raise ValueError(f"power must be finite and not negative, not {power}")
    return np.asarray(value / time**power, dtype=np.float64)
