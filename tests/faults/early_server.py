"""A server whose durability is broken on purpose: it acknowledges an answer before it is written.

The kill harness must see what this one loses; a harness that reports nothing here proves nothing elsewhere.
"""

from __future__ import annotations

import argparse
import asyncio
import os

from litestar import Litestar

import web.app
from cat_engine.delivery.journal import Journal, LogRow
from cat_engine.foundation.storage import Storage
from web.commands import serving
from web.settings import settings_from_environment

WRITTEN_AFTER_S = 0.3


class EarlyJournal(Journal):
    """Says "durable" at once and writes a while later."""

    def __init__(self, storage: Storage) -> None:
        super().__init__(storage)
        self._late: set[asyncio.Task[None]] = set()

    async def append(self, row: LogRow) -> bool:
        task = asyncio.create_task(self._append_late(row))
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        return True

    async def _append_late(self, row: LogRow) -> None:
        await asyncio.sleep(WRITTEN_AFTER_S)
        await super().append(row)


def create() -> Litestar:
    """The application as always, but for its journal."""
    setattr(web.app, "Journal", EarlyJournal)  # noqa: B010 - an assignment would be an error of types, rightly
    return web.app.create()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=1)
    options = parser.parse_args()
    setattr(serving, "APPLICATION", f"{__spec__.parent}.early_server:create")  # noqa: B010 - the same
    serving.serve(settings_from_environment(os.environ), workers=options.workers)


if __name__ == "__main__":
    main()
