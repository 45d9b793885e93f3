"""`cat-engine worker`: deliver what was promised, in a process of its own."""

import asyncio
import signal

from cat_engine.foundation.clock import SystemClock
from cat_engine.foundation.storage import Storage
from web.app import make_services
from web.background import make_dispatcher
from web.database import load_tables
from web.settings import Settings


async def work(settings: Settings) -> None:
    """Run the outbox until told to stop; the batch in hand is finished first."""
    load_tables()
    storage = Storage(settings.database_url)
    services = make_services(settings, storage, SystemClock())
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await make_dispatcher(services).run_forever(stop)
    finally:
        services.passwords.close()
        await storage.close()
