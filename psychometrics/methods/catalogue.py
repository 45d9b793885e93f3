"""What the catalogue is made of."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Method:
    """One method under the name the field knows it by.

    `code` holds the functions, types and enumeration members that compute it. `source` cites the literature
    as "Authors (year)", several separated by semicolons. Formulas are plain text, one a line.
    """

    name: str
    code: tuple[Callable[..., object] | StrEnum, ...]
    formula: str
    source: str
    use: str


@dataclass(frozen=True, slots=True)
class Group:
    """Methods that answer the same question, with what holds for all of them."""

    title: str
    about: str
    methods: tuple[Method, ...]
