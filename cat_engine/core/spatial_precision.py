"""What the criteria of several abilities share: the covariance that the answers leave."""

from cat_engine.core.matrices import Matrix, inverse
from cat_engine.core.space import SpatialPool
from cat_engine.core.views import SectionView


def spatial(view: SectionView) -> SpatialPool:
    """The pool of a section of several abilities."""
    if not isinstance(view.pool, SpatialPool):
        raise TypeError("the section measures one ability")
    return view.pool


def posterior_covariance(view: SectionView) -> Matrix:
    """Inverse of the prior's precision plus the information of the items answered, at the estimate."""
    pool = spatial(view)
    rows = [list(row) for row in pool.prior_precision]
    amount = pool.information_along(view.estimate.thetas_millionths)
    for column in view.answered:  # in their order: addition does not commute in the last bit
        weight = float(amount[column])
        slopes = pool.items[column].slopes
        for i, one in enumerate(slopes):
            for j, other in enumerate(slopes):
                rows[i][j] += weight * one * other
    return inverse(tuple(tuple(row) for row in rows))
