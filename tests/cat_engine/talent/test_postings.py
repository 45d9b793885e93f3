"""From the promise to the receipt, against a record system that misbehaves: nothing lost, nothing doubled."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import insert, select, update

from cat_engine.foundation import ledger
from cat_engine.foundation.outbox import Dispatcher, RetryPlan
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.storage import Storage
from cat_engine.foundation.tables import ledger_entries, outbox_messages
from cat_engine.results.release import release
from cat_engine.talent import postings
from cat_engine.talent.connecting import (
    Connector,
    DeliveryContext,
    Destinations,
    Receipt,
    installed_connectors,
)
from cat_engine.talent.postings import TOPIC, PostingHandler, list_postings, promise, retry
from cat_engine.talent.tables import connector_settings, talent_entries
from tests.cat_engine.results.rows import (
    AGENCY,
    CHAIR,
    STRANGER,
    T0,
    TALENT_MANAGER,
    HandClock,
    LogReleaser,
    add_sitting,
    open_storage,
)
from tests.cat_engine.talent.record_server import RecordServer, running

FIRST = "CE/KAB-CONTOH/2026/000001"
PLAN = RetryPlan(base_ms=1000, limit_ms=8_000, max_attempts=12, lease_ms=60_000)


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[Storage]:
    async with open_storage(database_url) as opened:
        yield opened


@pytest.fixture
async def record_system(tmp_path: Path) -> AsyncIterator[RecordServer]:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "posting.pem").write_bytes(pem)
    async with running(RecordServer(key)) as server:
        yield server


class Desk:
    """Release, dispatcher and clock around one storage."""

    def __init__(self, storage: Storage, secrets: Path, port: int) -> None:
        self.storage, self.clock = storage, HandClock()
        self.context = DeliveryContext(
            storage,
            self.clock,
            Destinations(frozenset({f"http://127.0.0.1:{port}"}), allow_private=True),
            secrets,
        )
        self.dispatcher = Dispatcher(storage, self.clock, {TOPIC: PostingHandler(self.context)}, plan=PLAN)
        self.port = port

    async def configure(self, *connectors: str, **more: Any) -> None:
        """Settings of the agency: what is not the signed HTTP connector has none."""
        http = {
            "url": f"http://127.0.0.1:{self.port}/scores",
            "signing_key_file": "posting.pem",
            "time_limit_s": 3.0,  # a busy machine takes half a second to make a client
            **more,
        }
        async with self.storage.transaction() as connection:
            for name in connectors:
                await connection.execute(
                    insert(connector_settings).values(
                        agency_id=AGENCY,
                        connector=name,
                        settings=msgspec.json.encode(http if name == "signed_http" else {}).decode(),
                    )
                )

    async def reconfigure(self, **settings: Any) -> None:
        async with self.storage.transaction() as connection:
            await connection.execute(
                update(connector_settings).values(settings=msgspec.json.encode(settings).decode())
            )

    async def release(self, *sitting_ids: str) -> None:
        async with self.storage.transaction() as connection:
            for sitting_id in sitting_ids:
                await add_sitting(connection, sitting_id)
        await release(self.storage, LogReleaser(), promise, CHAIR, sitting_ids, T0)

    async def settle(self) -> list[int]:
        """Run until nothing waits any more; how long each wait was."""
        waits: list[int] = []
        for _ in range(200):
            while await self.dispatcher.run_once():
                pass
            async with self.storage.reading() as connection:
                message = outbox_messages.c
                due = await connection.scalar(
                    select(message.not_before_ms)
                    .where(message.state == "waiting")
                    .order_by(message.not_before_ms)
                    .limit(1)
                )
            if due is None:
                return waits
            waits.append(due - self.clock.at_ms)
            self.clock.at_ms = due
        raise AssertionError("it never settles")

    async def postings(self, **choice: Any) -> tuple[postings.Posting, ...]:
        async with self.storage.reading() as connection:
            return await list_postings(connection, TALENT_MANAGER, **choice)


@pytest.fixture
def desk(storage: Storage, record_system: RecordServer, tmp_path: Path) -> Desk:
    return Desk(storage, tmp_path, record_system.port)


async def entries_of(storage: Storage) -> list[Any]:
    async with storage.reading() as connection:
        return list(
            (await connection.execute(select(talent_entries).order_by(talent_entries.c.aspect))).all()
        )


async def test_an_agency_without_settings_posts_to_the_embedded_register(
    desk: Desk, storage: Storage
) -> None:
    await desk.release("s1")
    await desk.settle()
    (posting,) = await desk.postings()
    assert (posting.connector, posting.state, posting.attempts) == ("embedded_register", "delivered", 1)
    assert posting.receipt is not None
    assert posting.receipt.receipt_id == "register:CE/KAB-CONTOH/2026/000001"
    assert [
        (row.aspect, row.scale_score, row.standard_error, row.level) for row in await entries_of(storage)
    ] == [
        ("competency", "513", "21", 3),
        ("potential", "560", "25", 3),
    ]


async def test_what_is_signed_and_sent_is_the_released_report(
    desk: Desk, record_system: RecordServer
) -> None:
    await desk.configure("signed_http", "embedded_register")
    await desk.release("s1")
    await desk.settle()
    assert {(p.connector, p.state) for p in await desk.postings()} == {
        ("signed_http", "delivered"),
        ("embedded_register", "delivered"),
    }
    (request,) = record_system.requests
    assert request.headers["host"] == f"127.0.0.1:{desk.port}"
    assert request.path == "/scores"
    (record,) = record_system.records.values()
    assert record["report_number"] == "CE/KAB-CONTOH/2026/000001"
    assert record["is_simulated"] is True
    scores: Any = record["scores"]
    assert [score["scale_score"] for score in scores] == ["513", "560"]
    assert b"theta" not in request.body
    assert b"Nama" not in request.body


async def test_a_signature_does_not_fit_another_body(desk: Desk, record_system: RecordServer) -> None:
    await desk.configure("signed_http")
    await desk.release("s1")
    await desk.settle()
    (request,) = record_system.requests
    assert record_system.signature_is_valid(request)
    request.body = request.body.replace(b'"513"', b'"713"')
    assert not record_system.signature_is_valid(request)


TROUBLE = {
    "error": "status_500",
    "busy": "status_429",
    "busy_until": "status_503",
    "stored_then_hang": "time_limit",
    "stored_then_half": "connection: RemoteProtocolError",
    "stored_then_garbage": "receipt_unreadable",
    "not_http": "connection: RemoteProtocolError",
    "foreign_receipt": "receipt_unreadable",
    "trickle": "time_limit",
    "endless": "answer_too_long",
}


@pytest.mark.parametrize("behaviour", TROUBLE)
async def test_one_trouble_is_noted_put_off_and_survived(
    behaviour: str, desk: Desk, record_system: RecordServer
) -> None:
    record_system.script = [behaviour]
    await desk.configure("signed_http")
    await desk.release("s1")
    await desk.dispatcher.run_once()
    (posting,) = await desk.postings()
    assert (posting.state, posting.attempts, posting.last_error) == ("waiting", 1, TROUBLE[behaviour])
    (wait, *_) = await desk.settle()
    (posting,) = await desk.postings()
    assert (posting.state, posting.attempts, posting.last_error) == ("delivered", 2, "")
    assert posting.receipt is not None
    assert posting.receipt.was_repeated == behaviour.startswith("stored")
    assert record_system.reports() == [FIRST]
    expected = {"busy": (120_000, 120_000), "busy_until": (800_000, 800_000)}.get(behaviour, (500, 1000))
    assert expected[0] <= wait <= expected[1]


@pytest.mark.parametrize("behaviour", ["twice", "slow", "ok"])
async def test_odd_but_proper_answers_deliver_at_once(
    behaviour: str, desk: Desk, record_system: RecordServer
) -> None:
    record_system.script = [behaviour]
    await desk.configure("signed_http")
    await desk.release("s1", "s2")
    await desk.settle()
    assert [(p.state, p.attempts) for p in await desk.postings()] == [("delivered", 1)] * 2
    assert record_system.reports() == [FIRST, "CE/KAB-CONTOH/2026/000002"]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [("redirect", "status_307"), ("refuse", "status_422"), ("conflict", "status_409")],
)
async def test_a_refusal_is_dead_at_once_and_on_record(
    behaviour: str, reason: str, desk: Desk, storage: Storage, record_system: RecordServer
) -> None:
    record_system.script = [behaviour]
    await desk.configure("signed_http")
    await desk.release("s1")
    await desk.settle()
    (posting,) = await desk.postings(state="dead")
    assert (posting.attempts, posting.last_error, posting.receipt) == (1, reason, None)
    assert len(record_system.requests) == 1, "a redirect is not followed"
    async with storage.reading() as connection:
        actions = (await connection.execute(select(ledger_entries.c.action))).scalars().all()
        assert await ledger.first_break(connection) is None
    assert actions == ["result.released", "posting.dead"]


async def test_a_dead_posting_is_retried_with_the_corrected_settings(
    desk: Desk, storage: Storage, record_system: RecordServer
) -> None:
    await desk.configure("signed_http", signing_key_file="forgotten.pem")
    await desk.release("s1")
    await desk.settle()
    (posting,) = await desk.postings(state="dead")
    assert posting.last_error == "secret_file_unreadable"
    await desk.reconfigure(url=f"http://127.0.0.1:{desk.port}/scores", signing_key_file="posting.pem")
    await retry(storage, TALENT_MANAGER, posting.id, desk.clock.at_ms)
    await desk.settle()
    (posting,) = await desk.postings()
    assert (posting.state, posting.attempts) == ("delivered", 2)
    assert record_system.reports() == [FIRST]


async def test_only_dead_postings_of_one_s_own_agency_can_be_retried(desk: Desk, storage: Storage) -> None:
    await desk.release("s1")
    await desk.settle()
    (posting,) = await desk.postings()
    with pytest.raises(Refused) as refused:
        await retry(storage, TALENT_MANAGER, posting.id, T0)
    assert refused.value.code is Refusal.POSTING_NOT_DEAD
    with pytest.raises(Refused) as refused:
        await retry(storage, STRANGER, posting.id, T0)
    assert refused.value.code is Refusal.NOT_FOUND
    with pytest.raises(Refused) as refused:
        await retry(storage, CHAIR, posting.id, T0)
    assert refused.value.code is Refusal.NOT_ALLOWED
    async with storage.reading() as connection:
        assert await list_postings(connection, STRANGER) == ()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"signing_key_file": "../posting.pem"}, "secret_file_name_invalid"),
        ({"signing_key_file": "/etc/passwd"}, "secret_file_name_invalid"),
        ({"authority_file": "posting.pem"}, "authority_file_unusable"),
        ({"signing_key_file": "not-a-key.pem"}, "signing_key_unusable"),
        ({"url": "http://169.254.169.254/scores"}, "destination_not_listed"),
        ({"url": "nowhere"}, "destination_malformed"),
        ({"unknown_setting": 1}, "connector_settings_invalid"),
    ],
)
async def test_wrong_settings_are_never_tried_again(
    settings: dict[str, Any], reason: str, desk: Desk, record_system: RecordServer, tmp_path: Path
) -> None:
    (tmp_path / "not-a-key.pem").write_text("rahasia yang bukan kunci")
    await desk.configure("signed_http", **settings)
    await desk.release("s1")
    await desk.settle()
    (posting,) = await desk.postings()
    assert (posting.state, posting.last_error) == ("dead", reason)
    assert record_system.connections == 0


async def test_a_connector_that_is_not_installed_is_dead_at_once(desk: Desk) -> None:
    await desk.configure("carrier_pigeon")
    await desk.release("s1")
    await desk.settle()
    (posting,) = await desk.postings()
    assert (posting.state, posting.last_error) == ("dead", "connector_not_installed")


async def test_nobody_listening_is_waited_for(storage: Storage, desk: Desk, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed_port = listener.getsockname()[1]
    alone = Desk(storage, tmp_path, closed_port)
    await alone.configure("signed_http")
    await alone.release("s1")
    await alone.dispatcher.run_once()
    (posting,) = await alone.postings()
    assert (posting.state, posting.last_error) == ("waiting", "connection: ConnectError")


async def test_a_crash_between_delivery_and_receipt_enters_nothing_twice(
    storage: Storage, desk: Desk
) -> None:
    """The delivery happens, the process dies before it is written down: the next try finds its own key."""
    installed = installed_connectors()["embedded_register"]
    crashes = 2

    async def deliver_then_crash(report: Any, settings: Any, context: Any) -> Receipt:
        nonlocal crashes
        receipt = await installed.deliver(report, settings, context)
        if crashes:
            crashes -= 1
            raise ConnectionResetError("on purpose")
        return receipt

    crashing = Connector("embedded_register", installed.settings_type, deliver_then_crash)
    handler = PostingHandler(desk.context, {"embedded_register": crashing})
    desk.dispatcher = Dispatcher(storage, desk.clock, {TOPIC: handler}, plan=PLAN)
    await desk.release("s1")
    await desk.settle()
    assert len(await entries_of(storage)) == 2
    (posting,) = await desk.postings()
    assert (posting.state, posting.attempts) == ("delivered", 3)
    assert posting.receipt is not None
    assert posting.receipt.was_repeated


async def test_a_message_that_comes_again_after_delivery_calls_nobody(
    storage: Storage, desk: Desk, record_system: RecordServer
) -> None:
    await desk.configure("signed_http")
    await desk.release("s1")
    await desk.settle()
    async with storage.transaction() as connection:
        await connection.execute(update(outbox_messages).values(state="waiting"))
    await desk.settle()
    assert len(record_system.requests) == 1
    (posting,) = await desk.postings()
    assert (posting.state, posting.attempts) == ("delivered", 1)


async def test_a_long_bad_day_loses_and_doubles_nothing(
    desk: Desk, storage: Storage, record_system: RecordServer
) -> None:
    """Ten reports, and nearly every kind of trouble in a row, on two connectors."""
    record_system.script = [name for name in TROUBLE if name not in {"trickle", "stored_then_hang"}] * 3
    await desk.configure("signed_http", "embedded_register")
    await desk.release(*(f"s{n}" for n in range(10)))
    await desk.settle()
    assert {p.state for p in await desk.postings()} == {"delivered"}
    assert len(await desk.postings()) == 20
    assert record_system.reports() == [f"CE/KAB-CONTOH/2026/{n:06d}" for n in range(1, 11)]
    assert len(await entries_of(storage)) == 20


async def test_the_same_report_cannot_be_promised_twice(desk: Desk, storage: Storage) -> None:
    await desk.release("s1")
    (posting,) = await desk.postings()
    report = SimpleNamespace(
        id=posting.report_id,
        agency_id=AGENCY,
        report_number="CE/KAB-CONTOH/2026/000001",
        verification_code="",
        person_id="person-s1",
        person_nip=None,
        is_simulated=True,
        package_hash="",
        sitting_chain="",
        sections=(),
        measured_at_ms=T0,
        released_at_ms=T0,
        expires_at_ms=T0,
    )

    async def again() -> None:
        async with storage.transaction() as connection:
            await promise(connection, report, T0)

    with pytest.raises(Exception, match=r"(?i)unique"):
        await again()
    await desk.settle()
    assert len(await desk.postings()) == 1
