"""When each candidate's browser was last heard from: a hint for the proctor's board, no fact of the exam.

Kept in Redis, so that all processes see it, and in this process's memory besides. Redis may be empty, wrong
or absent at any moment: then a board shows what this process has heard itself. Nothing waits for it.
"""

import asyncio
import logging
from collections.abc import Sequence

from redis.asyncio import Redis
from redis.exceptions import RedisError

log = logging.getLogger("cat_engine.presence")

NOTE_EVERY_MS = 5_000
EXPIRE_S = 6 * 3600
SOCKET_TIMEOUT_S = 1.0
_MEMORY_LIMIT = 50_000


class Presence:
    """Last signs of life by sitting."""

    def __init__(self, redis_url: str | None) -> None:
        self._redis: Redis | None = None
        if redis_url is not None:
            self._redis = Redis.from_url(
                redis_url, socket_timeout=SOCKET_TIMEOUT_S, socket_connect_timeout=SOCKET_TIMEOUT_S
            )
        self._heard: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def note(self, sitting_id: str, at_ms: int) -> None:
        """A request came from this sitting's browser; told to Redis at most every few seconds, unawaited."""
        before = self._heard.get(sitting_id, 0)
        if at_ms - before < NOTE_EVERY_MS:
            return
        if len(self._heard) >= _MEMORY_LIMIT:
            self._heard.clear()
        self._heard[sitting_id] = at_ms
        if self._redis is not None:
            task = asyncio.create_task(self._tell(self._redis, sitting_id, at_ms))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _tell(self, redis: Redis, sitting_id: str, at_ms: int) -> None:
        try:
            await redis.set(_key(sitting_id), at_ms, ex=EXPIRE_S)
        except (RedisError, OSError) as error:
            log.warning("Redis did not take a sign of life: %s", type(error).__name__)

    async def last_heard(self, sitting_ids: Sequence[str]) -> dict[str, int]:
        """The newest sign of life of each sitting that gave one: one round trip."""
        heard = {s: self._heard[s] for s in sitting_ids if s in self._heard}
        if self._redis is None or not sitting_ids:
            return heard
        try:
            values = await self._redis.mget([_key(s) for s in sitting_ids])
        except (RedisError, OSError) as error:
            log.warning("Redis did not give the signs of life: %s", type(error).__name__)
            return heard
        for sitting_id, value in zip(sitting_ids, values, strict=True):
            if value is not None:
                heard[sitting_id] = max(int(value), heard.get(sitting_id, 0))
        return heard

    async def close(self) -> None:
        """Let go of the connection."""
        for task in list(self._tasks):
            task.cancel()
        if self._redis is not None:
            await self._redis.aclose()


def _key(sitting_id: str) -> str:
    return f"presence:{sitting_id}"
