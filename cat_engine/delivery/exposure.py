"""Counts of exposure that all servers share: what a beginning sitting reads, what a committed entry adds.

Kept in Redis where there is one, in this process where not. They may be late, and either may be lost at any
moment: whoever finds none makes them again from the logs of the package's newest sittings. That is no harm,
because a sitting never needs the counts again: what it read is in its own log.

An answer waits for none of this. Its entry is committed first; what it adds is gathered in memory and told to
Redis a quarter of a second later, together with what others added meanwhile.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from time import monotonic
from typing import cast

import msgspec
import numpy as np
from redis.asyncio import Redis
from redis.exceptions import RedisError
from sqlalchemy import select

from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.exact import Integers
from cat_engine.core.exposure_counts import COUNT, Control, controls, faded, fading_step
from cat_engine.core.state import CorruptLogError, SittingState, advance
from cat_engine.delivery.tables import sitting_log, sittings
from cat_engine.foundation.storage import Storage

log = logging.getLogger("cat_engine.exposure")

FLUSH_AFTER_S = 0.25
RECALL_SITTINGS = 5_000  # so many of the newest are counted again when the counts are lost
RECALL_AT_ONCE = 100
TRUST_OWN_COUNTS_S = 60.0  # without Redis the other servers' sittings are read from the logs this often
EXPIRE_S = 30 * 24 * 3600
SOCKET_TIMEOUT_S = 1.0
RETRY_AFTER_S = 2.0

# cells: unsigned 32-bit numbers, big endian. KEYS: cells, sittings. ARGV: sittings that began, every how many
# sittings to fade, what is kept then, seconds to live, then pairs of cell and addend.
_ADD = """
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local at = 5
while at < #ARGV do
  local call = {}
  for i = at, math.min(at + 1999, #ARGV), 2 do
    call[#call + 1] = 'INCRBY'
    call[#call + 1] = 'u32'
    call[#call + 1] = '#' .. ARGV[i]
    call[#call + 1] = ARGV[i + 1]
  end
  redis.call('BITFIELD', KEYS[1], 'OVERFLOW', 'SAT', unpack(call))
  at = at + 2000
end
local began, every = tonumber(ARGV[1]), tonumber(ARGV[2])
if began > 0 and every > 0 then
  local after = redis.call('INCRBY', KEYS[2], began)
  local times = math.floor(after / every) - math.floor((after - began) / every)
  if times > 0 then
    local kept = tonumber(ARGV[3]) ^ times
    local cells, out = redis.call('GET', KEYS[1]), {}
    for i = 1, #cells, 4 do
      out[#out + 1] = struct.pack('>I4', math.floor(struct.unpack('>I4', cells, i) * kept + 0.5))
    end
    redis.call('SET', KEYS[1], table.concat(out))
  end
  redis.call('EXPIRE', KEYS[2], ARGV[4])
end
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""


@dataclass
class _Section:
    """One counted section of one package, as this process holds it."""

    package_id: str
    control: Control
    pending: Integers
    own: Integers | None = None  # the counts, where Redis does not hold them
    own_since_s: float = 0.0
    own_sittings: int = 0
    distrusted: bool = False  # Redis missed something of ours: it has to forget what it holds

    @property
    def keys(self) -> tuple[str, str]:
        """Cells and number of sittings; the braces keep both on one server of a cluster."""
        name = f"exposure:{{{self.package_id}:{self.control.section_id}}}"
        return name, f"{name}:sittings"


class LiveExposure:
    """The counts, as one process sees and feeds them."""

    def __init__(self, storage: Storage, redis_url: str | None = None) -> None:
        self._storage = storage
        self._redis: Redis | None = None
        if redis_url is not None:
            self._redis = Redis.from_url(
                redis_url, socket_timeout=SOCKET_TIMEOUT_S, socket_connect_timeout=SOCKET_TIMEOUT_S
            )
        self._sections: dict[str, tuple[_Section, ...]] = {}
        self._lock = asyncio.Lock()
        self._away_until_s = 0.0
        self._flushing: asyncio.Task[None] | None = None

    async def read(self, package_id: str, compiled: CompiledPackage) -> tuple[e.ExposureRead, ...]:
        """What a sitting that begins now has to know of all others; nothing where no rule asks."""
        held = self._of(package_id, compiled)
        if not held:
            return ()
        async with self._lock:
            return tuple([section.control.read(await self._cells(section)) for section in held])

    def note(self, package_id: str, compiled: CompiledPackage, state: SittingState, entry: e.Entry) -> None:
        """Count a committed entry; `state` is that after it. Returns at once, counts a moment later."""
        held = self._of(package_id, compiled)
        try:
            for section in held:
                section.control.add(section.pending, state, entry)
        except Exception:
            # the entry is durable, and whoever waits for it is to be told so whatever becomes of the counts
            log.exception("sitting %s is not counted", state.sitting_id)
        if held and (self._flushing is None or self._flushing.done()):
            self._flushing = asyncio.create_task(self._flush_later(), name="exposure")

    async def flush(self) -> None:
        """Pass on everything that was noted."""
        async with self._lock:
            for held in self._sections.values():
                for section in held:
                    await self._pass_on(section)

    async def close(self) -> None:
        """Pass on what is left and let go of the connection."""
        if self._flushing is not None:
            self._flushing.cancel()
        await self.flush()
        if self._redis is not None:
            await self._redis.aclose()

    def _of(self, package_id: str, compiled: CompiledPackage) -> tuple[_Section, ...]:
        held = self._sections.get(package_id)
        if held is None:
            held = tuple(
                _Section(package_id, control, np.zeros(control.cells, dtype=np.int64))
                for control in controls(compiled)
            )
            self._sections[package_id] = held
        return held

    async def _flush_later(self) -> None:
        await asyncio.sleep(FLUSH_AFTER_S)
        await self.flush()

    # ----------------------------------------------------------------------------------- where counts live

    async def _cells(self, section: _Section) -> Integers:
        """The counts as they stand, made again where they are lost."""
        await self._pass_on(section)
        redis = self._reachable()
        if redis is not None:
            try:
                return await self._shared(redis, section)
            except (RedisError, OSError) as error:
                self._lost(section, error)
        if section.own is None or self._is_stale(section):
            section.own = await self._recall(section)
            section.own_since_s = monotonic()
        return section.own

    def _reachable(self) -> Redis | None:
        """Redis, unless it failed a moment ago: a full room does not wait for it one after another."""
        return self._redis if monotonic() >= self._away_until_s else None

    def _lost(self, section: _Section, error: Exception) -> None:
        log.warning("Redis does not hold the exposure counts: %s", type(error).__name__)
        section.distrusted = True
        self._away_until_s = monotonic() + RETRY_AFTER_S

    def _is_stale(self, section: _Section) -> bool:
        alone = self._storage.is_sqlite and self._redis is None
        return not alone and monotonic() - section.own_since_s > TRUST_OWN_COUNTS_S

    async def _shared(self, redis: Redis, section: _Section) -> Integers:
        if section.distrusted:
            await redis.delete(*section.keys)
            section.distrusted = False
        held = await redis.get(section.keys[0])
        if held is None or len(held) != 4 * section.control.cells:
            recalled = await self._recall(section)
            made = recalled.astype(">u4").tobytes()
            if held is not None:  # of another shape: not ours to add to
                await redis.delete(section.keys[0])
            # of two servers that recall at one time the first is believed, and added to
            await redis.set(section.keys[0], made, nx=True, ex=EXPIRE_S)
            held = await redis.get(section.keys[0]) or made
        section.own = None
        return np.frombuffer(cast(bytes, held), dtype=">u4").astype(np.int64)

    async def _pass_on(self, section: _Section) -> None:
        """Add what is pending to the counts, wherever they are held."""
        added = section.pending
        if not added.any():
            return
        section.pending = np.zeros_like(added)
        redis = self._reachable()
        if redis is not None and section.own is None:
            try:
                await self._tell(redis, section, added)
            except (RedisError, OSError) as error:
                self._lost(section, error)
        else:
            section.distrusted = section.distrusted or self._redis is not None
            _add_own(section, added)

    async def _tell(self, redis: Redis, section: _Section, added: Integers) -> None:
        memory = section.control.settings.memory_sittings
        every = fading_step(memory)
        kept = (1.0 - 1.0 / memory) ** every if memory else 1.0
        where = np.flatnonzero(added)
        pairs = np.stack([where, added[where]], axis=1).ravel().tolist()
        began = int(added[0]) // COUNT
        await redis.eval(_ADD, 2, *section.keys, began, every, repr(kept), EXPIRE_S, *pairs)

    async def _recall(self, section: _Section) -> Integers:
        """The counts that the logs of the package's newest sittings give."""
        newest = (
            select(sittings.c.id)
            .where(sittings.c.package_id == section.package_id)
            .order_by(sittings.c.created_at_ms.desc(), sittings.c.id.desc())
            .limit(RECALL_SITTINGS)
        )
        recall = _Recall(section.control)
        async with self._storage.reading() as connection:
            ids = list((await connection.execute(newest)).scalars())[::-1]
            for at in range(0, len(ids), RECALL_AT_ONCE):
                rows = await connection.execute(
                    select(
                        sitting_log.c.sitting_id,
                        sitting_log.c.revision,
                        sitting_log.c.at_ms,
                        sitting_log.c.actor,
                        sitting_log.c.events,
                    )
                    .where(sitting_log.c.sitting_id.in_(ids[at : at + RECALL_AT_ONCE]))
                    .order_by(sitting_log.c.sitting_id, sitting_log.c.revision)
                )
                # decoding a thousand entries takes long enough for an answer to notice
                await asyncio.to_thread(recall.take, [tuple(row) for row in rows])
        return recall.cells


def _add_own(section: _Section, added: Integers) -> None:
    """Add to this process's own counts, and fade them in their time."""
    if section.own is None:
        return
    section.own = section.own + added
    memory = section.control.settings.memory_sittings
    every = fading_step(memory)
    before = section.own_sittings
    section.own_sittings += int(added[0]) // COUNT
    if every and section.own_sittings // every > before // every:
        section.own = faded(section.own, every * (section.own_sittings // every - before // every), memory)


_events = msgspec.json.Decoder(tuple[e.AnyEvent, ...])
_Row = tuple[str, int, int, str, str]


class _Recall:
    """Counts sittings again from their logs, faded from one to the next."""

    def __init__(self, control: Control) -> None:
        self.cells: Integers = np.zeros(control.cells, dtype=np.int64)
        self._control = control
        self._memory = control.settings.memory_sittings
        self._every = fading_step(self._memory)
        self._began = 0

    def take(self, rows: Iterable[_Row]) -> None:
        """The rows of whole sittings, by sitting and revision."""
        for sitting_id, entries in groupby(rows, key=itemgetter(0)):
            try:
                self._count(entries)
            except (CorruptLogError, msgspec.ValidationError):
                # one damaged log must not keep all others from beginning
                log.exception("sitting %s cannot be counted", sitting_id)

    def _count(self, rows: Iterable[_Row]) -> None:
        state: SittingState | None = None
        for _, revision, at_ms, actor, events in rows:
            entry = e.Entry(revision=revision, at_ms=at_ms, actor=actor, events=_events.decode(events))
            state = advance(state, entry)
            if self._control.add(self.cells, state, entry) and self._every:
                self._began += 1
                if self._began % self._every == 0:
                    self.cells = faded(self.cells, self._every, self._memory)
