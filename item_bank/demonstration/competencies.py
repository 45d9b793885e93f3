"""The competency tree: what the items of the bank are about.

A code is a path; the part before its last dot is the parent. Names are data (`competencies.toml`), because
blueprints and reports print them in both languages.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import msgspec

from item_bank.demonstration.translated import Translated

SOURCE = Path(__file__).with_name("competencies.toml")


class Competency(msgspec.Struct, frozen=True):
    """A node of the tree. `parent` is the code of the node above, "" for a root; `names` are by language."""

    code: str
    parent: str
    names: dict[str, str]


class _Node(Translated, frozen=True, forbid_unknown_fields=True, kw_only=True):
    code: str


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    competency: tuple[_Node, ...]


@cache
def competency_tree() -> tuple[Competency, ...]:
    """All nodes, parents before their children."""
    tree: list[Competency] = []
    seen = {""}
    for node in msgspec.toml.decode(SOURCE.read_bytes(), type=_File).competency:
        parent = node.code.rpartition(".")[0]
        if node.code in seen or parent not in seen:
            raise ValueError(f"{node.code}: twice in the tree, or before its parent")
        seen.add(node.code)
        tree.append(Competency(node.code, parent, {"id": node.indonesian, "en": node.english}))
    return tuple(tree)


@cache
def leaf_codes() -> frozenset[str]:
    """Codes without children: only these carry items."""
    parents = {competency.parent for competency in competency_tree()}
    return frozenset(competency.code for competency in competency_tree()) - parents
