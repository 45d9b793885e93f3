"""The cable between a browser and the server, which a test can pull out.

A small TCP proxy in threads of its own. `cut` refuses and breaks every connection; `mute` lets requests
through and loses what the server says to them, which is the worst moment for an answer to be cut off: it is
stored, and nobody has been told.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Literal, Self

CHUNK_BYTES = 65536
State = Literal["whole", "mute", "cut"]


class Line:
    """Listens on a port of its own and carries bytes to `target_port()`, as long as it is whole."""

    def __init__(self, target_port: Callable[[], int]) -> None:
        self._target_port = target_port
        self._state: State = "whole"
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()
        self.cut()

    def cut(self) -> None:
        """Break what is connected, and let nothing through until `mend`."""
        self._change("cut")

    def mute(self) -> None:
        """Let requests pass and lose the answers, until `mend`."""
        self._change("mute")

    def mend(self) -> None:
        """Carry everything again; a muted connection ends, as it does when a router comes back."""
        self._change("whole")

    def _change(self, state: State) -> None:
        with self._lock:
            breaks = state == "cut" or self._state == "mute"
            self._state = state
            ends = list(self._open) if breaks else []
        for end in ends:
            _close(end)

    def _listen(self) -> None:
        while True:
            try:
                browser, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                is_cut = self._state == "cut"
            server = None if is_cut else self._connect()
            if server is None:
                _close(browser)
                continue
            with self._lock:
                self._open |= {browser, server}
            for source, target, says in ((browser, server, False), (server, browser, True)):
                threading.Thread(target=self._carry, args=(source, target, says), daemon=True).start()

    def _connect(self) -> socket.socket | None:
        try:
            return socket.create_connection(("127.0.0.1", self._target_port()), timeout=None)
        except OSError:
            return None

    def _carry(self, source: socket.socket, target: socket.socket, from_server: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(CHUNK_BYTES):
                if not (from_server and self._state == "mute"):
                    target.sendall(data)
        _close(source)
        _close(target)
        with self._lock:
            self._open -= {source, target}


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
