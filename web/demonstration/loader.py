"""Loads the demonstration once: agency, accounts, bank, package, selection, rosters, finished sittings,
results.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core import chain
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.events import Created
from cat_engine.core.simulation import simulate_sitting
from cat_engine.delivery.journal import insert_rows
from cat_engine.delivery.packages import load as load_package
from cat_engine.delivery.sittings import log_row
from cat_engine.delivery.tables import exam_sessions, rooms, roster_entries, seats, sittings
from cat_engine.foundation.actors import Actor, Role
from cat_engine.foundation.identifiers import new_id
from cat_engine.foundation.tables import agencies, people
from cat_engine.panel.tables import applications, panel_members, posts, selections
from cat_engine.results.release import release
from cat_engine.talent.postings import promise
from cat_engine.talent.tables import performance_ratings
from item_bank.demonstration.bank import demonstration_items
from item_bank.packages import PackageDesign, publish
from item_bank.store import add_drafts
from web.accounts.pins import new_pin, seal_pin
from web.accounts.staff import new_password
from web.accounts.tables import account_roles, accounts
from web.demonstration.design import demonstration_design
from web.demonstration.people import DemonstrationPerson, demonstration_people
from web.demonstration.texts import demonstration_pledge
from web.services import Services

AGENCY_CODE = "KNL"
AGENCY_NAME = "Pemerintah Kabupaten Nusa Lestari (CONTOH)"
DAY_MS = 24 * 3600 * 1000
FINISHED = 28  # of the forty; the other twelve are waiting to be played
RELEASED = 20
ROOM_ROWS, ROOM_COLUMNS = 5, 8

STAFF: tuple[tuple[str, str, tuple[Role, ...]], ...] = (
    ("admin", "Administrator (contoh)", (Role.ADMINISTRATOR,)),
    ("pengawas", "Pengawas ruang (contoh)", (Role.PROCTOR,)),
    ("penulis", "Penulis soal (contoh)", (Role.ITEM_WRITER,)),
    ("penelaah", "Penelaah soal (contoh)", (Role.REVIEWER,)),
    ("psikometri", "Psikometrikawan (contoh)", (Role.PSYCHOMETRICIAN,)),
    ("ketua", "Ketua panitia seleksi (contoh)", (Role.PANEL_CHAIR,)),
    ("anggota", "Anggota panitia seleksi (contoh)", (Role.PANEL_MEMBER,)),
    ("auditor", "Auditor (contoh)", (Role.AUDITOR,)),
    ("talenta", "Manajer talenta (contoh)", (Role.TALENT_MANAGER,)),
)
"""User name, displayed name, roles."""

POLICY: Mapping[str, object] = {
    "cut_score": "470",
    "weights": {"potential": 40, "competency": 60},
    "tie_break": ["competency", "potential"],
    "places": 3,
    "names_open": "after_release",
    "is_example": True,
}
POSTS = (
    ("Kepala Dinas Komunikasi dan Informatika", "Dinas Komunikasi dan Informatika"),
    ("Kepala Badan Kepegawaian dan Pengembangan SDM", "Badan Kepegawaian dan Pengembangan SDM"),
)
"""Title and unit of the two vacancies."""


class SignIn(msgspec.Struct, frozen=True):
    """How one role or candidate of the demonstration signs in."""

    who: str
    name: str
    secret: str


class SignIns(msgspec.Struct, frozen=True):
    """What the command prints, and keeps in a file that only its owner can read."""

    staff: tuple[SignIn, ...]
    candidates: tuple[SignIn, ...]


@dataclass(frozen=True)
class _Place:
    """Where the demonstration's rows belong."""

    agency_id: str
    package_id: str
    selection_id: str
    post_ids: tuple[str, str]
    room_id: str
    seat_ids: tuple[str, ...]
    past_at_ms: int


async def is_loaded(services: Services) -> bool:
    """Whether the demonstration is in this database already."""
    async with services.storage.reading() as connection:
        found = await connection.scalar(select(agencies.c.id).where(agencies.c.code == AGENCY_CODE))
    return found is not None


async def load_demonstration(services: Services, design: PackageDesign | None = None) -> SignIns:
    """Load everything; all or nothing, but for the releases, which come after."""
    now_ms = services.clock.now_ms()
    agency_id = new_id(now_ms)
    passwords = [new_password() for _ in STAFF]
    hashes = [await services.passwords.hash(password) for password in passwords]
    async with services.storage.transaction() as connection:
        await _add_agency(connection, agency_id)
        actors = await _add_staff(connection, agency_id, hashes, now_ms)
        await add_drafts(
            connection, actors["penulis"], demonstration_items(), status="operational", at_ms=now_ms
        )
        package_id = await publish(
            connection, actors["psikometri"], design or demonstration_design(), at_ms=now_ms
        )
        place = await _add_selection(connection, agency_id, package_id, actors, now_ms)
        candidates = await _add_sessions(connection, services, place, now_ms)
    await _release_some(services, actors["ketua"], place.package_id, now_ms)
    return SignIns(
        staff=tuple(
            SignIn(username, name, password)
            for (username, name, _), password in zip(STAFF, passwords, strict=True)
        ),
        candidates=candidates,
    )


async def _add_agency(connection: AsyncConnection, agency_id: str) -> None:
    await connection.execute(
        insert(agencies).values(
            id=agency_id, code=AGENCY_CODE, name=AGENCY_NAME, zone="WIB", is_demonstration=True
        )
    )


async def _add_staff(
    connection: AsyncConnection, agency_id: str, hashes: list[str], now_ms: int
) -> dict[str, Actor]:
    actors = {}
    for (username, name, roles), password_hash in zip(STAFF, hashes, strict=True):
        account_id = new_id(now_ms)
        await connection.execute(
            insert(accounts).values(
                id=account_id,
                agency_id=agency_id,
                username=username,
                name=name,
                password_hash=password_hash,
                is_disabled=False,
                failed_attempts=0,
                locked_until_ms=0,
            )
        )
        await connection.execute(
            insert(account_roles), [{"account_id": account_id, "role": role.value} for role in roles]
        )
        actors[username] = Actor(account_id, agency_id, name, frozenset(roles))
    return actors


async def _add_selection(
    connection: AsyncConnection, agency_id: str, package_id: str, actors: dict[str, Actor], now_ms: int
) -> _Place:
    selection_id, room_id = new_id(now_ms), new_id(now_ms)
    post_ids = (new_id(now_ms), new_id(now_ms))
    await connection.execute(
        insert(selections).values(
            id=selection_id,
            agency_id=agency_id,
            title="Seleksi terbuka JPT Pratama 2026 (CONTOH)",
            year=2026,
            policy=msgspec.json.encode(POLICY).decode(),
        )
    )
    await connection.execute(
        insert(posts),
        [
            {"id": post_id, "selection_id": selection_id, "title": title, "unit": unit, "required_level": 4}
            for post_id, (title, unit) in zip(post_ids, POSTS, strict=True)
        ],
    )
    await connection.execute(
        insert(panel_members),
        [
            {"selection_id": selection_id, "account_id": actors[who].subject_id, "statement_at_ms": signed}
            for who, signed in (("ketua", now_ms), ("anggota", None))
        ],
    )
    seat_ids = await _add_room(connection, agency_id, room_id, now_ms)
    return _Place(agency_id, package_id, selection_id, post_ids, room_id, seat_ids, now_ms - DAY_MS)


async def _add_room(
    connection: AsyncConnection, agency_id: str, room_id: str, now_ms: int
) -> tuple[str, ...]:
    await connection.execute(
        insert(rooms).values(
            id=room_id, agency_id=agency_id, name="Ruang CAT 1", building="Gedung BKPSDM, lantai 2"
        )
    )
    seat_rows = [
        {
            "id": new_id(now_ms),
            "room_id": room_id,
            "label": f"{'ABCDE'[row]}{column + 1}",
            "row": row,
            "column": column,
        }
        for row in range(ROOM_ROWS)
        for column in range(ROOM_COLUMNS)
    ]
    await connection.execute(insert(seats), seat_rows)
    return tuple(str(row["id"]) for row in seat_rows)


async def _add_sessions(
    connection: AsyncConnection, services: Services, place: _Place, now_ms: int
) -> tuple[SignIn, ...]:
    """A session of yesterday that everybody has finished, and one of today that nobody has begun."""
    past, today = new_id(now_ms), new_id(now_ms)
    for session_id, title, starts_at_ms, status in (
        (past, "Sesi 1 (CONTOH, peserta simulasi)", now_ms - DAY_MS, "closed"),
        (today, "Sesi 2 (CONTOH)", now_ms, "scheduled"),
    ):
        await connection.execute(
            insert(exam_sessions).values(
                id=session_id,
                agency_id=place.agency_id,
                room_id=place.room_id,
                package_id=place.package_id,
                selection_id=place.selection_id,
                title=title,
                starts_at_ms=starts_at_ms,
                status=status,
                pledge=msgspec.json.encode(demonstration_pledge()).decode(),
            )
        )
    compiled = (await load_package(connection, place.package_id)).compiled
    sign_ins = []
    for number, person in enumerate(demonstration_people()):
        simulated = number < FINISHED
        session_id = past if simulated else today
        entry_id, pin = await _add_candidate(connection, services, place, session_id, number, now_ms)
        if simulated:
            await _add_finished_sitting(connection, compiled, place, past, entry_id, person)
        else:
            sign_ins.append(SignIn(_candidate_number(number), person.name, pin))
    return tuple(sign_ins)


def _candidate_number(number: int) -> str:
    return f"ST-2026-{number + 1:04}"


async def _add_person(connection: AsyncConnection, place: _Place, number: int, now_ms: int) -> str:
    person, person_id = demonstration_people()[number], new_id(now_ms)
    await connection.execute(
        insert(people).values(
            id=person_id,
            agency_id=place.agency_id,
            nip=person.nip,
            name=person.name,
            post=person.post,
            unit=person.unit,
            rank=person.rank,
            is_simulated=True,
        )
    )
    await connection.execute(
        insert(performance_ratings).values(
            person_id=person_id, year=2025, value=person.performance, source="e-Kinerja (CONTOH)"
        )
    )
    await connection.execute(
        insert(applications).values(
            id=new_id(now_ms),
            post_id=place.post_ids[number % 2],
            person_id=person_id,
            blind_code=f"K{(number * 37 + 11) % 97:02}-{'ABCDEFGH'[number % 8]}{number:02}",
        )
    )
    return person_id


async def _add_candidate(
    connection: AsyncConnection,
    services: Services,
    place: _Place,
    session_id: str,
    number: int,
    now_ms: int,
) -> tuple[str, str]:
    person_id, entry_id, pin = await _add_person(connection, place, number, now_ms), new_id(now_ms), new_pin()
    post = number % 2
    seat = number if number < FINISHED else number - FINISHED
    await connection.execute(
        insert(roster_entries).values(
            id=entry_id,
            agency_id=place.agency_id,
            exam_session_id=session_id,
            person_id=person_id,
            candidate_number=_candidate_number(number),
            pin_hash=seal_pin(services.settings.secret_key, entry_id, pin),
            seat_id=place.seat_ids[seat],
            post_title="Kepala Dinas Kominfo" if post == 0 else "Kepala BKPSDM",
            accommodation_s=1350 if number == FINISHED + 2 else 0,
            accommodation_note="Tambahan waktu 30 % (pembaca layar)" if number == FINISHED + 2 else "",
            failed_pin_attempts=0,
            pin_locked_until_ms=0,
        )
    )
    return entry_id, pin


async def _add_finished_sitting(
    connection: AsyncConnection,
    compiled: CompiledPackage,
    place: _Place,
    session_id: str,
    entry_id: str,
    person: DemonstrationPerson,
) -> None:
    at_ms = place.past_at_ms
    sitting_id = new_id(at_ms)
    created = Created(
        sitting_id=sitting_id,
        package_hash=compiled.content_hash,
        seed=f"demonstration {person.nip}",
        time_allowed_ms=compiled.package.time_allowed_s * 1000,
        accommodation_ms=0,
        candidate=entry_id,
    )
    theta = {
        "potensi": person.ability,
        "kompetensi": 0.5 * person.ability + 0.8 * person.character,
        "pengetahuan": 0.6 * person.ability + 0.6,
    }
    progresses = simulate_sitting(compiled, created, theta, at_ms, responder_seed=person.nip)
    await connection.execute(
        insert(sittings).values(
            id=sitting_id,
            agency_id=place.agency_id,
            exam_session_id=session_id,
            roster_entry_id=entry_id,
            package_id=place.package_id,
            created_at_ms=at_ms,
            is_simulated=True,
        )
    )
    head, rows = chain.GENESIS, []
    for progress in progresses:
        head = chain.extend(head, progress.entry)
        rows.append(log_row(sitting_id, progress, head))
    await insert_rows(connection, rows)


async def _release_some(services: Services, chair: Actor, package_id: str, now_ms: int) -> None:
    async with services.storage.reading() as connection:
        found = await connection.execute(
            select(sittings.c.id)
            .where(sittings.c.package_id == package_id)
            .order_by(sittings.c.id)
            .limit(RELEASED)
        )
        sitting_ids = list(found.scalars())
    await release(services.storage, services.sittings, promise, chair, sitting_ids, now_ms)
