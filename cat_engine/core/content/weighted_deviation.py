"""Content balanced by the weighted deviations model (Swanson and Stocking, 1993)."""

from typing import Annotated

import msgspec
import numpy as np
from numpy.typing import NDArray

from cat_engine.core.content_amounts import SUMMED
from cat_engine.core.content_lines import counts, lines_of, strictly_allowed
from cat_engine.core.exact import Integers
from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.views import Eligible, SectionView, Utility

_UNIT = float(1 << 20)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the whole range of utility, from the worst to the best eligible item, weighs against one item's
    deviation from a line of weight 1.
    """

    utility_weight: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 1


def weighted_deviation(
    view: SectionView, utility: Utility, free: NDArray[np.bool_], *, settings: Settings
) -> Eligible:
    """Utility less the weighted deviations that the finished test would have with each item.

    What a line will have is what it has, what the item adds, and the average of the pool's other free items
    for each place left. Words and seconds count in average items. Lines are aims, not limits: only strict
    ones keep an item back.
    """
    allowed, beyond = strictly_allowed(view, free)
    columns, lines = np.flatnonzero(allowed), lines_of(view.pool)
    if lines is None or not columns.size:
        return Eligible(columns, utility, relaxed=beyond)
    added = lines.committed[:, columns]
    left = np.maximum(view.items_left - lines.size[columns], 0)
    in_free = lines.amount[:, np.flatnonzero(free)].sum(axis=1)
    others = np.maximum(int(free.sum()) - 1, 1)
    expected = (in_free[:, None] - lines.amount[:, columns]) * left / float(others)
    projected = counts(view.pool, lines, view.answered)[:, None] + added + expected
    below = np.maximum(lines.minimum[:, None] - projected, 0.0)
    above = np.maximum(projected - lines.maximum[:, None], 0.0)
    scale = np.array(
        [
            line.weight / _typical(lines.amount[number]) if line.attribute in SUMMED else float(line.weight)
            for number, line in enumerate(lines.constraints)
        ]
    )
    deviations = np.rint((below + above) * scale[:, None] * _UNIT).astype(np.int64).sum(axis=0)
    values = utility[columns]
    spread = float(values.max() - values.min())
    gain = (values - values.min()) / spread if spread else np.zeros(columns.size)
    ranked = np.zeros_like(utility)
    ranked[columns] = np.rint(gain * (settings.utility_weight * _UNIT)).astype(np.int64) - deviations
    return Eligible(columns, ranked, relaxed=beyond)


def _typical(amount: Integers) -> float:
    """The mean over the pool's items, at least 1."""
    return max(float(amount.sum()) / amount.size, 1.0)


RULE = Rule(
    "weighted_deviation",
    Settings,
    weighted_deviation,
    About(
        formula="u_i' = w u_i - sum_k w_k [(l_k - q_ki)+ + (q_ki - u_k)+], "
        "q_ki = x_k + a_ki + (L - n - 1) mean a_k\n"
        "line k has limits l_k and u_k, weight w_k and x_k so far; item i brings a_ki; L is the length",
        source="Swanson & Stocking (1993); Stocking & Swanson (1993)",
        use="Many soft aims whose weights an author tunes by simulation.",
    ),
    abilities=ANY,
)
