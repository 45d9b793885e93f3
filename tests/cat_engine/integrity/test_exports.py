"""What leaves the database replays outside it: the file of a sitting, and the file of its package."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from cat_engine.core.tables import verify
from cat_engine.core.test_package import decode_file
from cat_engine.core.transitions import Status
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.integrity.exports import decode_sitting, export_package, export_sitting
from cat_engine.integrity.replay import replay_sitting
from tests.cat_engine.exam_room import ExamRoom, candidate, exam_room

ROOT = Path(__file__).parents[3]


@pytest.fixture
async def room(database_url: str) -> AsyncIterator[ExamRoom]:
    async with exam_room(database_url, candidates=1) as opened:
        yield opened


async def run_to_the_end(room: ExamRoom) -> None:
    """Every section answered, with a pause and added minutes on the way."""
    state = await room.begin()
    while state.section_index < 2:
        room.clock.at_ms += 31_000
        position = len(state.presentations)
        option = f"o{1 + position % 5}"
        state = (await room.sittings.respond(await room.ref(), candidate(), position, option)).state
        if position == 4:
            await room.act("pause", reason="technical.network")
            await room.act("extend", reason="technical.network", amount_ms=60_000)
            await room.act("resume")
            state = await room.go_on()
    room.clock.at_ms += 3_700_000
    assert await room.sittings.sweep_expired() == 1
    assert (await room.stored()).status is Status.SCORED


async def test_an_exported_sitting_replays_identically(room: ExamRoom) -> None:
    await run_to_the_end(room)
    async with room.storage.reading() as connection:
        sitting = decode_sitting(await export_sitting(connection, room.sitting_ids[0]))
        package_file = decode_file(await export_package(connection, room.package_id))
    assert verify(package_file) is None
    assert replay_sitting(package_file, sitting) is None
    assert list(sitting.entries) == await room.log()


async def test_neither_file_names_a_person(room: ExamRoom) -> None:
    await run_to_the_end(room)
    async with room.storage.reading() as connection:
        files = await export_sitting(connection, room.sitting_ids[0])
        files += await export_package(connection, room.package_id)
    for personal in (b"Peserta", b"P-0000", b"000000000000000000"):
        assert personal not in files.replace(b'"' + b"0" * 64 + b'"', b"")


async def test_a_file_of_another_format_is_not_read(room: ExamRoom) -> None:
    async with room.storage.reading() as connection:
        exported = await export_sitting(connection, room.sitting_ids[0])
    with pytest.raises(msgspec.ValidationError):
        decode_sitting(exported.replace(b"cat-engine/sitting/1", b"cat-engine/sitting/9"))


async def test_what_is_not_there_is_not_found(room: ExamRoom) -> None:
    async with room.storage.reading() as connection:
        for export in (export_sitting, export_package):
            with pytest.raises(Refused) as refused:
                await export(connection, "no-such-thing")
            assert refused.value.code is Refusal.NOT_FOUND


def test_a_replay_needs_no_database() -> None:
    """Somebody who trusts neither us nor our database runs it without either."""
    code = "import sys; import cat_engine.integrity.replay; print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
