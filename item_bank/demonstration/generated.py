"""All items of the demonstration bank that a rule has made: the same ones, bit for bit, on every machine."""

from __future__ import annotations

from item_bank.demonstration import analogies, data_tables, figural_matrices, number_series, syllogisms
from item_bank.demonstration.drafts import DraftItem

FAMILIES = (number_series, analogies, syllogisms, figural_matrices, data_tables)


def generated_items() -> tuple[DraftItem, ...]:
    return tuple(item for family in FAMILIES for item in family.items())
