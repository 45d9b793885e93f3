"""Every test of a small pool, looked at one by one: what the assembler is compared with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cat_engine.core.assembly.constraints import (
    Constraints,
    Count,
    Enemies,
    ItemSet,
    Length,
    Line,
    SetCount,
    Total,
)
from cat_engine.core.exact import Integers


@dataclass(frozen=True, eq=False)
class Candidates:
    """All subsets (tests, n) that hold the hard lines and the fixed items, and what each breaks.

    `broken` is (tests, lines): by how much each line of the blueprint is broken.
    """

    tests: NDArray[np.bool_]
    broken: Integers
    names: tuple[str, ...]
    priorities: tuple[int | None, ...]


def candidates(
    constraints: Constraints, taken: Integers, barred: NDArray[np.bool_] | None = None
) -> Candidates:
    size = constraints.size
    tests = (np.arange(1 << size)[:, None] >> np.arange(size)) & 1 == 1
    may = np.ones(size, dtype=np.bool_)
    may[constraints.excluded] = False
    if barred is not None:
        may &= ~barred
    may[taken] = True
    must = np.union1d(taken, constraints.forced)
    tests = tests[(tests <= may).all(axis=1) & tests[:, must].all(axis=1)]
    lines = list(constraints.lines())
    broken = np.array([_broken(line, constraints, tests) for line in lines], dtype=np.int64).T
    hard = np.array([line.priority is None for line in lines], dtype=np.bool_)
    keep = (broken[:, hard] == 0).all(axis=1)
    return Candidates(
        tests[keep],
        broken[keep],
        tuple(line.name for line in lines),
        tuple(line.priority for line in lines),
    )


def least_broken(found: Candidates) -> Candidates:
    """Those that break the highest priority least, among them those that break the next least, ..."""
    keep = np.ones(found.tests.shape[0], dtype=np.bool_)
    for priority in sorted({p for p in found.priorities if p is not None}, reverse=True):
        members = np.array([p == priority for p in found.priorities], dtype=np.bool_)
        sums = found.broken[:, members].sum(axis=1)
        if keep.any():
            keep &= sums == sums[keep].min()
    return Candidates(found.tests[keep], found.broken[keep], found.names, found.priorities)


def _broken(line: Line, constraints: Constraints, tests: NDArray[np.bool_]) -> Integers:
    whole = tests.astype(np.int64)
    match line:
        case Length():
            return _outside(whole.sum(axis=1), line.minimum, line.maximum)
        case Count():
            return _outside(whole[:, line.columns].sum(axis=1), line.minimum, line.maximum)
        case Total():
            return _outside(whole @ line.values, line.minimum, line.maximum)
        case Enemies():
            return _outside(whole[:, line.columns].sum(axis=1), 0, 1)
        case ItemSet():
            used = whole[:, line.columns].sum(axis=1)
            return np.where(used > 0, _outside(used, line.minimum, line.maximum), 0)
        case SetCount():
            members = [constraints.item_sets[place].columns for place in line.sets]
            used = [whole[:, columns].any(axis=1).astype(np.int64) for columns in members]
            return _outside(np.sum(used, axis=0, initial=0) + whole[:, 0] * 0, line.minimum, line.maximum)


def _outside(amount: Integers, minimum: int, maximum: int | None) -> Integers:
    above = amount - maximum if maximum is not None else np.zeros_like(amount)
    return np.maximum(np.maximum(minimum - amount, above), 0)
