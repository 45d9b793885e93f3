"""Rows for tests of what happens after a sitting: one agency, its people, sittings with real log entries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any
from zlib import crc32

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core import chain
from cat_engine.core import events as e
from cat_engine.delivery.tables import (
    exam_sessions,
    rooms,
    roster_entries,
    sitting_log,
    sittings,
    test_packages,
)
from cat_engine.foundation.actors import Actor, Role
from cat_engine.foundation.storage import Storage, metadata
from cat_engine.foundation.tables import agencies, people

# foreign keys go across rooms: the metadata must know every table before it can create one
for owner in ("cat_engine.panel", "cat_engine.results", "cat_engine.talent", "item_bank", "web.accounts"):
    import_module(f"{owner}.tables")

T0 = 1_792_000_000_000  # 14 October 2026, 17:46 UTC; past midnight in every Indonesian zone
AGENCY = "agency-1"
OTHER_AGENCY = "agency-2"

CHAIR = Actor("chair", AGENCY, "Ketua", frozenset({Role.PANEL_CHAIR}))
MEMBER = Actor("member", AGENCY, "Anggota", frozenset({Role.PANEL_MEMBER}))
AUDITOR = Actor("auditor", AGENCY, "Auditor", frozenset({Role.AUDITOR}))
TALENT_MANAGER = Actor("talent", AGENCY, "Manajer", frozenset({Role.TALENT_MANAGER}))
PROCTOR = Actor("proctor", AGENCY, "Pengawas", frozenset({Role.PROCTOR}))
STRANGER = Actor("stranger", OTHER_AGENCY, "Orang lain", frozenset({Role.PANEL_CHAIR, Role.TALENT_MANAGER}))


@dataclass
class HandClock:
    """A clock moved by hand."""

    at_ms: int = T0

    def now_ms(self) -> int:
        return self.at_ms


@asynccontextmanager
async def open_storage(url: str) -> AsyncIterator[Storage]:
    """Every table, one agency and another one, a room, a package and an exam session."""
    storage = Storage(url)
    try:
        async with storage.transaction() as connection:
            await connection.run_sync(metadata.create_all)
            await _insert_floor(connection)
        yield storage
    finally:
        await storage.close()


async def _insert_floor(connection: AsyncConnection) -> None:
    for identity, code, zone in ((AGENCY, "KAB-CONTOH", "WIB"), (OTHER_AGENCY, "KOTA-LAIN", "WIT")):
        await connection.execute(
            insert(agencies).values(
                id=identity, code=code, name=f"Instansi {code}", zone=zone, is_demonstration=True
            )
        )
        await connection.execute(
            insert(rooms).values(id=f"room-{identity}", agency_id=identity, name="R1", building="Gedung A")
        )
        await connection.execute(
            insert(test_packages).values(
                id=f"package-{identity}",
                agency_id=identity,
                code="P",
                version=1,
                title="{}",
                content_hash="a" * 64,
                document="{}",
                published_at_ms=T0,
            )
        )
        await connection.execute(
            insert(exam_sessions).values(
                id=f"session-{identity}",
                agency_id=identity,
                room_id=f"room-{identity}",
                package_id=f"package-{identity}",
                selection_id=f"selection-{identity}",
                title="Sesi",
                starts_at_ms=T0,
                status="open",
                pledge="{}",
            )
        )


async def add_person(
    connection: AsyncConnection,
    person_id: str,
    *,
    agency: str = AGENCY,
    name: str = "",
    unit: str = "Dinas A",
) -> None:
    """One person of an agency."""
    await connection.execute(
        insert(people).values(
            id=person_id,
            agency_id=agency,
            nip=f"{crc32(person_id.encode()):018d}",
            name=name or f"Nama {person_id}",
            post="Analis",
            unit=unit,
            rank="III/d",
            is_simulated=True,
        )
    )


def scored(*sections: tuple[str, str, str], passed: bool | None = True) -> e.Scored:
    """A score of sections given as (aspect, scale score, scale error); an empty error makes a fixed form."""
    return e.Scored(
        completeness="complete",
        passed=passed,
        sections=tuple(
            e.SectionScore(
                section_id=f"section-{aspect}",
                mode="adaptive" if error else "linear",
                aspect=aspect,
                theta_millionths=131_072 if error else None,
                standard_error_millionths=210_000 if error else None,
                points=None if error else 17,
                points_maximum=None if error else 20,
                scale_score=score,
                scale_error=error,
                level=3,
                passed=passed,
                items=18,
                stop_reason="standard_error",
            )
            for aspect, score, error in sections
        ),
        areas=(
            e.AreaScore(
                section_id="section-competency",
                area="manajerial.integritas",
                points=17,
                points_maximum=20,
                items=4,
            ),
        ),
    )


DEFAULT_SCORE = scored(("competency", "513", "21"), ("potential", "560", "25"))


async def add_sitting(
    connection: AsyncConnection,
    sitting_id: str,
    *,
    score: e.Scored | None = DEFAULT_SCORE,
    agency: str = AGENCY,
    person_id: str | None = None,
    at_ms: int = T0,
) -> None:
    """A person's sitting with its log: begun, and scored when a score is given."""
    if person_id is None:
        person_id = f"person-{sitting_id}"
        await add_person(connection, person_id, agency=agency)
    await connection.execute(
        insert(roster_entries).values(
            id=f"entry-{sitting_id}",
            agency_id=agency,
            exam_session_id=f"session-{agency}",
            person_id=person_id,
            candidate_number=f"N-{sitting_id}",
            pin_hash="0" * 64,
            seat_id=None,
            post_title="Kepala Bidang",
            accommodation_s=0,
            accommodation_note="",
            failed_pin_attempts=0,
            pin_locked_until_ms=0,
        )
    )
    await connection.execute(
        insert(sittings).values(
            id=sitting_id,
            agency_id=agency,
            exam_session_id=f"session-{agency}",
            roster_entry_id=f"entry-{sitting_id}",
            package_id=f"package-{agency}",
            created_at_ms=at_ms,
            is_simulated=True,
        )
    )
    await append(connection, sitting_id, (e.Begun(),), status="in_progress", actor="clock", at_ms=at_ms)
    if score is not None:
        await append(
            connection,
            sitting_id,
            (e.Completed(used_ms=1), score),
            status="scored",
            actor="clock",
            at_ms=at_ms + 60_000,
        )


async def append(
    connection: AsyncConnection,
    sitting_id: str,
    events: tuple[Any, ...],
    *,
    status: str,
    actor: str,
    at_ms: int,
) -> None:
    """One more entry of a sitting's log, chained to the one before."""
    newest = (
        await connection.execute(
            select(sitting_log.c.revision, sitting_log.c.chain)
            .where(sitting_log.c.sitting_id == sitting_id)
            .order_by(sitting_log.c.revision.desc())
            .limit(1)
        )
    ).first()
    revision, head = (newest.revision + 1, newest.chain) if newest else (1, chain.GENESIS)
    entry = e.Entry(revision=revision, at_ms=at_ms, actor=actor, events=events)
    await connection.execute(
        insert(sitting_log).values(
            sitting_id=sitting_id,
            revision=revision,
            at_ms=at_ms,
            actor=actor,
            events=msgspec.json.encode(events, order="sorted").decode(),
            status=status,
            answered=0,
            chain=chain.extend(head, entry),
        )
    )


class LogReleaser:
    """The sittings service as the release needs it: one more entry in the log, nothing else."""

    async def release(self, connection: AsyncConnection, sitting_id: str, actor: Actor, at_ms: int) -> None:
        await append(
            connection, sitting_id, (e.Released(),), status="released", actor=actor.label, at_ms=at_ms
        )
