"""Whole sittings of many simulated candidates side by side, to see which items exposure control lets through.

For finding exposure parameters: what counts are rates over thousands of sittings, so ability is estimated in
ordinary floats and information is read at the nearest point of the grid. The engine itself decides in whole
numbers; its rates differ by less than chance does.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cat_engine.core.chance import CERTAIN, Chance
from cat_engine.core.compiled import CompiledSection
from cat_engine.core.exact import THETA_UNIT, UNIT, Floats, Integers
from cat_engine.core.exposure_draws import PER_MILLE
from cat_engine.core.pool import Pool
from cat_engine.core.tables import GRID_MILLIONTHS, GRID_STEP_MILLIONTHS, NODES_MILLIONTHS
from cat_engine.core.views import section_prior
from cat_engine.foundation.refusals import Refusal, Refused

AT_ONCE = 1_000
_NODES = NODES_MILLIONTHS / THETA_UNIT

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Rates:
    """Share of the sittings of each group that considered each item, and that saw it; (groups, n)."""

    selected: Floats
    administered: Floats


@dataclass(frozen=True, eq=False)
class _Design:
    """What of a section the simulation needs, laid out once."""

    pool: Pool
    length: int
    information: NDArray[np.float32]  # (grid, n), nowhere 0: that is what is barred
    log_probability: Floats  # (n, categories, nodes)
    enemies: dict[int, Integers]
    of_line: Mask  # (lines, n): which blueprint line an item belongs to
    per_mille: Integers  # (lines,)


class ManySittings:
    """Simulated sittings of one section under given exposure parameters.

    It covers adaptive sections of one ability that select by maximum information, whatever their estimator
    and blueprint shares; others are refused. Sittings have `length` items.
    """

    def __init__(self, part: CompiledSection, *, length: int, seed: str) -> None:
        section, pool = part.section, part.pool
        covered = section.selection.rule == "maximum_information" and section.content.rule == "shares"
        if section.mode != "adaptive" or section.dimensions or pool.item_sets or not covered:
            reason = f"{section.section_id}: exposure parameters are simulated for maximum_information only"
            raise Refused(Refusal.PACKAGE_INVALID, reason=reason)
        self._seed = seed
        self._start = section.start_theta_millionths / THETA_UNIT
        prior = section_prior(pool)
        z = (_NODES - prior.theta_millionths / THETA_UNIT) / (prior.standard_error_millionths / THETA_UNIT)
        self._log_prior = -0.5 * z * z
        bars = (np.array(pool.barred_by[item.item_id], dtype=np.int64) for item in pool.items)
        lines = np.arange(len(section.blueprint))
        self._design = _Design(
            pool=pool,
            length=length,
            information=(pool.information / UNIT).astype(np.float32) + np.float32(1e-30),
            log_probability=pool.log_probability / UNIT,
            enemies={column: barred for column, barred in enumerate(bars) if barred.size > 1},
            of_line=pool.area == lines[:, None],
            per_mille=np.array([line.per_mille for line in section.blueprint], dtype=np.int64),
        )

    def rates(
        self, parameters: Integers, cuts_millionths: tuple[int, ...], groups: Floats, number: int
    ) -> Rates:
        """What sittings of abilities `groups` (groups, candidates) see under `parameters` (segments, n).

        `number` numbers the simulation: each has draws of its own.
        """
        selected = np.zeros((groups.shape[0], self._design.pool.size))
        administered = np.zeros_like(selected)
        for group, thetas in enumerate(groups):
            for start in range(0, thetas.size, AT_ONCE):
                chunk = thetas[start : start + AT_ONCE]
                chance = Chance(f"{self._seed}|{group}|{start}", number)
                batch = _Batch(self._design, chunk, chance, self._log_prior, self._start)
                batch.run(parameters, cuts_millionths)
                selected[group] += batch.considered.sum(axis=0)
                administered[group] += batch.given.sum(axis=0)
        return Rates(selected / groups.shape[1], administered / groups.shape[1])


class _Batch:
    """Candidates whose sittings advance step by step together; arrays are (candidates, n) if not said."""

    def __init__(
        self, design: _Design, thetas: Floats, chance: Chance, log_prior: Floats, start: float
    ) -> None:
        n = design.pool.size
        self.design = design
        self.chance = chance
        self.considered: Mask = np.zeros((thetas.size, n), dtype=np.bool_)
        self.given: Mask = np.zeros_like(self.considered)
        self._free: Mask = np.ones_like(self.considered)
        self._marks = _spread_marks(chance, thetas.size, n)
        self._log_posterior: Floats = np.tile(log_prior, (thetas.size, 1))
        self._estimate: Floats = np.full(thetas.size, start)
        self._in_lines: Integers = np.zeros((thetas.size, design.per_mille.size), dtype=np.int64)
        self._left: Integers = np.tile(design.of_line.sum(axis=1), (thetas.size, 1))
        place = np.clip((thetas - _NODES[0]) / (_NODES[1] - _NODES[0]), 0, _NODES.size - 1)
        self._node = np.minimum(place.astype(np.int64), _NODES.size - 2)
        self._part = (place - self._node)[:, None]

    def run(self, parameters: Integers, cuts_millionths: tuple[int, ...]) -> None:
        """All steps of all sittings."""
        cuts = np.array(cuts_millionths, dtype=np.float64) / THETA_UNIT
        passing = (parameters / PER_MILLE).astype(np.float32)
        for step in range(self.design.length):
            segment = np.searchsorted(cuts, self._estimate, side="right")
            taken = self._choose(self._marks < passing[segment], step)
            self._answer(taken, step)

    def _choose(self, passes: Mask, step: int) -> Integers:
        """The best item that passes; where none does, the best."""
        rows = np.arange(self._estimate.size)
        grid = np.rint((self._estimate * THETA_UNIT - GRID_MILLIONTHS[0]) / GRID_STEP_MILLIONTHS)
        utility = self.design.information[np.clip(grid, 0, GRID_MILLIONTHS.size - 1).astype(np.int64)]
        utility *= self._due(step)
        best = utility * passes
        taken = best.argmax(axis=1)
        stuck = best[rows, taken] == 0.0
        if stuck.any():
            taken[stuck] = utility[stuck].argmax(axis=1)
        self.considered |= utility >= utility[rows, taken][:, None]
        return np.asarray(taken, dtype=np.int64)

    def _due(self, step: int) -> Mask:
        """The free items of the blueprint line that is furthest behind its share."""
        design = self.design
        if not design.per_mille.size:
            return self._free
        deficits = design.per_mille * (step + 1) - PER_MILLE * self._in_lines
        line = np.where(self._left > 0, deficits, np.iinfo(np.int64).min).argmax(axis=1)
        return np.asarray(self._free & design.of_line[line], dtype=np.bool_)

    def _answer(self, taken: Integers, step: int) -> None:
        rows = np.arange(taken.size)
        self.given[rows, taken] = True
        self._free[rows, taken] = False
        in_line = self.design.of_line.T
        self._in_lines += in_line[taken]
        self._left -= in_line[taken]
        for column, barred in self.design.enemies.items():
            for row in np.flatnonzero(taken == column):
                self._left[row] -= in_line[barred[self._free[row, barred]]].sum(axis=0)
                self._free[row, barred] = False
        log_p = self.design.log_probability
        below, above = log_p[taken, :, self._node], log_p[taken, :, self._node + 1]
        p = np.exp(below + self._part * (above - below)) * self.design.pool.has_category[taken]
        cumulative = np.cumsum(p, axis=1)
        mark = _uniform(self.chance, f"answer {step}", taken.size) * cumulative[:, -1]
        category = (mark[:, None] >= cumulative[:, :-1]).sum(axis=1)
        self._log_posterior += log_p[taken, category]
        weight = np.exp(self._log_posterior - self._log_posterior.max(axis=1, keepdims=True))
        self._estimate = weight @ _NODES / weight.sum(axis=1)


def _uniform(chance: Chance, purpose: str, size: int) -> Floats:
    counters = np.arange(1, size + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    return np.asarray(chance.fractions(purpose, counters) / CERTAIN, dtype=np.float64)


def _spread_marks(chance: Chance, candidates: int, n: int) -> NDArray[np.float32]:
    """Each item's number in each sitting, (candidates, n) in [0, 1), evenly spread over the candidates.

    Of N candidates exactly N k have a number below k / N (a Latin hypercube, McKay, Beckman & Conover, 1979):
    each sitting draws as it would alone, but rates vary less from one simulation to the next.
    """
    order = _uniform(chance, "order", candidates * n).reshape(n, candidates).argsort(axis=1)
    shift = _uniform(chance, "shift", n)[:, None]
    marks = np.empty((n, candidates))
    np.put_along_axis(marks, order, (np.arange(candidates) + shift) / candidates, axis=1)
    return np.ascontiguousarray(np.minimum(marks, 1.0 - 2.0**-24).T.astype(np.float32))
