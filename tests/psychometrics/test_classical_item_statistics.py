"""Classical statistics against the published LSAT section 6 data, and against hand calculation."""

import numpy as np
import pytest

from psychometrics.classical import cronbach_alpha, difficulties, item_statistics

# Bock & Lieberman (1970): 1,000 candidates, five items, number of candidates by pattern of right answers.
LSAT6 = {
    "00000": 3, "00001": 6, "00010": 2, "00011": 11, "00100": 1, "00101": 1, "00110": 3, "00111": 4,
    "01000": 1, "01001": 8, "01011": 16, "01101": 3, "01110": 2, "01111": 15, "10000": 10, "10001": 29,
    "10010": 14, "10011": 81, "10100": 3, "10101": 28, "10110": 15, "10111": 80, "11000": 16, "11001": 56,
    "11010": 21, "11011": 173, "11100": 11, "11101": 61, "11110": 28, "11111": 298,
}  # fmt: skip


@pytest.fixture
def lsat6() -> np.ndarray:
    rows = [[int(mark) for mark in pattern] for pattern, count in LSAT6.items() for _ in range(count)]
    return np.array(rows, dtype=np.float64)


def test_lsat6_gives_its_published_statistics(lsat6: np.ndarray) -> None:
    assert lsat6.shape == (1000, 5)
    got = item_statistics(lsat6)
    np.testing.assert_allclose(got.difficulty, [0.924, 0.709, 0.553, 0.763, 0.870], atol=1e-12)
    np.testing.assert_allclose(got.item_total, [0.3620, 0.5668, 0.6184, 0.5344, 0.4354], atol=5e-5)
    np.testing.assert_allclose(got.item_rest, [0.1128, 0.1532, 0.1728, 0.1444, 0.1216], atol=5e-5)
    assert got.alpha == pytest.approx(0.295, abs=5e-4)
    np.testing.assert_allclose(got.alpha_without, [0.2754, 0.2376, 0.2168, 0.2459, 0.2663], atol=5e-5)


def test_correlations_against_numpy_for_items_of_several_points() -> None:
    scores = np.random.default_rng(5).integers(0, 4, (60, 6)).astype(np.float64)
    got = item_statistics(scores, points_possible=3.0)
    total = scores.sum(axis=1)
    for item in range(6):
        assert got.item_total[item] == pytest.approx(np.corrcoef(scores[:, item], total)[0, 1])
        rest = total - scores[:, item]
        assert got.item_rest[item] == pytest.approx(np.corrcoef(scores[:, item], rest)[0, 1])
        assert got.difficulty[item] == pytest.approx(scores[:, item].mean() / 3)


def test_alpha_of_parallel_and_of_unrelated_items() -> None:
    same = np.repeat(np.array([[0.0], [1.0], [2.0]]), 3, axis=1)
    assert cronbach_alpha(same) == pytest.approx(1.0)
    unrelated = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float64)
    assert cronbach_alpha(unrelated) == pytest.approx(0.0)


def test_what_does_not_vary_has_no_correlation() -> None:
    got = item_statistics([[1, 0, 1], [1, 1, 0], [1, 1, 1]])
    assert np.isnan(got.item_total[0])
    assert np.isnan(got.item_rest[0])
    assert np.isnan(cronbach_alpha([[1, 0], [0, 1]]))
    assert np.isnan(cronbach_alpha([[1.0], [0.0]]))


def test_difficulty_with_items_not_given() -> None:
    nan = float("nan")
    got = difficulties([[1, nan, nan], [0, 1, nan], [1, nan, nan]])
    assert got[:2].tolist() == [pytest.approx(2 / 3), 1.0]
    assert np.isnan(got[2])
    np.testing.assert_allclose(difficulties([[2, 5], [4, 1]], [4, 5]), [0.75, 0.6])


def test_tables_that_cannot_be_used_are_refused() -> None:
    with pytest.raises(ValueError, match="candidate 1, item 0: no score"):
        item_statistics([[1.0, 0.0], [float("nan"), 1.0]])
    with pytest.raises(ValueError, match="candidate 0, item 1: more points than possible"):
        difficulties([[1, 2]])
    with pytest.raises(ValueError, match="infinite"):
        difficulties([[1, float("inf")]])
    with pytest.raises(ValueError, match="fewer than two candidates"):
        cronbach_alpha([[1, 0]])
    with pytest.raises(ValueError, match="table"):
        cronbach_alpha([1, 0])
