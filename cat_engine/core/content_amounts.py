"""What each item adds to each line of a blueprint: the one reading that rules and checks share."""

from collections.abc import Sequence

import numpy as np

from cat_engine.core.exact import exponential
from cat_engine.core.test_package import Constraint, PoolItem, Share

COUNTED = ("area", "key", "interaction", "item_set")
SUMMED = ("words", "seconds")
ITEM_SETS = "item_sets"
ATTRIBUTES = (*COUNTED, ITEM_SETS, *SUMMED)


def amounts(line: Constraint, items: Sequence[PoolItem]) -> list[int]:
    """1 or 0, its words, or its expected seconds; for `item_sets` 1 of an item in a set, which counts once
    for the whole set.
    """
    match line.attribute:
        case "area":
            return [int(is_in(item.area, line.value)) for item in items]
        case "key":
            return [int(str(key_position(item)) == line.value) for item in items]
        case "interaction":
            return [int(item.interaction == line.value) for item in items]
        case "item_set":
            return [int(item.item_set == line.value) for item in items]
        case "item_sets":
            return [int(bool(item.item_set)) for item in items]
        case "words":
            return [item.word_count for item in items]
        case "seconds":
            return [expected_seconds(item) for item in items]
    raise ValueError(f"{line.name} counts {line.attribute}, which items do not have")


def is_in(area: str, above: str) -> bool:
    """Whether an area is another or lies below it."""
    return area == above or area.startswith(f"{above}.")


def missed_shares(shares: Sequence[Share], lines: Sequence[int]) -> tuple[str, ...]:
    """The areas that fall more than one item short of their share; `lines` are those of the items asked, -1
    for none. A count is whole and a share of it need not be: within one item is as near as it can come.
    """
    return tuple(
        share.area
        for number, share in enumerate(shares)
        if 1000 * (lines.count(number) + 1) < share.per_mille * len(lines)
    )


def key_position(item: PoolItem) -> int:
    """The place of the best option, from 1."""
    return item.option_points.index(item.points_maximum) + 1


def expected_seconds(item: PoolItem) -> int:
    """exp(beta + 1 / (2 alpha^2)), rounded: the mean lognormal time of a candidate of average speed (van der
    Linden, 2006); 0 where nothing is known.
    """
    if item.time_intensity is None or item.time_discrimination is None:
        return 0
    exponent = item.time_intensity + 0.5 / (item.time_discrimination * item.time_discrimination)
    return round(float(exponential(np.array([exponent]))[0]))
