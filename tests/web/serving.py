"""The application behind a real HTTP server, in the test's own event loop so that both see one database."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import uvicorn

from cat_engine.foundation.storage import Storage
from tests.web.agency import SECRET_KEY, HandClock
from web.app import create_app
from web.database import upgrade
from web.settings import Settings


@dataclass
class Served:
    """A running application and what it runs on."""

    url: str
    storage: Storage
    clock: HandClock
    app: Any

    def client(self, **options: Any) -> httpx.AsyncClient:
        """A browser without JavaScript: keeps cookies, does not follow redirects by itself."""
        return httpx.AsyncClient(base_url=self.url, timeout=30, **options)


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


@asynccontextmanager
async def served(database_url: str, **changes: Any) -> AsyncIterator[Served]:
    """Migrate the database, start the server on a free port, stop it at the end."""
    storage, clock = Storage(database_url), HandClock()
    await upgrade(storage)
    port = free_port()
    settings = Settings(
        **{
            "database_url": database_url,
            "secret_key": SECRET_KEY,
            "port": port,
            "public_url": f"http://127.0.0.1:{port}",
            **changes,
        }
    )
    app = create_app(settings, storage=storage, clock=clock)
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, proxy_headers=False))
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if task.done():
                await task
            await asyncio.sleep(0.01)
        yield Served(f"http://127.0.0.1:{port}", storage, clock, app)
    finally:
        server.should_exit = True
        await task
        await storage.close()
