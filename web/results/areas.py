"""Names of content areas. A report names an area by its code in the competency tree; people read names."""

from functools import cache
from typing import Final

from item_bank.demonstration.competencies import competency_tree
from web.language import FIRST_LANGUAGE, Language

_JOIN: Final = "_"


@cache
def _names() -> dict[str, dict[str, str]]:
    return {competency.code: competency.names for competency in competency_tree()}


def area_name(code: str, language: Language) -> str:
    """The name in the tree; an area that the tree does not know is called by the last part of its code."""
    names = _names().get(code)
    if names is not None:
        return names.get(language) or names[FIRST_LANGUAGE]
    return code.rpartition(".")[2].replace(_JOIN, " ").capitalize()
