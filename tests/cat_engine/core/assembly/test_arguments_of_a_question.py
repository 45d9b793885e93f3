"""An assembler is asked with arrays or plain lists, and refuses what is neither whole numbers nor a mask."""

from typing import Any

import numpy as np
import pytest

from cat_engine.core.assembly.assembler import Assembler
from cat_engine.core.assembly.constraints import Constraints, Count, Length

ASSEMBLER = Assembler(
    Constraints(size=4, length=Length(2, 2), counts=(Count("A", np.array([0, 1]), 1, 1),)),
    np.arange(4, dtype=np.uint64),
)
UTILITY = [1, 2, 3, 4]


@pytest.mark.parametrize("nothing", [[], (), np.array([]), np.empty(0, dtype=np.int64)])
def test_nothing_taken_may_be_any_empty_list(nothing: Any) -> None:
    utility: Any = UTILITY
    assert ASSEMBLER.assemble(utility, nothing).columns.tolist() == [1, 3]
    assert ASSEMBLER.feasible(np.array([1, 3]), nothing)


def test_lists_are_read_as_arrays() -> None:
    question: Any = ([*UTILITY], [2], [False, True, False, False], [0, 2])
    assert ASSEMBLER.assemble(*question).columns.tolist() == [0, 2]
    ties: Any = [3, 2, 1, 0]
    asked: Any = ([0, 0, 0, 0], [])
    assembler = Assembler(ASSEMBLER.constraints, ties)
    as_arrays = Assembler(ASSEMBLER.constraints, np.array(ties, dtype=np.uint64))
    assert assembler.assemble(*asked).columns.tolist() == as_arrays.assemble(*asked).columns.tolist()


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        (([1.5, 2.0, 3.0, 4.0], []), "utility: one integer"),
        (([1, 2], []), "utility: one integer"),
        ((UTILITY, [0.0]), "taken: integers needed"),
        ((UTILITY, [True, False, False, False]), "taken: integers needed"),
        ((UTILITY, [9]), "taken: different columns"),
        ((UTILITY, [-1]), "taken: different columns"),
        ((UTILITY, [0, 0]), "taken: different columns"),
        ((UTILITY, [], [1, 0, 0, 0]), "barred: one boolean"),
        ((UTILITY, [], None, [0.5]), "incumbent: integers needed"),
    ],
)
def test_other_questions_are_refused_by_name(question: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        ASSEMBLER.assemble(*question)


@pytest.mark.parametrize("ties", [[0.0, 1.0, 2.0, 3.0], [-1, 0, 1, 2]])
def test_ties_are_numbers_from_zero(ties: Any) -> None:
    with pytest.raises(ValueError, match="ties"):
        Assembler(ASSEMBLER.constraints, ties)
