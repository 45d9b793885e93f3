"""The lognormal model of response times (van der Linden, 2006).

    ln T_ij = beta_i - tau_j + e,    e ~ N(0, 1 / alpha_i^2)

beta_i is the time intensity of item i, tau_j the speed of candidate j (fast is high), alpha_i how little
times on the item vary. Times are in seconds, so beta holds the logarithm of seconds. Given the item
parameters everything about speed is in closed form: a mean of beta_i - ln t_ij with weights alpha_i^2.

Arrays have the axes candidate (N) and item (n); a time of NaN is an item that was not given or not timed.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from psychometrics.arrays import FloatArray, frozen_copy, refuse_rows
from psychometrics.estimation.grids import NormalPrior


@dataclass(frozen=True, slots=True, eq=False)
class TimeColumns:
    """alpha (n,) in 1 / ln s and beta (n,) in ln s; refuses an alpha that is not positive."""

    alpha: FloatArray
    beta: FloatArray

    def __post_init__(self) -> None:
        alpha, beta = (np.atleast_1d(frozen_copy(column)) for column in (self.alpha, self.beta))
        if alpha.ndim != 1 or alpha.shape != beta.shape:
            raise ValueError(f"alpha {alpha.shape} and beta {beta.shape} must share one axis")
        refuse_rows(~(np.isfinite(alpha) & (alpha > 0)), "alpha is not finite and positive")
        refuse_rows(~np.isfinite(beta), "beta is not finite")
        object.__setattr__(self, "alpha", frozen_copy(alpha))
        object.__setattr__(self, "beta", frozen_copy(beta))

    def __len__(self) -> int:
        return int(self.alpha.size)

    def take(self, rows: ArrayLike) -> "TimeColumns":
        """The items at these rows, in this order."""
        index = np.asarray(rows, dtype=np.int64)
        return TimeColumns(self.alpha[index], self.beta[index])


@dataclass(frozen=True, slots=True, eq=False)
class Speeds:
    """Speed tau (N,) and its standard error (N,), in the estimator's own convention."""

    tau: FloatArray
    standard_error: FloatArray


class TimeMisfit(NamedTuple):
    """l_t, its degrees of freedom and the probability of a value at least as large; one per candidate."""

    statistic: FloatArray
    degrees_of_freedom: FloatArray
    p_value: FloatArray


def log_density(items: TimeColumns, time_s: ArrayLike, tau: ArrayLike) -> FloatArray:
    """ln f(t_ij | tau_j) per second, shape (N, n); NaN where there is no time.

    ln alpha - ln t - ln(2 pi) / 2 - (alpha (ln t - beta + tau))^2 / 2
    """
    times, speed = _times(items, time_s), _speed_axis(tau)
    z = items.alpha * (np.log(times) - items.beta + speed[:, None])
    constant = np.log(items.alpha) - 0.5 * np.log(2.0 * np.pi)
    return np.asarray(constant - np.log(times) - 0.5 * z * z, dtype=np.float64)


def expected_time_s(items: TimeColumns, tau: ArrayLike, tau_variance: ArrayLike = 0.0) -> FloatArray:
    """Mean time in seconds of each candidate on each item, shape (N, n).

    E[T] = exp(beta - tau + 1 / (2 alpha^2)), the mean of a lognormal variable. When tau is known with normal
    error of variance v only (its posterior), the predicted mean is longer by the factor exp(v / 2).
    """
    speed = _speed_axis(tau)
    variance = np.broadcast_to(np.asarray(tau_variance, dtype=np.float64), speed.shape)
    refuse_rows(~(np.isfinite(variance) & (variance >= 0)), "the variance of tau is not finite or negative")
    centre = items.beta + 0.5 / items.alpha**2 - speed[:, None] + 0.5 * variance[:, None]
    return np.asarray(np.exp(centre), dtype=np.float64)


def maximum_likelihood_speeds(items: TimeColumns, time_s: ArrayLike) -> Speeds:
    """tau = sum alpha^2 (beta - ln t) / sum alpha^2 with error 1 / sqrt(sum alpha^2), times (N, n).

    A candidate without any time has no likelihood and is refused.
    """
    weight, pull = _sums(items, _times(items, time_s))
    refuse_rows(weight == 0, "no response time to take a likelihood of")
    return Speeds(pull / weight, 1.0 / np.sqrt(weight))


def posterior_speeds(items: TimeColumns, time_s: ArrayLike, prior: NormalPrior) -> Speeds:
    """Mean and standard deviation of the (normal) posterior of tau under a normal prior, times (N, n).

    tau = (mean / sd^2 + sum alpha^2 (beta - ln t)) / (1 / sd^2 + sum alpha^2); it is also the mode.
    """
    weight, pull = _sums(items, _times(items, time_s))
    precision = prior.sd**-2 + weight
    return Speeds((prior.mean * prior.sd**-2 + pull) / precision, 1.0 / np.sqrt(precision))


def information_per_second(information: ArrayLike, time_expected_s: ArrayLike) -> FloatArray:
    """Information of an item divided by the time it is expected to take (Fan, Wang, Chang & Douglas, 2012).

    The criterion of selection when minutes, not items, are scarce. Both arrays broadcast, usually
    information (N, n) at each candidate's theta and `expected_time_s` (N, n) at the same candidate's speed.
    """
    gain = np.asarray(information, dtype=np.float64)
    duration = np.asarray(time_expected_s, dtype=np.float64)
    if not (np.isfinite(duration) & (duration > 0)).all():
        raise ValueError("an expected time is not positive and finite")
    return np.asarray(gain / duration, dtype=np.float64)


def time_misfit(items: TimeColumns, time_s: ArrayLike) -> TimeMisfit:
    """l_t: the sum of squared standardised residuals of the log times at the candidate's ML speed.

    Under the model it is chi-square with one degree of freedom less than there are times, exactly (Marianti,
    Fox, Avetisyan, Veldkamp & Tijmstra, 2014; Sinharay, 2018). Large values say that the times do not belong
    to one steady speed. NaN probability for a single time, which always fits.
    """
    times = _times(items, time_s)
    speed = maximum_likelihood_speeds(items, times).tau
    z = items.alpha * (np.log(times) - items.beta + speed[:, None])
    statistic = np.nansum(z * z, axis=1)
    freedom = (~np.isnan(times)).sum(axis=1).astype(np.float64) - 1.0
    tail = np.where(freedom > 0, chdtrc(np.maximum(freedom, 1.0), statistic), np.nan)
    return TimeMisfit(statistic, freedom, tail)


def _sums(items: TimeColumns, times: FloatArray) -> tuple[FloatArray, FloatArray]:
    """sum alpha^2 and sum alpha^2 (beta - ln t) over the times that exist, shape (N,) each."""
    square = items.alpha**2
    timed = ~np.isnan(times)
    weight = np.where(timed, square, 0.0).sum(axis=1)
    pull = np.where(timed, square * (items.beta - np.log(np.where(timed, times, 1.0))), 0.0).sum(axis=1)
    return weight, pull


def _times(items: TimeColumns, time_s: ArrayLike) -> FloatArray:
    times = np.atleast_2d(np.asarray(time_s, dtype=np.float64))
    if times.ndim != 2 or times.shape[1] != len(items):
        raise ValueError(f"times have shape {times.shape}, expected (N, {len(items)})")
    wrong = np.argwhere(~np.isnan(times) & ~((times > 0) & np.isfinite(times)))
    if wrong.size:
        candidate, item = wrong[0]
        raise ValueError(f"candidate {candidate}, item {item}: a time must be positive and finite")
    return times


def _speed_axis(tau: ArrayLike) -> FloatArray:
    speed = np.atleast_1d(np.asarray(tau, dtype=np.float64))
    if speed.ndim != 1:
        raise ValueError(f"tau must be one-dimensional, not of shape {speed.shape}")
    refuse_rows(~np.isfinite(speed), "tau is not finite")
    return speed
