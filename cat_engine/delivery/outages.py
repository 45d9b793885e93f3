"""Time that our own outage took is given back, without anybody having to ask.

Every serving process leaves a beat in the database. When one starts and finds the last beat old, no server
was alive in between: every sitting whose clock ran gets that time as incident minutes, named as what it was.
The beat is moved and the time is given in one transaction, so two processes starting together give it once.
"""

from sqlalchemy import insert, select, update

from cat_engine.core import engine
from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.engine import Progress
from cat_engine.core.state import SittingState
from cat_engine.core.transitions import Status
from cat_engine.delivery.sittings import Decide, Sittings, in_status
from cat_engine.delivery.tables import service_beats
from cat_engine.foundation import ledger
from cat_engine.foundation.actors import Actor, system_actor
from cat_engine.foundation.storage import Storage

BEAT = "server"
BEAT_EVERY_MS = 1000
OUTAGE_FROM_MS = 2500
REASON = "technical.server"


async def beat(storage: Storage, at_ms: int) -> None:
    """Leave the sign of life."""
    async with storage.transaction() as connection:
        moved = await connection.execute(
            update(service_beats).where(service_beats.c.name == BEAT).values(at_ms=at_ms)
        )
        if moved.rowcount == 0:
            await connection.execute(insert(service_beats).values(name=BEAT, at_ms=at_ms))


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
        refs = await in_status(connection, Status.IN_PROGRESS)
        for ref in refs:
            actor = system_actor("outage", ref.agency_id)
            added = e.TimeAdded(kind="incident", amount_ms=at_ms - last, reason=REASON)
            await sittings.apply_in(connection, ref, _credit(added, actor))
            await ledger.append(
                connection,
                actor,
                action="sitting.outage_credit",
                subject=ref.sitting_id,
                at_ms=at_ms,
                detail={"amount_ms": at_ms - last},
            )
    return len(refs)


def _credit(added: e.TimeAdded, actor: Actor) -> Decide:
    def decide(_compiled: CompiledPackage, state: SittingState, now_ms: int) -> Progress:
        return engine.act(state, added, now_ms=now_ms, actor=actor.label)

    return decide
