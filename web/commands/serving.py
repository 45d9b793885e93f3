"""Run the server: granian in front of the application."""

import os

from granian.constants import Interfaces
from granian.server import Server

from web.settings import Settings

KILL_TIMEOUT_S = 10  # granian's supervisor otherwise waits for ever for a worker that is still importing
APPLICATION = "web.app:create"


def serve(settings: Settings, *, workers: int = 1) -> None:
    """Serve until stopped. SQLite is served by one process, whatever is asked."""
    if settings.database_url.startswith("sqlite"):
        workers = 1
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    Server(
        APPLICATION,
        factory=True,
        interface=Interfaces.ASGI,
        address=settings.host,
        port=settings.port,
        workers=workers,
        workers_kill_timeout=KILL_TIMEOUT_S,
        respawn_failed_workers=True,
        websockets=False,
        log_access=False,
    ).serve()
