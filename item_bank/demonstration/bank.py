"""The whole demonstration bank: generated items, situational judgement and statutes, checked as one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cache

from item_bank.demonstration.competencies import leaf_codes
from item_bank.demonstration.drafts import DraftItem
from item_bank.demonstration.generated import generated_items
from item_bank.demonstration.situational_judgement import situational_judgement_items
from item_bank.demonstration.statutes import statute_items


def bank_faults(items: Iterable[DraftItem]) -> tuple[str, ...]:
    """What is wrong with these items taken together; empty when they may form a bank.

    Checks what no single item shows: a code used twice, a competency outside the tree, an enemy that does
    not exist or does not answer in kind.
    """
    drafts = tuple(items)
    faults = [
        f"{code}: used {count} times" for code, count in Counter(d.code for d in drafts).items() if count > 1
    ]
    by_code = {draft.code: draft for draft in drafts}
    for draft in drafts:
        if draft.competency not in leaf_codes():
            faults.append(f"{draft.code}: {draft.competency} is not a leaf of the competency tree")
        for enemy in draft.enemies:
            if enemy == draft.code or enemy not in by_code:
                faults.append(f"{draft.code}: enemy {enemy} is itself or unknown")
            elif draft.code not in by_code[enemy].enemies:
                faults.append(f"{draft.code}: {enemy} does not name it as an enemy")
    return tuple(faults)


@cache
def demonstration_items() -> tuple[DraftItem, ...]:
    """Every item of the demonstration bank. Raises ValueError when they do not fit together."""
    items = (*generated_items(), *situational_judgement_items(), *statute_items())
    if faults := bank_faults(items):
        raise ValueError("; ".join(faults))
    return items
