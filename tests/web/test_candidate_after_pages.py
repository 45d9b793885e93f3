"""After the sitting, as the candidate sees it: the released result, the own data, requests about it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import update

from cat_engine.delivery.tables import exam_sessions
from cat_engine.foundation.actors import Role
from tests.web import staff_scene as scene
from tests.web.agency import sign_in_candidate
from tests.web.assessed_people import (
    AFTER_MS,
    Assessed,
    add_assessed,
    delivered,
    ledger_entries_of,
    release_all,
)
from tests.web.serving import Served, served

Place = tuple[Served, Assessed]
THREE_DAYS_MS = 3 * 24 * 3_600_000


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[Place]:
    async with served(database_url) as server:
        found = await add_assessed(server.storage, "satu", persons=3, finished=2)
        server.clock.at_ms = AFTER_MS
        yield server, found


@pytest.fixture
async def embedded(sqlite_url: str) -> AsyncIterator[Place]:
    async with served(sqlite_url) as server:
        found = await add_assessed(server.storage, "satu", persons=3, finished=2)
        server.clock.at_ms = AFTER_MS
        yield server, found


@asynccontextmanager
async def candidate(server: Served, found: Assessed, number: int) -> AsyncIterator[httpx.AsyncClient]:
    async with server.client() as client:
        assert (await sign_in_candidate(client, found.candidate_number(number))).status_code == 303
        yield client


async def test_a_result_is_read_by_its_owner_after_the_release_only(place: Place) -> None:
    server, found = place
    url = f"/sittings/{found.sitting_ids[1]}/result"
    async with candidate(server, found, 1) as owner:
        before = await owner.get(url)
        assert before.status_code == 409
        assert "Hasil belum diumumkan" in before.text
        await release_all(server, found, [1, 2])
        page = (await owner.get(url)).text
        said = scene.text_of(page)
        for title in ("Kemampuan intelektual", "Kompetensi manajerial dan sosial kultural", "Pengetahuan"):
            assert title in said
        assert re.search(r"Nilai sebenarnya berada di antara \d+ dan \d+ dengan keyakinan 95%", said)
        assert "standar kompetensi jabatan Kepala Dinas Perizinan" in said
        assert re.search(r"Level \d, standar jabatan level 3", said)
        assert re.search(r"CE/satu/2023/00000[12]", said)
        assert "theta" not in page.lower()
        assert "sanggahan tertulis" in said
        link = re.search(r'href="(/verify/[A-Z2-7]{16})"', page)
        assert link is not None
        assert "asli dan utuh" in (await owner.get(link[1])).text
        assert '<svg xmlns="http://www.w3.org/2000/svg"' in page, "the code to scan is drawn in the page"
        assert (await owner.get(f"/sittings/{found.sitting_ids[2]}/result")).status_code == 404


async def test_areas_are_described_and_never_called_levels(embedded: Place) -> None:
    server, found = embedded
    await release_all(server, found, [1])
    async with candidate(server, found, 1) as owner:
        said = scene.text_of((await owner.get(f"/sittings/{found.sitting_ids[1]}/result")).text)
    areas = said.split("Gambaran per kompetensi dan materi", 1)[1].split("Arti nilai ini", 1)[0]
    assert "bukan level terukur" in areas
    assert "Integritas" in areas
    assert re.search(r"rata-rata [1-5],\d dari 5 poin per butir", areas)
    assert re.search(r"Sistem merit dan manajemen ASN \d dari 5 poin", areas), "a fixed form's points"
    # items of an adaptive section that are right or wrong are chosen by ability: their share says nothing
    assert "Penalaran numerik" not in areas


async def test_the_same_result_in_english_and_after_its_expiry(embedded: Place) -> None:
    server, found = embedded
    await release_all(server, found, [1])
    server.clock.at_ms += 4 * 366 * 24 * 3_600_000
    async with candidate(server, found, 1) as owner:
        url = f"/sittings/{found.sitting_ids[1]}/result?language=en"
        said = scene.text_of((await owner.get(url)).text)
    assert "My result" in said
    assert "Managerial and social competencies" in said
    assert "No longer valid" in said


async def test_whoever_read_the_result_stands_in_the_own_data(place: Place) -> None:
    server, found = place
    url = f"/sittings/{found.sitting_ids[1]}/data"
    async with candidate(server, found, 1) as owner:
        nobody = scene.text_of((await owner.get(url)).text)
        assert "Nilai, di bawah kode samaran" not in nobody
        async with scene.signed_in_for(server, found.agency, Role.PANEL_CHAIR) as chair:
            await chair.get(f"/panel/posts/{found.post_id}")  # nothing is released: nothing was read
            await release_all(server, found, [1])
            await delivered(server)
            server.clock.at_ms += 60_000
            await chair.get(f"/panel/posts/{found.post_id}")
        async with scene.signed_in_for(server, found.agency, Role.TALENT_MANAGER) as manager:
            await manager.get(f"/talent/people/{found.person_id(1)}")
            await manager.get(f"/talent/people/{found.person_id(2)}")
            await manager.get("/talent")
        said = scene.text_of((await owner.get(url)).text)
    readers = said.split("Siapa yang membaca", 1)[1].split("Salinan data", 1)[0]
    assert readers.count("Ketua panitia seleksi (Instansi satu) Nilai, di bawah kode samaran") == 1
    assert readers.count("Pengelola talenta (Instansi satu) Rekam talenta") == 1, (
        "the other person's is not mine"
    )
    assert "Kotak pada sembilan kotak talenta" in readers
    assert "Pengumuman oleh ketua panitia" in readers
    assert "Sistem (Instansi satu) Laporan hasil" in readers
    assert "Nama panel_chair" not in readers, "roles, not names"
    async with candidate(server, found, 2) as other:
        said = scene.text_of((await other.get(f"/sittings/{found.sitting_ids[2]}/data")).text)
        assert "Rekam talenta" in said
        assert "Nilai, di bawah kode samaran" not in said, "this result is not released yet"


async def test_requests_are_recorded_once_with_their_due_date(place: Place) -> None:
    server, found = place
    url = f"/sittings/{found.sitting_ids[1]}/data"
    async with candidate(server, found, 1) as owner:
        page = (await owner.get(url)).text
        for name in ("UU 27/2022 Pasal 20 ayat (2)", "Mengikuti jadwal retensi arsip"):
            assert name in page
        token = scene.token_of(page)
        for _ in range(2):
            answer = await owner.post(url, data={"csrf_token": token, "kind": "copy"})
            assert (answer.status_code, answer.headers["location"]) == (303, url)
        wrong = "Jabatan saya seharusnya Kepala Bidang <Perizinan>."
        await owner.post(url, data={"csrf_token": token, "kind": "correction", "what": wrong})
        said = scene.text_of((await owner.get(url)).text)
        assert "Permintaan Saudara" in said
        assert "17 Agu 2023, 21.00 WIB" in said, "three days later"
    entries = await ledger_entries_of(server.storage, "data.request")
    assert [(detail["kind"], detail["what"]) for _, _, detail in entries] == [
        ("copy", ""),
        ("correction", wrong),
    ]
    assert {detail["due_at_ms"] for _, _, detail in entries} == {AFTER_MS + THREE_DAYS_MS}
    assert {actor for actor, _, _ in entries} == {"candidate:roster-satu-1"}


@pytest.mark.parametrize(
    ("what", "status"), [("   ", 422), ("", 422), ("panjang " * 300, 422), ("jelas\x00tidak", 422)]
)
async def test_a_refused_correction_keeps_what_was_typed(embedded: Place, what: str, status: int) -> None:
    server, found = embedded
    url = f"/sittings/{found.sitting_ids[1]}/data"
    async with candidate(server, found, 1) as owner:
        token = scene.token_of((await owner.get(url)).text)
        answer = await owner.post(url, data={"csrf_token": token, "kind": "correction", "what": what})
        assert answer.status_code == status
        if what.startswith("panjang"):
            assert what.strip() in answer.text
            assert 'aria-invalid="true"' in answer.text
        unknown = await owner.post(url, data={"csrf_token": token, "kind": "erase", "what": "x"})
        assert unknown.status_code == 422
    assert await ledger_entries_of(server.storage, "data.request") == []


@pytest.mark.journey
async def test_the_pages_after_the_sitting_are_accessible_and_narrow(
    embedded: Place, chromium_path: Path
) -> None:
    server, found = embedded
    await release_all(server, found, [1])
    base = f"{server.url}/sittings/{found.sitting_ids[1]}"
    async with (
        candidate(server, found, 1) as owner,
        scene.browser_page(chromium_path, server, owner) as page,
    ):
        urls = [base, f"{base}/result", f"{base}/data", f"{base}/result?language=en"]
        assert await scene.faults(page, urls) == []


async def test_who_has_finished_comes_back_after_the_session_is_closed_and_nobody_else(place: Place) -> None:
    server, found = place
    await release_all(server, found, [1])
    async with server.storage.transaction() as connection:
        await connection.execute(update(exam_sessions).values(status="closed"))
    async with candidate(server, found, 1) as owner:
        assert (await owner.get(f"/sittings/{found.sitting_ids[1]}/result")).status_code == 200
    async with server.client() as client:
        refused = await sign_in_candidate(client, found.candidate_number(3))
    assert refused.status_code == 409
    assert "sudah berakhir" in refused.text
