"""Criteria of distance: how far an item's place on the ability axis lies from the estimate. Wanted small."""

import numpy as np
from numpy.typing import ArrayLike

from psychometrics.arrays import FloatArray, refuse_rows
from psychometrics.estimation.search import Bounds, refine_maxima
from psychometrics.information import expected_moments_at, fisher_information
from psychometrics.models.items import DICHOTOMOUS, GRADED, PARTIAL_CREDIT, ItemColumns

LOCATION_RANGE = Bounds(-10.0, 10.0)
"""Where the location of an item's largest information is sought."""


def distance_to(places: ArrayLike, theta: float) -> FloatArray:
    """|place_i - theta|, shape (n,).

    With the difficulties it is Urry's (1970) rule, with the places of maximum information the rule of Magis
    (2013). A place that is NaN stays NaN: such an item is nowhere near. Refused is a theta that is not
    finite.
    """
    if not np.isfinite(theta):
        raise ValueError(f"theta must be finite, not {theta}")
    return np.asarray(np.abs(np.asarray(places, dtype=np.float64) - theta), dtype=np.float64)


def difficulties(items: ItemColumns) -> FloatArray:
    """b of each dichotomous item and the mean of its thresholds for an ordered polytomous one, shape (n,).

    Refuses an item without ordered thresholds: a nominal item has no difficulty.
    """
    refuse_rows(~np.isin(items.family, (DICHOTOMOUS, GRADED, PARTIAL_CREDIT)), "the item has no difficulty")
    return np.asarray(np.nanmean(items.thresholds, axis=1), dtype=np.float64)


def information_maxima(items: ItemColumns, *, bounds: Bounds = LOCATION_RANGE) -> FloatArray:
    """Where each item's Fisher information is largest, shape (n,); NaN for an item that gives none.

    Dichotomous items without upper asymptote have it in closed form, b + ln((1 + sqrt(1 + 8c)) / 2) / (D a)
    (Birnbaum, 1968); here it is sought on a grid and refined, which holds for every model. An item whose
    maximum lies outside `bounds` gets the bound.
    """
    nodes = bounds.nodes()
    table = fisher_information(items, nodes)

    def slope(theta: FloatArray) -> FloatArray:
        return expected_moments_at(items, theta).derivative

    place = refine_maxima(slope, nodes, np.argmax(table, axis=0))
    return np.where(table.max(axis=0) > 0, place, np.nan)
