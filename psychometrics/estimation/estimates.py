"""What an estimator answers."""

from dataclasses import dataclass

from psychometrics.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Estimate:
    """Ability of one candidate and its standard error, in the estimator's own convention."""

    theta: float
    standard_error: float


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """Abilities (N,) and standard errors (N,)."""

    theta: FloatArray
    standard_error: FloatArray

    def __len__(self) -> int:
        return int(self.theta.size)

    def __getitem__(self, candidate: int) -> Estimate:
        return Estimate(float(self.theta[candidate]), float(self.standard_error[candidate]))
