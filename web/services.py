"""What handlers reach for: made once by the composition root, handed in as the dependency `services`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from jinja2 import Environment
from litestar.connection import ASGIConnection
from litestar.types import Scope

from cat_engine.delivery.journal import Journal
from cat_engine.delivery.packages import PackageStore
from cat_engine.delivery.presence import Presence
from cat_engine.delivery.sittings import Sittings
from cat_engine.foundation.clock import Clock
from cat_engine.foundation.storage import Storage
from web.accounts.passwords import Passwords
from web.assets import AssetTable
from web.language import Language, Translator
from web.settings import Settings

WebConnection = ASGIConnection[Any, Any, Any, Any]


@dataclass(frozen=True, kw_only=True)
class Services:
    """Everything that outlives a request."""

    settings: Settings
    storage: Storage
    clock: Clock
    translators: Mapping[Language, Translator]
    assets: AssetTable
    templates: Environment
    passwords: Passwords
    packages: PackageStore
    journal: Journal
    sittings: Sittings
    presence: Presence


def services_of(connection: WebConnection) -> Services:
    """The container of the application that serves this connection."""
    return services_of_scope(connection.scope)


def services_of_scope(scope: Scope) -> Services:
    """The same, where only the ASGI scope is at hand."""
    return cast(Services, scope["litestar_app"].state["services"])
