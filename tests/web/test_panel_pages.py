"""The panel's pages: the statement first, the ranked list under blind codes, what leaves as a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import update

from cat_engine.foundation.actors import Role
from cat_engine.panel.ranking import Contender, ranked_list
from cat_engine.panel.tables import applications
from tests.web import staff_scene as scene
from tests.web.assessed_people import AFTER_MS, NAMES, Assessed, add_assessed, ledger_entries_of, release_all
from tests.web.serving import Served, served
from web.panel.plot import HEAD_PX, ROW_PX, ranked_plot

Place = tuple[Served, Assessed]


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[Place]:
    async with served(database_url) as server:
        found = await add_assessed(server.storage, "satu", persons=6, finished=5)
        server.clock.at_ms = AFTER_MS
        yield server, found


@pytest.fixture
async def embedded(sqlite_url: str) -> AsyncIterator[Place]:
    async with served(sqlite_url) as server:
        found = await add_assessed(server.storage, "satu", persons=6, finished=5)
        server.clock.at_ms = AFTER_MS
        yield server, found


async def test_nothing_opens_before_the_statement_is_signed(place: Place) -> None:
    server, found = place
    selection, post = f"/panel/selections/{found.selection_id}", f"/panel/posts/{found.post_id}"
    async with scene.signed_in_for(server, found.agency, Role.PANEL_MEMBER) as member:
        listed = (await member.get("/panel")).text
        assert f'href="{selection}/statement"' in listed
        for url in (selection, post):
            answer = await member.get(url)
            assert (answer.status_code, answer.headers["location"]) == (303, f"{selection}/statement"), url
        page = (await member.get(f"{selection}/statement")).text
        token = scene.token_of(page)
        text_hash = page.split('name="text_hash" value="', 1)[1].split('"', 1)[0]
        unsigned = await member.post(
            f"{selection}/statement", data={"csrf_token": token, "text_hash": text_hash}
        )
        assert unsigned.status_code == 422
        assert "Centang pernyataan" in unsigned.text
        other = await member.post(
            f"{selection}/statement", data={"csrf_token": token, "text_hash": "0" * 64, "accepted": "1"}
        )
        assert other.status_code == 409, "a text that is not in force cannot be signed"
        assert (await member.get(selection)).status_code == 303
        form = {"csrf_token": token, "text_hash": text_hash, "accepted": "1"}
        signed = await member.post(f"{selection}/statement", data=form)
        assert (signed.status_code, signed.headers["location"]) == (303, selection)
        assert (await member.post(f"{selection}/statement", data=form)).status_code == 303
        assert "Kepala Dinas Perizinan" in (await member.get(selection)).text
    (entry,) = await ledger_entries_of(server.storage, "selection.conflict_statement_signed")
    assert entry[2] == {"text_hash": text_hash}


async def test_no_score_is_seen_before_its_release(place: Place) -> None:
    server, found = place
    url = f"/panel/posts/{found.post_id}"
    async with scene.signed_in_for(server, found.agency, Role.PANEL_CHAIR) as chair:
        before = scene.text_of((await chair.get(url)).text)
        assert "Belum ada nilai yang diumumkan" in before
        assert "Menunggu pengumuman" in before
        assert await ledger_entries_of(server.storage, "result.read") == [], "nobody's result was read"
        await release_all(server, found, [1, 2, 3, 4])
        page = (await chair.get(url)).text
        said = scene.text_of(page)
        rows = re.findall(r'<th scope="row" class="code nowrap">([^<]+)</th>', page)
        assert sorted(rows) == sorted(found.blind_code(number) for number in (1, 2, 3, 4))
        apart = said.rsplit("Belum masuk urutan", 1)[1]
        assert found.blind_code(5) in apart
        assert found.blind_code(6) in apart
        assert not any(name in said for name in NAMES), "codes, no names"
        assert "theta" not in page.lower()
        assert "panitia yang memutuskan" in said
    (entry,) = await ledger_entries_of(server.storage, "result.read")
    assert entry[1:] == (f"post:{found.post_id}", {"page": "ranking", "roles": "panel_chair"})


async def test_the_table_sorts_and_an_auditor_reads_without_a_statement(embedded: Place) -> None:
    server, found = embedded
    await release_all(server, found, [1, 2, 3, 4, 5])
    url = f"/panel/posts/{found.post_id}"
    async with scene.signed_in_for(server, found.agency, Role.AUDITOR) as auditor:
        ranked = re.findall(r'class="code nowrap">([^<]+)<', (await auditor.get(url)).text)
        by_code = (await auditor.get(f"{url}?sort=code")).text
        assert '<details class="disclosure" open' in by_code
        assert re.findall(r'class="code nowrap">([^<]+)<', by_code) == sorted(ranked)
        falling = (await auditor.get(f"{url}?sort=rank&order=descending")).text
        assert re.findall(r'class="code nowrap">([^<]+)<', falling) == ranked[::-1]
        assert (await auditor.get(f"{url}?sort=events")).status_code == 200
        statement = await auditor.get(f"/panel/selections/{found.selection_id}/statement")
        assert statement.status_code == 404, "an auditor has nothing to sign"


async def test_the_file_is_safe_to_open_in_a_spreadsheet(embedded: Place) -> None:
    server, found = embedded
    formula = "=1+cmd|'x'!A"
    async with server.storage.transaction() as connection:
        await connection.execute(
            update(applications)
            .where(applications.c.blind_code == found.blind_code(1))
            .values(blind_code=formula)
        )
    await release_all(server, found, [1, 2, 3])
    async with scene.signed_in_for(server, found.agency, Role.PANEL_CHAIR) as chair:
        answer = await chair.get(f"/panel/posts/{found.post_id}/ranking.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))
    assert rows[0][:2] == ["Peringkat", "Kode samaran"]
    assert len(rows) == 4
    assert f"'{formula}" in [row[1] for row in rows]
    assert all(re.fullmatch(r"\d+(,\d+)?", row[2]) for row in rows[1:]), "decimal comma, as spreadsheets here"
    assert [action[1] for action in await ledger_entries_of(server.storage, "result.read")] == [
        f"post:{found.post_id}"
    ]


async def test_names_open_on_record_and_only_after_every_release(embedded: Place) -> None:
    server, found = embedded
    await release_all(server, found, [1, 2, 3, 4])
    url = f"/panel/posts/{found.post_id}"
    async with scene.signed_in_for(server, found.agency, Role.PANEL_CHAIR) as chair:
        form = {"csrf_token": scene.token_of((await chair.get(url)).text)}
        assert (await chair.post(f"{url}/names", data=form)).status_code == 409, "one result still waits"
        await release_all(server, found, [5])
        opened = await chair.post(f"{url}/names", data=form)
        assert opened.status_code == 200
        assert all(NAMES[number - 1] in opened.text for number in range(1, 6))
        assert NAMES[5] not in opened.text, "who was not measured is still to be judged blind"
    assert len(await ledger_entries_of(server.storage, "selection.names_opened")) == 1


def test_the_picture_holds_every_band_and_the_cut() -> None:
    contenders = [
        Contender("A", Decimal(640), Decimal(20)),
        Contender("B", Decimal(610), Decimal(20)),
        Contender("C", Decimal(570), Decimal(20)),
        Contender("D", Decimal(420), Decimal(20)),
    ]
    ranking = ranked_list(contenders, cut_score=Decimal(350), places=2)
    plot = ranked_plot(ranking, str, str, lambda mark: f"cut {mark}")
    for row in plot.rows:
        assert 0 <= row.low < row.point < row.high <= 100
    assert plot.rows[0].point > plot.rows[-1].point
    assert plot.cut is not None
    assert plot.cut.at < plot.rows[-1].low
    assert plot.places_y == HEAD_PX + 2 * ROW_PX
    # A and B, and B and C, cannot be told apart, A and C can: overlapping groups stand side by side
    assert [bar.lane for bar in plot.groups] == [0, 1]


def test_a_list_of_nobody_is_still_a_picture() -> None:
    plot = ranked_plot(ranked_list([], places=3), str, str, str)
    assert (plot.rows, plot.groups, plot.places_y) == ((), (), None)
    assert plot.marks[0].at == 0
    assert plot.marks[-1].at == 100


@pytest.mark.journey
async def test_the_panels_pages_are_accessible_and_narrow(embedded: Place, chromium_path: Path) -> None:
    server, found = embedded
    await release_all(server, found, [1, 2, 3, 4])
    paths = (
        "/panel",
        f"/panel/selections/{found.selection_id}",
        f"/panel/selections/{found.selection_id}/statement",
        f"/panel/posts/{found.post_id}",
        f"/panel/posts/{found.post_id}?sort=score&order=descending&language=en",
    )
    async with (
        scene.signed_in_for(server, found.agency, Role.PANEL_CHAIR) as chair,
        scene.browser_page(chromium_path, server, chair) as page,
    ):
        assert await scene.faults(page, [f"{server.url}{path}" for path in paths]) == []
        await page.goto(f"{server.url}/panel/posts/{found.post_id}")
        height = await page.evaluate("document.querySelector('.ranked').getBoundingClientRect().height")
        assert height > HEAD_PX + 3 * ROW_PX, "the picture has its own height at every width"
