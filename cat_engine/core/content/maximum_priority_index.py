"""Content balanced by the maximum priority index (Cheng and Chang, 2009)."""

import msgspec
import numpy as np
from numpy.typing import NDArray

from cat_engine.core.content_amounts import SUMMED
from cat_engine.core.content_lines import (
    NO_LIMIT,
    Lines,
    counts,
    give_way,
    lines_of,
    rising_from_nothing,
    strictly_allowed,
)
from cat_engine.core.exact import Floats, Integers
from cat_engine.core.families import ANY, About, Rule
from cat_engine.core.pool import NO_ITEMS
from cat_engine.core.views import Eligible, SectionView, Utility

_UNIT = float(1 << 50)


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Nothing to set: limits and weights are those of the section's constraints."""


def maximum_priority_index(
    view: SectionView, utility: Utility, free: NDArray[np.bool_], *, settings: Settings
) -> Eligible:
    """The utility of each item times what is left of the quota of every line that it counts in.

    In two phases: while a minimum is unmet and some item can still help to meet it, only items that do, with
    (l - x) / l as what is left; then (u - x) / u. An item of a line whose quota is used up is not eligible,
    in however many such lines it is; only where no other item is left do lines give way, in their order.
    """
    del settings
    allowed, beyond = strictly_allowed(view, free)
    columns, lines = np.flatnonzero(allowed), lines_of(view.pool)
    if lines is None or not columns.size:
        return Eligible(columns if columns.size else NO_ITEMS, utility, relaxed=beyond)
    have = counts(view.pool, lines, view.answered)
    fits, relaxed = give_way(lines, have, columns)
    columns = columns[fits]
    counted = lines.amount[:, columns] > 0
    unmet = (have < lines.minimum) & counted.any(axis=1)
    if unmet.any():
        helps = counted[unmet].any(axis=0)
        columns, counted = columns[helps], counted[:, helps]
    index = rising_from_nothing(utility[columns])
    index = index / float(index.max())
    due = np.flatnonzero(counted.any(axis=1) & ~relaxed)
    for factor in _left(lines, due, have, unmet, columns):  # line by line: the order of products is fixed
        index = index * factor
    top = float(index.max())
    ranked = np.zeros_like(utility)
    ranked[columns] = np.rint(index / top * _UNIT).astype(np.int64) if top > 0.0 else 1
    return Eligible(columns, ranked, relaxed=(*beyond, *lines.names(relaxed)))


def _left(lines: Lines, due: Integers, have: Integers, unmet: NDArray[np.bool_], columns: Integers) -> Floats:
    """Weight times the part of the quota that is left, above 0, of each line that is due for each column; 1
    where the column is not of the line: (due, columns).
    """
    constraints = [lines.constraints[line] for line in due]
    heaviest = max(line.weight for line in lines.constraints) or 1
    weight = np.array([max(line.weight, 1) / heaviest for line in constraints])
    quota = np.maximum(np.where(unmet, lines.minimum, lines.maximum)[due], 1)
    amount = lines.amount[np.ix_(due, columns)]
    # of words and seconds the item's own count too, so that a long one is worth less than a short one
    summed = np.array([line.attribute in SUMMED for line in constraints], dtype=np.bool_) & ~unmet[due]
    taken = have[due][:, None] + np.where(summed[:, None], amount - 1, 0)
    left = np.maximum(quota[:, None] - taken, 1) / quota[:, None]
    factor = np.where((quota >= NO_LIMIT)[:, None], 1.0, left) * weight[:, None]
    return np.asarray(np.where(amount > 0, factor, 1.0), dtype=np.float64)


RULE = Rule(
    "maximum_priority_index",
    Settings,
    maximum_priority_index,
    About(
        formula="u_i' = u_i prod_k (w_k f_k)^c_ik, f_k = (l_k - x_k) / l_k while minima are unmet, "
        "then (u_k - x_k) / u_k\n"
        "line k has limits l_k and u_k, weight w_k and x_k so far; item i brings c_ik",
        source="Cheng & Chang (2009)",
        use="Many lines at little cost; the shadow test where every line must hold.",
    ),
    abilities=ANY,
)
