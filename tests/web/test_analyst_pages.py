"""Test packages and sitting files: what a page says of them, what may be taken away, what a replay finds."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select, update

from cat_engine.core.compiled import compile_package
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import RuleChoice, Share, decode_file
from cat_engine.delivery.tables import sitting_log
from cat_engine.foundation.actors import Role
from cat_engine.integrity.exports import decode_sitting
from cat_engine.integrity.replay import replay_sitting
from tests.cat_engine import small_packages as small
from tests.web import staff_scene as scene
from tests.web.agency import Agency, add_agency
from tests.web.serving import Served, served
from web.analyst.sections import best_information, rule_sentence, section_view
from web.formats import Formats
from web.language import load_translators


@dataclass
class Place:
    """An agency with one finished sitting, seen by its psychometrician."""

    server: Served
    agency: Agency
    client: httpx.AsyncClient
    sitting_id: str

    @property
    def package_url(self) -> str:
        return f"/packages/{self.agency.ids['package_id']}"

    async def replay(self) -> str:
        token = scene.token_of((await self.client.get("/sitting-files")).text)
        url = f"/sitting-files/{self.sitting_id}/replay"
        answer = await self.client.post(url, data={"csrf_token": token})
        assert answer.status_code == 200
        return scene.text_of(answer.text)


async def settled(server: Served) -> Place:
    agency = await add_agency(server.storage, "satu")
    sitting_id = (await scene.sitting_ids(server, agency))[0]
    await scene.finish(server, agency, sitting_id)
    return Place(server, agency, await scene.signed_in(server, agency, Role.PSYCHOMETRICIAN), sitting_id)


@pytest.fixture
async def place(sqlite_url: str) -> AsyncIterator[Place]:
    async with served(sqlite_url) as server:
        found = await settled(server)
        yield found
        await found.client.aclose()


async def test_a_package_is_described_without_its_keys(database_url: str) -> None:
    async with served(database_url) as server:
        place = await settled(server)
        listed = scene.text_of((await place.client.get("/packages")).text)
        assert "Tes kecil SMALL, versi 1" in listed
        answer = await place.client.get(place.package_url)
        assert answer.status_code == 200
        text = scene.text_of(answer.text)
        assert small.mixed_file().content_hash in text
        assert "73 dari 73 butir (100%) memakai parameter rancangan" in text
        assert "Butir diundi dari beberapa butir terbaik: 5, 4, lalu 3 butir." in text
        assert "Berhenti bila galat baku mencapai 0,38, paling sedikit setelah 4 butir." in text
        assert "Modus posterior (MAP)" in text
        assert "verbal 40,0% 4,0 24 Cukup" in text
        assert "Sesi satu" in text
        for secret in ("R0001", "item-R-", "Pokok soal"):
            assert secret not in answer.text
        await place.client.aclose()


def test_a_blueprint_that_the_pool_cannot_meet_is_pointed_out() -> None:
    package = small.mixed_package()
    items = package.items[:12]  # three of each of four areas, two of them verbal
    shares = (Share("numeric", 900), Share("figural", 100), Share("verbal", 0))
    section = small.adaptive_section("reasoning", items, blueprint=shares)
    part = compile_package(freeze(small.package_of(items, (section,)))).sections[0]
    view = section_view(part, load_translators()["id"], Formats())
    assert [(area.wanted, area.in_pool, area.is_met) for area in view.areas] == [
        (9.0, 3, False),
        (1.0, 3, True),
        (0.0, 6, True),
    ]
    assert not view.is_blueprint_met


def test_the_best_information_is_that_of_the_best_items() -> None:
    part = small.mixed().sections[0]
    best, all_items = best_information(part), part.pool.information.sum(axis=1) / 1e9
    row = sorted((value / 1e9 for value in part.pool.information[80]), reverse=True)
    assert best[80] == pytest.approx(sum(row[: part.most_items]))
    assert (best <= all_items + 1e-12).all()


def test_a_rule_of_another_distribution_is_shown_by_its_name() -> None:
    t = load_translators()["id"]
    assert rule_sentence(RuleChoice("house_rule", {"depth": 3}), t, Formats()) == "house_rule (depth = 3)"
    assert rule_sentence(RuleChoice("randomesque"), t, Formats()).endswith("terbaik: 5 butir.")


async def test_files_leave_with_an_entry_in_the_ledger_and_replay_elsewhere(place: Place) -> None:
    package = await place.client.get(f"{place.package_url}/file")
    sitting = await place.client.get(f"/sitting-files/{place.sitting_id}")
    assert package.status_code == sitting.status_code == 200
    assert package.headers["content-disposition"].startswith('attachment; filename="package-')
    assert replay_sitting(decode_file(package.content), decode_sitting(sitting.content)) is None
    assert await scene.ledger_subjects(place.server, "package.export") == [place.agency.ids["package_id"]]
    assert await scene.ledger_subjects(place.server, "sitting.export") == [place.sitting_id]
    assert b"Peserta 1" not in sitting.content


async def test_a_replay_finds_the_record_identical(place: Place) -> None:
    text = await place.replay()
    assert "Sama persis" in text
    assert "Kode tanda terima peserta" in text
    assert await scene.ledger_subjects(place.server, "sitting.replay") == [place.sitting_id]


async def test_a_replay_names_what_was_changed(place: Place) -> None:
    changed = (sitting_log.c.sitting_id == place.sitting_id) & sitting_log.c.events.contains(
        '"response":"o1"'
    )
    async with place.server.storage.transaction() as connection:
        row = (
            await connection.execute(
                select(sitting_log.c.revision, sitting_log.c.events)
                .where(changed)
                .order_by(sitting_log.c.revision)
            )
        ).first()
        assert row is not None
        await connection.execute(
            update(sitting_log)
            .where(sitting_log.c.sitting_id == place.sitting_id, sitting_log.c.revision == row.revision)
            .values(events=row.events.replace('"response":"o1"', '"response":"o2"'))
        )
    text = await place.replay()
    assert "Ada perbedaan" in text
    assert f"entry {row.revision}" in text
    assert "Sama persis" not in text


async def test_only_finished_sittings_are_listed_and_only_ones_own(place: Place) -> None:
    other = await add_agency(place.server.storage, "dua")
    html = (await place.client.get("/sitting-files")).text
    assert re.findall(r'href="/sitting-files/([^"?]+)"', html) == [place.sitting_id]
    assert "CAT-SATU-001" in html
    assert (await place.client.get(f"/sitting-files/{other.ids['sitting_id']}")).status_code == 404
    assert (await place.client.get(f"/packages/{other.ids['package_id']}")).status_code == 404
    assert (await place.client.get(f"/packages/{other.ids['package_id']}/file")).status_code == 404
    token = scene.token_of(html)
    url = f"/sitting-files/{other.ids['sitting_id']}/replay"
    assert (await place.client.post(url, data={"csrf_token": token})).status_code == 404
    assert await scene.ledger_subjects(place.server, "package.export") == []


async def test_the_panel_sees_its_own_selections_and_no_candidate_number(place: Place) -> None:
    async with scene.signed_in_for(place.server, place.agency, Role.PANEL_CHAIR) as client:
        html = (await client.get("/sitting-files")).text
        assert place.sitting_id in html
        assert "CAT-SATU-001" not in html
        assert place.sitting_id[-8:].upper() in html


async def test_who_may_not_export_sees_no_file_and_gets_none(place: Place) -> None:
    async with scene.signed_in_for(place.server, place.agency, Role.ADMINISTRATOR) as client:
        page = await client.get(place.package_url)
        assert page.status_code == 200
        assert f"{place.package_url}/file" not in page.text
        assert (await client.get(f"{place.package_url}/file")).status_code == 403
        assert (await client.get("/sitting-files")).status_code == 403
    async with scene.signed_in_for(place.server, place.agency, Role.PROCTOR) as client:
        assert (await client.get("/packages")).status_code == 403


@pytest.mark.journey
async def test_axe_finds_nothing_and_nothing_overflows(place: Place, chromium_path: Path) -> None:
    urls = [place.server.url + path for path in ("/packages", place.package_url, "/sitting-files")]
    async with scene.browser_page(chromium_path, place.server, place.client) as page:
        assert await scene.faults(page, urls) == []
        await page.goto(f"{place.server.url}/sitting-files")
        await page.click("form[action$='/replay'] button")
        await page.wait_for_selector(".notice--success", timeout=20_000)
