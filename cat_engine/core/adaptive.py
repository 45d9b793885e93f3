"""One adaptive step: estimate, stop or choose."""

import hashlib
from dataclasses import dataclass

import numpy as np

from cat_engine.core import blueprint, exact
from cat_engine.core.compiled import CompiledSection
from cat_engine.core.events import ItemPresented
from cat_engine.core.state import Presentation, SittingState
from cat_engine.core.views import Choice, Draw, Estimate, SectionView

POOL_EXHAUSTED = "pool_exhausted"


@dataclass(frozen=True)
class Stop:
    """The section has measured enough, and by which rule."""

    reason: str


def view_of(compiled: CompiledSection, presentations: tuple[Presentation, ...]) -> SectionView:
    """The section's answered items and the interim estimate they give."""
    answered, categories = responses(compiled, presentations)
    if answered:
        estimate = compiled.interim(compiled.pool, answered, categories)
    else:
        start = compiled.section.start_theta_millionths
        estimate = Estimate(start, round(compiled.section.prior_deviation * exact.THETA_UNIT))
    return SectionView(compiled.pool, answered, categories, estimate)


def responses(
    compiled: CompiledSection, presentations: tuple[Presentation, ...]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Columns of the answered items and their categories."""
    index_of = compiled.pool.index_of
    given = [p for p in presentations if p.response is not None]
    return tuple(index_of[p.item_id] for p in given), tuple(p.category for p in given)


def next_item(
    compiled: CompiledSection, state: SittingState, section_index: int, position: int
) -> ItemPresented | Stop:
    """The next item of the section with the trace of its choice, or why there is none.

    Order of business: stopping rules, then what may come next (never seen, no enemies, the blueprint line
    that is due), then the selection rule's utility, then the exposure rule's pick.
    """
    presentations = state.in_section(section_index)
    view = view_of(compiled, presentations)
    for name, stop in compiled.stop:
        if stop(view):
            return Stop(name)
    shown = [compiled.pool.index_of[p.item_id] for p in presentations]
    may = blueprint.eligible(compiled.pool, shown, (p.item_id for p in state.presentations))
    if not may.indices.size:
        return Stop(POOL_EXHAUSTED)
    draw: Draw = lambda n: exact.draw(state.seed, "exposure", position, n)  # noqa: E731 - one expression
    utility = compiled.select(view)
    choice: Choice = compiled.expose(compiled.pool, utility, may.indices, len(shown), draw)
    return ItemPresented(
        position=position,
        item_id=compiled.pool.items[choice.index].item_id,
        theta_millionths=view.estimate.theta_millionths,
        standard_error_millionths=view.estimate.standard_error_millionths,
        eligible=may.indices.size,
        eligible_digest=digest(may.indices.astype("<i4")),
        considered=choice.considered,
        drawn=choice.drawn,
        area=may.area,
        relaxed=may.relaxed,
    )


def digest(indices: np.typing.NDArray[np.int32]) -> str:
    """The first 16 hexadecimal digits of SHA-256 over the column numbers: which items could come next."""
    return hashlib.sha256(indices.tobytes()).hexdigest()[:16]
