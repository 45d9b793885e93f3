"""What a serving process does besides answering: signs of life, expired sittings, and the outbox.

A failure here is logged and tried again; it never takes the answers down with it.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from cat_engine.delivery import outages
from cat_engine.foundation.outbox import Dispatcher
from cat_engine.foundation.storage import is_away
from cat_engine.talent.connecting import DeliveryContext, Destinations
from cat_engine.talent.postings import TOPIC, PostingHandler
from web.services import Services

log = logging.getLogger("cat_engine.background")

SWEEP_EVERY_S = 3.0


@asynccontextmanager
async def background(services: Services) -> AsyncIterator[None]:
    """Give back what an outage took, then run the tasks until the server stops."""
    await _give_back(services)
    tasks = [
        asyncio.create_task(_repeat(_beat, services, outages.BEAT_EVERY_MS / 1000), name="beat"),
        asyncio.create_task(_repeat(_sweep, services, SWEEP_EVERY_S), name="sweep"),
    ]
    if services.settings.dispatch:
        outbox = make_dispatcher(services).run_forever(asyncio.Event())
        tasks.append(asyncio.create_task(outbox, name="outbox"))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


def make_dispatcher(services: Services) -> Dispatcher:
    """The outbox's worker: in the server itself, or in a process of its own (`cat-engine worker`)."""
    context = DeliveryContext(
        storage=services.storage,
        clock=services.clock,
        destinations=Destinations(services.settings.posting_origins, services.settings.posting_private),
        secrets_directory=services.settings.data_directory,
    )
    return Dispatcher(services.storage, services.clock, {TOPIC: PostingHandler(context)})


async def _repeat(work: Callable[[Services], Awaitable[None]], services: Services, every_s: float) -> None:
    while True:
        try:
            await work(services)
        except Exception as error:
            if is_away(error):
                log.warning("%s waits for the database: %s", work.__name__, type(error).__qualname__)
            else:
                log.exception("%s failed and is tried again", work.__name__)
        await asyncio.sleep(every_s)


async def _give_back(services: Services) -> None:
    """Wait for the database, then give back what the outage took: a server that starts first is no fault."""
    while True:
        try:
            await outages.give_back(services.storage, services.sittings, services.clock.now_ms())
        except Exception as error:
            if not is_away(error):
                raise
            log.warning("the database is not there yet: %s", type(error).__qualname__)
            await asyncio.sleep(1.0)
        else:
            return


async def _beat(services: Services) -> None:
    """Leave a beat; one that comes late, because the database was away, gives back what it was late by.

    The clock is read once: were the database to hang in between, the beat must not cover that up.
    """
    now_ms = services.clock.now_ms()
    await outages.give_back(services.storage, services.sittings, now_ms)
    await outages.beat(services.storage, now_ms)


async def _sweep(services: Services) -> None:
    """End sittings whose time is up, after whatever an outage took was given back to them."""
    await outages.give_back(services.storage, services.sittings, services.clock.now_ms())
    await services.sittings.sweep_expired()
