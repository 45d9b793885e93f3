"""The real server in processes of its own, to be killed as a power cut would: all of them at once."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from pathlib import Path

import httpx
import psutil

from tests.services.throw_away import ThrowAwayServer

ROOT = Path(__file__).resolve().parents[2]
SECRET_KEY = "a key that guards nothing but tests"
SERVE = ("web.cli", "serve")
KILL_LIMIT_S = 15.0


class WebServer(ThrowAwayServer):
    """`cat-engine serve`, supervisor and workers, as one process group."""

    name = "web"
    guard_signal = "TERM"  # the supervisor then takes its workers along

    def __init__(
        self,
        database_url: str,
        *,
        redis_url: str = "",
        workers: int = 1,
        command: tuple[str, ...] = SERVE,
    ) -> None:
        super().__init__()
        self._database_url = database_url
        self._redis_url = redis_url
        self._workers = workers
        self._module_and_arguments = command

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """SIGKILL to the whole process group; nobody gets to write, to answer or to say goodbye."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            workers = psutil.Process(process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            workers = []
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(KILL_LIMIT_S)
        psutil.wait_procs(workers, timeout=KILL_LIMIT_S)
        (self.directory / "server.pid").unlink(missing_ok=True)

    def _prepare(self) -> None:
        (self.directory / "data").mkdir()

    def _command(self) -> list[str]:
        settings = {
            "CAT_ENGINE_DATABASE_URL": self._database_url,
            "CAT_ENGINE_SECRET_KEY": SECRET_KEY,
            "CAT_ENGINE_REDIS_URL": self._redis_url,
            "CAT_ENGINE_DATA_DIRECTORY": str(self.directory / "data"),
            "CAT_ENGINE_HOST": "127.0.0.1",
            "CAT_ENGINE_PORT": str(self.port),
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        }
        module, *arguments = self._module_and_arguments
        return [
            "env",
            *(f"{name}={value}" for name, value in settings.items()),
            *(sys.executable, "-m", module, *arguments),
            *("--workers", str(self._workers)),
        ]

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=5.0).status_code == 200
        except httpx.TransportError:
            return False
