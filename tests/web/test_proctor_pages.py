"""The proctor's pages over HTTP and in a browser: who comes first, what an act asks and does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from cat_engine.foundation.actors import Role
from cat_engine.proctoring.acts import NEEDS_REASON, VERBS
from cat_engine.proctoring.reasons import CODES
from tests.web import staff_scene as scene
from tests.web.agency import Agency, add_agency
from tests.web.serving import Served, served
from web.language import LANGUAGES, load_translators

CANDIDATES = 8


class Room:
    """A room with candidates in many states, and its proctor's browser without JavaScript."""

    def __init__(self, server: Served, agency: Agency, client: httpx.AsyncClient, ids: list[str]) -> None:
        self.server = server
        self.agency = agency
        self.client = client
        self.ids = ids
        self.url = f"/proctor/exam-sessions/{agency.ids['exam_session_id']}"

    async def html(self, query: str = "") -> str:
        answer = await self.client.get(f"{self.url}{query}")
        assert answer.status_code == 200
        return answer.text

    async def statuses(self) -> dict[str, str]:
        rows = re.findall(r'id="seat-([^"]+)" data-status="(\w+)"', await self.html())
        return dict(rows)

    async def ask(self, **fields: str | list[str]) -> httpx.Response:
        form = {"csrf_token": scene.token_of(await self.html()), **fields}
        return await self.client.post(f"{self.url}/confirm", data=form)

    async def act(self, act: str, sitting_ids: list[str], **fields: str) -> httpx.Response:
        form = {
            "csrf_token": scene.token_of(await self.html()),
            "act": act,
            "sittings": sitting_ids,
            **fields,
        }
        return await self.client.post(f"{self.url}/acts", data=form)


async def fill(server: Served) -> Room:
    """Candidates 1 and 2 work, 3 and 4 wait, 5 is paused, 6 was refused, 7 is finished, 8 is not there."""
    agency = await add_agency(server.storage, "satu", candidates=CANDIDATES)
    ids = await scene.sitting_ids(server, agency)
    await scene.finish(server, agency, ids[6])
    await scene.begin(server, agency, ids[0], answers=2)
    await scene.begin(server, agency, ids[1], answers=1)
    await scene.begin(server, agency, ids[4], answers=1)
    await scene.order(server, agency, ids[4], "pause", "technical.network")
    await scene.order(server, agency, ids[5], "deny", "candidate.identity")
    for sitting_id in ids[2:4]:
        await scene.to_waiting(server, sitting_id)
    return Room(server, agency, await scene.signed_in(server, agency, Role.PROCTOR), ids)


@pytest.fixture
async def room(sqlite_url: str) -> AsyncIterator[Room]:
    async with served(sqlite_url) as server:
        filled = await fill(server)
        yield filled
        await filled.client.aclose()


async def test_the_board_puts_first_who_needs_somebody(database_url: str) -> None:
    async with served(database_url) as server:
        room = await fill(server)
        order = [room.ids.index(sitting_id) for sitting_id in await room.statuses()]
        assert order == [4, 2, 3, 0, 1, 7, 5, 6]
        assert list((await room.statuses()).values()) == [
            "paused",
            "waiting",
            "waiting",
            "in_progress",
            "in_progress",
            "scheduled",
            "denied",
            "scored",
        ]
        await room.client.aclose()


async def test_the_board_tells_progress_time_and_reason(room: Room) -> None:
    room.server.clock.at_ms += 6 * 60_000
    html = await room.html()
    rows = {
        key: scene.text_of(row) for key, row in re.findall(r'id="seat-([^"]+)"(.*?)</tr>', html, re.DOTALL)
    }
    # an hour, less the minutes of all answers since its beginning: two of its own, two of others, six of ours
    assert "Peserta 1 satu CAT-SATU-001 Mengerjakan 2 50.00" in rows[room.ids[0]]
    assert "Lama tidak menjawab" in rows[room.ids[0]]
    assert "Dijeda 1 Waktu berhenti, sisa 59.00 – Jaringan terputus" in rows[room.ids[4]]
    assert "Ditolak 0 – – Identitas tidak sesuai" in rows[room.ids[5]]


async def test_filters_count_and_narrow(room: Room) -> None:
    text = scene.text_of(await room.html())
    assert "8 Semua peserta" in text
    assert "2 Menunggu izin" in text
    assert "1 Perlu perhatian" in text
    narrowed = await room.html("?state=waiting")
    assert re.findall(r'id="seat-([^"]+)"', narrowed) == room.ids[2:4]
    assert 'hx-get="/proctor/exam-sessions/session-satu?state=waiting"' in narrowed
    assert 'id="seat-' in await room.html("?state=nonsense")


async def test_nothing_of_the_measurement_reaches_a_proctor(room: Room) -> None:
    pages = [await room.html(), await room.html("/room")]
    pages += [await room.html(f"/sittings/{sitting_id}") for sitting_id in room.ids]
    for html in pages:
        for secret in (
            "item-R-",
            "item-J-",
            "R00",
            "Pokok soal",
            "theta",
            "Scored",
            "scored</",
            "skor",
        ):
            assert secret not in html, secret


async def test_a_confirmation_names_the_people_and_says_for_whom_it_is_not_possible(room: Room) -> None:
    answer = await room.ask(act="pause", sittings=[room.ids[0], room.ids[1], room.ids[3]])
    assert answer.status_code == 200
    confirmed, impossible = answer.text.split("notice--caution")
    assert "Jeda 2 peserta?" in confirmed
    assert "Peserta 1 satu" in confirmed
    assert "Peserta 2 satu" in confirmed
    assert "Peserta 4 satu" not in confirmed
    assert "Peserta 4 satu" in impossible
    assert "Hanya untuk peserta yang mengerjakan atau sudah diizinkan mulai." in impossible
    assert re.findall(r'name="sittings" value="([^"]+)"', answer.text) == room.ids[:2]
    assert (await room.statuses())[room.ids[0]] == "in_progress"


async def test_an_act_without_its_reason_or_with_wrong_minutes_does_nothing(room: Room) -> None:
    before = await scene.ledger_subjects(room.server, "sitting.pause")
    missing = await room.act("pause", [room.ids[0]])
    assert missing.status_code == 422
    assert 'id="reason-error"' in missing.text
    assert "Peserta 1 satu" in missing.text
    for minutes in ("0", "241", "-5", "lima", ""):
        wrong = await room.act("extend", [room.ids[0]], reason="technical.network", minutes=minutes)
        assert wrong.status_code == 422
        assert 'id="minutes-error"' in wrong.text
        assert '<option value="technical.network" selected>' in wrong.text
    assert (await room.act("pause", [room.ids[0]], reason="no.such")).status_code == 422
    assert await scene.ledger_subjects(room.server, "sitting.pause") == before
    assert await scene.ledger_subjects(room.server, "sitting.extend") == []


async def test_acts_are_done_told_and_undone(room: Room) -> None:
    answer = await room.act("end", room.ids[:2], reason="candidate.illness", confirm="1")
    assert (answer.status_code, answer.headers["location"]) == (303, f"{room.url}?act=end&done=2")
    told = scene.text_of((await room.client.get(answer.headers["location"])).text)
    assert "Pengerjaan 2 peserta diakhiri" in told
    assert (await scene.ledger_subjects(room.server, "sitting.end")) == room.ids[:2]
    assert (await room.statuses())[room.ids[0]] == "terminated"

    await room.act("reactivate", [room.ids[0]], reason="staff.mistake")
    assert (await room.statuses())[room.ids[0]] == "paused"
    await room.act("readmit", [room.ids[5]], reason="staff.mistake")
    assert (await room.statuses())[room.ids[5]] == "scheduled"
    await room.act("extend", [room.ids[0]], reason="technical.network", minutes="15")
    page = scene.text_of(await room.html(f"/sittings/{room.ids[0]}"))
    assert "Tambahan karena kejadian 15 menit Jaringan terputus Nama proctor satu" in page
    assert "Pengakhiran dibatalkan (Kekeliruan petugas) Nama proctor satu" in page


async def test_each_person_for_whom_an_act_was_refused_is_named_with_the_reason(room: Room) -> None:
    answer = await room.act("admit", [room.ids[2], room.ids[7]])
    assert "done=1" in answer.headers["location"]
    text = scene.text_of((await room.client.get(answer.headers["location"])).text)
    assert "1 peserta diizinkan mulai" in text
    assert "Peserta 8 satu (A08):" in text
    forged = await room.html(f"?act=admit&done=1&refused=elsewhere:{'x' * 20}&refused={room.ids[0]}:nonsense")
    assert "Tidak dapat dilakukan untuk" not in forged


async def test_everybody_means_whoever_it_can_be_done_to(room: Room) -> None:
    answer = await room.ask(everyone="admit")
    assert re.findall(r'name="sittings" value="([^"]+)"', answer.text) == room.ids[2:4]
    await room.act("admit", room.ids[2:4])
    again = await room.ask(everyone="admit")
    assert again.status_code == 303
    assert "notice=nothing_selected" in again.headers["location"]
    assert "Belum ada peserta" in scene.text_of(await room.html("?notice=nothing_selected"))


async def test_one_button_of_a_row_acts_on_that_row_whatever_is_ticked(room: Room) -> None:
    answer = await room.ask(one=f"resume:{room.ids[4]}", sittings=room.ids[:2])
    assert re.findall(r'name="sittings" value="([^"]+)"', answer.text) == [room.ids[4]]
    assert "Izinkan 1 peserta melanjutkan?" in answer.text
    assert (await room.ask(one="explode:x")).status_code == 422


async def test_the_candidate_page_says_why_an_act_is_not_possible(room: Room) -> None:
    page = await room.html(f"/sittings/{room.ids[4]}")
    offered = set(re.findall(r'name="one" value="(\w+):', page))
    assert offered == {"resume", "extend", "end"}
    assert "Hanya untuk peserta yang sudah siap dan menunggu izin." in page


async def test_another_agency_and_other_roles_are_kept_out(room: Room) -> None:
    other = await add_agency(room.server.storage, "dua")
    theirs = other.ids["exam_session_id"]
    assert (await room.client.get(f"/proctor/exam-sessions/{theirs}")).status_code == 404
    their_sitting = other.ids["sitting_id"]
    assert (await room.client.get(f"{room.url}/sittings/{their_sitting}")).status_code == 404
    refused = await room.act("end", [their_sitting], reason="candidate.illness")
    assert refused.headers["location"].endswith("?act=end&done=0")
    assert their_sitting not in await scene.ledger_subjects(room.server, "sitting.end")
    for role in (Role.ITEM_WRITER, Role.ADMINISTRATOR, Role.PANEL_CHAIR):
        async with scene.signed_in_for(room.server, room.agency, role) as client:
            assert (await client.get(room.url)).status_code == 403
            assert (await client.get("/proctor")).status_code == 403


async def test_a_room_is_opened_and_closed_after_a_second_question(sqlite_url: str) -> None:
    async with served(sqlite_url) as server:
        agency = await add_agency(server.storage, "tiga", candidates=3, status="scheduled")
        async with scene.signed_in_for(server, agency, Role.PROCTOR) as client:
            room = Room(server, agency, client, [])
            board = await room.html()
            assert "Peserta yang diharapkan hadir (3)" in board
            assert "Peserta 3 tiga" in board
            question = (await client.get(f"{room.url}/open")).text
            assert "Buka Ruang tiga?" in question
            assert await room.statuses() == {}
            form = {"csrf_token": scene.token_of(question), "confirm": "1"}
            assert (await client.post(f"{room.url}/open", data=form)).status_code == 303
            assert set((await room.statuses()).values()) == {"scheduled"}
            assert len(await room.statuses()) == 3
            closing = (await client.get(f"{room.url}/close")).text
            assert "3 peserta belum selesai" in closing
            assert "Peserta 1 tiga" in closing
            form = {"csrf_token": scene.token_of(closing), "confirm": "1"}
            await client.post(f"{room.url}/close", data=form)
            assert "Ditutup" in scene.text_of(await room.html())
            assert (await client.get(f"{room.url}/close")).status_code == 303


async def test_the_projector_shows_the_session_and_nobodys_name(room: Room) -> None:
    text = scene.text_of(await room.html("/room"))
    assert "Sesi satu" in text
    assert f"127.0.0.1:{room.server.url.rpartition(':')[2]}" in text
    assert "Peserta 8 Siap 2 Mengerjakan 3 Selesai 1" in text
    assert "Peserta 1 satu" not in text


async def test_the_list_counts_who_has_finished(room: Room) -> None:
    await add_agency(room.server.storage, "dua")
    text = scene.text_of((await room.client.get("/proctor")).text)
    assert "Sesi satu" in text
    assert "1 dari 8" in text
    assert "Sesi dua" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_act_and_reason_has_its_words(language: str) -> None:
    t = load_translators()[language]  # type: ignore[index] # one of LANGUAGES
    sections = ("act", "done", "confirm_title", "confirm_do", "meaning", "only_if")
    missing = [f"proctor.{section}.{act}" for section in sections for act in VERBS]
    missing += [f"proctor.reason.{code.replace('.', '_')}" for code in CODES]
    assert [key for key in missing if not t.has(key)] == []
    assert set(VERBS) > NEEDS_REASON


@pytest.mark.journey
async def test_the_board_keeps_its_ticks_and_refreshes_itself(room: Room, chromium_path: Path) -> None:
    async with scene.browser_page(chromium_path, room.server, room.client) as page:
        await page.goto(room.server.url + room.url)
        await page.check(f"#pick-{room.ids[0]}")
        await page.check(f"#pick-{room.ids[1]}")
        await page.focus(f"#pick-{room.ids[1]}")
        room.server.clock.at_ms += 61_000
        await scene.order(room.server, room.agency, room.ids[2], "admit")
        await page.wait_for_selector(f'#seat-{room.ids[2]}[data-status="authorised"]', timeout=9000)
        assert await page.is_checked(f"#pick-{room.ids[0]}")
        assert await page.is_checked(f"#pick-{room.ids[1]}")
        assert await page.inner_text("[data-picked-count]") == "2"
        assert await page.evaluate("document.activeElement.id") == f"pick-{room.ids[1]}"
        await page.click("button[name='act'][value='pause']")
        await page.wait_for_selector("form.confirm")
        assert await page.locator(".confirm .people li").count() == 2
        assert await page.locator("#board").count() == 0, "nothing refreshes behind a confirmation"
        await page.select_option("#reason", "environment.power")
        await page.click("button[name='confirm']")
        await page.wait_for_selector(".notice--success")
        assert "2 peserta dijeda" in await page.inner_text(".notice--success")


@pytest.mark.journey
async def test_a_lost_connection_is_said(room: Room, chromium_path: Path) -> None:
    async with scene.browser_page(chromium_path, room.server, room.client) as page:
        await page.goto(room.server.url + room.url)
        await page.wait_for_selector("[data-live]")
        await page.context.set_offline(True)
        await page.wait_for_selector("html.is-stale", timeout=20_000)
        assert "Sambungan terputus" in await page.inner_text("#live")
        await page.context.set_offline(False)
        await page.wait_for_selector("html:not(.is-stale)", timeout=20_000)
        assert "Diperbarui sendiri" in await page.inner_text("#live")


@pytest.mark.journey
async def test_axe_finds_nothing_and_nothing_overflows(room: Room, chromium_path: Path) -> None:
    base = room.server.url
    urls = [f"{base}/proctor", base + room.url, f"{base}{room.url}/room", f"{base}{room.url}/close"]
    urls.append(f"{base}{room.url}/sittings/{room.ids[4]}")
    async with scene.browser_page(chromium_path, room.server, room.client) as page:
        assert await scene.faults(page, urls) == []
