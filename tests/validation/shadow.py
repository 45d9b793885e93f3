"""Shadow tests: every line of the blueprint kept, at what price."""

from __future__ import annotations

import numpy as np

from cat_engine.core.assembly.assembler import Assembler
from cat_engine.core.assembly.constraints import Constraints
from psychometrics.selection.choice import Sense, best_item
from tests.cat_engine.core.assembly import shadow_oracle
from tests.validation.banks import answers, drawn_normal
from tests.validation.findings import Effort, Finding, Say, Topic, above, at_most, exactly
from tests.validation.monte_carlo import error_ratio, share
from tests.validation.oracle import bank
from tests.validation.sittings import Design, Position, Sittings, run, tables_of

LENGTH = 30
CANDIDATES = 200


class _Assembled:
    """The best free item of the shadow test at the estimate; the last shadow test is kept as incumbent."""

    def __init__(self, lines: Constraints) -> None:
        self._assembler = Assembler(lines, shadow_oracle.ties(lines.size))
        self._last: tuple[int, np.ndarray] | None = None
        self.proven = 0
        self.steps = 0

    def __call__(self, now: Position) -> int:
        utility = np.rint(np.maximum(now.information, 0.0) * 1e9).astype(np.int64)
        taken = np.array(now.columns, dtype=np.int64)
        incumbent = self._last[1] if self._last is not None and self._last[0] == now.candidate else None
        shadow = self._assembler.assemble(utility, taken, incumbent=incumbent)
        self._last = now.candidate, shadow.columns
        self.proven += shadow.proven
        self.steps += 1
        inside = np.zeros(now.available.size, dtype=np.bool_)
        inside[shadow.columns] = True
        return best_item(utility, Sense.MAXIMISE, inside & now.available)


def topic(effort: Effort, say: Say) -> Topic:
    """The reference's blueprint on its own bank, against maximum information on the same discrete items."""
    lines = shadow_oracle.constraints(sets=False)
    pool, theta = bank("3PL300"), drawn_normal(effort.candidates(CANDIDATES, 12), 91)
    given, tables = answers(pool, theta, 92), tables_of(bank("3PL300"))
    discrete = np.ones(lines.size, dtype=np.bool_)
    discrete[lines.excluded] = False
    select = _Assembled(lines)
    shadow = run(tables, given, Design(select, LENGTH))
    say(f"  {theta.size} tests of {LENGTH} items by shadow tests")

    def free(now: Position) -> int:
        return best_item(now.information, Sense.MAXIMISE, now.available & discrete)

    plain = run(tables, given, Design(free, LENGTH))
    checker = Assembler(lines, shadow_oracle.ties(lines.size))
    broken = {name: _broken(checker, sat) for name, sat in (("shadow", shadow), ("plain", plain))}
    loss = error_ratio(shadow.error(theta), plain.error(theta))
    count = sum(1 for _ in lines.lines())
    return Topic(
        "Shadow tests",
        f"The bank 3PL300 of the reference, {LENGTH} items, {count} lines: five content ranges, four"
        f" positions of the key, words, enemies. {theta.size} candidates from N(0, 1); unconstrained tests"
        " use the same discrete items.",
        (
            Finding(
                "shadow_keeps_every_line",
                "Adaptive tests from shadow tests meet every line of the blueprint",
                "van der Linden & Reese (1998)",
                "always",
                f"{np.count_nonzero(broken['shadow'])} of {theta.size} tests break a line; {select.proven}"
                f" of {select.steps} shadow tests proven optimal",
                exactly(not broken["shadow"].any() and select.proven == select.steps),
            ),
            Finding(
                "shadow_is_needed",
                "Without them most tests break some line",
                "comparison",
                "-",
                f"{share(broken['plain']).per_cent()} of unconstrained tests",
                above(share(broken["plain"]), 0.5),
            ),
            Finding(
                "shadow_costs_little",
                "The ability estimate hardly suffers",
                "van der Linden & Reese (1998)",
                "no loss of efficiency at realistic lengths (753 items, 433 constraints)",
                f"RMSE {loss.shown()} of that without constraints",
                at_most(loss, 1.05),
            ),
        ),
    )


def _broken(checker: Assembler, sat: Sittings) -> np.ndarray:
    """Whose test does not meet every line, (N,)."""
    nothing = np.empty(0, dtype=np.int64)
    return np.array([not checker.feasible(np.sort(row), nothing) for row in sat.columns])
