"""Time that our own outage took is given back, without anybody having to ask.

Every serving process leaves a beat in the database. Where one finds the last beat old - when it starts, or
when the database is back after it was away - no answer could be stored in between: every sitting whose clock
ran gets that time as incident minutes, named as what it was. The beat is moved and the time is given in one
transaction, so of several processes that notice together one gives it.
"""

import logging

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core import engine
from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.engine import Progress
from cat_engine.core.state import CorruptLogError, SittingState
from cat_engine.core.transitions import Status
from cat_engine.delivery.sittings import SittingRef, Sittings, in_status
from cat_engine.delivery.tables import service_beats
from cat_engine.foundation import ledger
from cat_engine.foundation.actors import system_actor
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.storage import Storage

log = logging.getLogger("cat_engine.outages")

BEAT = "server"
BEAT_EVERY_MS = 1000
OUTAGE_FROM_MS = 2500
REASON = "technical.server"


async def beat(storage: Storage, at_ms: int) -> None:
    """Leave the sign of life; one that was held up does not take a younger one back."""
    async with storage.transaction() as connection:
        last = await connection.scalar(select(service_beats.c.at_ms).where(service_beats.c.name == BEAT))
        if last is None:
            await connection.execute(insert(service_beats).values(name=BEAT, at_ms=at_ms))
            return
        await connection.execute(
            update(service_beats)
            .where(service_beats.c.name == BEAT, service_beats.c.at_ms < at_ms)
            .values(at_ms=at_ms)
        )


async def give_back(storage: Storage, sittings: Sittings, at_ms: int) -> int:
    """Credit an outage that ends now; how many sittings were credited."""
    async with storage.transaction() as connection:
        last = (
            await connection.execute(select(service_beats.c.at_ms).where(service_beats.c.name == BEAT))
        ).scalar_one_or_none()
        if last is None or at_ms - last < OUTAGE_FROM_MS:
            return 0
        moved = await connection.execute(
            update(service_beats)
            .where(service_beats.c.name == BEAT, service_beats.c.at_ms == last)
            .values(at_ms=at_ms)
        )
        if moved.rowcount == 0:
            return 0
        # in the order of the journal's batches, and all before the ledger, which admits one writer at a time:
        # answers may be stored meanwhile, and nobody is to wait for somebody who waits for us
        refs = sorted(await in_status(connection, Status.IN_PROGRESS), key=lambda ref: ref.sitting_id)
        amount_ms = at_ms - last
        credited = [ref for ref in refs if await _credit(connection, sittings, ref, amount_ms)]
        for ref in credited:
            await ledger.append(
                connection,
                system_actor("outage", ref.agency_id),
                action="sitting.outage_credit",
                subject=ref.sitting_id,
                at_ms=at_ms,
                detail={"amount_ms": amount_ms},
            )
    return len(credited)


async def _credit(connection: AsyncConnection, sittings: Sittings, ref: SittingRef, amount_ms: int) -> bool:
    """Give one sitting its time; False when it was paused or ended since it was found."""
    added = e.TimeAdded(kind="incident", amount_ms=amount_ms, reason=REASON)
    label = system_actor("outage", ref.agency_id).label

    def decide(_compiled: CompiledPackage, state: SittingState, now_ms: int) -> Progress:
        if state.status is not Status.IN_PROGRESS:
            raise Refused(Refusal.SITTING_STATE, status=state.status.value, act="credit")
        return engine.act(state, added, now_ms=now_ms, actor=label)

    try:
        async with connection.begin_nested():
            await sittings.apply_in(connection, ref, decide)
    except Refused as refused:
        if refused.code is not Refusal.SITTING_STATE:
            log.exception("sitting %s cannot be given its time", ref.sitting_id)
        return False
    except CorruptLogError:
        # one damaged sitting must not keep all others from their time, nor the server from starting
        log.exception("sitting %s cannot be given its time", ref.sitting_id)
        return False
    return True
