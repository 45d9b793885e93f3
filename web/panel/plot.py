"""The picture of a ranked list: one axis for all, each applicant a row with the score and its band of error.

Only places are computed here: percent along the axis (the page stretches it), pixels down the rows.
"""

import math
from collections.abc import Callable, Sequence
from decimal import Decimal

from cat_engine.panel.ranking import Group, RankedList
from web.panel.views import GroupBar, Mark, PlotRow, RankedPlot

ROW_PX = 34.0
HEAD_PX = 46.0
FOOT_PX = 10.0
STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000)
MOST_MARKS = 6
EDGE_PERCENT = 12.0

Number = Callable[[Decimal], str]


def ranked_plot(
    ranking: RankedList, score: Number, mark: Number, cut_label: Callable[[str], str]
) -> RankedPlot:
    """Where everything of the picture stands; scores and marks are printed in the reader's language."""
    first, last, step = _axis(ranking)

    def at(value: Decimal) -> float:
        return round(float(100 * (value - first) / (last - first)), 2)

    rows = tuple(
        PlotRow(
            y=HEAD_PX + ROW_PX * index,
            rank=row.rank,
            blind_code=row.blind_code,
            score=score(row.scale_score),
            low=at(row.band_low),
            point=at(row.scale_score),
            high=at(row.band_high),
            is_above_cut=row.is_above_cut,
        )
        for index, row in enumerate(ranking.rows)
    )
    ticks = [first + step * index for index in range(int((last - first) / step) + 1)]
    has_line = ranking.places is not None and 0 < ranking.places < len(rows)
    return RankedPlot(
        height=HEAD_PX + ROW_PX * len(rows) + FOOT_PX,
        rows=rows,
        marks=tuple(_mark(at(tick), mark(tick)) for tick in ticks),
        cut=None
        if ranking.cut_score is None
        else _mark(at(ranking.cut_score), cut_label(mark(ranking.cut_score))),
        places_y=HEAD_PX + ROW_PX * (ranking.places or 0) if has_line else None,
        groups=_bars(ranking.groups),
    )


def _axis(ranking: RankedList) -> tuple[Decimal, Decimal, Decimal]:
    """Both ends of the axis and the distance of its marks: round numbers that hold every band and the cut."""
    values = [value for row in ranking.rows for value in (row.band_low, row.band_high)]
    if ranking.cut_score is not None:
        values.append(ranking.cut_score)
    low, high = (min(values), max(values)) if values else (Decimal(0), Decimal(100))
    span = max(high - low, Decimal(1))
    step = Decimal(next((step for step in STEPS if span / step <= MOST_MARKS - 1), STEPS[-1]))
    first, last = step * math.floor(low / step), step * math.ceil(high / step)
    return Decimal(first), Decimal(max(last, first + step)), step


def _mark(at: float, label: str) -> Mark:
    anchor = "start" if at < EDGE_PERCENT else "end" if at > 100 - EDGE_PERCENT else "middle"
    return Mark(at=at, label=label, anchor=anchor)


def _bars(groups: Sequence[Group]) -> tuple[GroupBar, ...]:
    """Groups of two and more; each in the first lane where the bar before it has ended."""
    bars: list[GroupBar] = []
    ends: list[int] = []
    for group in groups:
        if group.first == group.last:
            continue
        lane = next((lane for lane, end in enumerate(ends) if end < group.first), len(ends))
        ends[lane : lane + 1] = [group.last]
        bars.append(
            GroupBar(
                from_y=HEAD_PX + ROW_PX * group.first + 5,
                to_y=HEAD_PX + ROW_PX * (group.last + 1) - 5,
                lane=lane,
                crosses_places=group.crosses_places,
            )
        )
    return tuple(bars)
