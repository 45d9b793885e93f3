"""Names of competencies for readers: the codes are paths in the tree, the names are data of the bank."""

from functools import cache

from item_bank.demonstration.competencies import competency_tree
from web.language import Language


@cache
def _names() -> dict[str, dict[str, str]]:
    return {node.code: node.names for node in competency_tree()}


@cache
def _places() -> dict[str, int]:
    return {node.code: place for place, node in enumerate(competency_tree())}


def competency_name(language: Language, code: str) -> str:
    """The name of a competency in the reader's language, or its code."""
    names = _names().get(code)
    return names.get(language, names["id"]) if names else code


def tree_order(code: str) -> tuple[int, str]:
    """Sorts codes as the tree lists them, unknown ones last."""
    return _places().get(code, len(_places())), code
