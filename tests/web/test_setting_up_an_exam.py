"""From an empty database to a ranked list, through the pages alone; and what each form refuses.

Only the test package comes another way: it is published from the demonstration's items by the psychometrician.
"""

from __future__ import annotations

import html
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import func, insert, select, update

from cat_engine.core import events as e
from cat_engine.core.state import SittingState
from cat_engine.delivery.scheduling import start_at_ms
from cat_engine.delivery.sittings import read_log
from cat_engine.delivery.tables import exam_sessions, rooms, roster_entries, seats, sittings
from cat_engine.foundation.actors import Actor, Role
from cat_engine.foundation.ledger import first_break
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.tables import agencies, ledger_entries, people
from cat_engine.panel.setup import apply_roster
from cat_engine.panel.tables import applications, panel_members, posts, selections
from item_bank.demonstration.bank import demonstration_items
from item_bank.packages import publish
from item_bank.store import add_drafts
from tests.web.agency import (
    SECRET_KEY,
    T0,
    Agency,
    add_agency,
    csrf_token,
    sign_in_candidate,
    sign_in_staff,
)
from tests.web.serving import Served, served
from tests.web.staff_scene import begin, browser_page, faults, ref_of, services, signed_in, text_of
from web.accounts.tables import accounts
from web.demonstration.design import demonstration_design
from web.formats import Zone

SESSIONS, ROOMS = "/administrator/exam-sessions", "/administrator/rooms"
SELECTIONS, ACCOUNTS = "/administrator/selections", "/administrator/accounts"
HEADING = "NIP;Nama;Nomor Peserta;Kursi;Jabatan"
PEOPLE = (
    "198609262015051001;Siti Rahmawati;NL-001;A1;Kepala Dinas Perhubungan",
    "198701012010012002;Made Suardana;NL-002;A2;Kepala Dinas Perhubungan",
    "197912122005011003;Yohana Tabuni;NL-003;B1;Kepala Dinas Perhubungan",
)
BLIND_CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{3}-[0-9A-HJKMNP-TV-Z]{3}")
SELECTION = {
    "title": "Seleksi terbuka Nusa Lestari",
    "year": "2023",
    "cut_score": "470,5",
    "places": "1",
    "weight_potential": "40",
    "weight_competency": "60",
    "tie_break_1": "competency",
    "names_open": "after_release",
}


@dataclass
class Founded(Agency):
    """An agency that the command made; its actors are the accounts that the pages made."""

    agency_id: str = ""
    actors: dict[Role, Actor] = field(default_factory=dict)
    passwords: dict[Role, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return self.agency_id

    def actor(self, role: Role) -> Actor:
        return self.actors[role]


def command(database_url: str, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CAT_ENGINE_")}
    env = {
        **kept,
        "CAT_ENGINE_DATABASE_URL": database_url,
        "CAT_ENGINE_SECRET_KEY": SECRET_KEY.decode(),
        "CAT_ENGINE_DATA_DIRECTORY": str(folder),
    }
    program = [sys.executable, "-m", "web.cli", *arguments]
    return subprocess.run(program, env=env, capture_output=True, text=True, timeout=60, check=False)


def found_agency(database_url: str, folder: Path, code: str, username: str) -> Any:
    return command(
        database_url,
        folder,
        *("create-agency", code, "Kabupaten Nusa Lestari", "--zone", "WITA"),
        *("--administrator", username, "--administrator-name", "Sri Wahyuni"),
    )


async def send(
    client: httpx.AsyncClient, page: str, form: Mapping[str, Any], to: str | None = None
) -> httpx.Response:
    """Fill in the form of a page, with what it begins with, and send it."""
    token = await csrf_token(client, page)
    return await client.post(to or page, data={"csrf_token": token, **form})


async def done(client: httpx.AsyncClient, page: str, form: Mapping[str, Any], to: str | None = None) -> str:
    """The same, taken: where it leads."""
    answer = await send(client, page, form, to)
    assert answer.status_code == 303, text_of(answer.text)
    return answer.headers["location"]


async def chosen(client: httpx.AsyncClient, page: str, name: str, label: str) -> str:
    """The value behind an option of a list or a box."""
    shown = (await client.get(page)).text
    options = re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)<', shown)
    boxes = re.findall(rf'name="{name}" value="([^"]+)"[^>]*>\s*<span>([^<]*)', shown)
    return next(value for value, text in (*options, *boxes) if label in html.unescape(text))


def texts_of(page: str) -> dict[str, str]:
    """The rules and pledge that a form begins with."""
    areas = re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>([^<]*)</textarea>', page)
    version = re.findall(r'name="version"[^>]* value="([^"]*)"', page)[0]
    return {"version": version, **{name: html.unescape(text) for name, text in areas}}


# ------------------------------------------------------------------------------------------ the whole story


async def test_an_exam_is_set_up_held_and_ranked_without_the_demonstration(
    database_url: str, tmp_path: Path
) -> None:
    agency = await found(database_url, tmp_path)
    async with served(database_url) as server, server.client() as admin:
        signed = await sign_in_staff(admin, "sri.wahyuni", agency.passwords[Role.ADMINISTRATOR])
        assert signed.status_code == 303
        await make_accounts(server, admin, agency)
        room_url = await done(
            admin, ROOMS, {"name": "Ruang CAT", "building": "Gedung BKD", "rows": "2", "columns": "3"}
        )
        assert re.findall(r'class="badge">([A-Z]\d)<', (await admin.get(room_url)).text) == [
            *("A1", "A2", "A3"),
            *("B1", "B2", "B3"),
        ]
        selection_url = await make_selection(admin)
        assert "Belum ada paket tes" in (await admin.get(f"{SESSIONS}/new")).text
        await publish_package(server, agency)
        session_url = await make_session(server, admin)
        pins = await make_roster(server, admin, session_url)
        await grant_time(server, admin, session_url)
        await open_and_measure(server, admin, agency, session_url, selection_url, pins)
        await release_and_rank(server, agency, selection_url)
        async with server.storage.reading() as connection:
            assert await first_break(connection) is None
            actions = set(await connection.scalars(select(ledger_entries.c.action)))
        assert {
            *("agency.created", "room.created", "selection.created", "selection.post_added"),
            *("selection.members_set", "exam_session.scheduled", "selection.applications_made"),
            "roster.accommodation_set",
        } <= actions


async def found(database_url: str, folder: Path) -> Founded:
    """The command, and what it refuses."""
    assert "cat-engine migrate" in found_agency(database_url, folder, "NL", "sri.wahyuni").stderr
    assert command(database_url, folder, "migrate").returncode == 0
    made = found_agency(database_url, folder, "NL", "Sri.Wahyuni")
    assert made.returncode == 0, made.stderr
    for code, username, sentence in (
        ("NL", "other.person", "code NL already"),
        ("NL2", "sri.wahyuni", "user name sri.wahyuni already"),
        ("N L", "other.person", "is no code"),
        ("NL3", "x", "is no user name"),
    ):
        refused = found_agency(database_url, folder, code, username)
        assert refused.returncode == 1
        assert sentence in refused.stderr
        assert refused.stdout == ""
    password = re.findall(r"password +([a-z0-9-]{23})\n", made.stdout)[0]
    return Founded("nl", passwords={Role.ADMINISTRATOR: password})


async def make_accounts(server: Served, admin: httpx.AsyncClient, agency: Founded) -> None:
    for role in (
        *(Role.PROCTOR, Role.PSYCHOMETRICIAN, Role.ITEM_WRITER),
        *(Role.PANEL_CHAIR, Role.PANEL_MEMBER),
    ):
        form = {"username": f"akun.{role}", "name": f"Pemegang {role}", "roles": [role.value]}
        shown = (await send(admin, ACCOUNTS, form)).text
        agency.passwords[role] = re.findall(r'class="secret">([a-z0-9-]+)<', shown)[0]
    async with server.storage.reading() as connection:
        stored = (await connection.execute(select(agencies))).all()
        assert [(row.code, row.zone, row.is_demonstration) for row in stored] == [("NL", "WITA", False)]
        agency.agency_id = stored[0].id
        for row in await connection.execute(select(accounts.c.id, accounts.c.username, accounts.c.name)):
            role = Role(row.username.removeprefix("akun.")) if "akun." in row.username else Role.ADMINISTRATOR
            agency.actors[role] = Actor(row.id, agency.id, row.name, frozenset({role}))


async def make_selection(admin: httpx.AsyncClient) -> str:
    url = await done(admin, f"{SELECTIONS}/new", SELECTION)
    assert "470,50" in (await admin.get(url)).text
    assert 'value="470,5"' in (await admin.get(f"{url}/edit")).text
    vacancy = {"title": "Kepala  Dinas Perhubungan", "unit": "Dinas Perhubungan", "required_level": "4"}
    await done(admin, url, vacancy, f"{url}/posts")
    chair = await chosen(admin, url, "account_id", "panel_chair")
    member = await chosen(admin, url, "account_id", "panel_member")
    await done(admin, url, {"account_id": [chair, member]}, f"{url}/members")
    await done(admin, url, {"account_id": [chair]}, f"{url}/members")
    assert (await admin.get(url)).text.count(" checked") == 1
    return url


async def publish_package(server: Served, agency: Founded) -> None:
    design = demonstration_design(potential=3, competency=9, knowledge=2)
    async with server.storage.transaction() as connection:
        writer = agency.actor(Role.ITEM_WRITER)
        await add_drafts(connection, writer, demonstration_items(), status="operational", at_ms=T0)
        await publish(connection, agency.actor(Role.PSYCHOMETRICIAN), design, at_ms=T0)


async def make_session(server: Served, admin: httpx.AsyncClient) -> str:
    page = f"{SESSIONS}/new"
    form = {
        "title": "Sesi pagi",
        "room_id": await chosen(admin, page, "room_id", "Ruang CAT"),
        "package_id": await chosen(admin, page, "package_id", "CONTOH-JPT v1"),
        "date": "2023-08-15",
        "time": "09:30",
        "selection_id": await chosen(admin, page, "selection_id", "Nusa Lestari"),
        **texts_of((await admin.get(page)).text),
    }
    url = await done(admin, page, form)
    edit = (await admin.get(f"{url}/edit")).text
    assert texts_of(edit) == {name: form[name] for name in texts_of(edit)}
    assert 'value="09:30"' in edit
    rules = "# Hanya satu\nSaudara tertib.\n\n# Dan ini\nSaudara jujur."
    again = {**form, "time": "08.00", "rules_id": rules, "version": "2023.7"}
    assert await done(admin, f"{url}/edit", again) == url
    async with server.storage.reading() as connection:
        session = (await connection.execute(select(exam_sessions))).one()
    assert session.starts_at_ms == 1_692_057_600_000  # midnight in Greenwich is eight in the morning there
    kept = msgspec.json.decode(session.pledge)
    assert kept["id"]["rules"] == [
        {"heading": "Hanya satu", "sentences": ["Saudara tertib."]},
        {"heading": "Dan ini", "sentences": ["Saudara jujur."]},
    ]
    assert kept["en"]["version"] == "2023.7"
    return url


async def make_roster(server: Served, admin: httpx.AsyncClient, session_url: str) -> list[str]:
    """Three people on the roster, each applying under a code of its own; their PINs."""
    roster = f"{session_url}/roster"
    files = {"roster": ("peserta.csv", "\n".join((HEADING, *PEOPLE)).encode(), "text/csv")}
    token = await csrf_token(admin, roster)
    preview = await admin.post(f"{roster}/preview", data={"csrf_token": token}, files=files)
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', preview.text))
    imported = await admin.post(f"{roster}/import", data=hidden)
    assert imported.status_code == 303, text_of(imported.text)
    async with server.storage.reading() as connection:
        codes = list(await connection.scalars(select(applications.c.blind_code)))
    assert len(set(codes)) == 3
    assert all(BLIND_CODE.fullmatch(code) for code in codes)
    slips = await admin.post(f"{roster}/slips", data={"csrf_token": token})
    assert not any(code in slips.text + preview.text for code in codes)
    return re.findall(r'slip__pin">([0-9A-Z]{5}-[0-9A-Z]{5})<', slips.text)


async def grant_time(server: Served, admin: httpx.AsyncClient, session_url: str) -> None:
    roster = (await admin.get(f"{session_url}/roster")).text
    page = re.findall(r'<a href="([^"]+/accommodation)">', roster)[0]
    for form, status, sentence in (
        ({"minutes": "20", "note": ""}, 422, "dasar pemberian"),
        ({"minutes": "241", "note": "Surat 12"}, 422, "0 sampai 240"),
        ({"minutes": "sepuluh", "note": "Surat 12"}, 422, "0 sampai 240"),
    ):
        refused = await send(admin, page, form)
        assert refused.status_code == status
        assert sentence in text_of(refused.text)
        assert f'value="{form["minutes"]}"' in refused.text
    assert await done(admin, page, {"minutes": "20", "note": "Surat 12/BKD"}) == f"{session_url}/roster"
    assert "20 menit" in (await admin.get(f"{session_url}/roster")).text
    async with server.storage.reading() as connection:
        entry = ledger_entries.c.action == "roster.accommodation_set"
        told = await connection.scalar(select(ledger_entries.c.detail).where(entry))
    assert told == '{"accommodation_s":1200}'


async def open_and_measure(
    server: Served,
    admin: httpx.AsyncClient,
    agency: Founded,
    session_url: str,
    selection_url: str,
    pins: list[str],
) -> None:
    board = session_url.replace("/administrator", "/proctor")
    async with server.client() as proctor:
        await sign_in_staff(proctor, "akun.proctor", agency.passwords[Role.PROCTOR])
        await done(proctor, "/proctor", {}, f"{board}/open")
    async with server.client() as candidate:
        assert (await sign_in_candidate(candidate, "NL-001", pins[0])).status_code == 303
        assert "Siti Rahmawati" in (await candidate.get("/sitting", follow_redirects=True)).text
    ids = await sittings_by_number(server)
    assert list(ids) == ["NL-001", "NL-002", "NL-003"]
    async with server.storage.reading() as connection:
        created = [(await read_log(connection, sitting_id))[0][0].events[0] for sitting_id in ids.values()]
    assert [event.accommodation_ms for event in created if isinstance(event, e.Created)] == [1_200_000, 0, 0]
    await everything_is_fixed(admin, session_url, selection_url)
    for number, sitting_id in enumerate(ids.values()):
        await sit(server, agency, sitting_id, f"o{number % 2 + 1}")


async def sittings_by_number(server: Served) -> dict[str, str]:
    async with server.storage.reading() as connection:
        rows = await connection.execute(
            select(roster_entries.c.candidate_number, sittings.c.id)
            .join(sittings, sittings.c.roster_entry_id == roster_entries.c.id)
            .order_by(roster_entries.c.candidate_number)
        )
        return {row.candidate_number: row.id for row in rows}


async def everything_is_fixed(admin: httpx.AsyncClient, session_url: str, selection_url: str) -> None:
    """Once there are sittings: no other session, no other rules, no other time."""
    assert f"{session_url}/edit" not in (await admin.get(session_url)).text
    page = f"{SESSIONS}/new"
    form = {
        **{"title": "Lain", "date": "2023-08-16", "time": "08:00"},
        "room_id": await chosen(admin, page, "room_id", "Ruang CAT"),
        "package_id": await chosen(admin, page, "package_id", "CONTOH-JPT v1"),
        **texts_of((await admin.get(page)).text),
    }
    roster = (await admin.get(f"{session_url}/roster")).text
    extra_time = re.findall(r'<a href="([^"]+/accommodation)">', roster)[0]
    assert 'name="minutes"' not in (await admin.get(extra_time)).text
    vacancy = {"title": "Lain", "unit": "Lain", "required_level": "1"}
    for to, sent, sentence in (
        (f"{session_url}/edit", form, "sudah dibuka"),
        (f"{selection_url}/edit", {**SELECTION, "cut_score": "1"}, "tidak dapat diubah lagi"),
        (f"{selection_url}/posts", vacancy, "tidak dapat diubah lagi"),
        (extra_time, {"minutes": "30", "note": "Surat"}, "hanya pengawas ruang"),
    ):
        refused = await send(admin, page, sent, to)
        assert refused.status_code == 409, to
        assert sentence in text_of(refused.text)
        assert 'class="soft code">conflict<' in refused.text


async def sit(server: Served, agency: Founded, sitting_id: str, response: str) -> None:
    """Begin, answer every adaptive item alike, let the time run out in the fixed form."""
    await begin(server, agency, sitting_id)
    sittings_of, ref = services(server).sittings, await ref_of(server, sitting_id)
    live = await sittings_of.load(ref)
    candidate = Actor(live.state.candidate, agency.id, "", frozenset({Role.CANDIDATE}))
    while is_adaptive(live.state):
        assert live.state.current is not None
        live = await sittings_of.respond(ref, candidate, live.state.current.position, response)
    server.clock.at_ms += 3 * 3600 * 1000
    await sittings_of.expire(await sittings_of.load(await ref_of(server, sitting_id)))


def is_adaptive(state: SittingState) -> bool:
    return state.current is not None and state.current.section_id != "pengetahuan"


async def release_and_rank(server: Served, agency: Founded, selection_url: str) -> None:
    panel = selection_url.replace("/administrator", "/panel")
    async with server.client() as chair:
        await sign_in_staff(chair, "akun.panel_chair", agency.passwords[Role.PANEL_CHAIR])
        statement = (await chair.get(f"{panel}/statement")).text
        text_hash = re.findall(r'name="text_hash" value="(\w+)"', statement)[0]
        await done(chair, f"{panel}/statement", {"text_hash": text_hash, "accepted": "1"})
        ids = list((await sittings_by_number(server)).values())
        released = {"sitting_id": ids, "confirm": "1"}
        assert (await done(chair, "/results", released, "/results/release")).endswith("released=3")
        async with server.storage.reading() as connection:
            post_id = await connection.scalar(select(posts.c.id))
            codes = set(await connection.scalars(select(applications.c.blind_code)))
        ranked = text_of((await chair.get(f"/panel/posts/{post_id}")).text)
        exported = (await chair.get(f"/panel/posts/{post_id}/ranking.csv")).text
        assert {code for code in codes if code in ranked} == codes
        assert {code for code in codes if code in exported} == codes
        assert not any(name in ranked for name in ("Siti", "Made", "Yohana"))
    async with server.client() as member:  # was taken off the panel again
        await sign_in_staff(member, "akun.panel_member", agency.passwords[Role.PANEL_MEMBER])
        assert (await member.get(panel)).status_code == 404


# ------------------------------------------------------------------------------------- what forms refuse


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[tuple[Served, Agency, httpx.AsyncClient]]:
    """An agency with one person on the roster of a scheduled session, and its administrator."""
    async with served(database_url) as server:
        agency = await add_agency(server.storage, "satu", candidates=1, status="scheduled")
        async with await signed_in(server, agency, Role.ADMINISTRATOR) as admin:
            yield server, agency, admin


def bad_forms(
    agency: Agency, foreign: Agency, texts: Mapping[str, str]
) -> Iterator[tuple[str, dict[str, str]]]:
    """The address, and a form with exactly one fault, beside the field that is at fault."""
    room = {"name": "Ruang 9", "building": "Gedung B", "rows": "2", "columns": "2"}
    for name, value in (("rows", "27"), ("rows", "0"), ("columns", "41"), ("columns", "x"), ("name", " ")):
        yield ROOMS, {**room, name: value, "fault": name}
    session = {
        **{"title": "Sesi 9", "date": "2023-08-15", "time": "09:00", **texts},
        **{"room_id": agency.ids["room_id"], "package_id": agency.ids["package_id"]},
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
        assert "dua" not in text_of(refused.text).split()
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
        **{"title": "Sesi", "date": "2023-08-15", "time": "09:00"},
        **{"package_id": agency.ids["package_id"], "selection_id": agency.ids["selection_id"]},
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
        async with await signed_in(server, agency, Role.ADMINISTRATOR) as admin:
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
