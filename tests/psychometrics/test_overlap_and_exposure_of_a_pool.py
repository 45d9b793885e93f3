"""Exposure rates, overlap and evenness: against catR and catsim, against counting pairs, worked by hand."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from psychometrics.exposure import (
    administration_matrix,
    conditional_exposure_rates,
    exposure_rates,
    exposure_summary,
    overlap_of_rates,
    pairwise_overlap,
    shared_items,
    unevenness,
)


def test_overlap_of_the_rates_that_other_programs_were_given(oracle: dict[str, Any]) -> None:
    known = oracle["overlap_rate"]
    got = overlap_of_rates(known["exposure_rates"], known["test_length"])
    assert got == pytest.approx(known["catR"], abs=1e-12)
    assert got == pytest.approx(known["catsim"], abs=1e-12)


@given(
    st.integers(2, 6).flatmap(
        lambda length: st.lists(
            st.permutations(range(9)).map(lambda order: order[:length]), min_size=2, max_size=8
        )
    )
)
def test_overlap_counted_pair_by_pair(tests: list[list[int]]) -> None:
    matrix, length = administration_matrix(tests, 9), len(tests[0])
    by_hand = np.mean([len(set(one) & set(other)) / length for one, other in combinations(tests, 2)])
    assert pairwise_overlap(matrix) == pytest.approx(by_hand, abs=1e-12)
    shared = shared_items(matrix)
    assert shared[0, 1] == len(set(tests[0]) & set(tests[1]))
    assert (np.diag(shared) == length).all()


@given(st.integers(2, 5000), st.integers(0, 2**31))
def test_the_form_of_rates_is_the_limit_of_the_exact_one(sittings: int, seed: int) -> None:
    """Chen, Ankenmann & Spray (2003): exact = (N sum r^2 - L) / ((N - 1) L), and both var and sum forms."""
    rng = np.random.default_rng(seed)
    matrix = administration_matrix(rng.permuted(np.tile(np.arange(12), (sittings, 1)), axis=1)[:, :4], 12)
    rates = exposure_rates(matrix)
    squares = float((rates**2).sum())
    assert pairwise_overlap(matrix) == pytest.approx((sittings * squares - 4) / ((sittings - 1) * 4))
    assert overlap_of_rates(rates, 4) == pytest.approx(12 / 4 * rates.var() + 4 / 12)


def test_overlap_of_tests_of_different_length() -> None:
    """Sittings {0, 1, 2} and {0}: one item shared, over the mean length of two."""
    assert pairwise_overlap(administration_matrix([[0, 1, 2], [0, -1, -1]], 5)) == pytest.approx(0.5)


def test_rates_and_evenness_worked_by_hand() -> None:
    matrix = administration_matrix([[0, 1], [0, 2], [0, 1], [0, 3]], 5)
    np.testing.assert_allclose(exposure_rates(matrix), [1.0, 0.5, 0.25, 0.25, 0.0])
    summary = exposure_summary(matrix, limit=0.4)
    assert summary.highest_rate == 1.0
    assert summary.unused_share == pytest.approx(0.2)
    assert summary.overexposed_share == pytest.approx(0.4)
    assert summary.overlap == pytest.approx((6 + 1) / 6 / 2)  # item 0 in all six pairs, item 1 in one
    assert summary.chi_square == pytest.approx((0.36 + 0.01 + 0.0225 + 0.0225 + 0.16) / 0.4)


def test_evenness_at_its_ends() -> None:
    assert unevenness(np.full(8, 0.25)) == pytest.approx(0.0)
    assert unevenness([1.0, 1.0, 0, 0, 0, 0, 0, 0]) == pytest.approx(8 - 2)


def test_rates_within_groups() -> None:
    matrix = administration_matrix([[0, 1], [0, 2], [1, 2]], 3)
    got = conditional_exposure_rates(matrix, [0, 0, 2], 3)
    np.testing.assert_allclose(got[0], [1.0, 0.5, 0.5])
    assert np.isnan(got[1]).all()
    np.testing.assert_allclose(got[2], [0.0, 1.0, 1.0])


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="row 1: an item comes twice"):
        administration_matrix([[0, 1], [2, 2]], 3)
    with pytest.raises(ValueError, match="row 0: the item is not of this pool"):
        administration_matrix([[0, 3]], 3)
    with pytest.raises(ValueError, match="two sittings"):
        pairwise_overlap(administration_matrix([[0, 1]], 3))
    with pytest.raises(ValueError, match="truth values"):
        exposure_rates([[0, 1], [1, 0]])
    with pytest.raises(ValueError, match="row 1: the rate"):
        overlap_of_rates([0.5, 1.5], 2)
    with pytest.raises(ValueError, match="no item was administered"):
        unevenness([0.0, 0.0])
    with pytest.raises(ValueError, match="no such group"):
        conditional_exposure_rates(administration_matrix([[0, 1]], 3), [2], 2)
