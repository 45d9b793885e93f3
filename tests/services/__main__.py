"""Bring and try everything the tests need: `python -m tests.services`.

What cannot be had ends it with the one command that mends it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

from tests.services.chromium import ensure_chromium
from tests.services.postgresql import PostgreSQL
from tests.services.redis import Redis, fetch_redis, find_redis
from tests.services.throw_away import ThrowAwayServer, Unavailable


def install(package: str) -> None:
    """Take a package from the system's package manager, where that needs nobody's password."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"installing {package} ...", flush=True)
        for command in (["update", "-q"], ["install", "-y", "-q", package]):
            subprocess.run(["apt-get", *command], check=False, stdin=subprocess.DEVNULL)


def try_out(server: ThrowAwayServer, program: object) -> None:
    begun = time.monotonic()
    with server:
        print(f"{server.name:<11}{program}  (answers after {time.monotonic() - begun:.1f} s)", flush=True)


def main() -> int:
    try:
        try:
            postgresql = PostgreSQL()
        except Unavailable:
            install("postgresql")
            postgresql = PostgreSQL()
        try_out(postgresql, postgresql.binaries)
        if find_redis() is None and fetch_redis() is None:
            install("redis-server")
        redis = Redis()
        try_out(redis, redis.program)
        print(f"{'chromium':<11}{ensure_chromium()}", flush=True)
    except Unavailable as missing:
        print(f"The tests cannot run here: {missing}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
