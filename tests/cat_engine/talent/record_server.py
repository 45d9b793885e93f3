"""A record system to post to: a real HTTP server that behaves as badly as the test asks.

It keeps what it was given by idempotency key and checks the signature of every request as a real one should.
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass
class Request:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class RecordServer:
    """`script` is consumed one behaviour a request; after its end everything is answered properly."""

    public_key_of: Ed25519PrivateKey
    script: list[str] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    records: dict[str, dict[str, object]] = field(default_factory=dict)
    connections: int = 0
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
            headers = {
                name.strip().lower(): value.strip()
                for name, _, value in (line.partition(":") for line in head[1:] if line)
            }
            body = await reader.readexactly(int(headers["content-length"]))
            request = Request(head[0].split(" ")[1], headers, body)
            self.requests.append(request)
            behaviour = self.script.pop(0) if self.script else "ok"
            await getattr(self, f"_{behaviour}")(request, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def signature_is_valid(self, request: Request) -> bool:
        """A receiver's check, written from the description of the signature, not with the sender's code."""
        header, _, signature = request.headers["x-signature"].partition("..")
        claims = json.loads(_decode(header))
        try:
            self.public_key_of.public_key().verify(_decode(signature), header.encode() + b"." + request.body)
        except Exception:
            return False
        return (
            claims["alg"] == "EdDSA"
            and claims["b64"] is False
            and claims["timestamp_ms"] == int(request.headers["x-timestamp"])
            and claims["idempotency_key"] == request.headers["idempotency-key"]
        )

    def keep(self, request: Request) -> None:
        """Store a report under its key, as an idempotent receiver does."""
        assert self.signature_is_valid(request)
        self.records.setdefault(request.headers["idempotency-key"], json.loads(request.body))

    def reports(self) -> list[str]:
        """The numbers of the reports kept, once each came under one key and in the same bytes."""
        ways: dict[str, set[tuple[str, bytes]]] = {}
        for request in self.requests:
            number = json.loads(request.body)["report_number"]
            ways.setdefault(number, set()).add((request.headers["idempotency-key"], request.body))
        assert [number for number, seen in ways.items() if len(seen) > 1] == []
        return sorted(str(record["report_number"]) for record in self.records.values())

    async def _ok(self, request: Request, writer: asyncio.StreamWriter) -> None:
        key = request.headers["idempotency-key"]
        if key in self.records:
            await _send(writer, "409 Conflict", {"idempotency_key": key, "receipt_id": f"R-{key[:8]}"})
            return
        self.keep(request)
        await _send(writer, "201 Created", {"receipt_id": f"R-{key[:8]}", "idempotency_key": key})

    async def _stored_then_hang(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.keep(request)
        await asyncio.sleep(5)

    async def _stored_then_half(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.keep(request)
        writer.write(b'HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{"receipt_id": "R-')
        await writer.drain()

    async def _stored_then_garbage(self, request: Request, writer: asyncio.StreamWriter) -> None:
        self.keep(request)
        await _send(writer, "200 OK", b"<html>Selamat datang</html>")

    async def _not_http(self, request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x01 not HTTP at all\r\n\r\n")
        await writer.drain()

    async def _foreign_receipt(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await _send(writer, "200 OK", {"receipt_id": "R", "idempotency_key": "of somebody else"})

    async def _twice(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await self._ok(request, writer)
        await self._ok(request, writer)

    async def _trickle(self, request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)

    async def _slow(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.3)
        await self._ok(request, writer)

    async def _endless(self, request: Request, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n")
        for _ in range(200):
            writer.write(b" " * 50_000)
            await writer.drain()

    async def _error(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await _send(writer, "500 Internal Server Error", b"")

    async def _busy(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await _send(writer, "429 Too Many Requests", b"", "Retry-After: 120\r\n")

    async def _busy_until(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await _send(writer, "503 Service Unavailable", b"", "Retry-After: Wed, 14 Oct 2026 18:00:00 GMT\r\n")

    async def _redirect(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await _send(writer, "307 Temporary Redirect", b"", f"Location: http://127.0.0.1:{self.port}/else\r\n")

    async def _refuse(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await _send(writer, "422 Unprocessable Content", {"detail": "unknown person"})

    async def _conflict(self, request: Request, writer: asyncio.StreamWriter) -> None:
        await _send(writer, "409 Conflict", {"detail": "another report has this number"})


@asynccontextmanager
async def running(server: RecordServer, tls: ssl.SSLContext | None = None) -> AsyncIterator[RecordServer]:
    """Serve on a free port of the loopback."""
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()


async def _send(
    writer: asyncio.StreamWriter, status: str, content: bytes | dict[str, str], headers: str = ""
) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    writer.write(f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    await writer.drain()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
