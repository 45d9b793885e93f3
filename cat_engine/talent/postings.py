"""Postings: the promise to hand a released score report to each connector of the agency, and its proof.

A posting and its outbox message share one identity and are born in the transaction that releases the report.
The posting is what people see (state, tries, receipt); the message is what the dispatcher works on.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Protocol

import msgspec
import rfc8785
from sqlalchemy import Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.foundation import ledger, outbox
from cat_engine.foundation.actors import Actor, Permission, system_actor
from cat_engine.foundation.identifiers import new_id
from cat_engine.foundation.outbox import Message, PermanentError
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.storage import Storage
from cat_engine.talent.connecting import (
    Connector,
    DeliveryContext,
    PostedScore,
    Receipt,
    ScoreReportMessage,
    installed_connectors,
)
from cat_engine.talent.tables import connector_settings, postings

TOPIC = "talent.post"
DEFAULT_CONNECTOR = "embedded_register"


class ScoreToPost(Protocol):
    """One section of a released report, as whoever released it describes it."""

    @property
    def section_id(self) -> str: ...
    @property
    def aspect(self) -> str: ...
    @property
    def scale_score(self) -> str | None: ...
    @property
    def scale_error(self) -> str | None: ...
    @property
    def level(self) -> int | None: ...
    @property
    def passed(self) -> bool | None: ...
    @property
    def items(self) -> int: ...


class ReportToPost(Protocol):
    """A released report: what the rooms of results and talent agree on without knowing each other."""

    @property
    def id(self) -> str: ...
    @property
    def agency_id(self) -> str: ...
    @property
    def report_number(self) -> str: ...
    @property
    def verification_code(self) -> str: ...
    @property
    def person_id(self) -> str: ...
    @property
    def person_nip(self) -> str | None: ...
    @property
    def is_simulated(self) -> bool: ...
    @property
    def package_hash(self) -> str: ...
    @property
    def sitting_chain(self) -> str: ...
    @property
    def sections(self) -> Sequence[ScoreToPost]: ...
    @property
    def measured_at_ms(self) -> int: ...
    @property
    def released_at_ms(self) -> int: ...
    @property
    def expires_at_ms(self) -> int: ...


class Promise(msgspec.Struct, frozen=True):
    """Payload of the outbox message: the report as it was released, whatever changes afterwards."""

    connector: str
    report: ScoreReportMessage


class Posting(msgspec.Struct, frozen=True):
    """One posting as the talent manager sees it; `receipt` None until delivered."""

    id: str
    report_id: str
    connector: str
    state: str
    attempts: int
    last_error: str
    receipt: Receipt | None
    created_at_ms: int
    delivered_at_ms: int | None


async def promise(connection: AsyncConnection, report: ReportToPost, at_ms: int) -> None:
    """One posting and one message for each configured connector, in the transaction of the release.

    An agency that has configured nothing has the embedded register. The idempotency key is a hash of
    connector and report number: whoever promises the same report twice is stopped by its uniqueness.
    """
    configured = await connection.execute(
        select(connector_settings.c.connector)
        .where(connector_settings.c.agency_id == report.agency_id)
        .order_by(connector_settings.c.connector)
    )
    for connector in configured.scalars().all() or [DEFAULT_CONNECTOR]:
        key = sha256(f"{connector}/{report.report_number}".encode()).hexdigest()
        posting_id = new_id(at_ms)
        await connection.execute(
            insert(postings).values(
                id=posting_id,
                agency_id=report.agency_id,
                report_id=report.id,
                connector=connector,
                idempotency_key=key,
                state="waiting",
                attempts=0,
                last_error="",
                receipt="",
                created_at_ms=at_ms,
                delivered_at_ms=None,
            )
        )
        payload = msgspec.to_builtins(Promise(connector, _message(report, key)))
        await outbox.add(connection, report.agency_id, TOPIC, payload, at_ms, message_id=posting_id)


def _message(report: ReportToPost, idempotency_key: str) -> ScoreReportMessage:
    return ScoreReportMessage(
        report_id=report.id,
        report_number=report.report_number,
        verification_code=report.verification_code,
        agency_id=report.agency_id,
        person_id=report.person_id,
        person_nip=report.person_nip,
        is_simulated=report.is_simulated,
        package_hash=report.package_hash,
        sitting_chain=report.sitting_chain,
        scores=tuple(
            PostedScore(
                section_id=score.section_id,
                aspect=score.aspect,
                scale_score=score.scale_score,
                scale_error=score.scale_error or "",
                level=score.level or 0,
                passed=score.passed,
            )
            for score in report.sections
            if score.scale_score is not None and score.items  # what was never answered was not measured
        ),
        measured_at_ms=report.measured_at_ms,
        released_at_ms=report.released_at_ms,
        expires_at_ms=report.expires_at_ms,
        idempotency_key=idempotency_key,
    )


class PostingHandler:
    """The outbox's handler of the topic `talent.post`."""

    def __init__(self, context: DeliveryContext, connectors: Mapping[str, Connector] | None = None) -> None:
        self._context = context
        self._storage: Storage = context.storage
        self._connectors = installed_connectors() if connectors is None else connectors

    async def handle(self, message: Message) -> None:
        """Deliver, then write down the receipt. A crash between the two is mended by the idempotency key."""
        work = msgspec.convert(message.payload, Promise)
        async with self._storage.reading() as connection:
            state = await connection.scalar(select(postings.c.state).where(postings.c.id == message.id))
            if state == "delivered":
                return
            settings = await self._settings(connection, message.agency_id, work.connector)
        receipt = await self._connectors[work.connector].deliver(work.report, settings, self._context)
        async with self._storage.transaction() as connection:
            await self._record(connection, message, work, receipt)

    async def _settings(self, connection: AsyncConnection, agency_id: str, name: str) -> msgspec.Struct:
        """As they are now, not as they were when promised: a corrected address serves the next try."""
        if name not in self._connectors:
            raise PermanentError("connector_not_installed")
        text = await connection.scalar(
            select(connector_settings.c.settings).where(
                connector_settings.c.agency_id == agency_id, connector_settings.c.connector == name
            )
        )
        if text is None and name != DEFAULT_CONNECTOR:
            raise PermanentError("connector_not_configured")
        try:
            return msgspec.json.decode(text or "{}", type=self._connectors[name].settings_type)
        except msgspec.DecodeError as error:
            raise PermanentError("connector_settings_invalid") from error

    async def _record(
        self, connection: AsyncConnection, message: Message, work: Promise, receipt: Receipt
    ) -> None:
        now_ms = self._context.clock.now_ms()
        result = await connection.execute(
            update(postings)
            .where(postings.c.id == message.id, postings.c.state != "delivered")
            .values(
                state="delivered",
                attempts=postings.c.attempts + 1,
                last_error="",
                receipt=rfc8785.dumps(msgspec.to_builtins(receipt)).decode(),
                delivered_at_ms=now_ms,
            )
        )
        if result.rowcount == 1:
            await ledger.append(
                connection,
                system_actor("outbox", message.agency_id),
                action="posting.delivered",
                subject=f"posting:{message.id}",
                at_ms=now_ms,
                detail={"connector": work.connector, "receipt_id": receipt.receipt_id},
            )

    async def failed(
        self, connection: AsyncConnection, message: Message, reason: str, *, is_dead: bool, at_ms: int
    ) -> None:
        """Show the try, and the death, on the posting. A posting that was delivered after all stays so."""
        result = await connection.execute(
            update(postings)
            .where(postings.c.id == message.id, postings.c.state == "waiting")
            .values(
                state="dead" if is_dead else "waiting",
                attempts=postings.c.attempts + 1,
                last_error=reason,
            )
        )
        if is_dead and result.rowcount == 1:
            await ledger.append(
                connection,
                system_actor("outbox", message.agency_id),
                action="posting.dead",
                subject=f"posting:{message.id}",
                at_ms=at_ms,
                detail={"reason": reason},
            )


async def list_postings(
    connection: AsyncConnection,
    actor: Actor,
    *,
    state: str | None = None,
    report_id: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[Posting, ...]:
    """The agency's postings, newest first; `state="dead"` is the list somebody must look at."""
    actor.require(Permission.POSTING_MANAGE)
    query = _of_agency(actor).order_by(postings.c.created_at_ms.desc(), postings.c.id)
    if state is not None:
        query = query.where(postings.c.state == state)
    if report_id is not None:
        query = query.where(postings.c.report_id == report_id)
    rows = (await connection.execute(query.limit(limit).offset(offset))).mappings()
    return tuple(
        Posting(
            **{name: row[name] for name in Posting.__struct_fields__ if name != "receipt"},
            receipt=msgspec.json.decode(row["receipt"], type=Receipt) if row["receipt"] else None,
        )
        for row in rows
    )


async def retry(storage: Storage, actor: Actor, posting_id: str, at_ms: int) -> None:
    """Give a dead posting all its tries again, on record."""
    actor.require(Permission.POSTING_MANAGE)
    async with storage.transaction() as connection:
        row = (await connection.execute(_of_agency(actor).where(postings.c.id == posting_id))).first()
        if row is None:
            raise Refused(Refusal.NOT_FOUND)
        result = await connection.execute(
            update(postings)
            .where(postings.c.id == posting_id, postings.c.state == "dead")
            .values(state="waiting")
        )
        if result.rowcount != 1 or not await outbox.requeue(connection, posting_id, at_ms):
            raise Refused(Refusal.POSTING_NOT_DEAD, state=row.state)
        await ledger.append(
            connection, actor, action="posting.retried", subject=f"posting:{posting_id}", at_ms=at_ms
        )


def _of_agency(actor: Actor) -> Select[tuple[object, ...]]:
    return select(postings).where(postings.c.agency_id == actor.agency_id)
