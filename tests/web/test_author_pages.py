"""The item bank's pages: filters, order and pages of the list; an item with its key, and who looked at it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import pytest
from sqlalchemy import event, select, update

from cat_engine.foundation.actors import Role
from item_bank.demonstration.bank import demonstration_items
from item_bank.demonstration.drafts import DraftItem
from item_bank.store import add_drafts
from item_bank.tables import item_versions, items
from tests.web import staff_scene as scene
from tests.web.agency import T0, Agency, add_agency
from tests.web.serving import Served, served
from web.formats import Formats
from web.plots import BOTTOM, LEFT, RIGHT, TOP, Curve, PlotWords, line_plot

FAMILIES = ("analogy", "data_table", "figural_matrix", "situational_judgement", "statute")


def few_drafts() -> tuple[DraftItem, ...]:
    """Eight items of each of five families, with the enemies among them."""
    chosen = [
        draft
        for family in FAMILIES
        for draft in [each for each in demonstration_items() if each.family == family][:8]
    ]
    codes = {draft.code for draft in chosen}
    return tuple(
        msgspec.structs.replace(draft, enemies=tuple(enemy for enemy in draft.enemies if enemy in codes))
        for draft in chosen
    )


@dataclass
class Bank:
    """An agency's bank of 40 drafts (and one item without a version), and its reviewer."""

    server: Served
    agency: Agency
    client: httpx.AsyncClient
    ids: dict[str, str]

    async def listed(self, query: str = "") -> list[str]:
        answer = await self.client.get(f"/bank{query}")
        assert answer.status_code == 200
        return re.findall(r'<a href="/bank/items/[^"]+">([^<]+)</a>', answer.text)

    async def item(self, draft: DraftItem, query: str = "") -> str:
        answer = await self.client.get(f"/bank/items/{self.ids[draft.code]}{query}")
        assert answer.status_code == 200
        return answer.text


async def stocked(server: Served) -> Bank:
    agency = await add_agency(server.storage, "satu")
    async with server.storage.transaction() as connection:
        actor = agency.actor(Role.ITEM_WRITER)
        ids = await add_drafts(connection, actor, few_drafts(), status="operational", at_ms=T0)
    return Bank(server, agency, await scene.signed_in(server, agency, Role.REVIEWER), ids)


@pytest.fixture
async def bank(sqlite_url: str) -> AsyncIterator[Bank]:
    async with served(sqlite_url) as server:
        found = await stocked(server)
        yield found
        await found.client.aclose()


async def test_the_list_is_paged_sorted_and_filtered(database_url: str) -> None:
    async with served(database_url) as server:
        bank = await stocked(server)
        drafts = few_drafts()
        codes = sorted([*(draft.code for draft in drafts), "BUTIR-satu"])
        assert await bank.listed() == codes[:25]
        assert await bank.listed("?page=2") == codes[25:]
        assert await bank.listed("?page=99") == codes[25:]
        assert (await bank.listed("?sort=-code"))[0] == codes[-1]

        statutes = [draft for draft in drafts if draft.family == "statute"]
        assert await bank.listed("?family=statute") == sorted(draft.code for draft in statutes)
        assert await bank.listed("?competency=pengetahuan") == sorted(draft.code for draft in statutes)
        english = sorted(draft.code for draft in drafts if "en" in draft.bodies)
        assert await bank.listed("?in_language=en") == english[:25]
        assert await bank.listed("?status=draft") == ["BUTIR-satu"]
        levels = sorted(draft.code for draft in drafts if draft.level == 2)
        assert await bank.listed("?level=2&provenance=design") == levels
        assert await bank.listed("?provenance=calibrated") == []
        assert await bank.listed(f"?words={statutes[0].citation.lower()}") != []
        assert await bank.listed("?words=%25") == [], "a wildcard is a letter like any other"
        await bank.client.aclose()


async def test_a_page_of_the_list_costs_three_statements(bank: Bank) -> None:
    statements: list[str] = []

    def count(_c: object, _k: object, statement: str, *_: object) -> None:
        if "items" in statement:
            statements.append(statement)

    for engine in bank.server.storage.engines:
        event.listen(engine.sync_engine, "before_cursor_execute", count)
    await bank.listed("?family=statute&sort=-level")
    assert len(statements) == 3, "the number of items, a page of them, and what the filters offer"


async def test_the_list_shows_neither_words_nor_keys(bank: Bank) -> None:
    html = (await bank.client.get("/bank?family=statute")).text
    draft = next(draft for draft in few_drafts() if draft.family == "statute")
    assert draft.indicator in scene.text_of(html)
    assert draft.bodies["id"].options[0] not in html
    assert await scene.ledger_subjects(bank.server, "item.read") == []


async def test_an_item_shows_its_key_and_looking_is_recorded(bank: Bank) -> None:
    draft = next(draft for draft in few_drafts() if draft.family == "analogy")
    text = scene.text_of(await bank.item(draft))
    best = "ABCDE"[draft.option_points.index(1)]
    assert f"{best} jawaban terbaik {draft.bodies['id'].options['ABCDE'.index(best)]} 1 –" in text
    for note in filter(None, draft.option_notes):
        assert note in text
    assert "Rancangan: belum dikalibrasi" in text
    assert Formats().number(draft.b[0], 2) in text
    assert await scene.ledger_subjects(bank.server, "item.read") == [bank.ids[draft.code]]
    await bank.item(draft)
    assert len(await scene.ledger_subjects(bank.server, "item.read")) == 2


@pytest.mark.parametrize("family", FAMILIES)
async def test_every_family_is_previewed_with_its_curves(bank: Bank, family: str) -> None:
    draft = next(draft for draft in few_drafts() if draft.family == family)
    html = await bank.item(draft, "?width=narrow")
    assert "preview__screen--narrow" in html
    assert html.count('type="radio" name="response"') == len(draft.option_points)
    assert "<form" not in html.split('class="preview"')[1].split("</section>")[0], "there is nothing to send"
    curves = len(draft.b) + 1 if draft.model == "GPCM" else 1
    assert html.count('class="plot__line plot__line--') - (curves if curves > 1 else 0) == curves + 1


async def test_the_preview_changes_its_language(bank: Bank) -> None:
    draft = next(draft for draft in few_drafts() if draft.family == "data_table")
    english, indonesian = draft.bodies["en"].stem, draft.bodies["id"].stem
    assert scene.text_of(english).strip() in scene.text_of(await bank.item(draft, "?in_language=en"))
    assert scene.text_of(indonesian).strip() in scene.text_of(await bank.item(draft, "?in_language=xx"))


async def test_enemies_lead_to_each_other(bank: Bank) -> None:
    draft = next(draft for draft in few_drafts() if draft.enemies)
    html = await bank.item(draft)
    for enemy in draft.enemies:
        assert f'<a href="/bank/items/{bank.ids[enemy]}">{enemy}</a>' in html


async def test_words_changed_behind_our_back_are_cleaned(bank: Bank) -> None:
    draft = few_drafts()[0]
    hostile = {"stem": "<p>Soal<script>steal()</script></p>", "options": ["<img src=x onerror=steal()>A"] * 5}
    async with bank.server.storage.transaction() as connection:
        await connection.execute(
            update(item_versions)
            .where(item_versions.c.item_id == bank.ids[draft.code])
            .values(bodies=msgspec.json.encode({"id": hostile}).decode())
        )
    html = await bank.item(draft)
    assert "steal" not in html
    assert "<p>Soal</p>" in html


async def test_an_item_without_words_says_so(bank: Bank) -> None:
    answer = await bank.client.get(f"/bank/items/{bank.agency.ids['item_id']}")
    assert answer.status_code == 200
    assert "Butir ini belum mempunyai naskah" in answer.text


async def test_another_agency_and_other_roles_are_kept_out(bank: Bank) -> None:
    other = await add_agency(bank.server.storage, "dua")
    assert "BUTIR-dua" not in await bank.listed("?status=draft")
    before = await scene.ledger_subjects(bank.server, "item.read")
    assert (await bank.client.get(f"/bank/items/{other.ids['item_id']}")).status_code == 404
    assert await scene.ledger_subjects(bank.server, "item.read") == before
    for role in (Role.PROCTOR, Role.ADMINISTRATOR, Role.PANEL_CHAIR):
        async with scene.signed_in_for(bank.server, bank.agency, role) as client:
            assert (await client.get("/bank")).status_code == 403
            assert (await client.get(f"/bank/items/{bank.agency.ids['item_id']}")).status_code == 403


async def test_the_newest_version_and_calibration_count(bank: Bank) -> None:
    draft = few_drafts()[0]
    async with bank.server.storage.transaction() as connection:
        row = (
            (
                await connection.execute(
                    select(item_versions).where(item_versions.c.item_id == bank.ids[draft.code])
                )
            )
            .mappings()
            .one()
        )
        body = {"stem": "<p>Naskah kedua</p>", "options": list("VWXYZ")}
        newer = {**row, "id": "version-2", "version": 2, "bodies": msgspec.json.encode({"id": body}).decode()}
        await connection.execute(item_versions.insert().values(**newer))
    html = await bank.item(draft)
    assert "Naskah kedua" in html
    assert "Butir ini belum mempunyai parameter." in html
    assert (await bank.listed()).count(draft.code) == 1
    async with bank.server.storage.reading() as connection:
        held = (await connection.execute(select(items.c.id))).scalars().all()
    assert len(held) == 41


def test_a_plot_lays_curves_within_its_frame() -> None:
    words = PlotWords(id="p", title="t", description="d", x_label="x", y_label="y")
    plot = line_plot(
        words, [-1.0, 0.0, 1.0], [Curve("c", (0.0, 0.19, 0.1))], Formats(), cuts=[(0.5, "K"), (3.0, "L")]
    )
    assert plot.series[0].path == f"M{LEFT:g} {BOTTOM:g}L340 {BOTTOM - 0.95 * (BOTTOM - TOP):g} {RIGHT:g} 147"
    assert [tick.label for tick in plot.y_ticks] == ["0,00", "0,05", "0,10", "0,15", "0,20"]
    assert [(cut.at, cut.label) for cut in plot.cuts] == [(482.0, "K")]
    assert plot.rows[1] == ("0,0", "0,19")


@pytest.mark.journey
async def test_axe_finds_nothing_and_nothing_overflows(bank: Bank, chromium_path: Path) -> None:
    of = {draft.family: bank.ids[draft.code] for draft in few_drafts()}
    urls = [f"{bank.server.url}/bank", f"{bank.server.url}/bank?words=tiada"]
    urls += [f"{bank.server.url}/bank/items/{item_id}" for item_id in of.values()]
    async with scene.browser_page(chromium_path, bank.server, bank.client) as page:
        assert await scene.faults(page, urls) == []
