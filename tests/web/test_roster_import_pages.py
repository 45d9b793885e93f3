"""The administrator's pages over HTTP: roster import in two steps, slips, accounts, the ledger."""

import html
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import func, select, update

from cat_engine.delivery.tables import exam_sessions, roster_entries
from cat_engine.foundation.actors import Role
from cat_engine.foundation.ledger import first_break
from cat_engine.foundation.tables import ledger_entries, people
from tests.web.agency import (
    Agency,
    add_agency,
    add_candidate,
    csrf_token,
    sign_in_candidate,
    sign_in_staff,
)
from tests.web.serving import Served, served

HEADING = "NIP;Nama;Nomor Peserta;Kursi;Jabatan"
GOOD = "198609262015051001;Siti Rahmawati;SATU-101;A11;Kepala Dinas satu"
GOOD_TOO = "198701012010012002;=HYPERLINK(1);SATU-102;A12;Kepala Dinas satu"
BAD = "198602302015051001;Budi;SATU-103;A13;Kepala Dinas satu"


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[tuple[Served, Agency, httpx.AsyncClient]]:
    async with served(database_url) as server:
        agency = await add_agency(server.storage, "satu", candidates=1, status="scheduled")
        async with server.client() as client:
            await sign_in_staff(client, agency.username(Role.ADMINISTRATOR))
            yield server, agency, client


def hidden_fields(page: str) -> dict[str, str]:
    return {
        name: html.unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
    }


async def preview(client: httpx.AsyncClient, agency: Agency, *lines: str) -> httpx.Response:
    roster = f"/administrator/exam-sessions/{agency.ids['exam_session_id']}/roster"
    token = await csrf_token(client, roster)
    files = {"roster": ("peserta.csv", "\n".join([HEADING, *lines]).encode("cp1252"), "text/csv")}
    return await client.post(f"{roster}/preview", data={"csrf_token": token}, files=files)


async def roster_size(server: Served) -> int:
    async with server.storage.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(roster_entries))).scalar_one()


async def confirm(client: httpx.AsyncClient, agency: Agency, page: str) -> httpx.Response:
    url = f"/administrator/exam-sessions/{agency.ids['exam_session_id']}/roster/import"
    fields = hidden_fields(page)
    names = ("csrf_token", "content", "fingerprint")
    return await client.post(url, data={name: fields[name] for name in names})


async def test_nothing_is_stored_before_the_confirmation(
    place: tuple[Served, Agency, httpx.AsyncClient],
) -> None:
    server, agency, client = place
    shown = await preview(client, agency, GOOD, GOOD_TOO, BAD)
    assert shown.status_code == 200
    assert "roster_date_impossible" in shown.text
    assert "198602302015051001" in shown.text
    assert await roster_size(server) == 1

    answer = await confirm(client, agency, shown.text)
    assert answer.status_code == 303
    assert await roster_size(server) == 3
    async with server.storage.reading() as connection:
        assert await first_break(connection) is None
        actions = set((await connection.execute(select(ledger_entries.c.action))).scalars())
        names = set((await connection.execute(select(people.c.name))).scalars())
    assert "roster.imported" in actions
    assert {"Siti Rahmawati", "=HYPERLINK(1)"} <= names
    assert "Budi" not in names

    export = await client.get(f"/administrator/exam-sessions/{agency.ids['exam_session_id']}/roster.csv")
    assert "'=HYPERLINK(1)" in export.text
    assert ";=HYPERLINK" not in export.text


async def test_a_roster_that_changed_meanwhile_is_shown_again(
    place: tuple[Served, Agency, httpx.AsyncClient],
) -> None:
    server, agency, client = place
    first = await preview(client, agency, GOOD, GOOD_TOO)
    second = await preview(client, agency, GOOD)
    assert (await confirm(client, agency, second.text)).status_code == 303
    answer = await confirm(client, agency, first.text)
    assert answer.status_code == 200
    assert "roster_duplicate_nip" in answer.text
    assert await roster_size(server) == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "isian wajib"), (b"a;b\n1;2", "kolom wajib"), (b"\x00", "CSV UTF-8")],
)
async def test_a_file_that_cannot_be_read_is_explained_where_it_was_chosen(
    place: tuple[Served, Agency, httpx.AsyncClient], content: bytes, sentence: str
) -> None:
    _, agency, client = place
    roster = f"/administrator/exam-sessions/{agency.ids['exam_session_id']}/roster"
    token = await csrf_token(client, roster)
    answer = await client.post(
        f"{roster}/preview", data={"csrf_token": token}, files={"roster": ("x.csv", content)}
    )
    assert answer.status_code == 422
    assert sentence in answer.text
    assert 'id="roster-error"' in answer.text


async def test_an_opened_session_takes_no_import(place: tuple[Served, Agency, httpx.AsyncClient]) -> None:
    server, agency, client = place
    shown = await preview(client, agency, GOOD)
    async with server.storage.transaction() as connection:
        await connection.execute(update(exam_sessions).values(status="open"))
    assert (await confirm(client, agency, shown.text)).status_code == 409
    assert await roster_size(server) == 1


async def test_slips_are_shown_once_and_open_the_door(
    place: tuple[Served, Agency, httpx.AsyncClient],
) -> None:
    server, agency, client = place
    await confirm(client, agency, (await preview(client, agency, GOOD)).text)
    roster = f"/administrator/exam-sessions/{agency.ids['exam_session_id']}/roster"
    token = await csrf_token(client, roster)
    slips = await client.post(f"{roster}/slips", data={"csrf_token": token, "only_missing": "1"})
    pins = re.findall(r'slip__pin">([0-9A-Z]{5}-[0-9A-Z]{5})<', slips.text)
    assert len(pins) == 1
    assert pins[0] not in (await client.get(roster)).text
    async with server.storage.transaction() as connection:
        await connection.execute(update(exam_sessions).values(status="open"))
    async with server.client() as candidate:
        assert (await sign_in_candidate(candidate, "SATU-101", pins[0])).status_code == 303

        refused = await client.post(f"{roster}/slips", data={"csrf_token": token})
        assert refused.status_code == 409, "an open room is not signed out"
        assert (await candidate.get("/sitting")).headers.get("location") != "/candidate/sign-in"
        async with server.storage.transaction() as connection:
            await connection.execute(update(exam_sessions).values(status="scheduled"))
        entries = await client.post(f"{roster}/slips", data={"csrf_token": token})
        newer = re.findall(r'slip__pin">([0-9A-Z]{5}-[0-9A-Z]{5})<', entries.text)
        assert len(newer) == 2
        assert (await candidate.get("/sitting")).headers["location"] == "/candidate/sign-in"
        assert (await sign_in_candidate(candidate, "SATU-101", pins[0])).status_code == 401
        lost = f"/administrator/roster-entries/{agency.ids['roster_entry_id']}/slip"
        one = await client.post(lost, data={"csrf_token": token})
        assert len(re.findall(r'slip__pin">', one.text)) == 1


async def test_an_account_is_made_used_and_switched_off(
    place: tuple[Served, Agency, httpx.AsyncClient],
) -> None:
    server, _, client = place
    accounts_url = "/administrator/accounts"
    token = await csrf_token(client, accounts_url)
    form = {"csrf_token": token, "username": "Budi.Santoso", "name": "Budi Santoso", "roles": ["auditor"]}
    made = await client.post(accounts_url, data=form)
    password = re.findall(r'class="secret">([a-z0-9-]+)<', made.text)[0]
    taken = await client.post(accounts_url, data=form)
    assert taken.status_code == 409
    assert 'value="Budi.Santoso"' in taken.text

    async with server.client() as budi:
        assert (await sign_in_staff(budi, "budi.santoso", password)).status_code == 303
        assert (await budi.get("/ledger?check=1")).status_code == 200
        assert (await budi.get(accounts_url)).status_code == 403
        listing = (await client.get(accounts_url)).text
        url = re.findall(r'<a href="([^"]+)">Budi Santoso</a>', listing)[0]
        await client.post(f"{url}/roles", data={"csrf_token": token, "roles": ["proctor"]})
        assert (await budi.get("/ledger")).status_code == 403
        reset = await client.post(f"{url}/password", data={"csrf_token": token})
        newer = re.findall(r'class="secret">([a-z0-9-]+)<', reset.text)[0]
        assert (await budi.get("/desk")).status_code == 303
        assert (await sign_in_staff(budi, "budi.santoso", password)).status_code == 401
        assert (await sign_in_staff(budi, "budi.santoso", newer)).status_code == 303
        await client.post(f"{url}/switch", data={"csrf_token": token, "disabled": "1"})
        assert (await budi.get("/desk")).status_code == 303


async def test_nobody_raises_the_own_account(place: tuple[Served, Agency, httpx.AsyncClient]) -> None:
    _, agency, client = place
    token = await csrf_token(client, "/administrator/accounts")
    own = f"/administrator/accounts/account-{agency.key}-administrator"
    for path, form in (("roles", {"roles": "auditor"}), ("switch", {"disabled": "0"})):
        answer = await client.post(f"{own}/{path}", data={"csrf_token": token, **form})
        assert answer.status_code == 403
    other = f"/administrator/accounts/{agency.ids['account_id']}/roles"
    answer = await client.post(other, data={"csrf_token": token, "roles": "candidate"})
    assert answer.status_code == 422


async def test_the_auditor_filters_pages_and_sees_a_break(
    place: tuple[Served, Agency, httpx.AsyncClient],
) -> None:
    server, agency, _ = place
    async with server.client() as auditor:
        for _ in range(52):
            await sign_in_staff(auditor, agency.username(Role.AUDITOR))
        page = (await auditor.get("/ledger?action=sign_in&check=1")).text
        assert "Rantai utuh" in page
        assert 'href="/ledger?action=sign_in&amp;page=2"' in page
        assert "roster.imported" not in page
        async with server.storage.transaction() as connection:
            await connection.execute(
                update(ledger_entries).where(ledger_entries.c.sequence == 7).values(actor="staff:nobody")
            )
        assert "nomor 7" in (await auditor.get("/ledger?check=1")).text


async def test_a_known_person_keeps_the_record(place: tuple[Served, Agency, httpx.AsyncClient]) -> None:
    server, agency, client = place
    async with server.storage.transaction() as connection:
        await add_candidate(connection, agency, 2)
        await connection.execute(
            roster_entries.delete().where(roster_entries.c.person_id == f"person-{agency.key}-2")
        )
        nip = (
            await connection.execute(select(people.c.nip).where(people.c.id == f"person-{agency.key}-2"))
        ).scalar_one()
    shown = await preview(client, agency, f"{nip};Nama Lain;SATU-102;;Kepala Dinas satu")
    assert (await confirm(client, agency, shown.text)).status_code == 303
    async with server.storage.reading() as connection:
        names = list((await connection.execute(select(people.c.name).where(people.c.nip == nip))).scalars())
    assert names == [f"Peserta 2 {agency.key}"]
