"""The nine boxes as a picture: potential upwards, performance to the right, numbered as the regulation does.

A person is a dot at the place of both values inside the box, so that one sees who stands at a border.
"""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from cat_engine.talent.nine_box import BANDS, BOX_NUMBERS, Box, Cuts, Missing, NineBoxPolicy
from cat_engine.talent.register import Standing
from web.talent.views import BoxCell, Dot, Step

MARGIN_PERCENT = 6.0
MOST_DOTS = 150

Number = Callable[[Decimal], str]


def box_rows(
    standings: Iterable[Standing],
    policy: NineBoxPolicy,
    url_of: Callable[[int], str] | None = None,
    *,
    chosen: int = 0,
) -> tuple[tuple[BoxCell, ...], ...]:
    """Rows from high potential to low, cells from low performance to high."""
    placed: Mapping[int, list[Standing]] = {number: [] for number in BOX_NUMBERS.values()}
    for standing in standings:
        if standing.box is not None:
            placed[standing.box.number].append(standing)
    return tuple(
        tuple(
            BoxCell(
                number=(number := BOX_NUMBERS[potential, performance]),
                potential_band=potential,
                performance_band=performance,
                count=len(placed[number]),
                url=url_of(number) if url_of else "",
                chosen=number == chosen,
                dots=tuple(_dot(standing, policy) for standing in placed[number][:MOST_DOTS]),
            )
            for performance in BANDS
        )
        for potential in reversed(BANDS)
    )


def _dot(standing: Standing, policy: NineBoxPolicy) -> Dot:
    if standing.box is None or standing.x is None or standing.y is None:
        raise ValueError("only somebody with a box has a place in it")
    across = _share(standing.y, policy.performance_cuts)
    up = _share(standing.x, policy.potential_cuts)
    return Dot(x=round(across, 1), y=round(100 - up, 1))


def _share(value: Decimal, cuts: Cuts) -> float:
    """How far into its band a value lies, in percent, kept clear of the edges."""
    bounds = {"low": (0, cuts.middle), "middle": (cuts.middle, cuts.high), "high": (cuts.high, 100)}
    low, high = bounds[cuts.band(value)]
    share = float(value - low) / max(high - low, 1)
    return MARGIN_PERCENT + (100 - 2 * MARGIN_PERCENT) * min(max(share, 0.0), 1.0)


def steps_to_next(box: Box, missing: Missing, number: Number) -> tuple[Step, ...]:
    """The two ways out of a box: more potential, or more performance; nothing in the highest band."""
    steps = []
    if missing.potential is not None:
        band = BANDS[BANDS.index(box.potential_band) + 1]
        target = BOX_NUMBERS[band, box.performance_band]
        steps.append(Step(axis="potential", points=number(missing.potential), box=target))
    if missing.performance is not None:
        band = BANDS[BANDS.index(box.performance_band) + 1]
        target = BOX_NUMBERS[box.potential_band, band]
        steps.append(Step(axis="performance", points=number(missing.performance), box=target))
    return tuple(steps)
