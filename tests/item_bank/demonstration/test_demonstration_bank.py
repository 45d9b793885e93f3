"""The demonstration bank as one: every leaf of the competency tree has items, and they fit together."""

from __future__ import annotations

import msgspec

from item_bank.demonstration.bank import bank_faults, demonstration_items
from item_bank.demonstration.competencies import competency_tree, leaf_codes
from item_bank.demonstration.statutes import statute_items


def test_the_tree_has_the_nine_competencies_the_five_kinds_of_reasoning_and_three_fields_of_law() -> None:
    leaves = leaf_codes()
    assert sum(code.startswith("manajerial.") for code in leaves) == 8
    assert {code for code in leaves if code.startswith("sosial_kultural.")} == {
        "sosial_kultural.perekat_bangsa"
    }
    branches = ("numerik", "verbal", "logika", "figural", "data")
    assert {f"potensi.intelektual.{branch}" for branch in branches} <= leaves
    assert sum(code.startswith("pengetahuan.") for code in leaves) == 3
    assert len(leaves) == 8 + 1 + 5 + 3


def test_every_node_is_named_in_both_languages_and_hangs_under_its_parent() -> None:
    codes = {competency.code for competency in competency_tree()}
    for competency in competency_tree():
        assert set(competency.names) == {"id", "en"}
        assert all(competency.names.values())
        assert competency.parent == "" or competency.parent in codes


def test_every_leaf_has_items() -> None:
    assert {item.competency for item in demonstration_items()} == leaf_codes()


def test_codes_are_unique_and_enemies_symmetric() -> None:
    assert bank_faults(demonstration_items()) == ()


def test_a_third_of_all_items_is_also_in_english() -> None:
    items = demonstration_items()
    assert sum("en" in item.bodies for item in items) >= len(items) / 3
    assert all("id" in item.bodies for item in items)


def test_every_item_is_scored_by_its_model() -> None:
    for item in demonstration_items():
        keyed = item.model == "3PL"
        assert item.model in {"3PL", "GPCM"}
        assert sum(item.option_points) == (1 if keyed else 15), item.code
        assert len(item.b) == (1 if keyed else 4), item.code
        for body in item.bodies.values():
            assert len(body.options) == len(item.option_points) == len(item.option_notes), item.code


def test_faults_of_a_bank_are_found() -> None:
    items = statute_items()
    hostile = next(item for item in items if item.enemies)
    others = tuple(item for item in items if item is not hostile)
    assert bank_faults(items) == ()
    assert "used 2 times" in bank_faults((*items, hostile))[0]
    assert "itself or unknown" in bank_faults(others)[0]
    silent = msgspec.structs.replace(hostile, enemies=())
    assert "does not name it as an enemy" in bank_faults((*others, silent))[0]
    lost = msgspec.structs.replace(hostile, competency="pengetahuan")
    assert "not a leaf" in bank_faults((*others, lost))[0]
