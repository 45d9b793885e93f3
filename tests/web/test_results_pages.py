"""Releasing results, and the public check of a report's code, over HTTP on both databases."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from cat_engine.delivery.tables import sitting_log
from cat_engine.foundation.actors import Role
from cat_engine.panel.tables import panel_members
from cat_engine.results.tables import score_reports
from cat_engine.talent.tables import postings
from tests.web import staff_scene as scene
from tests.web.assessed_people import AFTER_MS, Assessed, add_assessed, ledger_entries_of, release_all
from tests.web.serving import Served, served
from web.results.verify_pages import CHECKS_PER_WINDOW

Place = tuple[Served, Assessed]


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[Place]:
    async with served(database_url) as server:
        found = await add_assessed(server.storage, "satu", persons=4, finished=3)
        server.clock.at_ms = AFTER_MS
        yield server, found


@pytest.fixture
async def embedded(sqlite_url: str) -> AsyncIterator[Place]:
    async with served(sqlite_url) as server:
        found = await add_assessed(server.storage, "satu", persons=4, finished=3)
        server.clock.at_ms = AFTER_MS
        yield server, found


async def codes(server: Served) -> list[str]:
    async with server.storage.reading() as connection:
        rows = await connection.execute(
            select(score_reports.c.verification_code).order_by(score_reports.c.report_number)
        )
        return list(rows.scalars())


async def test_the_chair_releases_what_was_chosen_and_everything_follows(place: Place) -> None:
    server, found = place
    async with scene.signed_in_for(server, found.agency, Role.PANEL_CHAIR) as chair:
        page = (await chair.get("/results")).text
        said = scene.text_of(page)
        assert all(found.blind_code(number) in said for number in (1, 2, 3))
        assert found.blind_code(4) not in said, "a sitting that is not scored does not wait"
        assert "Ni Luh Sekar" not in said
        form = {
            "csrf_token": scene.token_of(page),
            "sitting_id": [found.sitting_ids[1], found.sitting_ids[2]],
        }
        asked = await chair.post("/results/confirm", data=form)
        assert "2 laporan hasil" in scene.text_of(asked.text)
        assert "2 pengiriman dijadwalkan ke: rekam talenta bawaan" in scene.text_of(asked.text)
        assert await codes(server) == [], "asking releases nothing"
        done = await chair.post("/results/release", data={**form, "confirm": "1"})
        assert (done.status_code, done.headers["location"]) == (303, "/results?released=2")
        after = scene.text_of((await chair.get(done.headers["location"])).text)
        assert "2 hasil telah diumumkan" in after
        assert found.blind_code(3) in after
        assert found.blind_code(1) not in after
        again = await chair.post("/results/release", data={**form, "confirm": "1"})
        assert again.status_code == 409
    assert len(await codes(server)) == 2
    async with server.storage.reading() as connection:
        assert await connection.scalar(select(func.count()).select_from(postings)) == 2
    released = await ledger_entries_of(server.storage, "result.released")
    assert {subject for _, subject, _ in released} == {
        f"sitting:{found.sitting_ids[1]}",
        f"sitting:{found.sitting_ids[2]}",
    }


async def test_choosing_nothing_is_said_and_releases_nothing(embedded: Place) -> None:
    server, found = embedded
    async with scene.signed_in_for(server, found.agency, Role.PANEL_CHAIR) as chair:
        token = scene.token_of((await chair.get("/results")).text)
        answer = await chair.post("/results/confirm", data={"csrf_token": token})
        assert answer.status_code == 422
        assert "sekurang-kurangnya satu" in answer.text
        assert found.blind_code(1) in answer.text
    assert await codes(server) == []


async def test_a_log_that_was_changed_cannot_be_released(place: Place) -> None:
    server, found = place
    async with server.storage.transaction() as connection:
        log = sitting_log.c
        row = (
            await connection.execute(
                select(log.revision, log.events)
                .where(log.sitting_id == found.sitting_ids[2], log.events.contains("response_recorded"))
                .limit(1)
            )
        ).one()
        changed = re.sub(r'"response_time_ms":\d+', '"response_time_ms":1', row.events)
        assert changed != row.events
        await connection.execute(
            update(sitting_log)
            .where(log.sitting_id == found.sitting_ids[2], log.revision == row.revision)
            .values(events=changed)
        )
    async with scene.signed_in_for(server, found.agency, Role.PANEL_CHAIR) as chair:
        page = (await chair.get("/results")).text
        assert "Tidak utuh" in page
        assert f'value="{found.sitting_ids[2]}"' not in page, "nothing offers to release it"
        assert f'value="{found.sitting_ids[1]}"' in page
        form = {"csrf_token": scene.token_of(page), "sitting_id": list(found.sitting_ids.values())[:2]}
        answer = await chair.post("/results/release", data={**form, "confirm": "1"})
        assert answer.status_code == 409
    assert await codes(server) == [], "nor the other one of the same order"


async def test_without_a_signed_statement_nothing_can_be_released(embedded: Place) -> None:
    server, found = embedded
    async with server.storage.transaction() as connection:
        await connection.execute(update(panel_members).values(statement_at_ms=None))
    async with scene.signed_in_for(server, found.agency, Role.PANEL_CHAIR) as chair:
        page = (await chair.get("/results")).text
        assert "Tidak ada yang menunggu" in page
        form = {
            "csrf_token": scene.token_of(page),
            "sitting_id": [found.sitting_ids[1]],
            "confirm": "1",
        }
        assert (await chair.post("/results/release", data=form)).status_code == 404
    assert await codes(server) == []


async def test_anybody_can_check_a_code_and_a_changed_report_shows(place: Place) -> None:
    server, found = place
    await release_all(server, found, [1])
    (code,) = await codes(server)
    typed = f" {code[:4].lower()}-{code[4:8]} {code[8:]} "
    async with server.client(follow_redirects=True) as visitor:
        answer = await visitor.get("/verify", params={"code": typed})
        said = scene.text_of(answer.text)
        assert "asli dan utuh" in said
        assert "CE/satu/2023/000001" in said
        assert "Ni Luh Sekar" not in said, "whose it is stays with the paper"
        async with server.storage.transaction() as connection:
            scores = await connection.scalar(select(score_reports.c.scores))
            assert isinstance(scores, str)
            forged = re.sub(r'"scale_score":"\d+"', '"scale_score":"799"', scores, count=1)
            assert forged != scores
            await connection.execute(update(score_reports).values(scores=forged))
        said = scene.text_of((await visitor.get(f"/verify/{code}")).text)
        assert "tidak cocok dengan kodenya" in said
        assert "799" not in said, "a forged number is not repeated"


async def test_an_expired_report_is_still_genuine(embedded: Place) -> None:
    server, found = embedded
    await release_all(server, found, [1])
    (code,) = await codes(server)
    server.clock.at_ms += 4 * 366 * 24 * 3_600_000
    async with server.client() as visitor:
        said = scene.text_of((await visitor.get(f"/verify/{code}")).text)
    assert "asli dan utuh" in said
    assert "Masa berlaku sudah berakhir" in said


async def test_unknown_codes_are_said_to_be_unknown_and_asking_is_throttled(embedded: Place) -> None:
    server, _ = embedded
    async with server.client() as visitor:
        answers = [await visitor.get(f"/verify/ABCD{number}") for number in range(CHECKS_PER_WINDOW + 1)]
        assert {answer.status_code for answer in answers[:-1]} == {404}
        assert "tidak dikenal" in answers[0].text
        assert answers[-1].status_code == 429
        server.clock.at_ms += 60_000
        assert (await visitor.get("/verify/ABCD")).status_code == 404


async def test_markup_in_a_code_stays_text(embedded: Place) -> None:
    server, _ = embedded
    async with server.client() as visitor:
        answer = await visitor.get("/verify/<script>alert(1)")
    assert "<script>alert" not in answer.text
    assert answer.status_code == 404


@pytest.mark.journey
async def test_the_pages_of_results_are_accessible_and_narrow(embedded: Place, chromium_path: Path) -> None:
    server, found = embedded
    await release_all(server, found, [1])
    (code,) = await codes(server)
    async with (
        scene.signed_in_for(server, found.agency, Role.PANEL_CHAIR) as chair,
        scene.browser_page(chromium_path, server, chair) as page,
    ):
        urls = [f"{server.url}{path}" for path in ("/results?released=1", "/verify", f"/verify/{code}")]
        assert await scene.faults(page, urls) == []
        await page.set_viewport_size({"width": 1366, "height": 768})
        await page.goto(f"{server.url}/results")
        await page.click("main .button--primary")
        assert await page.locator("h1").inner_text() == "Periksa sebelum diumumkan"
        await page.click(".confirm .button--primary")
        await page.wait_for_url("**/results?released=2")
