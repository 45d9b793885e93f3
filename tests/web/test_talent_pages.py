"""The talent manager's pages: nine boxes with their official numbers, one person, postings and retries."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from cat_engine.foundation.actors import Role
from cat_engine.foundation.tables import outbox_messages
from cat_engine.talent.nine_box import EXAMPLE_POLICY, missing_to_next, place, policy_from
from cat_engine.talent.register import Standing
from cat_engine.talent.tables import connector_settings, postings
from tests.web import staff_scene as scene
from tests.web.assessed_people import (
    AFTER_MS,
    NAMES,
    UNITS,
    Assessed,
    add_assessed,
    delivered,
    ledger_entries_of,
    release_all,
)
from tests.web.serving import Served, served
from web.talent.boxes import box_rows, steps_to_next

Place = tuple[Served, Assessed]


@pytest.fixture
async def place_of_talent(database_url: str) -> AsyncIterator[Place]:
    async with served(database_url) as server:
        found = await add_assessed(server.storage, "satu", persons=5, finished=4)
        server.clock.at_ms = AFTER_MS
        yield server, found


@pytest.fixture
async def embedded(sqlite_url: str) -> AsyncIterator[Place]:
    async with served(sqlite_url) as server:
        found = await add_assessed(server.storage, "satu", persons=5, finished=4)
        server.clock.at_ms = AFTER_MS
        yield server, found


def box_of(page: str) -> dict[int, int]:
    """How many people each box says it holds."""
    box = r'class="box__number"><span[^>]*>[^<]*</span>(\d)</span>.*?class="box__count">(\d+) '
    return {int(number): int(count) for number, count in re.findall(box, page, re.DOTALL)}


async def test_released_results_reach_the_boxes_and_who_is_missing_what_is_said(
    place_of_talent: Place,
) -> None:
    server, found = place_of_talent
    await release_all(server, found, [1, 2, 3, 4])
    await delivered(server)
    async with scene.signed_in_for(server, found.agency, Role.TALENT_MANAGER) as manager:
        page = (await manager.get("/talent")).text
        counts = box_of(page)
        assert list(counts) == [6, 8, 9, 3, 5, 7, 1, 2, 4], "high potential first, as the regulation numbers"
        assert sum(counts.values()) == 3
        unplaced = scene.text_of(page).rsplit("Belum dapat ditempatkan", 1)[1]
        assert NAMES[1] in unplaced, "no performance was imported"
        assert "kinerja: belum diimpor" in unplaced
        assert NAMES[4] in unplaced, "not released, not measured"
        assert "Potensi: belum diukur" in unplaced
        assert NAMES[0] not in scene.text_of(page), "names only for a box or a unit"
        number = next(number for number, count in counts.items() if count)
        chosen = scene.text_of((await manager.get(f"/talent?box={number}")).text)
        people = chosen.split("Daftar nama", 1)[1].split("Rekomendasi setiap kotak", 1)[0]
        assert sum(name in people for name in NAMES) == counts[number]
        assert "theta" not in page.lower()


async def test_a_unit_narrows_the_grid_and_the_reading_is_on_record(embedded: Place) -> None:
    server, found = embedded
    await release_all(server, found, [1, 2, 3, 4])
    await delivered(server)
    unit = UNITS[1]  # persons 1 and 4
    async with scene.signed_in_for(server, found.agency, Role.TALENT_MANAGER) as manager:
        page = (await manager.get("/talent", params={"unit": unit})).text
        assert sum(box_of(page).values()) == 2
        said = scene.text_of(page)
        assert NAMES[0] in said
        assert NAMES[3] in said
        assert NAMES[2] not in said
        assert (await manager.get("/talent", params={"unit": "x" * 500, "box": "77"})).status_code == 200
    entries = await ledger_entries_of(server.storage, "result.read")
    assert entries[0][1:] == (
        f"agency:{found.agency.id}",
        {"page": "nine_box", "unit": unit, "roles": "talent_manager"},
    )


async def test_one_persons_record_says_box_error_expiry_and_what_is_missing(place_of_talent: Place) -> None:
    server, found = place_of_talent
    await release_all(server, found, [1])
    await delivered(server)
    async with scene.signed_in_for(server, found.agency, Role.TALENT_MANAGER) as manager:
        said = scene.text_of((await manager.get(f"/talent/people/{found.person_id(1)}")).text)
        assert re.search(r"Kotak \d: kinerja", said)
        assert "19790001 200501 1 001" in said
        assert "14 Agu 2026" in said, "valid for three years"
        assert "e-Kinerja 2022" in said
        assert re.search(r"kurang [\d,]+ poin (potensi|kinerja) untuk kotak \d", said)
        assert "versi 1" in said
        unmeasured = scene.text_of((await manager.get(f"/talent/people/{found.person_id(5)}")).text)
        assert "Belum ada hasil pengukuran" in unmeasured
        assert (await manager.get("/talent/people/nobody")).status_code == 404
    subjects = [subject for _, subject, _ in await ledger_entries_of(server.storage, "result.read")]
    assert subjects == [f"person:{found.person_id(1)}", f"person:{found.person_id(5)}"]
    server.clock.at_ms += 4 * 366 * 24 * 3_600_000
    async with scene.signed_in_for(server, found.agency, Role.TALENT_MANAGER) as manager:
        later = scene.text_of((await manager.get(f"/talent/people/{found.person_id(1)}")).text)
    assert "hasil sudah tidak berlaku" in later
    assert "Tidak berlaku" in later


async def test_postings_show_their_receipts(place_of_talent: Place) -> None:
    server, found = place_of_talent
    await release_all(server, found, [1, 2])
    await delivered(server)
    async with scene.signed_in_for(server, found.agency, Role.TALENT_MANAGER) as manager:
        said = scene.text_of((await manager.get("/talent/postings")).text)
        assert "register:CE/satu/2023/000001" in said
        assert "register:CE/satu/2023/000002" in said
        assert "Diterima 2" in said
        assert "Tidak ada pengiriman" in (await manager.get("/talent/postings?state=dead")).text


async def test_a_dead_posting_says_why_and_can_be_tried_again(place_of_talent: Place) -> None:
    server, found = place_of_talent
    async with server.storage.transaction() as connection:
        await connection.execute(
            insert(connector_settings).values(agency_id=found.agency.id, connector="of_nobody", settings="{}")
        )
    await release_all(server, found, [1])
    await delivered(server)
    async with scene.signed_in_for(server, found.agency, Role.TALENT_MANAGER) as manager:
        page = (await manager.get("/talent/postings?state=dead")).text
        assert "Penghubung tidak terpasang pada server ini." in page
        retry = page.split('action="/talent/postings/', 1)[1].split('"', 1)[0]
        async with server.storage.transaction() as connection:  # meanwhile somebody has mended it
            await connection.execute(update(postings).values(connector="embedded_register"))
            payload = await connection.scalar(select(outbox_messages.c.payload))
            assert isinstance(payload, str)
            mended = payload.replace('"connector":"of_nobody"', '"connector":"embedded_register"')
            await connection.execute(update(outbox_messages).values(payload=mended))
            await connection.execute(update(connector_settings).values(connector="embedded_register"))
        answer = await manager.post(f"/talent/postings/{retry}", data={"csrf_token": scene.token_of(page)})
        assert (answer.status_code, answer.headers["location"]) == (303, "/talent/postings?retried=1")
        await delivered(server)
        said = scene.text_of((await manager.get("/talent/postings?retried=1")).text)
        assert "dijadwalkan kembali" in said
        assert "register:CE/satu/2023/000001" in said
        again = await manager.post(f"/talent/postings/{retry}", data={"csrf_token": scene.token_of(page)})
        assert again.status_code == 409, "what has arrived is not sent again"
    assert len(await ledger_entries_of(server.storage, "posting.retried")) == 1


def test_a_dot_stands_where_the_values_are_and_steps_lead_to_the_right_boxes() -> None:
    policy = policy_from(EXAMPLE_POLICY)
    low, high = Decimal(61), Decimal(79)
    standings = [
        Standing(x, y, place(x, y, policy), missing_to_next(x, y, policy), (), 1)
        for x, y in ((low, low), (high, low), (low, high))
    ]
    rows = box_rows(standings, policy, chosen=5)
    cells = {cell.number: cell for row in rows for cell in row}
    assert [cell.number for row in rows for cell in row] == [6, 8, 9, 3, 5, 7, 1, 2, 4]
    assert cells[5].count == 3
    assert cells[5].chosen
    base, more_potential, more_performance = cells[5].dots
    assert more_potential.y < base.y, "potential goes up"
    assert more_performance.x > base.x, "performance goes to the right"
    box, missing = standings[0].box, standings[0].missing
    assert box is not None
    assert missing is not None
    steps = steps_to_next(box, missing, str)
    assert [(step.axis, step.points, step.box) for step in steps] == [
        ("potential", "19", 8),
        ("performance", "19", 7),
    ]
    top = Decimal(100)
    assert steps_to_next(place(top, top, policy), missing_to_next(top, top, policy), str) == ()


@pytest.mark.journey
async def test_the_talent_managers_pages_are_accessible_and_narrow(
    embedded: Place, chromium_path: Path
) -> None:
    server, found = embedded
    await release_all(server, found, [1, 2, 3, 4])
    await delivered(server)
    paths = (
        "/talent",
        f"/talent?unit={UNITS[1].replace(' ', '+')}&box=5&language=en",
        f"/talent/people/{found.person_id(1)}?language=id",
        f"/talent/people/{found.person_id(5)}",
        "/talent/postings",
    )
    async with (
        scene.signed_in_for(server, found.agency, Role.TALENT_MANAGER) as manager,
        scene.browser_page(chromium_path, server, manager) as page,
    ):
        assert await scene.faults(page, [f"{server.url}{path}" for path in paths]) == []
