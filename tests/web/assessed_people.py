"""A selection after its exam: people with finished, scored sittings, as the pages of results find them.

The sittings are the engine's own, answered by simulated candidates; the rows are those that delivery writes.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import httpx
import msgspec
from msgspec.structs import replace
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core import chain
from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage, compile_package
from cat_engine.core.simulation import simulate_sitting
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import LevelCut, PackageFile, RuleChoice, Scale, TestPackage
from cat_engine.delivery.exam_sessions import open_session
from cat_engine.delivery.journal import LogRow, insert_rows
from cat_engine.delivery.packages import ItemView, PackageStore, install
from cat_engine.delivery.tables import exam_sessions, roster_entries, sitting_log, sittings
from cat_engine.foundation.actors import Role
from cat_engine.foundation.storage import Storage
from cat_engine.foundation.tables import ledger_entries, people
from cat_engine.panel.tables import applications, posts, selections
from cat_engine.talent.tables import performance_ratings, postings
from tests.cat_engine.small_packages import (
    adaptive_section,
    choice_item,
    graded_item,
    linear_section,
    package_of,
)
from tests.web import staff_scene as scene
from tests.web.agency import PIN, SECRET_KEY, T0, Agency, add_agency
from tests.web.serving import Served
from web.accounts.pins import seal_pin
from web.background import make_dispatcher

HOUR_MS = 3_600_000
AFTER_MS = T0 + 6 * HOUR_MS
SCALE = Scale(
    name="200-800",
    slope=100,
    intercept=500,
    minimum=200,
    maximum=800,
    cuts=tuple(LevelCut(level=level, from_score=300 + 80 * (level - 1)) for level in range(1, 6)),
)
POLICY = {
    "cut_score": "480",
    "weights": {"potential": 40, "competency": 60},
    "tie_break": ["competency"],
    "places": 3,
    "names_open": "after_release",
    "is_example": True,
}
AREAS = (
    "manajerial.integritas",
    "manajerial.kerja_sama",
    "manajerial.komunikasi",
    "sosial_kultural.perekat_bangsa",
)
THETAS = (1.35, 1.1, 0.9, 0.85, 0.3, 0.1, -0.4, -1.2)
NAMES = (
    "Ni Luh Sekar Arumdati",
    "Bambang Prihatmoko",
    "Yosefina Tambunan",
    "Teuku Ilham Ramadhan",
    "Maria Goreti Watu",
    "Hendra Kusnadi",
    "Rukmini Halawa",
    "Agus Sedyowidodo",
)
UNITS = ("Dinas Perizinan", "Badan Kepegawaian", "Dinas Kesehatan")


@cache
def assessment_file() -> tuple[TestPackage, PackageFile]:
    """Potential and competencies on one reporting scale, and a short fixed form about regulations."""
    rng = random.Random(417)
    branches = ("numerik", "verbal", "logika")
    potential = [
        choice_item(number, rng, area=f"potensi.intelektual.{branches[number % 3]}") for number in range(36)
    ]
    graded = [graded_item(number, rng, model="GPCM", area=AREAS[number % 4]) for number in range(20)]
    knowledge = [choice_item(number, rng, area="pengetahuan.sistem_merit", prefix="K") for number in range(5)]
    titles = {
        "potential": {"id": "Kemampuan intelektual", "en": "Intellectual ability"},
        "competency": {
            "id": "Kompetensi manajerial dan sosial kultural",
            "en": "Managerial and social competencies",
        },
        "knowledge": {"id": "Pengetahuan peraturan", "en": "Knowledge of regulations"},
    }
    length = (RuleChoice("fixed_length", {"items": 14}),)
    sections = (
        replace(
            adaptive_section("potential", potential, stopping=length, scale=SCALE), title=titles["potential"]
        ),
        replace(
            adaptive_section("competency", graded, stopping=length, scale=SCALE),
            title=titles["competency"],
            aspect="competency",
        ),
        replace(linear_section("knowledge", knowledge), title=titles["knowledge"]),
    )
    package = replace(
        package_of([*potential, *graded, *knowledge], sections, code="ASSESSMENT", time_allowed_s=7200),
        title={"id": "Asesmen potensi dan kompetensi", "en": "Assessment of potential and competencies"},
    )
    return package, freeze(package)


@dataclass
class Assessed:
    """The agency, and by number of the person: sitting, person, blind code."""

    agency: Agency
    selection_id: str = ""
    post_id: str = ""
    session_id: str = ""
    sitting_ids: dict[int, str] = field(default_factory=dict)

    def person_id(self, number: int) -> str:
        return f"assessed-{self.agency.key}-{number}"

    def candidate_number(self, number: int) -> str:
        return f"ST-{self.agency.key.upper()}-{number:03d}"

    def blind_code(self, number: int) -> str:
        return f"{self.agency.key[:1].upper()}-{(number * 7919) % 9000 + 1000}"


async def add_assessed(storage: Storage, key: str, *, persons: int = 8, finished: int = 7) -> Assessed:
    """An examined selection: the first `finished` sittings are scored, the others not begun."""
    agency = await add_agency(storage, key, candidates=0, status="scheduled")
    found = Assessed(
        agency,
        selection_id=agency.ids["selection_id"],
        post_id=agency.ids["post_id"],
        session_id=f"assessment-{key}",
    )
    package, package_file = assessment_file()
    async with storage.transaction() as connection:
        await _add_session(connection, found, package)
        for number in range(1, persons + 1):
            await _add_person(connection, found, number)
    proctor = agency.actor(Role.PROCTOR)
    await open_session(storage, PackageStore(storage), proctor, found.session_id, T0)
    compiled = compile_package(package_file)
    async with storage.transaction() as connection:
        for number in range(1, persons + 1):
            found.sitting_ids[number] = (
                await connection.execute(
                    select(sittings.c.id).where(sittings.c.roster_entry_id == f"roster-{key}-{number}")
                )
            ).scalar_one()
            if number <= finished:
                await _finish(
                    connection, compiled, found.sitting_ids[number], THETAS[(number - 1) % 8], str(number)
                )
    return found


async def _add_session(connection: AsyncConnection, found: Assessed, package: TestPackage) -> None:
    agency = found.agency
    views = {
        (item.item_id, language): ItemView(
            stem=f"<p>{item.code}</p>", options=tuple(f"Pilihan {n}" for n in range(len(item.option_points)))
        )
        for item in package.items
        for language in ("id", "en")
    }
    package_id, _ = await install(connection, agency.id, package, views, at_ms=T0)
    await connection.execute(
        update(selections)
        .where(selections.c.id == found.selection_id)
        .values(title="Seleksi terbuka pimpinan tinggi pratama", policy=msgspec.json.encode(POLICY).decode())
    )
    await connection.execute(
        update(posts)
        .where(posts.c.id == found.post_id)
        .values(title="Kepala Dinas Perizinan", unit="Dinas Perizinan", required_level=3)
    )
    pledge = {"version": "1", "rules": [], "pledge": ["Saya berjanji."]}
    await connection.execute(
        insert(exam_sessions).values(
            id=found.session_id,
            agency_id=agency.id,
            room_id=agency.ids["room_id"],
            package_id=package_id,
            selection_id=found.selection_id,
            title="Seleksi kompetensi, ruang 1",
            starts_at_ms=T0,
            status="scheduled",
            pledge=msgspec.json.encode({"id": pledge, "en": pledge}).decode(),
        )
    )


async def _add_person(connection: AsyncConnection, found: Assessed, number: int) -> None:
    key, person_id = found.agency.key, found.person_id(number)
    entry_id = f"roster-{key}-{number}"
    await connection.execute(
        insert(people).values(
            id=person_id,
            agency_id=found.agency.id,
            nip=f"19790{number:03d}2005011{number:03d}",
            name=f"{NAMES[(number - 1) % 8]} {key}",
            post="Kepala Bidang",
            unit=UNITS[number % 3],
            rank="IV/a",
            is_simulated=True,
        )
    )
    await connection.execute(
        insert(roster_entries).values(
            id=entry_id,
            agency_id=found.agency.id,
            exam_session_id=found.session_id,
            person_id=person_id,
            candidate_number=found.candidate_number(number),
            pin_hash=seal_pin(SECRET_KEY, entry_id, PIN),
            seat_id=None,
            post_title="Kepala Dinas Perizinan",
            accommodation_s=0,
            accommodation_note="",
            failed_pin_attempts=0,
            pin_locked_until_ms=0,
        )
    )
    await connection.execute(
        insert(applications).values(
            id=f"application-{key}-{number}",
            post_id=found.post_id,
            person_id=person_id,
            blind_code=found.blind_code(number),
        )
    )
    if number != 2:
        await connection.execute(
            insert(performance_ratings).values(
                person_id=person_id, year=2022, value=55 + 6 * number, source="e-Kinerja 2022"
            )
        )


async def _finish(
    connection: AsyncConnection, compiled: CompiledPackage, sitting_id: str, theta: float, seed: str
) -> None:
    """Append what a simulated candidate does after the creation that is in the log already."""
    first = (
        await connection.execute(
            select(sitting_log.c.at_ms, sitting_log.c.chain, sitting_log.c.events).where(
                sitting_log.c.sitting_id == sitting_id
            )
        )
    ).one()
    created = msgspec.json.decode(first.events, type=tuple[e.AnyEvent, ...])[0]
    assert isinstance(created, e.Created)
    abilities = {part.section.section_id: theta for part in compiled.sections}
    head, rows = first.chain, []
    for progress in simulate_sitting(compiled, created, abilities, first.at_ms, seed)[1:]:
        head = chain.extend(head, progress.entry)
        rows.append(
            LogRow(
                sitting_id=sitting_id,
                revision=progress.entry.revision,
                at_ms=progress.entry.at_ms,
                actor=progress.entry.actor,
                events=msgspec.json.encode(progress.events, order="sorted").decode(),
                status=progress.state.status.value,
                answered=progress.state.answered,
                chain=head,
            )
        )
    assert len(await insert_rows(connection, rows)) == len(rows)


async def release_all(server: Served, found: Assessed, numbers: Sequence[int]) -> httpx.Response:
    """Release these people's results as the chair does: choose, confirm."""
    async with scene.signed_in_for(server, found.agency, Role.PANEL_CHAIR) as chair:
        token = scene.token_of((await chair.get("/results")).text)
        form = {"csrf_token": token, "sitting_id": [found.sitting_ids[number] for number in numbers]}
        asked = await chair.post("/results/confirm", data=form)
        assert asked.status_code == 200, asked.text
        return await chair.post("/results/release", data={**form, "confirm": "1"})


async def delivered(server: Served) -> None:
    """Every posting has arrived; the server's own dispatcher may have been first."""
    await make_dispatcher(scene.services(server)).run_once()
    for _ in range(200):
        async with server.storage.reading() as connection:
            waiting = select(func.count()).select_from(postings).where(postings.c.state == "waiting")
            if (await connection.execute(waiting)).scalar_one() == 0:
                return
        await asyncio.sleep(0.05)
    raise AssertionError("postings are still waiting")


async def ledger_entries_of(storage: Storage, action: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Actor, subject and detail of every entry of one action."""
    async with storage.reading() as connection:
        rows = await connection.execute(
            select(ledger_entries)
            .where(ledger_entries.c.action == action)
            .order_by(ledger_entries.c.sequence)
        )
        return [(row.actor, row.subject, msgspec.json.decode(row.detail)) for row in rows]
