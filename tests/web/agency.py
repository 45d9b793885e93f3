"""An agency with somebody in every role, an exam session, and one of everything that has an address."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

import httpx
from argon2 import PasswordHasher
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.delivery.exam_sessions import open_session
from cat_engine.delivery.packages import ItemView, PackageStore, install
from cat_engine.delivery.tables import exam_sessions, rooms, roster_entries, seats, sittings
from cat_engine.foundation.actors import Actor, Role
from cat_engine.foundation.storage import Storage
from cat_engine.foundation.tables import agencies, people
from cat_engine.panel.tables import panel_members, posts, selections
from cat_engine.results.documents import ReportDocument, Validity, document_text
from cat_engine.results.tables import score_reports
from cat_engine.talent.tables import postings
from item_bank.tables import items
from tests.cat_engine.small_packages import mixed_package
from web.accounts.pins import seal_pin
from web.accounts.staff import STAFF_ROLES
from web.accounts.tables import account_roles, accounts

T0 = 1_692_000_000_000  # Monday 14 August 2023, 15.00 in Jakarta
SECRET_KEY = b"a key that guards nothing but tests"
PASSWORD = "kata-sandi-untuk-uji"
PIN = "0123456789"
# cheap on purpose: these hashes guard nothing, and the application checks whatever costs a hash names
PASSWORD_HASH = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)


@dataclass
class HandClock:
    """A clock moved by hand."""

    at_ms: int = T0

    def now_ms(self) -> int:
        return self.at_ms


@dataclass
class Agency:
    """The identities of what an agency has."""

    key: str
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"agency-{self.key}"

    def username(self, role: Role) -> str:
        return f"{role.value}.{self.key}"

    def candidate_number(self, number: int) -> str:
        return f"CAT-{self.key.upper()}-{number:03d}"

    def actor(self, role: Role) -> Actor:
        return Actor(f"account-{self.key}-{role.value}", self.id, f"Nama {role.value}", frozenset({role}))


async def add_agency(storage: Storage, key: str, *, candidates: int = 2, status: str = "open") -> Agency:
    """Store an agency; every name carries the key, so that it shows where another agency must not see it."""
    agency = Agency(key)
    async with storage.transaction() as connection:
        await connection.execute(
            insert(agencies).values(
                id=agency.id, code=key, name=f"Instansi {key}", zone="WIB", is_demonstration=True
            )
        )
        package = mixed_package()
        views = {
            (item.item_id, "id"): ItemView(
                stem=f"<p>Pokok soal {key}</p>",
                options=tuple(f"Pilihan {number}" for number in range(len(item.option_points))),
            )
            for item in package.items
        }
        agency.ids["package_id"], _ = await install(connection, agency.id, package, views, at_ms=T0)
        await _add_staff(connection, agency)
        await _add_selection(connection, agency)
        await _add_session(connection, agency, candidates, "scheduled" if status == "open" else status)
    if status == "open":
        await open_session(
            storage, PackageStore(storage), agency.actor(Role.PROCTOR), agency.ids["exam_session_id"], T0
        )
        async with storage.transaction() as connection:
            await _add_result(connection, agency)
    return agency


async def _add_staff(connection: AsyncConnection, agency: Agency) -> None:
    for role in (*STAFF_ROLES, None):
        name = role.value if role else "spare"
        account_id = f"account-{agency.key}-{name}"
        await connection.execute(
            insert(accounts).values(
                id=account_id,
                agency_id=agency.id,
                username=f"{name}.{agency.key}",
                name=f"Nama {name} {agency.key}",
                password_hash=PASSWORD_HASH,
                is_disabled=False,
                failed_attempts=0,
                locked_until_ms=0,
            )
        )
        if role:
            await connection.execute(insert(account_roles).values(account_id=account_id, role=role.value))
    # with no role: tests change it without changing who may do what
    agency.ids["account_id"] = f"account-{agency.key}-spare"


async def _add_selection(connection: AsyncConnection, agency: Agency) -> None:
    agency.ids |= {
        "selection_id": f"selection-{agency.key}",
        "post_id": f"post-{agency.key}",
        "item_id": f"item-{agency.key}",
    }
    await connection.execute(
        insert(selections).values(
            id=agency.ids["selection_id"],
            agency_id=agency.id,
            title=f"Seleksi {agency.key}",
            year=2023,
            policy="{}",
        )
    )
    await connection.execute(
        insert(posts).values(
            id=agency.ids["post_id"],
            selection_id=agency.ids["selection_id"],
            title=f"Kepala Dinas {agency.key}",
            unit="Dinas",
            required_level=3,
        )
    )
    for role, signed_at_ms in ((Role.PANEL_CHAIR, T0), (Role.PANEL_MEMBER, None)):
        await connection.execute(
            insert(panel_members).values(
                selection_id=agency.ids["selection_id"],
                account_id=f"account-{agency.key}-{role.value}",
                statement_at_ms=signed_at_ms,
            )
        )
    await connection.execute(
        insert(items).values(
            id=agency.ids["item_id"],
            agency_id=agency.id,
            code=f"BUTIR-{agency.key}",
            family="analogy",
            competency="potensi.intelektual.verbal",
            indicator=f"Indikator {agency.key}",
            level=3,
            status="draft",
        )
    )


async def _add_session(connection: AsyncConnection, agency: Agency, candidates: int, status: str) -> None:
    room_id, session_id = f"room-{agency.key}", f"session-{agency.key}"
    agency.ids |= {"room_id": room_id, "exam_session_id": session_id}
    await connection.execute(
        insert(rooms).values(id=room_id, agency_id=agency.id, name=f"Ruang {agency.key}", building="Gedung A")
    )
    for number in range(1, 21):
        await connection.execute(
            insert(seats).values(
                id=f"seat-{agency.key}-{number}",
                room_id=room_id,
                label=f"A{number:02d}",
                row=1,
                column=number,
            )
        )
    words = {
        "version": "1",
        "rules": [{"heading": "Tata tertib", "sentences": ["Tertib."]}],
        "pledge": ["Saya berjanji."],
    }
    await connection.execute(
        insert(exam_sessions).values(
            id=session_id,
            agency_id=agency.id,
            room_id=room_id,
            package_id=agency.ids["package_id"],
            selection_id=agency.ids["selection_id"],
            title=f"Sesi {agency.key}",
            starts_at_ms=T0,
            status=status,
            pledge=json.dumps({"id": words, "en": words}),
        )
    )
    for number in range(1, candidates + 1):
        await add_candidate(connection, agency, number)


async def add_candidate(connection: AsyncConnection, agency: Agency, number: int) -> None:
    """A person on the roster, with the PIN of all tests."""
    person_id, entry_id = f"person-{agency.key}-{number}", f"entry-{agency.key}-{number}"
    agency.ids.setdefault("person_id", person_id)
    agency.ids.setdefault("roster_entry_id", entry_id)
    await connection.execute(
        insert(people).values(
            id=person_id,
            agency_id=agency.id,
            nip=f"19800101200501{1:d}{number:03d}",
            name=f"Peserta {number} {agency.key}",
            post="Kepala Bidang",
            unit="Dinas",
            rank="IV/a",
            is_simulated=True,
        )
    )
    await connection.execute(
        insert(roster_entries).values(
            id=entry_id,
            agency_id=agency.id,
            exam_session_id=agency.ids["exam_session_id"],
            person_id=person_id,
            candidate_number=agency.candidate_number(number),
            pin_hash=seal_pin(SECRET_KEY, entry_id, PIN),
            seat_id=f"seat-{agency.key}-{number}",
            post_title=f"Kepala Dinas {agency.key}",
            accommodation_s=0,
            accommodation_note="",
            failed_pin_attempts=0,
            pin_locked_until_ms=0,
        )
    )


async def _add_result(connection: AsyncConnection, agency: Agency) -> None:
    statement = select(sittings.c.id).where(sittings.c.roster_entry_id == agency.ids["roster_entry_id"])
    agency.ids["sitting_id"] = (await connection.execute(statement)).scalar_one()
    document = ReportDocument(
        completeness="complete",
        passed=None,
        sections=(),
        areas=(),
        measured_at_ms=T0,
        validity=Validity(version=1, years=3, is_example=True),
    )
    agency.ids |= {"report_id": f"report-{agency.key}", "posting_id": f"posting-{agency.key}"}
    await connection.execute(
        insert(score_reports).values(
            id=agency.ids["report_id"],
            agency_id=agency.id,
            sitting_id=agency.ids["sitting_id"],
            person_id=agency.ids["person_id"],
            report_number=f"CE/2023/{agency.key}",
            verification_code=f"CODE{agency.key}".upper(),
            package_hash="a" * 64,
            sitting_chain="b" * 64,
            scores=document_text(document),
            released_at_ms=T0,
            released_by="staff:x",
            expires_at_ms=T0,
        )
    )
    await connection.execute(
        insert(postings).values(
            id=agency.ids["posting_id"],
            agency_id=agency.id,
            report_id=agency.ids["report_id"],
            connector="embedded_register",
            idempotency_key=f"key-{agency.key}",
            state="dead",
            attempts=1,
            last_error="",
            receipt="",
            created_at_ms=T0,
            delivered_at_ms=None,
        )
    )


async def csrf_token(client: httpx.AsyncClient, page: str) -> str:
    """The token that a page's forms carry."""
    html = (await client.get(page)).text
    return html.split('name="csrf_token" value="', 1)[1].split('"', 1)[0]


async def sign_in_staff(client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> httpx.Response:
    """Fill in and send the staff's form."""
    token = await csrf_token(client, "/staff/sign-in")
    form = {"csrf_token": token, "username": username, "password": password}
    return await client.post("/staff/sign-in", data=form)


async def sign_in_candidate(client: httpx.AsyncClient, number: str, pin: str = PIN) -> httpx.Response:
    """Fill in and send the candidate's form."""
    token = await csrf_token(client, "/candidate/sign-in")
    form = {"csrf_token": token, "candidate_number": number, "pin": pin}
    return await client.post("/candidate/sign-in", data=form)
