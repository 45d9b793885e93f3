"""The product as an operator runs it: `cat-engine serve` in a process of its own, on the demonstration."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from pathlib import Path

from cat_engine.foundation.clock import SystemClock
from cat_engine.foundation.storage import Storage
from item_bank.packages import PackageDesign
from tests.services.throw_away import ThrowAwayServer
from web.app import make_services
from web.database import load_tables, upgrade
from web.demonstration.loader import SignIns, load_demonstration
from web.settings import Settings

PROGRAM = Path(sys.executable).with_name("cat-engine")
SECRET_KEY = "a key of forty-eight bytes that guards only tests"


class Installation(ThrowAwayServer):
    """One server program on one database; `public_port` is where browsers believe it to be."""

    name = "cat-engine"
    guard_signal = "TERM"
    stop_signal = signal.SIGTERM

    def __init__(self, database_url: str, redis_url: str | None) -> None:
        super().__init__()
        self.database_url = database_url
        self.redis_url = redis_url
        self.public_port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.public_port}"

    def load(self, design: PackageDesign) -> SignIns:
        """Migrate the database and load the demonstration, before the first start."""
        return asyncio.run(_load(self.database_url, design))

    def run(self, *arguments: str | Path) -> list[str]:
        """A command line of the program with this installation's settings."""
        settings = {
            "CAT_ENGINE_DATABASE_URL": self.database_url,
            "CAT_ENGINE_SECRET_KEY": SECRET_KEY,
            "CAT_ENGINE_PUBLIC_URL": self.url,
        }
        if self.redis_url:
            settings["CAT_ENGINE_REDIS_URL"] = self.redis_url
        named = [f"{name}={value}" for name, value in settings.items()]
        return ["env", *named, str(PROGRAM), *map(str, arguments)]

    def _prepare(self) -> None:
        """Nothing: the database is given."""

    def _command(self) -> list[str]:
        return self.run("serve", "--port", str(self.port))

    def _is_ready(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=5.0) as line:
                line.sendall(b"GET /health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
                return b" 200 " in line.recv(64)
        except OSError:
            return False


async def _load(database_url: str, design: PackageDesign) -> SignIns:
    load_tables()
    storage = Storage(database_url)
    services = make_services(
        Settings(database_url=database_url, secret_key=SECRET_KEY.encode()), storage, SystemClock()
    )
    try:
        storage.claim()
        await upgrade(storage)
        return await load_demonstration(services, design)
    finally:
        services.passwords.close()
        await storage.close()
