"""What the forms that set up an exam refuse, beside the field and with everything kept that was typed."""

from __future__ import annotations

import html
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, insert, select, update

from cat_engine.delivery.scheduling import start_at_ms
from cat_engine.delivery.tables import exam_sessions, rooms, roster_entries, seats
from cat_engine.foundation.actors import Role
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.tables import ledger_entries, people
from cat_engine.panel.setup import apply_roster
from cat_engine.panel.tables import applications, panel_members, posts, selections
from tests.web.agency import (
    T0,
    Agency,
    add_agency,
    csrf_token,
)
from tests.web.serving import Served, served
from tests.web.setup_forms import ROOMS, SELECTION, SELECTIONS, SESSIONS, done, send, texts_of
from tests.web.staff_scene import browser_page, faults, signed_in_for, text_of
from web.accounts.tables import accounts
from web.formats import Zone


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[tuple[Served, Agency, httpx.AsyncClient]]:
    """An agency with one person on the roster of a scheduled session, and its administrator."""
    async with served(database_url) as server:
        agency = await add_agency(server.storage, "satu", candidates=1, status="scheduled")
        async with signed_in_for(server, agency, Role.ADMINISTRATOR) as admin:
            yield server, agency, admin


def bad_forms(
    agency: Agency, foreign: Agency, texts: Mapping[str, str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """The address, and a form with exactly one fault, beside the field that is at fault."""
    room = {"name": "Ruang 9", "building": "Gedung B", "rows": "2", "columns": "2"}
    for name, value in (("rows", "27"), ("rows", "0"), ("columns", "41"), ("columns", "x"), ("name", " ")):
        yield ROOMS, {**room, name: value, "fault": name}
    session = {
        "title": "Sesi 9",
        "date": "2023-08-15",
        "time": "09:00",
        **texts,
        "room_id": agency.ids["room_id"],
        "package_id": agency.ids["package_id"],
    }
    for name, value in (
        *(("date", "2023-02-30"), ("date", "2023-08-12"), ("date", "2206-08-15"), ("date", "15-08-2023")),
        *(("time", "24:00"), ("time", "9"), ("title", ""), ("room_id", foreign.ids["room_id"])),
        *(("package_id", foreign.ids["package_id"]), ("selection_id", foreign.ids["selection_id"])),
        *(
            ("rules_id", "tanpa judul"),
            ("rules_en", "# alone"),
            ("rules_id", "#\nkalimat"),
            ("pledge_en", ""),
        ),
    ):
        for url in (f"{SESSIONS}/new", f"{SESSIONS}/{agency.ids['exam_session_id']}/edit"):
            yield url, {**session, name: value, "fault": name}
    for name, value in (
        *(("year", "1999"), ("cut_score", "470.555"), ("cut_score", "banyak"), ("places", "0")),
        *(("weight_knowledge", "-1"), ("names_open", "always"), ("title", "x" * 201)),
    ):
        yield f"{SELECTIONS}/new", {**SELECTION, name: value, "fault": name}
    without = {name: value for name, value in SELECTION.items() if not name.startswith("weight")}
    yield f"{SELECTIONS}/new", {**without, "fault": "weights"}
    yield f"{SELECTIONS}/new", {**SELECTION, "tie_break_2": "competency", "fault": "tie_break"}
    for name, value in (("required_level", "6"), ("required_level", ""), ("unit", "")):
        vacancy = {"title": "Kepala Badan", "unit": "Badan", "required_level": "3", name: value}
        yield f"{SELECTIONS}/{agency.ids['selection_id']}/posts", {**vacancy, "fault": name}
        yield f"/administrator/posts/{agency.ids['post_id']}", {**vacancy, "fault": name}


async def counts(server: Served) -> list[int]:
    async with server.storage.reading() as connection:
        tables = (rooms, seats, exam_sessions, selections, posts, ledger_entries)
        return [await connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables]


async def test_each_fault_is_named_beside_its_field_and_nothing_is_lost(
    place: tuple[Served, Agency, httpx.AsyncClient],
) -> None:
    server, agency, admin = place
    foreign = await add_agency(server.storage, "dua", candidates=1, status="scheduled")
    texts = texts_of((await admin.get(f"{SESSIONS}/new")).text)
    token, before = await csrf_token(admin, ROOMS), await counts(server)
    for url, form in bad_forms(agency, foreign, texts):
        fault = form.pop("fault")
        refused = await admin.post(url, data={"csrf_token": token, **form})
        assert refused.status_code == 422, (url, fault, form.get(fault))
        assert f'id="{fault}-error"' in refused.text, (url, fault, form.get(fault))
        assert 'class="soft code">field_' in refused.text
        shown = html.unescape(refused.text)
        for name, value in form.items():
            if value.strip() and not name.endswith(("room_id", "package_id", "selection_id", "names_open")):
                assert value in shown, (url, name)
        assert not any(f"{what} dua" in text_of(refused.text) for what in ("Ruang", "Seleksi", "Sesi"))
    assert await counts(server) == before


async def test_two_of_a_name_are_refused_where_they_could_be_confused(
    place: tuple[Served, Agency, httpx.AsyncClient],
) -> None:
    server, agency, admin = place
    room = {"name": "Ruang 9", "building": "Gedung B", "rows": "26", "columns": "40"}
    await done(admin, ROOMS, room)
    selection = f"{SELECTIONS}/{agency.ids['selection_id']}"
    vacancy = {"title": "Kepala  Dinas satu ", "unit": "Dinas", "required_level": "3"}
    for page, to, form, sentence in (
        (ROOMS, ROOMS, room, "sudah ada"),
        (selection, f"{selection}/posts", vacancy, "sudah ada pada seleksi ini"),
    ):
        refused = await send(admin, page, form, to)
        assert refused.status_code == 409
        assert sentence in text_of(refused.text)
    async with server.storage.reading() as connection:
        labels = set(await connection.scalars(select(seats.c.label)))
    assert {"A1", "Z40"} <= labels
    assert "AA1" not in labels


async def test_the_panel_is_chosen_from_panel_accounts_of_the_agency(
    place: tuple[Served, Agency, httpx.AsyncClient],
) -> None:
    server, agency, admin = place
    selection, foreign = f"{SELECTIONS}/{agency.ids['selection_id']}", await add_agency(server.storage, "dua")
    member = f"account-{agency.key}-panel_member"
    for account_id in (f"account-{agency.key}-proctor", f"account-{foreign.key}-panel_chair", "nobody"):
        refused = await send(admin, selection, {"account_id": [member, account_id]}, f"{selection}/members")
        assert refused.status_code == 422
        assert "tidak lagi berperan" in text_of(refused.text)
    await done(admin, selection, {"account_id": [member]}, f"{selection}/members")
    async with server.storage.transaction() as connection:
        on_panel = select(panel_members.c.account_id).where(
            panel_members.c.selection_id == agency.ids["selection_id"]
        )
        assert list(await connection.scalars(on_panel)) == [member]
        await connection.execute(update(accounts).where(accounts.c.id == member).values(is_disabled=True))
    assert " checked" in (await admin.get(selection)).text  # still on the panel, and can be taken off
    await done(admin, selection, {}, f"{selection}/members")
    assert " checked" not in (await admin.get(selection)).text


async def test_a_roster_follows_into_another_room_and_into_no_other_selection(
    place: tuple[Served, Agency, httpx.AsyncClient],
) -> None:
    server, agency, admin = place
    edit = f"{SESSIONS}/{agency.ids['exam_session_id']}/edit"
    small = {"name": "Kecil", "building": "B", "rows": "1", "columns": "1"}
    small_id = (await done(admin, ROOMS, small)).rsplit("/", 1)[1]
    other = (await done(admin, f"{SELECTIONS}/new", SELECTION)).rsplit("/", 1)[1]
    form = {
        "title": "Sesi",
        "date": "2023-08-15",
        "time": "09:00",
        "package_id": agency.ids["package_id"],
        "selection_id": agency.ids["selection_id"],
        **texts_of((await admin.get(edit)).text),
    }
    moved = await send(admin, edit, {**form, "room_id": small_id})
    assert moved.status_code == 409  # the roster has seat A01, the room A1
    assert "semua kursi" in text_of(moved.text)
    async with server.storage.transaction() as connection:
        await connection.execute(update(seats).where(seats.c.room_id == small_id).values(label="A01"))
    await done(admin, edit, {**form, "room_id": small_id})
    in_room = select(seats.c.room_id).join(roster_entries, roster_entries.c.seat_id == seats.c.id)
    async with server.storage.reading() as connection:
        assert list(await connection.scalars(in_room)) == [small_id]
    taken = {**form, "room_id": small_id, "selection_id": other}
    assert (await send(admin, edit, taken)).status_code == 409

    async with server.storage.transaction() as connection:
        await connection.execute(update(exam_sessions).values(selection_id=None))
    assert (await send(admin, edit, taken)).status_code == 422  # it has no such post
    await done(admin, edit, {**form, "room_id": small_id})
    async with server.storage.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(applications)) == 1


async def test_blind_codes_are_drawn_until_nobody_has_them_and_once_for_each_applicant(
    place: tuple[Served, Agency, httpx.AsyncClient],
) -> None:
    server, agency, _ = place
    session_id, selection_id = agency.ids["exam_session_id"], agency.ids["selection_id"]
    administrator = agency.actor(Role.ADMINISTRATOR)
    drawn = iter(["AAA-AAA", "AAA-AAA", "BBB-BBB"])
    async with server.storage.transaction() as connection:
        other = {**await person(connection, "person-satu-1"), "id": "other", "nip": None}
        await connection.execute(insert(people).values(**other))
        await connection.execute(
            insert(applications).values(
                id="taken", post_id=agency.ids["post_id"], person_id="other", blind_code="AAA-AAA"
            )
        )
        made = [
            await apply_roster(
                connection, administrator, session_id, selection_id, T0, new_code=lambda: next(drawn)
            )
            for _ in range(2)
        ]
        codes = set(await connection.scalars(select(applications.c.blind_code)))
    assert made == [1, 0]
    assert codes == {"AAA-AAA", "BBB-BBB"}


async def person(connection: Any, person_id: str) -> dict[str, Any]:
    row = (await connection.execute(select(people).where(people.c.id == person_id))).mappings().one()
    return dict(row)


@pytest.mark.parametrize(
    ("date_text", "time_text", "zone", "expected"),
    [
        ("2023-08-14", "15:00", Zone.WIB, T0),
        ("2023-08-14", "16.00", Zone.WITA, T0),
        ("2023-08-14", "17:00", Zone.WIT, T0),
        ("2023-08-13", "15:00", Zone.WIB, T0 - 86_400_000),
        ("2023-08-13", "14:59", Zone.WIB, "date"),
        ("2025-08-18", "00:00", Zone.WIB, "date"),
        ("2023-02-29", "15:00", Zone.WIB, "date"),
        ("2024-02-29", "15:00", Zone.WIB, 1_709_193_600_000),
        ("2023-08-14", "24:00", Zone.WIB, "time"),
        ("2023-08-14", "12:60", Zone.WIB, "time"),
    ],
)
def test_a_start_is_a_real_moment_in_the_zone_of_the_agency(
    date_text: str, time_text: str, zone: Zone, expected: int | str
) -> None:
    if isinstance(expected, int):
        assert start_at_ms(date_text, time_text, zone.offset, T0) == expected
        return
    with pytest.raises(Refused) as refused:
        start_at_ms(date_text, time_text, zone.offset, T0)
    assert (refused.value.code, refused.value.details) == (Refusal.FIELD_INVALID, {"field": expected})


async def test_the_pages_read_well_wide_and_narrow(sqlite_url: str, chromium_path: Path) -> None:
    async with served(sqlite_url) as server:
        agency = await add_agency(server.storage, "satu", candidates=1, status="scheduled")
        async with signed_in_for(server, agency, Role.ADMINISTRATOR) as admin:
            room = {"name": "Ruang besar", "building": "Gedung B", "rows": "4", "columns": "40"}
            room_url = await done(admin, ROOMS, room)
            selection, session = agency.ids["selection_id"], agency.ids["exam_session_id"]
            paths = (
                *(SESSIONS, f"{SESSIONS}/new", f"{SESSIONS}/{session}", f"{SESSIONS}/{session}/edit"),
                *(f"{SESSIONS}/{session}/roster", ROOMS, room_url, SELECTIONS, f"{SELECTIONS}/new"),
                *(f"{SELECTIONS}/{selection}", f"{SELECTIONS}/{selection}/edit"),
                f"/administrator/posts/{agency.ids['post_id']}",
                f"/administrator/roster-entries/{agency.ids['roster_entry_id']}/accommodation",
            )
            async with browser_page(chromium_path, server, admin) as page:
                assert await faults(page, [f"{server.url}{path}" for path in paths]) == []
