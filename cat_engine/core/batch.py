"""Many sittings of one adaptive section at a time: the engine's decisions, computed for all of them at once.

Only for studies, and only for the designs that `refusal` lets through; a live sitting takes the engine's
verbs. The numbers are the engine's numbers - integers, whole floats, the same table of the exponential - so
items, estimates and errors are the engine's bit for bit; a test compares them sitting by sitting.

Axes: sitting (c), item of the pool (n), node, line of the blueprint (g), step of the sitting.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cat_engine.core.adaptive import POOL_EXHAUSTED
from cat_engine.core.chance import Chance
from cat_engine.core.compiled import CompiledPackage, CompiledSection
from cat_engine.core.criteria import utility_of
from cat_engine.core.exact import ExactTable, Floats, Integers
from cat_engine.core.pool import CUBIC_BITS
from cat_engine.core.posterior_moments import mean_and_deviation_of, moments
from cat_engine.core.scoring import NOT_REACHED
from cat_engine.core.space import SpatialPool
from cat_engine.core.tables import GRID_LIMIT_MILLIONTHS, GRID_STEP_MILLIONTHS
from cat_engine.core.test_package import RuleChoice
from cat_engine.core.views import log_prior, shares_of, weights_of

CHUNK = 256  # sittings that go in step
COVERED = {
    "start": {"prior"},
    "selection": {"maximum_information", "posterior_weighted_information"},
    "content": {"shares"},
    "eligibility": {"everything"},
    "exposure": {"best", "randomesque"},
    "stopping": {"fixed_length", "standard_error"},
    "interim_estimator": {"eap"},
}
_LARGEST_OF_FLOATS = (1 << 53) // (5 << (CUBIC_BITS - 2))  # the cubic's weights sum to at most 5/4 in size
_TAKEN = -1
_LAST = np.iinfo(np.int64).max


class Crowd(Protocol):
    """Those who sit: `who` are their numbers, `items` the column each of them is asked."""

    def categories(self, who: Integers, items: Integers) -> Integers:
        """The category of each response."""
        ...

    def times_ms(self, who: Integers, items: Integers) -> Integers:
        """How long each response takes."""
        ...


@dataclass(frozen=True, eq=False)
class Batch:
    """N sittings of at most L items: column and category of each (-1 after the end), the estimate after it.

    `pending` (N,) is the column on the screen when the time ran out, or -1. `relaxed` (N, g) counts the items
    for which a line of the blueprint was passed over because its items were used up.
    """

    columns: Integers
    categories: Integers
    thetas_millionths: Integers
    errors_millionths: Integers
    used_ms: Integers
    lengths: Integers
    pending: Integers
    relaxed: Integers
    reasons: tuple[str, ...]

    @cached_property
    def responses(self) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        """Columns and categories of each sitting."""
        return [
            (tuple(items[:length]), tuple(given[:length]))
            for items, given, length in zip(
                self.columns.tolist(), self.categories.tolist(), self.lengths.tolist(), strict=True
            )
        ]


def refusal(compiled: CompiledPackage) -> str:
    """Why this path does not cover a package, or ""."""
    if len(compiled.sections) != 1:
        return "more than one section"
    part = compiled.sections[0]
    if part.section.mode != "adaptive" or isinstance(part.pool, SpatialPool):
        return "not an adaptive section of one ability"
    if part.pool.item_sets or part.section.constraints:
        return "item sets or constraints"
    if part.length is None or compiled.package.total_cut_points is not None:
        return "no fixed length, or a cut of all sections together"
    for family, names in COVERED.items():
        chosen: Any = getattr(part.section, family)
        for choice in chosen if isinstance(chosen, tuple) else (chosen,):
            if choice.rule not in names:
                return f"{family} {choice.rule}"
    return ""


class Hall:
    """One section laid out for many sittings at once. Refuses what `refusal` names.

    The items stand in the order of their ties, so that the first of several highest utilities is the one that
    the engine would take.
    """

    def __init__(self, compiled: CompiledPackage) -> None:
        problem = refusal(compiled)
        if problem:
            raise ValueError(f"the batch does not cover this design: {problem}")
        self.part: CompiledSection = compiled.sections[0]
        self.allowed_ms = compiled.package.time_allowed_s * 1000
        self.grace_ms = compiled.package.answer_grace_ms
        pool, section = self.part.pool, self.part.section
        self.order = np.argsort(pool.ties, kind="stable")
        place = np.empty(pool.size, dtype=np.int64)
        place[self.order] = np.arange(pool.size)
        self.ends = tuple(_ending(choice) for choice in section.stopping)
        self.sizes = (
            (1,) if section.exposure.rule == "best" else self.part.expose.keywords["settings"].sizes  # type: ignore[attr-defined]  # a partial
        )
        lines = [np.flatnonzero(pool.area[self.order] == line) for line in range(len(section.blueprint))]
        self.lines = lines or [np.arange(pool.size)]
        shares = [line.per_mille for line in section.blueprint] or [1]
        self.per_mille = np.array(shares, dtype=np.int64)
        self.line_of = np.full(pool.size, -1, dtype=np.int64)
        for number, columns in enumerate(self.lines):
            self.line_of[columns] = number
        bars = [[place[column] for column in pool.barred_by[item.item_id]] for item in pool.items]
        self.bars = [np.array(bars[column], dtype=np.int64) for column in self.order]
        self.has_enemies = np.array([barred.size > 1 for barred in self.bars], dtype=np.bool_)
        weighted = section.selection.rule == "posterior_weighted_information"
        self.rank = [self._by_posterior(c) if weighted else self._by_estimate(c) for c in self.lines]
        self.log_probability = pool.log_probability[self.order].reshape(-1, pool.log_probability.shape[2])
        self.categories = pool.log_probability.shape[1]
        self.start = self.part.start(pool, None, Chance("", 0))
        prior = self.start.prior
        self.log_prior = log_prior(prior.theta_millionths, prior.standard_error_millionths)

    def _by_estimate(self, columns: Integers) -> "Ranking":
        """Fisher information at the interim estimate, as `Pool.information_at` reads it."""
        information = self.part.pool.information[:, self.order[columns]]
        exact = int(self.part.pool.information.max(initial=0)) < _LARGEST_OF_FLOATS
        return partial(_information, information.astype(np.float64) if exact else information)

    def _by_posterior(self, columns: Integers) -> "Ranking":
        """Its mean over the posterior."""
        table = self.part.pool.information_by_node
        matrix = np.ascontiguousarray(table.matrix[:, self.order[columns]])
        return partial(_weighted_information, ExactTable(matrix, table.unit))

    def run(self, seeds: Sequence[str], crowd: Crowd) -> Batch:
        """The sittings with these seeds; person number i of the crowd has the seed number i."""
        batches = [
            _Chunk(self, seeds, np.arange(first, min(first + CHUNK, len(seeds)))).run(crowd)
            for first in range(0, len(seeds), CHUNK)
        ]
        joined = {
            name: np.concatenate([getattr(batch, name) for batch in batches])
            for name in Batch.__dataclass_fields__
            if name != "reasons"
        }
        return Batch(**joined, reasons=tuple(reason for batch in batches for reason in batch.reasons))


Ranking = Callable[["_Chunk", Integers], Floats]
Ending = Callable[["_Chunk", int], NDArray[np.bool_]]


def _ending(choice: RuleChoice) -> tuple[str, Ending]:
    """A stopping rule's name, and who is stopped after so many answers."""
    if choice.rule == "fixed_length":
        items = int(choice.settings["items"])
        return choice.rule, lambda chunk, answered: np.full(chunk.error.size, answered >= items)
    target = int(choice.settings["target_millionths"])
    minimum = int(choice.settings.get("minimum_items", 1))
    return choice.rule, lambda chunk, answered: (chunk.error <= target) & (answered >= minimum)


def _information(table: Any, chunk: "_Chunk", rows: Integers) -> Floats:
    """Information (c, columns) at the estimates of these sittings, in billionths; the cubic of the pool."""
    at = np.clip(chunk.theta[rows], -GRID_LIMIT_MILLIONTHS, GRID_LIMIT_MILLIONTHS) + GRID_LIMIT_MILLIONTHS
    row, part = np.divmod(at, GRID_STEP_MILLIONTHS)
    first = np.clip(row - 1, 0, table.shape[0] - 4)
    x = (row - first) + part / GRID_STEP_MILLIONTHS
    one = float(1 << CUBIC_BITS)
    weights = [
        np.rint(-(x - 1.0) * (x - 2.0) * (x - 3.0) / 6.0 * one),
        np.rint(x * (x - 2.0) * (x - 3.0) / 2.0 * one),
        np.rint(-x * (x - 1.0) * (x - 3.0) / 2.0 * one),
    ]
    weights.append(one - weights[0] - weights[1] - weights[2])
    total, one_row = (np.empty((rows.size, table.shape[1]), dtype=table.dtype) for _ in range(2))
    table.take(first, axis=0, out=total, mode="clip")
    total *= weights[0].astype(table.dtype)[:, None]
    for offset in (1, 2, 3):
        table.take(first + offset, axis=0, out=one_row, mode="clip")
        one_row *= weights[offset].astype(table.dtype)[:, None]
        total += one_row
    if table.dtype == np.int64:
        total += 1 << (CUBIC_BITS - 1)
        total >>= CUBIC_BITS
    else:
        total *= 1.0 / one  # a power of two: nothing is rounded until the floor
        total += 0.5
        np.floor(total, out=total)
    return np.asarray(np.maximum(total, 0, out=total))


def _weighted_information(table: ExactTable, chunk: "_Chunk", rows: Integers) -> Floats:
    shares = shares_of(weights_of(chunk.log_posterior[rows]))
    whole = shares.astype(np.int64).sum(axis=1, keepdims=True)
    return utility_of(table.weighted(shares) * (table.unit / whole)).astype(np.float64)


class _Chunk:
    """Sittings that go in step. Arrays hold those still going; `who` are their numbers."""

    def __init__(self, hall: Hall, seeds: Sequence[str], who: Integers) -> None:
        size, length = who.size, hall.part.length or hall.order.size
        self.hall, self.seeds, self.first = hall, seeds, int(who[0])
        self.who = who
        self.log_posterior = np.repeat(hall.log_prior[None, :], size, axis=0)
        self.theta = np.full(size, hall.start.theta_millionths, dtype=np.int64)
        self.error = np.full(size, hall.start.prior.standard_error_millionths, dtype=np.int64)
        self.free = np.ones((size, hall.order.size), dtype=np.bool_)
        self.left = np.tile([columns.size for columns in hall.lines], (size, 1))
        self.counts = np.zeros((size, len(hall.lines)), dtype=np.int64)
        self.used_ms = np.zeros(size, dtype=np.int64)
        self.batch = Batch(
            columns=np.full((size, length), _TAKEN, dtype=np.int64),
            categories=np.full((size, length), _TAKEN, dtype=np.int64),
            thetas_millionths=np.zeros((size, length), dtype=np.int64),
            errors_millionths=np.zeros((size, length), dtype=np.int64),
            used_ms=np.zeros(size, dtype=np.int64),
            lengths=np.zeros(size, dtype=np.int64),
            pending=np.full(size, _TAKEN, dtype=np.int64),
            relaxed=np.zeros((size, len(hall.lines)), dtype=np.int64),
            reasons=(),
        )
        self.reasons = [""] * size

    def run(self, crowd: Crowd) -> Batch:
        """All steps until the last sitting has ended."""
        step = 0
        while self.who.size:
            line = self._line_due(step)
            self._leave(line < 0, POOL_EXHAUSTED)
            if not self.who.size:
                break
            item = self._pick(line[line >= 0], step)
            columns = self.hall.order[item]
            time_ms = self.used_ms + crowd.times_ms(self.who, columns)
            late = time_ms > self.hall.allowed_ms + self.hall.grace_ms
            self.used_ms = time_ms
            self.batch.pending[self.who[late] - self.first] = columns[late]
            item, columns = item[~late], columns[~late]
            self._leave(late, NOT_REACHED)
            self._record(step, item, columns, crowd.categories(self.who, columns))
            step += 1
            for reason, ends in self.hall.ends:
                self._leave(ends(self, step), reason)
        return Batch(
            **{name: getattr(self.batch, name) for name in Batch.__dataclass_fields__ if name != "reasons"},
            reasons=tuple(self.reasons),
        )

    def _line_due(self, step: int) -> Integers:
        """The line furthest behind its share that has items left, -1 where none has; as `content.shares`."""
        hall = self.hall
        surplus = 1000 * self.counts - hall.per_mille * (step + 1)
        # lines without a share come after all others
        surplus += np.where(hall.per_mille == 0, np.int64(1) << 40, 0)
        open_ones = np.where(self.left > 0, surplus, _LAST)
        due = open_ones.argmin(axis=1)
        lowest = open_ones.min(axis=1)
        if hall.part.section.blueprint:
            before = (surplus < lowest[:, None]) | (
                (surplus == lowest[:, None]) & (np.arange(surplus.shape[1]) < due[:, None])
            )
            passed = before & (self.left == 0) & (lowest < _LAST)[:, None]
            if passed.any():
                self.batch.relaxed[self.who - self.first] += passed
        return np.where(lowest == _LAST, -1, due)

    def _pick(self, line: Integers, step: int) -> Integers:
        """The place of each sitting's next item: its lot among the best of its line, as `randomesque`."""
        hall = self.hall
        item = np.empty(self.who.size, dtype=np.int64)
        size = np.minimum(hall.sizes[min(step, len(hall.sizes) - 1)], self.left[np.arange(line.size), line])
        drawn = np.zeros(line.size, dtype=np.int64)
        for row in np.flatnonzero(size > 1).tolist():
            drawn[row] = Chance(self.seeds[self.who[row]], step + 1).below("exposure", int(size[row]))
        for number, columns in enumerate(hall.lines):
            rows = np.flatnonzero(line == number)
            if not rows.size:
                continue
            utility = hall.rank[number](self, rows)
            free = self.free[rows]
            if columns.size < hall.order.size:
                free = free.take(columns, axis=1)
            np.putmask(utility, ~free, _TAKEN)
            item[rows] = columns[_in_rank(utility, drawn[rows])]
        return item

    def _record(self, step: int, item: Integers, columns: Integers, categories: Integers) -> None:
        """The responses, and the estimates after them."""
        if not self.who.size:
            return
        hall, at = self.hall, self.who - self.first
        self.log_posterior += hall.log_probability[item * hall.categories + categories]
        sums = moments(weights_of(self.log_posterior)).tolist()
        estimates = np.array([mean_and_deviation_of(*row) for row in sums], dtype=np.int64)
        self.theta, self.error = estimates[:, 0], estimates[:, 1]
        self.batch.columns[at, step] = columns
        self.batch.categories[at, step] = categories
        self.batch.thetas_millionths[at, step] = self.theta
        self.batch.errors_millionths[at, step] = self.error
        self.batch.lengths[at] = step + 1
        self._bar(item)

    def _bar(self, item: Integers) -> None:
        """The items just seen and their enemies may not come again."""
        hall, rows = self.hall, np.arange(item.size)
        line = hall.line_of[item]
        counted = line >= 0
        self.counts[rows[counted], line[counted]] += 1
        self.free[rows, item] = False
        self.left[rows[counted], line[counted]] -= 1
        for row in np.flatnonzero(hall.has_enemies[item]).tolist():
            barred = hall.bars[item[row]]
            barred = barred[self.free[row, barred]]
            self.free[row, barred] = False
            lines = hall.line_of[barred]
            np.subtract.at(self.left[row], lines[lines >= 0], 1)

    def _leave(self, ended: NDArray[np.bool_], reason: str) -> None:
        """Sittings that are over make room."""
        if not ended.any():
            return
        at = self.who[ended] - self.first
        # the last answer may come within the grace: no more than the time allowed was used
        self.batch.used_ms[at] = np.minimum(self.used_ms[ended], self.hall.allowed_ms)
        for row in at.tolist():
            self.reasons[row] = reason
        going = ~ended
        for name in ("who", "log_posterior", "theta", "error", "free", "left", "counts", "used_ms"):
            setattr(self, name, getattr(self, name)[going])


def _in_rank(utility: Floats, drawn: Integers) -> Integers:
    """In each row the place of the highest value (0), the second highest (1) ..., equals from the left.

    The rows are used up.
    """
    found = np.empty(drawn.size, dtype=np.int64)
    rows = np.arange(drawn.size)
    for rank in range(int(drawn.max(initial=0)) + 1):
        best = utility.argmax(axis=1)
        found[rows] = best
        going = drawn[rows] > rank
        utility[np.arange(rows.size), best] = _TAKEN - 1
        if not going.all():
            rows, utility = rows[going], utility[going]
    return found
