"""Sittings on disk: load, decide, append. The core decides; this module fetches, calls, stores.

A worker keeps the state of sittings it has seen; the database's newest revision, which every request reads
with its authorisation, says whether that memory is still true. A lost race is not an error: the sitting is
read again and the question asked again.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec
from sqlalchemy import Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core import chain, engine
from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.engine import FormChange, Progress, ScoredResponse
from cat_engine.core.state import CorruptLogError, SittingState, fold
from cat_engine.core.transitions import Status
from cat_engine.delivery.exposure import LiveExposure
from cat_engine.delivery.journal import Journal, LogRow, insert_rows
from cat_engine.delivery.packages import InstalledPackage, PackageStore
from cat_engine.delivery.tables import sitting_log, sittings
from cat_engine.foundation.actors import Actor, system_actor
from cat_engine.foundation.clock import Clock
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.storage import Storage
from cat_engine.interactions.registry import interaction

log = logging.getLogger("cat_engine.sittings")

CACHE_LIMIT = 20_000
RACE_LIMIT = 8
SWEEP_BACK_MS = 30 * 24 * 3600 * 1000  # older sittings are not looked through every few seconds

Decide = Callable[[CompiledPackage, SittingState, int], Progress]
"""A verb of the engine with everything bound but package, state and clock."""


@dataclass(frozen=True)
class SittingRef:
    """Where a sitting is, as its authorisation read it. `revision` is the newest in the database."""

    sitting_id: str
    agency_id: str
    package_id: str
    revision: int


@dataclass(frozen=True)
class LiveSitting:
    """A sitting in memory: state, chain head, and its package.

    `scored_chain` is the head when the score was written: the candidate's receipt, which later entries
    (a release) do not change.
    """

    ref: SittingRef
    installed: InstalledPackage
    state: SittingState
    chain: str
    scored_chain: str = ""


class Sittings:
    """The sittings of one process."""

    def __init__(
        self,
        storage: Storage,
        packages: PackageStore,
        journal: Journal,
        clock: Clock,
        exposure: LiveExposure | None = None,
    ) -> None:
        self._storage = storage
        self.exposure = exposure or LiveExposure(storage)
        self._packages = packages
        self._journal = journal
        self._clock = clock
        self._cache: OrderedDict[str, LiveSitting] = OrderedDict()
        # gives an outage's time back; asked before anybody is ended: the outage may be why they are late
        self.give_back: Callable[[], Awaitable[int]] | None = None

    async def load(self, ref: SittingRef) -> LiveSitting:
        """The sitting at its newest revision; from memory when that is current."""
        live = self._cache.get(ref.sitting_id)
        if live is not None and live.state.revision >= ref.revision:
            return live
        return await self._read(ref)

    async def _read(self, ref: SittingRef) -> LiveSitting:
        installed = await self._packages.get(ref.package_id)
        async with self._storage.reading() as connection:
            return self._remember(await self._read_in(connection, ref, installed))

    @staticmethod
    async def _read_in(
        connection: AsyncConnection, ref: SittingRef, installed: InstalledPackage
    ) -> LiveSitting:
        entries, heads = await read_log(connection, ref.sitting_id)
        if not entries:
            raise Refused(Refusal.NOT_FOUND)
        scored = [head for entry, head in zip(entries, heads, strict=True) if _writes_score(entry)]
        return LiveSitting(ref, installed, fold(entries), heads[-1], scored[-1] if scored else "")

    def _remember(self, live: LiveSitting) -> LiveSitting:
        held = self._cache.get(live.ref.sitting_id)
        if held is None or held.state.revision < live.state.revision:
            self._cache[live.ref.sitting_id] = live
        self._cache.move_to_end(live.ref.sitting_id)
        while len(self._cache) > CACHE_LIMIT:
            self._cache.popitem(last=False)
        return live

    async def apply(self, ref: SittingRef, decide: Decide) -> LiveSitting:
        """Decide on the newest state and make the decision durable; the sitting after it."""
        live = await self.load(ref)
        for _ in range(RACE_LIMIT):
            progress = await self._decided(live, decide)
            after = _after(live, progress)
            if await self._journal.append(log_row(ref.sitting_id, progress, after.chain)):
                self.exposure.note(ref.package_id, after.installed.compiled, after.state, progress.entry)
                return self._remember(after)
            live = await self._read(ref)
        raise Refused(Refusal.OVERLOADED)

    async def _decided(self, live: LiveSitting, decide: Decide) -> Progress:
        """The decision; one that solves a programme is made in a thread, so that nobody else waits for it."""
        compiled, now_ms = live.installed.compiled, self._clock.now_ms()
        if compiled.takes_long:
            return await asyncio.to_thread(decide, compiled, live.state, now_ms)
        return decide(compiled, live.state, now_ms)

    async def apply_in(self, connection: AsyncConnection, ref: SittingRef, decide: Decide) -> LiveSitting:
        """The same inside the caller's transaction, for acts that write elsewhere too.

        The state is read within the transaction and not remembered: until the caller commits it is not true.
        """
        installed = await self._packages.get_in(connection, ref.package_id)
        for _ in range(RACE_LIMIT):
            live = await self._read_in(connection, ref, installed)
            progress = decide(live.installed.compiled, live.state, self._clock.now_ms())
            after = _after(live, progress)
            row = log_row(ref.sitting_id, progress, after.chain)
            if row.key in await insert_rows(connection, [row]):
                return after
        raise Refused(Refusal.OVERLOADED)

    async def begin(self, ref: SittingRef, actor: Actor) -> LiveSitting:
        """Start the clock and show the first item, or go on; the items' exposure is read first."""
        live = await self.load(ref)
        exposure: tuple[e.ExposureRead, ...] = ()
        if live.state.begun_at_ms is None:
            exposure = await self.exposure.read(ref.package_id, live.installed.compiled)

        def decide(compiled: CompiledPackage, state: SittingState, now_ms: int) -> Progress:
            return engine.begin(compiled, state, now_ms=now_ms, actor=actor.label, exposure=exposure)

        return await self.apply(ref, decide)

    async def respond(self, ref: SittingRef, actor: Actor, position: int, response: str) -> LiveSitting:
        """Take a response. The same response again is harmless and gives the sitting as it is now.

        When the time is up the sitting is ended and scored first, and the response is refused.
        """
        live = await self.load(ref)
        if _is_repetition(live, position, response):
            return live
        await self._refuse_if_late(live)

        def decide(compiled: CompiledPackage, state: SittingState, now_ms: int) -> Progress:
            return engine.record_response(
                compiled,
                state,
                position=position,
                scored=_scored(compiled, state, position, response),
                now_ms=now_ms,
                actor=actor.label,
            )

        try:
            return await self.apply(ref, decide)
        except Refused as refused:
            # a race lost against our own double: the answer is in, and all is well
            newest = await self.load(ref)
            if refused.code is Refusal.ALREADY_ANSWERED and _is_repetition(newest, position, response):
                return newest
            raise

    async def save_form(
        self, ref: SittingRef, actor: Actor, position: int, response: str, *, clear: bool, flagged: bool
    ) -> LiveSitting:
        """Keep what one press of a button says about an item of a fixed form; "" leaves the response as
        it is.
        """
        live = await self.load(ref)
        await self._refuse_if_late(live)

        def decide(compiled: CompiledPackage, state: SittingState, now_ms: int) -> Progress:
            scored = _scored(compiled, state, position, response) if response and not clear else None
            saved = engine.save_form(
                compiled,
                state,
                position=position,
                change=FormChange(scored, clear=clear, flagged=flagged),
                now_ms=now_ms,
                actor=actor.label,
            )
            if saved is None:
                raise _NothingToSave
            return saved

        try:
            return await self.apply(ref, decide)
        except _NothingToSave:
            return await self.load(ref)

    async def _refuse_if_late(self, live: LiveSitting) -> None:
        if await self.expire(live) is not None:
            raise Refused(Refusal.TIME_IS_UP)

    async def expire(self, live: LiveSitting) -> LiveSitting | None:
        """End and score a sitting whose time is up; None when it is not.

        Whoever is late because no server was there gets that time first, and is then not late.
        """
        if not engine.is_late(live.installed.compiled, live.state, self._clock.now_ms()):
            return None
        if self.give_back is not None and await self.give_back():
            live = await self._read(live.ref)
            if not engine.is_late(live.installed.compiled, live.state, self._clock.now_ms()):
                return None
        actor = system_actor("clock", live.ref.agency_id)

        def decide(compiled: CompiledPackage, state: SittingState, now_ms: int) -> Progress:
            progress = engine.expire(compiled, state, now_ms=now_ms, actor=actor.label)
            if progress is None:
                raise Refused(Refusal.SITTING_STATE, status=state.status.value, act="expire")
            return progress

        try:
            return await self.apply(live.ref, decide)
        except Refused as refused:
            if refused.code is not Refusal.SITTING_STATE:
                raise
            newest = await self._read(live.ref)  # somebody else ended, paused or extended it meanwhile
            return newest if newest.state.is_over else None

    async def release(self, connection: AsyncConnection, sitting_id: str, actor: Actor, at_ms: int) -> None:
        """Mark a scored sitting as released, inside the caller's transaction."""
        ref = await find(connection, sitting_id)
        await self.apply_in(
            connection,
            ref,
            lambda _compiled, state, _now: engine.act(state, e.Released(), now_ms=at_ms, actor=actor.label),
        )

    async def sweep_expired(self) -> int:
        """End all sittings whose time is up, also of candidates whose browser is gone; how many there
        were.
        """
        since_ms = self._clock.now_ms() - SWEEP_BACK_MS
        async with self._storage.reading() as connection:
            refs = await in_status(connection, Status.IN_PROGRESS, since_ms=since_ms)
        ended = 0
        for ref in refs:
            try:
                ended += await self.expire(await self.load(ref)) is not None
            except (CorruptLogError, Refused):
                # one damaged sitting or package must not keep all others from their end
                log.exception("sitting %s cannot be swept", ref.sitting_id)
        return ended


class _NothingToSave(Exception):
    """The form holds nothing that the log does not hold already."""


def _scored(compiled: CompiledPackage, state: SittingState, position: int, response: str) -> ScoredResponse:
    if not 1 <= position <= len(state.presentations):
        raise Refused(Refusal.PRESENTATION_NOT_CURRENT, position=position)
    item = compiled.items[state.presentations[position - 1].item_id]
    scored: ScoredResponse = interaction(item.interaction).score(item, response)
    return scored


def _is_repetition(live: LiveSitting, position: int, response: str) -> bool:
    """Whether this very response to an adaptive presentation is in the log already."""
    state = live.state
    if not 1 <= position <= len(state.presentations):
        return False
    presentation = state.presentations[position - 1]
    linear = live.installed.compiled.sections[presentation.section_index].is_linear
    return presentation.response == response and not linear


def _after(live: LiveSitting, progress: Progress) -> LiveSitting:
    head = chain.extend(live.chain, progress.entry)
    scored_chain = head if _writes_score(progress.entry) else live.scored_chain
    return LiveSitting(live.ref, live.installed, progress.state, head, scored_chain)


def _writes_score(entry: e.Entry) -> bool:
    return isinstance(entry.events[-1], e.Scored)


def log_row(sitting_id: str, progress: Progress, head: str) -> LogRow:
    """A decision as it is stored; `head` is the chain's value after it."""
    entry = progress.entry
    return LogRow(
        sitting_id=sitting_id,
        revision=entry.revision,
        at_ms=entry.at_ms,
        actor=entry.actor,
        events=msgspec.json.encode(entry.events, order="sorted").decode(),
        status=progress.state.status.value,
        answered=progress.state.answered,
        chain=head,
    )


_events_decoder = msgspec.json.Decoder(tuple[e.AnyEvent, ...])


async def read_log(connection: AsyncConnection, sitting_id: str) -> tuple[list[e.Entry], list[str]]:
    """All entries of a sitting in order, and the chain's value after each: one statement."""
    rows = (
        await connection.execute(
            select(
                sitting_log.c.revision,
                sitting_log.c.at_ms,
                sitting_log.c.actor,
                sitting_log.c.events,
                sitting_log.c.chain,
            )
            .where(sitting_log.c.sitting_id == sitting_id)
            .order_by(sitting_log.c.revision)
        )
    ).all()
    entries = [
        e.Entry(
            revision=row.revision, at_ms=row.at_ms, actor=row.actor, events=_events_decoder.decode(row.events)
        )
        for row in rows
    ]
    return entries, [row.chain for row in rows]


async def find(connection: AsyncConnection, sitting_id: str) -> SittingRef:
    """Where a sitting is; for programs of ours, which need no authorisation."""
    row = (await connection.execute(select(sittings).where(sittings.c.id == sitting_id))).first()
    if row is None:
        raise Refused(Refusal.NOT_FOUND)
    return SittingRef(row.id, row.agency_id, row.package_id, revision=0)


def newest_entries() -> Select[tuple[str, int, int, str, int]]:
    """The newest log row of each sitting: status and progress for boards and sweeps, by one statement.

    One step down the log's primary key for each sitting asked for, however long all logs together are:
    databases push the caller's condition on `sitting_id` inside.
    """
    other = sitting_log.alias("other")
    newest_revision = (
        select(func.max(other.c.revision)).where(other.c.sitting_id == sittings.c.id).scalar_subquery()
    )
    return select(
        sitting_log.c.sitting_id,
        sitting_log.c.revision,
        sitting_log.c.at_ms,
        sitting_log.c.status,
        sitting_log.c.answered,
    ).join(
        sittings, and_(sittings.c.id == sitting_log.c.sitting_id, sitting_log.c.revision == newest_revision)
    )


async def in_status(connection: AsyncConnection, status: Status, *, since_ms: int = 0) -> list[SittingRef]:
    """The sittings made since then whose newest entry left them in that status."""
    newest = newest_entries().subquery()
    rows = await connection.execute(
        select(sittings.c.id, sittings.c.agency_id, sittings.c.package_id, newest.c.revision)
        .join(newest, newest.c.sitting_id == sittings.c.id)
        .where(newest.c.status == status.value, sittings.c.created_at_ms >= since_ms)
    )
    return [SittingRef(row.id, row.agency_id, row.package_id, row.revision) for row in rows]
