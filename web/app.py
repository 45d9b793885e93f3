"""The composition root: everything is wired here and only here."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException

from cat_engine.delivery import outages
from cat_engine.delivery.exposure import LiveExposure
from cat_engine.delivery.journal import Journal
from cat_engine.delivery.packages import PackageStore
from cat_engine.delivery.presence import Presence
from cat_engine.delivery.sittings import Sittings
from cat_engine.foundation.clock import Clock, SystemClock
from cat_engine.foundation.refusals import Refused
from cat_engine.foundation.storage import Storage
from web.accounts.passwords import Passwords
from web.accounts.routes import route_handlers as accounts_handlers
from web.administrator.routes import route_handlers as administrator_handlers
from web.analyst.routes import route_handlers as analyst_handlers
from web.api.health import route_handlers as health_handlers
from web.assets import build_assets
from web.author.routes import route_handlers as author_handlers
from web.background import background
from web.candidate.after import route_handlers as after_handlers
from web.candidate.entry import route_handlers as entry_handlers
from web.candidate.exam import route_handlers as exam_handlers
from web.database import load_tables
from web.language import load_translators
from web.pages import make_templates
from web.panel.routes import route_handlers as panel_handlers
from web.proctor.routes import route_handlers as proctor_handlers
from web.refusals import (
    answer_error,
    answer_http_exception,
    answer_refused,
)
from web.results.routes import route_handlers as results_handlers
from web.rules import enforce_rule
from web.security import MAXIMUM_FORM_BYTES, finish_headers
from web.services import Services
from web.settings import Settings, settings_from_environment
from web.static_files import static_file
from web.talent.routes import route_handlers as talent_handlers

ROUTE_HANDLERS = [
    static_file,
    *health_handlers,
    *accounts_handlers,
    *administrator_handlers,
    *entry_handlers,
    *exam_handlers,
    *after_handlers,
    *results_handlers,
    *panel_handlers,
    *talent_handlers,
    *proctor_handlers,
    *author_handlers,
    *analyst_handlers,
]


def create_app(settings: Settings, *, storage: Storage | None = None, clock: Clock | None = None) -> Litestar:
    """The application. A storage that is handed in stays its owner's to close."""
    load_tables()
    own_storage = storage is None
    services = make_services(settings, storage or Storage(settings.database_url), clock or SystemClock())

    @asynccontextmanager
    async def lifespan(_app: Litestar) -> AsyncIterator[None]:
        services.storage.claim()
        services.journal.start()
        try:
            async with background(services):
                yield
        finally:
            await services.journal.stop()
            await services.sittings.exposure.close()
            await services.presence.close()
            services.passwords.close()
            if own_storage:
                await services.storage.close()

    return Litestar(
        route_handlers=ROUTE_HANDLERS,
        guards=[enforce_rule],
        before_send=[finish_headers],
        exception_handlers={
            Refused: answer_refused,
            HTTPException: answer_http_exception,
            Exception: answer_error,
        },
        dependencies={"services": Provide(lambda: services, sync_to_thread=False, use_cache=True)},
        lifespan=[lifespan],
        state=State({"services": services}),
        request_max_body_size=MAXIMUM_FORM_BYTES,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )


def make_services(settings: Settings, storage: Storage, clock: Clock) -> Services:
    """Everything that outlives a request."""
    assets = build_assets()
    packages, journal = PackageStore(storage), Journal(storage)
    exposure = LiveExposure(storage, settings.redis_url)
    sittings = Sittings(storage, packages, journal, clock, exposure)
    sittings.give_back = lambda: outages.give_back(storage, sittings, clock.now_ms())
    return Services(
        settings=settings,
        storage=storage,
        clock=clock,
        translators=load_translators(strict=False),
        assets=assets,
        templates=make_templates(assets),
        passwords=Passwords(),
        packages=packages,
        journal=journal,
        sittings=sittings,
        presence=Presence(settings.redis_url),
    )


def create() -> Litestar:
    """The factory that granian and uvicorn call: settings from the environment."""
    return create_app(settings_from_environment(os.environ))
