"""Presence is a hint: it works across processes with Redis, alone without it, and survives Redis dying."""

import asyncio

from cat_engine.delivery.presence import NOTE_EVERY_MS, Presence
from tests.services.redis import Redis


async def _settled(presence: Presence) -> None:
    await asyncio.gather(*presence._tasks)


async def test_a_process_without_redis_knows_what_it_heard_itself() -> None:
    presence = Presence(None)
    presence.note("a", 10_000)
    presence.note("a", 10_000 + NOTE_EVERY_MS - 1)
    assert await presence.last_heard(["a", "b"]) == {"a": 10_000}


async def test_processes_share_presence_through_redis(redis_url: str) -> None:
    one, other = Presence(redis_url), Presence(redis_url)
    one.note("a", 10_000)
    await _settled(one)
    assert await other.last_heard(["a", "b"]) == {"a": 10_000}
    await one.close()
    await other.close()


async def test_a_dead_redis_takes_nothing_down(own_redis_server: Redis) -> None:
    presence = Presence(own_redis_server.url)
    presence.note("a", 10_000)
    await _settled(presence)
    own_redis_server.kill()
    presence.note("b", 20_000)
    await _settled(presence)
    assert await presence.last_heard(["a", "b"]) == {"a": 10_000, "b": 20_000}
    own_redis_server.restart()
    presence.note("b", 40_000)
    await _settled(presence)
    assert (await presence.last_heard(["b"]))["b"] == 40_000
    await presence.close()
