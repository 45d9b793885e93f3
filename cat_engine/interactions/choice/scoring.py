"""Parse and score a choice: the form sends "o1", "o2", ... in the item's canonical order."""

from cat_engine.core.engine import ScoredResponse
from cat_engine.core.test_package import PoolItem
from cat_engine.foundation.refusals import Refusal, Refused


def option_ids(count: int) -> tuple[str, ...]:
    """The identities of an item's options."""
    return tuple(f"o{number}" for number in range(1, count + 1))


def score(item: PoolItem, response: str) -> ScoredResponse:
    """What the chosen option earns: its points, and the model's category (points above the worst option).

    A missing or unknown option is refused; the right and the wrong option do the same work.
    """
    if not response:
        raise Refused(Refusal.RESPONSE_MISSING)
    known = option_ids(len(item.option_points))
    if response not in known:
        raise Refused(Refusal.RESPONSE_UNKNOWN)
    points = item.option_points[known.index(response)]
    return ScoredResponse(response=response, points=points, category=points - item.points_minimum)
