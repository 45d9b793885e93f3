"""Simulated adaptive tests on the library: every choice is made by the functions of `psychometrics`.

One candidate after the other, so that what is tried is what a program would call: tables of the pool,
evidence of the responses, a criterion, an item. Interim estimates are posterior means under a normal prior.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from psychometrics.arrays import NOT_ADMINISTERED, BoolArray, FloatArray, IntArray
from psychometrics.estimation.grids import STANDARD_NORMAL, NormalPrior, normal_density
from psychometrics.models.items import ItemColumns
from psychometrics.selection.choice import Sense, best_item
from psychometrics.selection.criteria import CRITERIA
from psychometrics.selection.reading import PoolAt
from psychometrics.selection.tables import CriterionTables, Evidence, criterion_tables

NODES = np.linspace(-6.0, 6.0, 61)


@dataclass
class Position:
    """Where a candidate stands before the next item."""

    tables: CriterionTables
    evidence: Evidence
    available: BoolArray
    theta: float
    standard_error: float
    place: int
    columns: list[int]
    responses: list[int]
    candidate: int

    @cached_property
    def at(self) -> PoolAt:
        """The pool at the estimate."""
        return self.tables.reader.at(self.theta)

    @property
    def information(self) -> FloatArray:
        """Fisher information of every item at the estimate."""
        return self.tables.reader.information_at(self.theta)


Select = Callable[[Position], int]
Stop = Callable[[Position], bool]


def never(_: Position) -> bool:
    """Go on to the last item allowed."""
    return False


@dataclass(frozen=True)
class Design:
    """How items are chosen, when a test ends, and how many items it may have.

    `start` is the ability aimed at before the first answer where that is not the prior's mean; `forced` are
    the responses of the first places, whatever the candidate would have answered.
    """

    select: Select
    length: int
    stop: Stop = never
    prior: NormalPrior = STANDARD_NORMAL
    start: float | None = None
    forced: tuple[int, ...] = ()

    def stopping(self, stop: Stop) -> Design:
        """The same with another stopping rule."""
        return replace(self, stop=stop)


@dataclass(frozen=True)
class Sittings:
    """N tests of at most L items: columns of the pool and responses (N, L), -1 after the end; the posterior
    mean and deviation after each item (N, L), the last ones repeated after the end."""

    pool: ItemColumns
    columns: IntArray
    responses: IntArray
    theta: FloatArray
    standard_error: FloatArray
    length: IntArray = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "length", (self.columns >= 0).sum(axis=1))

    def matrix(self, places: int | None = None) -> IntArray:
        """Responses as a matrix over the pool (N, n), of the first places of the test or of all."""
        out = np.full((self.columns.shape[0], len(self.pool)), NOT_ADMINISTERED, dtype=np.int64)
        part = self.columns[:, :places]
        row, place = np.nonzero(part >= 0)
        out[row, part[row, place]] = self.responses[row, place]
        return out

    def error(self, theta: FloatArray, place: int | None = None) -> FloatArray:
        """Estimate minus ability (N,) after `place` items, or at the end."""
        return np.asarray(self.theta[:, -1 if place is None else place - 1] - theta, dtype=np.float64)


def tables_of(pool: ItemColumns, nodes: FloatArray = NODES) -> CriterionTables:
    """The tables all designs share."""
    return criterion_tables(pool, nodes)


def run(tables: CriterionTables, given: IntArray, design: Design) -> Sittings:
    """Sittings of candidates whose answers to all items are known (N, n)."""
    count, length = given.shape[0], design.length
    columns = np.full((count, length), -1, dtype=np.int64)
    responses = np.full((count, length), -1, dtype=np.int64)
    theta, error = np.empty((count, length)), np.empty((count, length))
    for candidate in range(count):
        _sit(tables, given[candidate], design, candidate, (columns, responses, theta, error))
    return Sittings(tables.items, columns, responses, theta, error)


def _sit(
    tables: CriterionTables,
    given: IntArray,
    design: Design,
    candidate: int,
    out: tuple[IntArray, IntArray, FloatArray, FloatArray],
) -> None:
    columns, responses, theta, error = (table[candidate] for table in out)
    prior, m = normal_density(tables.nodes, design.prior), tables.category_count
    available = np.ones(len(tables), dtype=np.bool_)
    log_likelihood = np.zeros(tables.nodes.size)
    start = design.prior.mean if design.start is None else design.start
    now = Position(
        tables,
        Evidence(tables, np.ones_like(prior), prior),
        available,
        start,
        design.prior.sd,
        1,
        [],
        [],
        candidate,
    )
    for place in range(design.length):
        column = design.select(now)
        response = int(design.forced[place] if place < len(design.forced) else given[column])
        log_likelihood += tables.log_probabilities[:, column * m + response]
        available[column] = False
        evidence = Evidence(tables, np.exp(log_likelihood - log_likelihood.max()), prior)
        mass = evidence.posterior_mass()
        centre = float(mass @ tables.nodes)
        spread = float(np.sqrt(mass @ (tables.nodes - centre) ** 2))
        columns[place], responses[place] = column, response
        theta[place:], error[place:] = centre, spread
        given_so_far = [*now.columns, column], [*now.responses, response]
        now = Position(tables, evidence, available, centre, spread, place + 2, *given_so_far, candidate)
        if design.stop(now):
            return


def by_criterion(name: str) -> Select:
    """The best available item by a criterion of `psychometrics.selection.criteria`."""
    criterion = CRITERIA[name]

    def select(now: Position) -> int:
        return best_item(criterion.values(now.tables, now.evidence, now.at), criterion.sense, now.available)

    return select


def most_informative(now: Position) -> int:
    """Maximum Fisher information at the estimate."""
    return best_item(now.information, Sense.MAXIMISE, now.available)


def in_order(order: list[int]) -> Select:
    """A fixed form: the same items for everybody."""
    return lambda now: order[now.place - 1]


def at_random(seed: int) -> Select:
    """Any available item, each with the same chance."""

    def select(now: Position) -> int:
        rng = np.random.default_rng([seed, now.candidate, now.place])
        return int(rng.choice(np.flatnonzero(now.available)))

    return select
