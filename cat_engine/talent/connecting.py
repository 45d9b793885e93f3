"""What a connector is: one way to hand a score report to a talent record.

A connector is a module in the folder `connectors` (or, from another distribution, behind an entry point of
the group `cat_engine.talent.connectors`) with two names:

* `Settings`: a frozen msgspec Struct, what an agency may set. Never a secret: secrets are files, named there.
* `async def deliver(report, settings, context) -> Receipt`: hands over once. It may be called again with the
same report and must then not enter it twice; `report.idempotency_key` is the same at every try.
"""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import msgspec

from cat_engine.foundation.clock import Clock
from cat_engine.foundation.storage import Storage
from cat_engine.talent import connectors

ENTRY_POINT_GROUP = "cat_engine.talent.connectors"


class PostedScore(msgspec.Struct, frozen=True):
    """One section's reported score; decimal numbers as text, as printed. `level` 0: no cut scores."""

    section_id: str
    aspect: str
    scale_score: str
    scale_error: str
    level: int
    passed: bool | None


class ScoreReportMessage(msgspec.Struct, frozen=True):
    """What leaves for a talent record: whose score, how precise, proven by what, valid until when."""

    report_id: str
    report_number: str
    verification_code: str
    agency_id: str
    person_id: str
    person_nip: str | None
    is_simulated: bool
    package_hash: str
    sitting_chain: str
    scores: tuple[PostedScore, ...]
    measured_at_ms: int
    released_at_ms: int
    expires_at_ms: int
    idempotency_key: str


class Receipt(msgspec.Struct, frozen=True):
    """The other side's proof that it has the report; `was_repeated` when it had it already."""

    receipt_id: str
    idempotency_key: str
    was_repeated: bool = False


@dataclass(frozen=True)
class Destinations:
    """Where connectors may go: the deployment's decision, not an agency's.

    `origins` are scheme, host and port as in "https://simpeg.example.go.id" (the port when it is not the
    scheme's own). Private and loopback addresses, and plain http, are refused unless `allow_private`: with
    it, a connector may reach the record system in the same machine room, and the tests their own server.
    """

    origins: frozenset[str] = frozenset()
    allow_private: bool = False


@dataclass(frozen=True)
class DeliveryContext:
    """What a connector gets besides the report and its settings. Key files lie in `secrets_directory`."""

    storage: Storage
    clock: Clock
    destinations: Destinations = field(default_factory=Destinations)
    secrets_directory: Path | None = None


@dataclass(frozen=True)
class Connector:
    """One member of the family, as its registry found it."""

    name: str
    settings_type: type[msgspec.Struct]
    deliver: Callable[[ScoreReportMessage, Any, DeliveryContext], Awaitable[Receipt]]


@cache
def installed_connectors() -> Mapping[str, Connector]:
    """Every connector of this installation by name; ours first, a name cannot be taken over from outside."""
    found: dict[str, Connector] = {}
    for module in pkgutil.iter_modules(connectors.__path__):
        found[module.name] = _connector(
            module.name, importlib.import_module(f"{connectors.__name__}.{module.name}")
        )
    for entry_point in entry_points(group=ENTRY_POINT_GROUP):
        if entry_point.name not in found:
            found[entry_point.name] = _connector(entry_point.name, entry_point.load())
    return found


def _connector(name: str, module: ModuleType) -> Connector:
    settings_type = module.Settings
    if not (issubclass(settings_type, msgspec.Struct) and settings_type.__struct_config__.frozen):
        raise TypeError(f"connector {name}: Settings must be a frozen msgspec Struct")
    return Connector(name, settings_type, cast("Any", module.deliver))
