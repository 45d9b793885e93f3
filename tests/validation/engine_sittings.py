"""Sittings of simulated candidates through the engine's own verbs, under the rules that are tried."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage, compile_package
from cat_engine.core.exact import THETA_UNIT
from cat_engine.core.exposure_counts import controls
from cat_engine.core.simulation import simulate_sitting
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import (
    PackageFile,
    PoolItem,
    RuleChoice,
    Scale,
    Section,
    TestPackage,
    content_hash,
)
from psychometrics.arrays import BoolArray, FloatArray, IntArray
from psychometrics.estimation.eap import eap_estimates
from psychometrics.estimation.grids import converged_grid
from psychometrics.exposure import exposure_rates, pairwise_overlap, unevenness
from psychometrics.models.items import ItemColumns
from tests.validation.monte_carlo import Measured, in_batches

LENGTH = 30
MOST_INFORMATIVE, BEST = RuleChoice("maximum_information"), RuleChoice("best")
EVERYTHING = RuleChoice("everything")


@dataclass(frozen=True)
class Design:
    """The rules of a section that are tried."""

    name: str
    selection: RuleChoice = MOST_INFORMATIVE
    exposure: RuleChoice = BEST
    eligibility: RuleChoice = EVERYTHING


@dataclass(frozen=True)
class Outcome:
    """What the candidates saw (N, n) and first (N,), the errors of the engine's scores (N,), and how far the
    furthest score lies from the library's.
    """

    seen: BoolArray
    errors: FloatArray
    first: IntArray
    distance: float

    @property
    def highest(self) -> Measured:
        """The highest exposure rate; its error is that of the rate of one item."""
        rate = float(exposure_rates(self.seen).max())
        return Measured(rate, float(np.sqrt(rate * (1.0 - rate) / self.seen.shape[0])))

    @property
    def unused(self) -> float:
        """Share of the pool that nobody saw."""
        return float((~self.seen.any(axis=0)).mean())

    @property
    def overlap(self) -> Measured:
        """Share of a test that two candidates have in common."""
        return in_batches(lambda some: pairwise_overlap(self.seen[some]), self.seen.shape[0])

    @property
    def unevenness(self) -> float:
        """Chi-square of the rates against equal use."""
        return unevenness(exposure_rates(self.seen))


def package(pool: ItemColumns, design: Design) -> TestPackage:
    """A test of one adaptive section under these rules."""
    items = tuple(
        PoolItem(
            item_id=f"item-{number:04d}",
            code=f"{number:04d}",
            content_hash=f"content-{number}",
            interaction="choice",
            model="3PL",
            a=float(pool.a[number]),
            b=(float(pool.thresholds[number, 0]),),
            c=float(pool.c[number]),
            option_points=(0, 1, 0, 0, 0),
            area="a",
        )
        for number in range(len(pool))
    )
    section = Section(
        section_id="s",
        title={"id": "Bagian", "en": "Section"},
        aspect="potential",
        mode="adaptive",
        item_ids=tuple(item.item_id for item in items),
        scale=Scale(name="T", slope=10, intercept=50, minimum=10, maximum=90, cuts=()),
        selection=design.selection,
        exposure=design.exposure,
        eligibility=design.eligibility,
        stopping=(RuleChoice("fixed_length", {"items": LENGTH}),),
    )
    return TestPackage(
        code="VALIDATION",
        version=1,
        title={"id": "Validasi", "en": "Validation"},
        languages=("id", "en"),
        metric_d=pool.D,
        items=items,
        sections=(section,),
        time_allowed_s=36_000,
    )


class Packages:
    """Packages on one pool: its frozen tables are the same under every design, and made once."""

    def __init__(self, pool: ItemColumns) -> None:
        self._pool = pool
        self._tables = freeze(package(pool, Design("tables"))).tables

    def under(self, design: Design) -> CompiledPackage:
        """The package with these rules, ready to run."""
        test = package(self._pool, design)
        return compile_package(
            PackageFile(package=test, tables=self._tables, content_hash=content_hash(test, self._tables))
        )


def sit(pool: ItemColumns, compiled: CompiledPackage, theta: FloatArray) -> Outcome:
    """One candidate after the other; where the rule counts, each reads what all earlier ones have seen."""
    counted = {control.section_id: control for control in controls(compiled)}
    cells = {name: np.zeros(control.cells, dtype=np.int64) for name, control in counted.items()}
    matrix = np.full((theta.size, len(pool)), -1, dtype=np.int64)
    first = np.empty(theta.size, dtype=np.int64)
    scores = np.empty(theta.size)
    for candidate in range(theta.size):
        read = tuple(control.read(cells[name]) for name, control in counted.items())
        progresses = simulate_sitting(
            compiled,
            _created(compiled, candidate),
            {"s": float(theta[candidate])},
            0,
            f"person {candidate}",
            exposure=read,
        )
        for progress in progresses:
            for name, control in counted.items():
                control.add(cells[name], progress.state, progress.entry)
        state = progresses[-1].state
        columns = [int(shown.item_id[5:]) for shown in state.presentations]
        matrix[candidate, columns] = [shown.category for shown in state.presentations]
        first[candidate] = columns[0]
        assert state.score is not None
        assert state.score.sections[0].theta_millionths is not None
        scores[candidate] = state.score.sections[0].theta_millionths / THETA_UNIT
    library = eap_estimates(pool, matrix, converged_grid()).theta
    return Outcome(matrix >= 0, scores - theta, first, float(np.abs(scores - library).max()))


def _created(compiled: CompiledPackage, candidate: int) -> e.Created:
    return e.Created(
        sitting_id=f"sitting-{candidate}",
        package_hash=compiled.content_hash,
        seed=f"{candidate:032x}",
        time_allowed_ms=36_000_000,
        accommodation_ms=0,
        candidate=f"candidate-{candidate}",
    )
