"""The candidates' programs, in a process of their own: `python -m benchmarks.exam_hall.clients`.

Reads what to do as JSON from standard input, answers as fast as the server acknowledges, one keep-alive
connection for each candidate, and prints what was acknowledged. Plain sockets: a client library would take
more of the machine than the server does.
"""

from __future__ import annotations

import asyncio
import sys
import time

import msgspec

from benchmarks.exam_hall.setting import Candidate

HEADERS_LIMIT = 64 * 1024


class Orders(msgspec.Struct, frozen=True):
    """Where to answer, who, and how often."""

    port: int
    candidates: list[Candidate]
    answers: int


class Report(msgspec.Struct, frozen=True):
    """What came of it: acknowledgements, the time they took together, and each one's."""

    acknowledged: int
    took_s: float
    response_ms: list[float]


def request(candidate: Candidate, position: int) -> bytes:
    """One answer as the page sends it with JavaScript."""
    option = 1 + (position * 7 + len(candidate.sitting_id) + ord(candidate.sitting_id[-1])) % 5
    body = f"csrf_token={candidate.csrf_token}&presentation={position}&response=o{option}&confirm=1"
    return (
        f"POST /sittings/{candidate.sitting_id}/responses HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        f"Cookie: session={candidate.cookie}\r\n"
        "HX-Request: true\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


async def read_reply(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Head and body of one reply."""
    head = await reader.readuntil(b"\r\n\r\n")
    lower = head.lower()
    if b"transfer-encoding: chunked" in lower:
        parts = []
        while size := int(await reader.readline(), 16):
            parts.append(await reader.readexactly(size))
            await reader.readexactly(2)
        await reader.readexactly(2)
        return head, b"".join(parts)
    start = lower.find(b"content-length:")
    length = int(lower[start + 15 : lower.index(b"\r\n", start)]) if start >= 0 else 0
    return head, await reader.readexactly(length)


async def answer(orders: Orders, candidate: Candidate) -> list[float]:
    """One candidate's answers; an answer counts when the server shows what comes after it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", orders.port, limit=HEADERS_LIMIT)
    took_ms = []
    for position in range(1, orders.answers + 1):
        sent = time.perf_counter()
        writer.write(request(candidate, position))
        head, body = await read_reply(reader)
        took_ms.append((time.perf_counter() - sent) * 1000)
        following = b'name="presentation" value="%d"' % (position + 1) in body
        if not head.startswith(b"HTTP/1.1 200") or not (following or b"hx-redirect:" in head.lower()):
            raise RuntimeError(f"no acknowledgement: {head.decode()}{body.decode()[:500]}")
    writer.close()
    await writer.wait_closed()
    return took_ms


async def main() -> None:
    """All candidates at once."""
    orders = msgspec.json.decode(sys.stdin.buffer.read(), type=Orders)
    begun = time.perf_counter()
    taken = await asyncio.gather(*(answer(orders, candidate) for candidate in orders.candidates))
    took_s = time.perf_counter() - begun
    times = [each for one in taken for each in one]
    sys.stdout.buffer.write(msgspec.json.encode(Report(len(times), took_s, times)))


if __name__ == "__main__":
    asyncio.run(main())
