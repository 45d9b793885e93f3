"""What is not documented of the engine's rules and the library's methods, found by walking the packages."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import FunctionType, ModuleType
from typing import get_type_hints

import cat_engine.core
import psychometrics
from cat_engine.core.families import Rule, members
from psychometrics.methods import CATALOGUE, Method
from psychometrics.selection.criteria import CRITERIA
from tests.documents.literature import citations, entries, order

NO_METHODS = ("psychometrics.arrays", "psychometrics.responses", "psychometrics.methods")
"""Checks of arguments, the layout of responses, and the catalogue itself."""


def rules() -> dict[str, Mapping[str, Rule]]:
    """Every family of the engine with its members: the folders of the core whose modules hold a rule."""
    found = {}
    for module in pkgutil.iter_modules(cat_engine.core.__path__, "cat_engine.core."):
        if module.ispkg:
            package = importlib.import_module(module.name)
            inner = pkgutil.iter_modules(package.__path__, f"{module.name}.")
            if any(hasattr(importlib.import_module(one.name), "RULE") for one in inner):
                found[module.name.rpartition(".")[2]] = members(module.name)
    return found


def methods() -> Iterator[Method]:
    """Every method of the catalogue."""
    for group in CATALOGUE:
        yield from group.methods


def gaps() -> list[str]:
    """Everything that is not documented as it should be, in words; nothing in a tree that is complete."""
    known = entries()
    return [
        *(gap for family, found in rules().items() for gap in _rule_gaps(family, found)),
        *_method_gaps(),
        *_code_gaps(),
        *_literature_gaps(known),
    ]


def _rule_gaps(family: str, found: Mapping[str, Rule]) -> Iterator[str]:
    for name, rule in found.items():
        for field in ("formula", "source", "use"):
            if not getattr(rule.about, field).strip():
                yield f"{family}.{name}: about has no {field}"
        if not rule.summary:
            yield f"{family}.{name}: the function has no docstring"
        own = rule.settings.__doc__
        if not own or own == super(rule.settings, rule.settings).__doc__:
            yield f"{family}.{name}: the settings have no docstring"


def _method_gaps() -> Iterator[str]:
    names: set[str] = set()
    for method in methods():
        for field in ("name", "formula", "source", "use", "code"):
            if not getattr(method, field):
                yield f"{method.name}: no {field}"
        if method.name in names:
            yield f"{method.name}: the name comes twice"
        names.add(method.name)


def _code_gaps() -> Iterator[str]:
    """What the library offers and the catalogue does not hold, and what it holds twice."""
    held = [id(code) for method in methods() for code in method.code]
    for code in library():
        times = held.count(id(code))
        if times != 1:
            where = f"{code.__module__}.{code.__qualname__}"
            if not (isinstance(code, type) and issubclass(code, StrEnum) and _by_members(code, held)):
                yield f"{where}: {'not in the catalogue' if not times else 'more than once in the catalogue'}"
    for key, criterion in CRITERIA.items():
        values = criterion.values
        function = values.func if isinstance(values, functools.partial) else values
        sources = [method.source for method in methods() if function in method.code]
        if not any(criterion.literature in source for source in sources):
            yield f"criterion {key}: {criterion.literature} is not a source of its method"


def library() -> Iterator[type | FunctionType]:
    """All that computes in the library: its functions, enumerations and types with public methods."""
    for info in pkgutil.walk_packages(psychometrics.__path__, "psychometrics."):
        if not info.name.startswith(NO_METHODS):
            module = importlib.import_module(info.name)
            yield from (code for name, code in _own(module) if not name.startswith("_") and _computes(code))


def _own(module: ModuleType) -> Iterator[tuple[str, type | FunctionType]]:
    for name, value in vars(module).items():
        if isinstance(value, type | FunctionType) and value.__module__ == module.__name__:
            yield name, value


def _computes(code: type | FunctionType) -> bool:
    if not isinstance(code, type):
        return get_type_hints(code).get("return") is not type(None)
    if issubclass(code, StrEnum):
        return True
    return any(
        inspect.isfunction(value) or isinstance(value, property | functools.cached_property)
        for name, value in vars(code).items()
        if not name.startswith("_")
    )


def _by_members(code: type[StrEnum], held: list[int]) -> bool:
    return all(held.count(id(member)) == 1 for member in code)


def sources() -> list[tuple[str, str]]:
    """Who cites, and the text of the source."""
    cited = [
        (f"{family}.{name}", rule.about.source)
        for family, found in rules().items()
        for name, rule in found.items()
    ]
    return cited + [(method.name, method.source) for method in methods()]


def _literature_gaps(known: Mapping[str, str]) -> Iterator[str]:
    used = set()
    for who, source in sources():
        for found, is_known in citations(source, known):
            used.add(found)
            if not is_known:
                yield f"{who}: the list of literature has no entry for {found}"
    yield from (f"the list of literature has {one}, which nobody cites" for one in known if one not in used)
    if list(known.values()) != sorted(known.values(), key=order):
        yield "the list of literature is not sorted"
