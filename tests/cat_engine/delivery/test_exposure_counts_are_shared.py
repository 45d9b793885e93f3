"""Counts of exposure: shared by servers through Redis, lost without harm, and never in an answer's way."""

from __future__ import annotations

import asyncio
import math
import random
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import numpy as np
import pytest
from sqlalchemy import update

from cat_engine.core import events as e
from cat_engine.core.exposure_counts import Counts, controls
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import RuleChoice, TestPackage
from cat_engine.delivery import exposure as live
from cat_engine.delivery.exposure import LiveExposure
from cat_engine.delivery.tables import sitting_log
from cat_engine.integrity.replay import replay
from tests.cat_engine import small_packages as small
from tests.cat_engine.exam_room import ExamRoom, Process, candidate, exam_room, process, statements
from tests.cat_engine.recorded_sittings import chain_of
from tests.services.redis import Redis

ITEMS, LENGTH = 30, 5
CANDIDATES = 12


def counted_package(**settings: Any) -> TestPackage:
    rng = random.Random(2)
    items = [small.choice_item(number, rng, area="a") for number in range(ITEMS)]
    section = msgspec.structs.replace(
        small.adaptive_section("s", items, stopping=(RuleChoice("fixed_length", {"items": LENGTH}),)),
        eligibility=RuleChoice("item_eligibility", settings),
        exposure=RuleChoice("best"),
    )
    return small.package_of(items, [section])


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[ExamRoom]:
    async with exam_room(database_url, candidates=CANDIDATES, package=counted_package()) as opened:
        yield opened


async def answer(room: ExamRoom, server: Process, number: int, count: int = LENGTH) -> None:
    for position in range(1, count + 1):
        await server.sittings.respond(
            await room.ref(number), candidate(number), position, f"o{1 + position % 5}"
        )


async def sit(room: ExamRoom, server: Process, number: int, count: int = LENGTH) -> None:
    """A sitting whose beginning and answers this server takes."""
    await room.arrive(number)
    await server.sittings.begin(await room.ref(number), candidate(number))
    await answer(room, server, number, count)


async def counts(room: ExamRoom, server: Process) -> Counts:
    """What a sitting that begins now would read the numbers of."""
    installed = await server.packages.get(room.package_id)
    exposure = server.sittings.exposure
    await exposure.flush()
    held = exposure._of(room.package_id, installed.compiled)[0]
    return held.control.counts(await exposure._cells(held))


async def by_hand(room: ExamRoom, numbers: range) -> dict[str, int]:
    """How often each item was shown, out of the logs."""
    shown: dict[str, int] = {}
    for number in numbers:
        for entry in await room.log(number):
            for event in entry.events:
                if isinstance(event, e.ItemPresented):
                    shown[event.item_id] = shown.get(event.item_id, 0) + 1
    return shown


async def assert_counts(room: ExamRoom, server: Process, *, begun: int, ended: int) -> None:
    found = await counts(room, server)
    installed = await server.packages.get(room.package_id)
    pool = installed.compiled.sections[0].pool
    shown = await by_hand(room, range(begun))
    assert found.begun == begun
    assert {pool.items[i].item_id: int(found.seen[i]) for i in np.flatnonzero(found.seen)} == shown
    assert found.visited.tolist() == [ended]
    assert found.administered.sum() == ended * LENGTH


# ---------------------------------------------------------------------------------------------- counting


async def test_one_process_counts_what_it_commits_and_reads_it(room: ExamRoom) -> None:
    for number in range(3):
        await sit(room, room.server, number)
    await sit(room, room.server, 3, count=2)
    await assert_counts(room, room.server, begun=4, ended=3)
    reads = [
        event for entry in await room.log(3) for event in entry.events if isinstance(event, e.ExposureRead)
    ]
    assert len(reads) == 1
    assert (np.frombuffer(reads[0].probabilities[0], dtype="<u2") < 10_000).any()


async def test_a_sitting_with_an_exposure_replays(room: ExamRoom) -> None:
    for number in range(3):
        await sit(room, room.server, number)
    installed = await room.server.packages.get(room.package_id)
    live_sitting = await room.sittings.load(await room.ref(2))
    entries = tuple(await room.log(2))
    assert chain_of(entries)[-1] == live_sitting.chain
    package_file = freeze(counted_package())
    assert package_file.content_hash == installed.compiled.content_hash
    assert replay(package_file, package_file.content_hash, entries, chain_of(entries)) is None


async def test_a_process_that_starts_later_makes_the_counts_again_from_the_logs(room: ExamRoom) -> None:
    for number in range(4):
        await sit(room, room.server, number)
    await sit(room, room.server, 4, count=3)
    before = await counts(room, room.server)
    async with process(room.url, room.clock) as other:
        await assert_counts(room, other, begun=5, ended=4)
        after = await counts(room, other)
    assert np.array_equal(before.eligible, after.eligible)
    assert np.array_equal(before.administered, after.administered)


async def test_a_damaged_log_keeps_nobody_from_beginning(room: ExamRoom) -> None:
    await sit(room, room.server, 0)
    await sit(room, room.server, 1)
    async with room.storage.transaction() as connection:
        await connection.execute(
            update(sitting_log).where(sitting_log.c.sitting_id == room.sitting_ids[0]).values(events="[{}]")
        )
    async with process(room.url, room.clock) as other:
        await sit(room, other, 2)
        found = await counts(room, other)
        assert found.begun == 2


# ------------------------------------------------------------------------------------------------- Redis


async def test_processes_share_their_counts(room: ExamRoom, redis_url: str) -> None:
    async with (
        process(room.url, room.clock, redis_url) as one,
        process(room.url, room.clock, redis_url) as other,
    ):
        for number in range(6):
            await sit(room, (one, other)[number % 2], number)
            await (one, other)[number % 2].sittings.exposure.flush()
        await assert_counts(room, one, begun=6, ended=6)
        await assert_counts(room, other, begun=6, ended=6)


async def test_counts_that_redis_forgot_are_made_again(
    room: ExamRoom, redis_server: Redis, redis_url: str
) -> None:
    async with process(room.url, room.clock, redis_url) as server:
        for number in range(3):
            await sit(room, server, number)
        redis_server.empty()
        await sit(room, server, 3)
        await assert_counts(room, server, begun=4, ended=4)


async def test_a_dead_redis_keeps_nobody_from_beginning_and_is_told_later(
    room: ExamRoom, own_redis_server: Redis
) -> None:
    async with process(room.url, room.clock, own_redis_server.url) as server:
        await sit(room, server, 0)
        own_redis_server.kill()
        await sit(room, server, 1)
        await sit(room, server, 2)
        found = await counts(room, server)
        assert found.begun == 3
        own_redis_server.restart()
        await sit(room, server, 3)
        await assert_counts(room, server, begun=4, ended=4)
        await asyncio.sleep(live.RETRY_AFTER_S)
        await assert_counts(room, server, begun=4, ended=4)
        assert own_redis_server.ask("DBSIZE") == ":1", "what Redis had missed it was told"


async def test_counts_that_redis_kept_but_missed_some_of_are_made_again(
    room: ExamRoom, own_redis_server: Redis
) -> None:
    """Redis did not answer for a while and comes back with what it had."""
    async with process(room.url, room.clock, own_redis_server.url) as server:
        await sit(room, server, 0)
        await assert_counts(room, server, begun=1, ended=1)
        for number in (1, 2):
            await room.arrive(number)
        assert own_redis_server.ask("CLIENT PAUSE 1500") == "+OK"
        await server.sittings.begin(await room.ref(1), candidate(1))
        await answer(room, server, 1)
        await server.sittings.exposure.flush()
        await asyncio.sleep(live.RETRY_AFTER_S)
        await server.sittings.begin(await room.ref(2), candidate(2))
        await answer(room, server, 2)
        await assert_counts(room, server, begun=3, ended=3)


async def test_many_servers_add_at_once_and_nothing_is_lost(room: ExamRoom, redis_url: str) -> None:
    for number in range(CANDIDATES):
        await room.arrive(number)
    async with (
        process(room.url, room.clock, redis_url) as one,
        process(room.url, room.clock, redis_url) as two,
        process(room.url, room.clock, redis_url) as three,
    ):
        servers = (one, two, three)
        for server in servers:
            await counts(room, server)

        async def whole(number: int) -> None:
            server = servers[number % 3]
            await server.sittings.begin(await room.ref(number), candidate(number))
            await answer(room, server, number)

        await asyncio.gather(*(whole(number) for number in range(CANDIDATES)))
        for server in servers:
            await server.sittings.exposure.flush()
        await assert_counts(room, two, begun=CANDIDATES, ended=CANDIDATES)


@pytest.mark.parametrize("shared", [True, False])
async def test_old_sittings_fade_in_every_place(sqlite_url: str, redis_url: str, shared: bool) -> None:
    """A memory of 100 sittings fades in steps of 5: the same by Redis, in memory, and out of the logs."""
    package = counted_package(memory_sittings=100)
    async with exam_room(sqlite_url, candidates=CANDIDATES, package=package) as room:
        async with process(room.url, room.clock, redis_url if shared else None) as server:
            for number in range(CANDIDATES):
                await sit(room, server, number)
                await server.sittings.exposure.flush()
            found = await counts(room, server)
        async with process(room.url, room.clock) as other:
            again = await counts(room, other)
        # twelve began; what the first five and the next five counted is kept at 0.99 ** 5 for each step
        kept = (1 - 1 / 100) ** 5
        assert found.begun == pytest.approx(5 * kept**2 + 5 * kept + 2, abs=0.01)
        assert again.begun == pytest.approx(found.begun, abs=0.01)
        # a sitting under way when the others fade is counted before or after it: a step of 5 percent, twice
        assert again.seen == pytest.approx(found.seen, abs=0.25)
        assert found.seen.sum() < 0.96 * CANDIDATES * LENGTH


# ------------------------------------------------------------------------------------------- an answer's way


async def test_an_answer_costs_no_statement_more_and_does_not_wait_for_redis(
    room: ExamRoom, own_redis_server: Redis
) -> None:
    async with process(room.url, room.clock, own_redis_server.url) as server:
        await room.arrive(0)
        await server.sittings.begin(await room.ref(0), candidate(0))
        own_redis_server.kill()
        for position in range(1, LENGTH + 1):
            ref = await room.ref(0)
            with statements(server.storage) as seen:
                started = asyncio.get_running_loop().time()
                await server.sittings.respond(ref, candidate(0), position, "o1")
                assert asyncio.get_running_loop().time() - started < live.SOCKET_TIMEOUT_S / 2
            assert [statement.split()[0] for statement in seen] == ["INSERT"]


async def test_an_entry_that_cannot_be_counted_is_durable_all_the_same(
    room: ExamRoom, caplog: pytest.LogCaptureFixture
) -> None:
    await sit(room, room.server, 0, count=1)
    held = room.sittings.exposure._sections[room.package_id][0]
    held.pending = held.pending[:3]
    await room.sittings.respond(await room.ref(0), candidate(0), 2, "o1")
    assert (await room.stored(0)).answered == 2
    assert "is not counted" in caplog.text
    held.pending = np.zeros(held.control.cells, dtype=np.int64)


async def test_a_package_that_counts_nothing_reads_nothing(database_url: str) -> None:
    async with exam_room(database_url) as room:
        installed = await room.server.packages.get(room.package_id)
        with statements(room.storage) as seen:
            assert await room.sittings.exposure.read(room.package_id, installed.compiled) == ()
        assert seen == []
        assert controls(installed.compiled) == ()


async def test_going_on_reads_nothing_again(room: ExamRoom) -> None:
    await sit(room, room.server, 0, count=1)
    await room.act("pause", 0, reason="candidate.toilet")
    await room.act("resume", 0)
    await room.go_on(0)
    kinds = [type(event) for entry in await room.log(0) for event in entry.events]
    assert kinds.count(e.ExposureRead) == 1


async def test_what_was_noted_is_told_a_moment_later_by_itself(room: ExamRoom, redis_url: str) -> None:
    async with process(room.url, room.clock, redis_url) as server:
        await sit(room, server, 0)
        await asyncio.sleep(2 * live.FLUSH_AFTER_S)
        reader = LiveExposure(room.storage, redis_url)
        installed = await room.server.packages.get(room.package_id)
        held = reader._of(room.package_id, installed.compiled)[0]
        assert held.control.counts(await reader._cells(held)).visited.tolist() == [1.0]
        await reader.close()


# --------------------------------------------------------------------------------------------- many processes


def test_the_limit_holds_over_processes_that_run_at_once() -> None:
    """Four processes, a hundred sittings each, one Redis; the benchmark runs it with eight and 2,000."""
    command = [sys.executable, "-m", "benchmarks.exposure_control", "--processes", "4", "--sittings", "400"]
    output = subprocess.run([*command, "--pool", "150", "--length", "15"], check=True, capture_output=True)
    found = msgspec.json.decode(output.stdout)
    error = math.sqrt(0.25 * 0.75 / 400)
    assert found["uncontrolled"]["highest_rate"] > 0.9
    assert found["controlled"]["highest_rate"] < 0.25 + 4 / 400 + 1.5 * error
    assert found["controlled"]["overlap"] < found["uncontrolled"]["overlap"] * 0.75
    assert found["controlled"]["unused_share"] < found["uncontrolled"]["unused_share"] * 0.6
    assert found["rmse_loss"] < 0.2
