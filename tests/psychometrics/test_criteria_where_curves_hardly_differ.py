"""Criteria of the whole curve keep their digits where items are flat; tables cost what is asked of them."""

from decimal import Decimal, localcontext
from math import prod

import numpy as np

from psychometrics.estimation.grids import STANDARD_NORMAL, catr_grid
from psychometrics.models.items import ItemParameters, dichotomous_columns, item_columns
from psychometrics.selection.criteria import CRITERIA
from psychometrics.selection.reading import pool_at
from psychometrics.selection.tables import criterion_tables, evidence

NODES = catr_grid().nodes
ASKED = [0, 1, 2, 3]
POOL = item_columns(
    [
        *(ItemParameters("2PL", 2.0, (-2.0 + place,)) for place in range(4)),
        ItemParameters("3PL", 1.5, (3.5,), 0.2),
        ItemParameters("3PL", 1.2, (3.0,), 0.25),
        ItemParameters("2PL", 1e-6, (0.0,)),
        ItemParameters("2PL", 1.5, (2.0,)),
    ],
    D=1.702,
)
THETA = -3.2


def _curves(theta: float) -> list[tuple[Decimal, Decimal]]:
    """P of wrong and right of each item, each from its own formula, in 50 digits."""
    found = []
    columns = (POOL.a, POOL.thresholds[:, 0], POOL.c, POOL.d)
    for a, b, c, d in zip(*(map(Decimal, column.tolist()) for column in columns), strict=True):
        z = Decimal(POOL.D) * a * (Decimal(theta) - b)
        found.append(((1 - d) + (d - c) / (1 + z.exp()), c + (d - c) / (1 + (-z).exp())))
    return found


def _likelihood(curves: list[tuple[Decimal, Decimal]]) -> Decimal:
    return prod((curves[item][0] for item in ASKED), start=Decimal(1))


def test_divergence_of_flat_items_agrees_with_fifty_digits() -> None:
    tables = criterion_tables(POOL, NODES)
    known = evidence(tables, ASKED, [0] * 4, STANDARD_NORMAL)
    got = CRITERIA["likelihood_weighted_divergence"].values(tables, known, pool_at(POOL, THETA))
    with localcontext(prec=50):
        here, wanted = _curves(THETA), [Decimal(0)] * len(POOL)
        for node, length in zip(NODES.tolist(), tables.lengths.tolist(), strict=True):
            there = _curves(node)
            weight = _likelihood(there) * Decimal(length)
            for item, (p, x) in enumerate(zip(here, there, strict=True)):
                wanted[item] += weight * (p[0] * (p[0] / x[0]).ln() + p[1] * (p[1] / x[1]).ln())
    assert (got >= 0).all()
    np.testing.assert_allclose(got, [float(value) for value in wanted], rtol=5e-8)


def test_discrimination_of_flat_items_agrees_with_fifty_digits() -> None:
    tables = criterion_tables(POOL, NODES)
    known = evidence(tables, ASKED, [0] * 4, STANDARD_NORMAL)
    got = CRITERIA["discrimination_index"].values(tables, known, pool_at(POOL, THETA))
    with localcontext(prec=50):
        curves = [_curves(node) for node in NODES.tolist()]
        mass = [_likelihood(at) for at in curves]
        wanted = []
        for item in range(len(POOL)):
            right = [at[item][1] for at in curves]
            mean = sum(w * p for w, p in zip(mass, right, strict=True)) / sum(mass)
            spread = sum(w * (p - mean) ** 2 for w, p in zip(mass, right, strict=True))
            wanted.append(float(spread / sum(mass)))
    assert (got >= 0).all()
    np.testing.assert_allclose(got, wanted, rtol=5e-8)


def test_a_table_is_not_read_before_somebody_reads() -> None:
    items = dichotomous_columns(np.full(50, 1.2), np.linspace(-2, 2, 50), 0.2, 1.0, D=1.0)
    tables = criterion_tables(items, NODES)
    known = evidence(tables, [], [], STANDARD_NORMAL)
    CRITERIA["posterior_weighted_divergence"].values(tables, known, pool_at(items, 0.0))
    assert "reader" not in vars(tables), "reading tables were made though every curve was computed"
    assert tables.reader is tables.reader
