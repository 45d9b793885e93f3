"""What the rules of a family are given, and what they give back."""

from collections.abc import Callable
from dataclasses import dataclass

from cat_engine.core.exact import Integers
from cat_engine.core.tables import Pool


@dataclass(frozen=True)
class Estimate:
    """Ability and its standard error, in millionths of the theta metric."""

    theta_millionths: int
    standard_error_millionths: int


@dataclass(frozen=True)
class SectionView:
    """One section so far: its pool, the items answered (columns of the pool), their categories, the
    estimate.
    """

    pool: Pool
    answered: tuple[int, ...]
    categories: tuple[int, ...]
    estimate: Estimate


@dataclass(frozen=True)
class Choice:
    """The item taken (a column of the pool): number `drawn` (from 0) of the `considered` best."""

    index: int
    considered: int
    drawn: int


Draw = Callable[[int], int]
"""A number in [0, n), fixed by the sitting's seed and the step."""

Utility = Integers
"""One integer per item of the pool; higher is better. The engine masks, rules never see a mask."""
