"""The interactions by name: every folder beside this file that has a `scoring` module, and those of
others.
"""

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points
from types import ModuleType

import cat_engine.interactions as package

ENTRY_POINT_GROUP = "cat_engine.interactions"


@cache
def interaction(name: str) -> ModuleType:
    """The module that parses and scores responses of this interaction; KeyError for an unknown name."""
    return names()[name]


@cache
def names() -> dict[str, ModuleType]:
    """All interactions."""
    own = {
        module.name: importlib.import_module(f"{package.__name__}.{module.name}.scoring")
        for module in pkgutil.iter_modules(package.__path__)
        if module.ispkg
    }
    return own | {point.name: point.load() for point in entry_points(group=ENTRY_POINT_GROUP)}
