"""How often each item was seen, in whole numbers that many servers can add to, and what follows from it.

A sitting reads the counts once, when it begins; what it read is in its log as probabilities of being eligible
(`ExposureRead`), and which items are eligible is drawn from its seed. So counts may be late, faded, or lost
and made again from the logs: a sitting can always be decided again from its own log.

The counts of a section are one row of cells: sittings begun; times each item was shown; then for each ability
segment the sittings that were there, how often each item was chosen there, and in how many it was eligible.
A sitting is in several segments as its estimate moves: in each by the part of its items chosen there. So the
parts are of one whole, and a rate kept in every segment is kept over all. The first two are counted as they
happen, the segments' when a sitting leaves the section: their ratios are then of whole sittings.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cat_engine.core import events as e
from cat_engine.core import families
from cat_engine.core.chance import FRACTION_BITS, Chance
from cat_engine.core.compiled import ADAPTIVE, CompiledPackage
from cat_engine.core.exact import Floats, Integers
from cat_engine.core.exposure_draws import WHOLE_SITTING
from cat_engine.core.families import Rule
from cat_engine.core.pool import Pool
from cat_engine.core.state import CorruptLogError, SittingState

COUNT = 1000
"""One count in cells: fading then rounds by a thousandth."""
CERTAIN_TEN_THOUSANDTHS = 10_000


@dataclass(frozen=True, eq=False)
class Counts:
    """The counts of a section as numbers of sittings, faded where the rule fades.

    `begun` sittings; `seen` (n,); by segment `visited` (s,), `administered` and `eligible` (s, n), where a
    sitting counts by the part that it spent there.
    """

    begun: float
    seen: Floats
    visited: Floats
    administered: Floats
    eligible: Floats


@dataclass(frozen=True, kw_only=True)
class CountingRule(Rule):
    """An eligibility rule that asks for counts.

    `probabilities(counts, pool, settings)` gives each item's probability of being eligible in a sitting that
    begins now, in ten-thousandths, (segments, n). Its settings have `cuts_millionths`, the borders between
    ability segments, and `memory_sittings`, after how many sittings a count has faded to 1 / e (0: never).
    """

    probabilities: Callable[[Counts, Pool, Any], Integers]


@dataclass(frozen=True, eq=False)
class Control:
    """A section whose eligibility rule counts."""

    section_index: int
    pool: Pool
    rule: CountingRule
    settings: Any

    @property
    def section_id(self) -> str:
        """The section's identity."""
        return self.pool.section.section_id

    @property
    def segments(self) -> int:
        """Number of ability segments."""
        return len(self.settings.cuts_millionths) + 1

    @property
    def cells(self) -> int:
        """Length of the row of counts."""
        n = self.pool.size
        return 1 + n + self.segments * (1 + 2 * n)

    def counts(self, cells: Integers) -> Counts:
        """A row of cells as counts."""
        n = self.pool.size
        numbers = cells / COUNT
        blocks = numbers[1 + n :].reshape(self.segments, 1 + 2 * n)
        return Counts(
            begun=float(numbers[0]),
            seen=numbers[1 : 1 + n],
            visited=blocks[:, 0],
            administered=blocks[:, 1 : 1 + n],
            eligible=blocks[:, 1 + n :],
        )

    def read(self, cells: Integers) -> e.ExposureRead:
        """What a sitting that begins with these counts writes into its log."""
        shares = self.rule.probabilities(self.counts(cells), self.pool, self.settings)
        rows = np.clip(shares, 0, CERTAIN_TEN_THOUSANDTHS).astype("<u2")
        return e.ExposureRead(section_id=self.section_id, probabilities=tuple(row.tobytes() for row in rows))

    def add(self, cells: Integers, state: SittingState, entry: e.Entry) -> bool:
        """Add what an entry of a sitting counts to a row of cells, in place; `state` is that after the entry.

        Whether a sitting began by it.
        """
        column = self.pool.index_of
        began = ended = False
        for event in entry.events:
            match event:
                case e.Begun():
                    cells[0] += COUNT
                    began = True
                case e.ItemPresented() if self._shows(state, event):
                    cells[1 + column[event.item_id]] += COUNT
                case e.SectionEnded(section_id=section_id):
                    ended = ended or section_id == self.section_id
                case e.Expired():
                    ended = ended or (state.section_begun and state.section_index == self.section_index)
        if ended:
            self._add_whole(cells, state)
        return began

    def _shows(self, state: SittingState, event: e.ItemPresented) -> bool:
        return state.presentations[event.position - 1].section_index == self.section_index

    def _add_whole(self, cells: Integers, state: SittingState) -> None:
        """A sitting that leaves the section, in each segment by the part of its items chosen there."""
        here = state.in_section(self.section_index)
        if not here:
            return
        n = self.pool.size
        read = next((known for known in state.exposure if known.section_id == self.section_id), None)
        shown = np.array([self.pool.index_of[p.item_id] for p in here], dtype=np.int64)
        where = np.array([segment_of(self.settings.cuts_millionths, p.theta_millionths) for p in here])
        blocks = cells[1 + n :].reshape(self.segments, 1 + 2 * n)
        for segment in np.unique(where).tolist():
            chosen = where == segment
            part = round(COUNT * float(chosen.mean()))
            allowed = drawn(self.pool, state.seed, read, segment)
            blocks[segment, 0] += part
            blocks[segment, 1 + shown[chosen]] += COUNT
            blocks[segment, 1 + n :] += part if allowed is None else part * allowed


def controls(compiled: CompiledPackage) -> tuple[Control, ...]:
    """The sections of a package whose eligibility rule asks for counts."""
    members = families.members("cat_engine.core.eligibility")
    found = []
    for index, part in enumerate(compiled.sections):
        rule = members[part.section.eligibility.rule]
        if isinstance(rule, CountingRule) and part.section.mode == ADAPTIVE:
            settings = families.bind("cat_engine.core.eligibility", part.section.eligibility)
            found.append(Control(index, part.pool, rule, settings.keywords["settings"]))  # type: ignore[attr-defined]  # bind gives a partial
    return tuple(found)


def refuse_misshapen(compiled: CompiledPackage, exposure: Sequence[e.ExposureRead]) -> None:
    """What a sitting read must be of its own sections, once each, a probability for each item and segment."""
    if not exposure:
        return
    known = {control.section_id: control for control in controls(compiled)}
    for read in exposure:
        control = known.pop(read.section_id, None)
        if control is None:
            raise CorruptLogError(f"section {read.section_id} reads no exposure, or reads it twice")
        if [len(row) for row in read.probabilities] != [2 * control.pool.size] * control.segments:
            raise CorruptLogError(f"section {read.section_id}: exposure of another shape than the section")
        if any(
            (np.frombuffer(row, dtype="<u2") > CERTAIN_TEN_THOUSANDTHS).any() for row in read.probabilities
        ):
            raise CorruptLogError(f"section {read.section_id}: a probability above 1")


def segment_of(cuts_millionths: tuple[int, ...], theta_millionths: int) -> int:
    """The ability segment: how many cut points lie at or below the estimate."""
    return bisect_right(cuts_millionths, theta_millionths)


def drawn(pool: Pool, seed: str, read: e.ExposureRead | None, segment: int) -> NDArray[np.bool_] | None:
    """Which items of a pool a sitting may see in a segment, (n,); None for all of them.

    One draw for each item and segment, the same at every step of the sitting.
    """
    if read is None:
        return None
    probability = np.frombuffer(read.probabilities[segment], dtype="<u2").astype(np.int64)
    purpose = f"eligibility|{read.section_id}|{segment}"
    fractions = Chance(seed, WHOLE_SITTING).fractions(purpose, pool.ties)
    return np.asarray(fractions * CERTAIN_TEN_THOUSANDTHS < probability << FRACTION_BITS, dtype=np.bool_)


def eligible_shares(wanted: Floats, administered: Floats) -> Integers:
    """min(1, wanted / administered) in ten-thousandths; 1 where nothing was administered."""
    share = np.divide(wanted, administered, out=np.ones_like(wanted), where=administered > 0)
    return np.asarray(np.rint(np.clip(share, 0.0, 1.0) * CERTAIN_TEN_THOUSANDTHS), dtype=np.int64)


def faded(cells: Integers, sittings: int, memory_sittings: int) -> Integers:
    """The cells once that many sittings have passed: c (1 - 1/M)^sittings, rounded."""
    kept: float = (1.0 - 1.0 / memory_sittings) ** sittings
    return np.asarray(np.rint(cells * kept), dtype=np.int64)


def fading_step(memory_sittings: int) -> int:
    """After how many sittings the counts are faded again: a twentieth of the memory; 0 for never."""
    return max(1, memory_sittings // 20) if memory_sittings else 0
