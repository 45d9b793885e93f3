"""From an empty database to a ranked list, through the pages alone; and what each form refuses.

Only the test package comes another way: the psychometrician publishes it from the demonstration's items.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import msgspec
from sqlalchemy import select

from cat_engine.core import events as e
from cat_engine.core.state import SittingState
from cat_engine.delivery.outages import beat
from cat_engine.delivery.sittings import read_log
from cat_engine.delivery.tables import exam_sessions, roster_entries, sittings
from cat_engine.foundation.actors import Actor, Role
from cat_engine.foundation.ledger import first_break
from cat_engine.foundation.tables import agencies, ledger_entries
from cat_engine.panel.tables import applications, posts
from item_bank.demonstration.bank import demonstration_items
from item_bank.packages import publish
from item_bank.store import add_drafts
from tests.web.agency import (
    SECRET_KEY,
    T0,
    Agency,
    csrf_token,
    sign_in_candidate,
    sign_in_staff,
)
from tests.web.serving import Served, served
from tests.web.setup_forms import (
    ACCOUNTS,
    ROOMS,
    SELECTION,
    SELECTIONS,
    SESSIONS,
    chosen,
    done,
    send,
    texts_of,
)
from tests.web.staff_scene import begin, ref_of, services, text_of
from web.accounts.tables import accounts
from web.demonstration.design import demonstration_design

HEADING = "NIP;Nama;Nomor Peserta;Kursi;Jabatan"
PEOPLE = (
    "198609262015051001;Siti Rahmawati;NL-001;A1;Kepala Dinas Perhubungan",
    "198701012010012002;Made Suardana;NL-002;A2;Kepala Dinas Perhubungan",
    "197912122005011003;Yohana Tabuni;NL-003;B1;Kepala Dinas Perhubungan",
)
BLIND_CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{3}-[0-9A-HJKMNP-TV-Z]{3}")


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
        async with server.storage.transaction() as connection:
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
        "title": "Lain",
        "date": "2023-08-16",
        "time": "08:00",
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
    later_ms = server.clock.at_ms + 3 * 3600 * 1000
    await beat(server.storage, later_ms)  # else the server takes the leap for an outage and gives it back
    server.clock.at_ms = later_ms
    await sittings_of.expire(await sittings_of.load(await ref_of(server, sitting_id)))


def is_adaptive(state: SittingState) -> bool:
    return state.current is not None and state.current.section_index < 2  # the third is the fixed form


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
