"""A server that lives in a temporary directory, on a free port, and leaves nothing behind.

The process that starts a server may itself be killed (a test run cut short, a time limit). Every server
therefore has a guard: a shell that waits for the end of its own standard input. The write end is held by the
starting process alone, so the kernel closes it whenever that process ends, in whatever way; the guard then
ends the server it finds in the pid file and removes the directory.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Self

import psutil

START_LIMIT_S = 30.0
STOP_LIMIT_S = 15.0

_GUARD = """
trap '' INT TERM HUP
read -r _
if [ -s "$1/server.pid" ]; then kill -s "$2" "$(cat "$1/server.pid")" 2>/dev/null; fi
for _ in 1 2 3 4 5; do rm -rf "$1" 2>/dev/null && break; sleep 1; done
"""


class Unavailable(RuntimeError):
    """A part that the tests need cannot be had here; the message ends with the one command that mends it."""


def free_port() -> int:
    """A TCP port of the loopback interface that nothing listens on at this moment."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
    return port


class ThrowAwayServer(ABC):
    """One real server program. Its data survives `kill` and `restart`, not `stop`."""

    name: str
    guard_signal = "KILL"
    stop_signal = signal.SIGTERM

    def __init__(self) -> None:
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._directory: Path | None = None

    @property
    @abstractmethod
    def url(self) -> str:
        """Where the application finds this server."""

    @abstractmethod
    def _prepare(self) -> None:
        """Lay out the data directory, once, before the first start."""

    @abstractmethod
    def _command(self) -> list[str]:
        """The program and its arguments; it must stay in the foreground."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Whether the server answers now."""

    def _user_id(self) -> int | None:
        """The user to run as, when it may not be the one who runs the tests."""
        return None

    @property
    def directory(self) -> Path:
        """The temporary directory that holds the server's data and its log."""
        if self._directory is None:
            raise RuntimeError(f"{self.name} is not started")
        return self._directory

    @property
    def log(self) -> str:
        """What the server has written so far."""
        return (self.directory / "server.log").read_text(errors="replace")

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> Self:
        """Start on a free port; another program may take it first, so a failed start is tried again."""
        if self._directory is None:
            self._directory = Path(tempfile.mkdtemp(prefix=f"cat-engine-{self.name}-"))
            self._watch()
            self._give_away(self._directory)
            self._prepare()
        attempts = 3
        for attempt in range(1, attempts + 1):
            self.port = free_port()
            if self._launch():
                return self
            if attempt < attempts:
                self.kill()
        log = self.log
        self.stop()
        raise Unavailable(f"{self.name} did not start; its log says:\n{log[-2000:]}")

    def stop(self) -> None:
        """End the server in good order and remove its directory."""
        self._end(self.stop_signal)
        if self._guard is not None and self._guard.stdin is not None:
            self._guard.stdin.close()
            self._guard.wait()
            self._guard = None
        if self._directory is not None:
            shutil.rmtree(self._directory, ignore_errors=True)
            self._directory = None

    def kill(self) -> None:
        """End the server as a power cut would: it and its children at once, nothing written any more."""
        if self._process is None:
            return
        try:
            children = psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            children = []
        self._end(signal.SIGKILL)
        for child in children:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        psutil.wait_procs(children, timeout=STOP_LIMIT_S)

    def restart(self) -> None:
        """Start again on the same port and the same data, after `kill` or out of running."""
        self._end(self.stop_signal)
        if not self._launch():
            raise Unavailable(f"{self.name} did not start again; its log says:\n{self.log[-2000:]}")

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _watch(self) -> None:
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "guard", str(self.directory), self.guard_signal],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _give_away(self, path: Path) -> None:
        user_id = self._user_id()
        if user_id is not None:
            os.chown(path, user_id, -1)

    def _launch(self) -> bool:
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=self._user_id(),
                start_new_session=True,
            )
        (self.directory / "server.pid").write_text(str(self._process.pid))
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return False
            if self._is_ready():
                return True
            time.sleep(0.05)
        return False

    def _end(self, number: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(number)
            try:
                process.wait(STOP_LIMIT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        (self.directory / "server.pid").unlink(missing_ok=True)
