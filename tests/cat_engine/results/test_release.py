"""Release: one report, one log entry, one ledger entry, one promise, or none of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.delivery.tables import sitting_log
from cat_engine.foundation import ledger
from cat_engine.foundation.actors import Actor
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.storage import Storage
from cat_engine.foundation.tables import ledger_entries, outbox_messages, policies
from cat_engine.results import reports
from cat_engine.results.documents import ReleasedReport, document_text, verification_code
from cat_engine.results.release import local_year, release, years_later
from cat_engine.results.tables import score_reports
from cat_engine.talent.postings import promise
from cat_engine.talent.tables import postings
from tests.cat_engine.results.rows import (
    AGENCY,
    AUDITOR,
    CHAIR,
    MEMBER,
    OTHER_AGENCY,
    STRANGER,
    T0,
    LogReleaser,
    add_sitting,
    open_storage,
    scored,
)

WIB, WIT = (timezone(timedelta(hours=hours)) for hours in (7, 9))


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[Storage]:
    async with open_storage(database_url) as opened:
        yield opened


async def add(storage: Storage, *sitting_ids: str, **more: Any) -> None:
    async with storage.transaction() as connection:
        for sitting_id in sitting_ids:
            await add_sitting(connection, sitting_id, **more)


async def do_release(
    storage: Storage, *sitting_ids: str, actor: Actor = CHAIR, at_ms: int = T0 + 1000
) -> tuple[ReleasedReport, ...]:
    return await release(storage, LogReleaser(), promise, actor, sitting_ids, at_ms)


async def counts(storage: Storage) -> dict[str, int]:
    """How much there is of everything a release writes."""
    async with storage.reading() as connection:
        found = {
            table.name: await connection.scalar(select(func.count()).select_from(table)) or 0
            for table in (score_reports, postings, outbox_messages, ledger_entries)
        }
        released = select(func.count()).select_from(sitting_log).where(sitting_log.c.status == "released")
        return {**found, "released": await connection.scalar(released) or 0}


NOTHING = {"score_reports": 0, "postings": 0, "outbox_messages": 0, "ledger_entries": 0, "released": 0}


async def code_of_refusal(act: Any) -> Refusal:
    with pytest.raises(Refused) as refused:
        await act
    return refused.value.code


async def test_a_release_writes_everything_that_follows_from_it(storage: Storage) -> None:
    await add(storage, "s1")
    (report,) = await do_release(storage, "s1")
    assert await counts(storage) == dict.fromkeys(NOTHING, 1)
    assert report.report_number == "CE/KAB-CONTOH/2026/000001"
    assert len(report.verification_code) == 16
    assert (report.package_hash, report.released_by) == ("a" * 64, "staff:chair")
    assert report.measured_at_ms == T0 + 60_000
    assert datetime.fromtimestamp(report.expires_at_ms / 1000, WIB) == datetime.fromtimestamp(
        report.measured_at_ms / 1000, WIB
    ).replace(year=2029)
    assert report.document.validity.is_example
    async with storage.reading() as connection:
        assert await reports.report_of_sitting(connection, AGENCY, "s1") == report
        assert await reports.report(connection, AGENCY, report.id) == report
        assert await reports.reports_of_person(connection, AGENCY, "person-s1") == (report,)
        scored_chain = await connection.scalar(
            select(sitting_log.c.chain).where(sitting_log.c.status == "scored")
        )
        stored = await connection.scalar(select(score_reports.c.scores))
        assert await ledger.first_break(connection) is None
    assert report.sitting_chain == scored_chain
    assert "theta" not in (stored or "")


async def test_no_release_without_the_right_the_agency_and_the_score(storage: Storage) -> None:
    await add(storage, "s1")
    await add(storage, "unscored", score=None)
    for actor in (MEMBER, AUDITOR):
        assert await code_of_refusal(do_release(storage, "s1", actor=actor)) is Refusal.NOT_ALLOWED
    assert await code_of_refusal(do_release(storage, "s1", actor=STRANGER)) is Refusal.NOT_FOUND
    assert await code_of_refusal(do_release(storage, "nobody")) is Refusal.NOT_FOUND
    assert await code_of_refusal(do_release(storage, "unscored")) is Refusal.RESULT_NOT_SCORED
    assert await counts(storage) == NOTHING
    async with storage.reading() as connection:
        not_yet = reports.report_of_sitting(connection, AGENCY, "s1")
        assert await code_of_refusal(not_yet) is Refusal.RESULT_NOT_RELEASED
        foreign = reports.report_of_sitting(connection, OTHER_AGENCY, "s1")
        assert await code_of_refusal(foreign) is Refusal.NOT_FOUND


async def test_one_that_cannot_be_released_keeps_back_all(storage: Storage) -> None:
    await add(storage, "s1", "s2")
    await add(storage, "unscored", score=None)
    assert await code_of_refusal(do_release(storage, "s1", "unscored", "s2")) is Refusal.RESULT_NOT_SCORED
    assert await counts(storage) == NOTHING


async def test_a_second_release_is_refused(storage: Storage) -> None:
    await add(storage, "s1")
    await do_release(storage, "s1")
    assert await code_of_refusal(do_release(storage, "s1")) is Refusal.RESULT_ALREADY_RELEASED
    assert await counts(storage) == dict.fromkeys(NOTHING, 1)


async def test_simultaneous_releases_make_one_report_each_and_no_gap(storage: Storage) -> None:
    names = [f"s{n}" for n in range(6)]
    await add(storage, *names)
    outcomes = await asyncio.gather(
        *(do_release(storage, name) for name in names * 3), return_exceptions=True
    )
    won = [outcome[0] for outcome in outcomes if isinstance(outcome, tuple)]
    lost = [outcome.code for outcome in outcomes if isinstance(outcome, Refused)]
    assert (len(won), lost) == (6, [Refusal.RESULT_ALREADY_RELEASED] * 12)
    assert sorted(report.report_number[-6:] for report in won) == [f"{n:06d}" for n in range(1, 7)]
    assert await counts(storage) == dict.fromkeys(NOTHING, 6)


@pytest.mark.parametrize("failing", ["sittings", "promise"])
async def test_a_failure_anywhere_undoes_all_of_it(failing: str, storage: Storage) -> None:
    await add(storage, "s1")

    class Failing(LogReleaser):
        async def release(
            self, connection: AsyncConnection, sitting_id: str, actor: Actor, at_ms: int
        ) -> None:
            await super().release(connection, sitting_id, actor, at_ms)
            if failing == "sittings":
                raise ConnectionResetError("on purpose")

    async def failing_promise(connection: AsyncConnection, report: ReleasedReport, at_ms: int) -> None:
        await promise(connection, report, at_ms)
        raise ConnectionResetError("on purpose")

    with pytest.raises(ConnectionResetError):
        await release(storage, Failing(), failing_promise, CHAIR, ["s1"], T0)
    assert await counts(storage) == NOTHING
    (report,) = await do_release(storage, "s1")
    assert report.report_number.endswith("/000001"), "the number of a release that failed is used again"


async def test_numbers_run_by_agency_and_local_year(storage: Storage) -> None:
    await add(storage, "s1", "s2", "s3")
    await add(storage, "foreign", agency=OTHER_AGENCY)
    new_year_wib = int(datetime(2026, 12, 31, 17, 0, tzinfo=UTC).timestamp() * 1000)
    (first,) = await do_release(storage, "s1", at_ms=new_year_wib - 1)
    (second,) = await do_release(storage, "s2", at_ms=new_year_wib)
    (foreign,) = await do_release(storage, "foreign", actor=STRANGER, at_ms=new_year_wib - 1)
    assert first.report_number == "CE/KAB-CONTOH/2026/000001"
    assert second.report_number == "CE/KAB-CONTOH/2027/000001"
    assert foreign.report_number == "CE/KOTA-LAIN/2027/000001", "in WIT it is 2027 already"
    async with storage.transaction() as connection:
        await connection.execute(
            update(score_reports)
            .where(score_reports.c.id == second.id)
            .values(report_number="CE/KAB-CONTOH/2027/999999")
        )
    (third,) = await do_release(storage, "s3", at_ms=new_year_wib)
    assert third.report_number == "CE/KAB-CONTOH/2027/1000000"


async def test_validity_is_the_policy_s_and_stays_with_the_report(storage: Storage) -> None:
    await add(storage, "s1")
    async with storage.transaction() as connection:
        await connection.execute(
            insert(policies).values(
                id="v4",
                agency_id=AGENCY,
                kind="score_validity",
                version=4,
                valid_from_ms=T0,
                body=msgspec.json.encode({"version": 4, "years": 2, "is_example": False}).decode(),
            )
        )
    (report,) = await do_release(storage, "s1")
    validity = report.document.validity
    assert (validity.version, validity.years, validity.is_example) == (4, 2, False)
    assert datetime.fromtimestamp(report.expires_at_ms / 1000, WIB).year == 2028


async def test_a_printed_code_verifies_and_a_changed_score_shows(storage: Storage) -> None:
    await add(storage, "s1")
    (report,) = await do_release(storage, "s1")
    code = report.verification_code
    typed = f" {code[:4].lower()}-{code[4:8]} {code[8:]}"
    async with storage.reading() as connection:
        found = await reports.verify(connection, typed)
        assert (found.report_number, found.agency_name) == (report.report_number, "Instansi KAB-CONTOH")
        assert found.sections == report.sections
        assert found.is_intact
        assert await code_of_refusal(reports.verify(connection, "A" * 16)) is Refusal.NOT_FOUND
    forged = document_text(report.document).replace('"513"', '"713"')
    for change in ({"scores": forged}, {"report_number": "CE/X/2026/000001"}, {"sitting_chain": "f" * 64}):
        async with storage.transaction() as connection:
            original = (await connection.execute(select(score_reports))).mappings().one()
            await connection.execute(update(score_reports).values(**change))
        async with storage.reading() as connection:
            assert not (await reports.verify(connection, code)).is_intact
        async with storage.transaction() as connection:
            await connection.execute(update(score_reports).values(**dict(original)))


async def test_a_view_has_the_band_the_probabilities_and_keys(storage: Storage) -> None:
    await add(storage, "s1", score=scored(("competency", "513", "21"), ("knowledge", "85", "")))
    (report,) = await do_release(storage, "s1")
    view = reports.report_view(report, T0 + 2000, {"section-competency": [400, 500, 600]})
    adaptive, fixed = view.sections
    assert (adaptive.band_low, adaptive.band_high) == ("472", "554")
    assert adaptive.level_probabilities is not None
    # Phi((500 - 513) / 21) = 0.2679 lies below the second cut
    assert sum(adaptive.level_probabilities[:2]) == pytest.approx(0.2679, abs=1e-4)
    assert sum(adaptive.level_probabilities) == pytest.approx(1, abs=2e-4)
    assert (fixed.band_low, fixed.scale_error, fixed.level_probabilities) == (None, None, None)
    assert [area.area for area in adaptive.areas] == ["manajerial.integritas"]
    assert fixed.areas == ()
    assert view.verdict_key == "results.verdict.passed"
    assert (view.band_percent, view.is_expired, view.is_simulated) == (95, False, True)
    assert reports.report_view(report, report.expires_at_ms).is_expired


@pytest.mark.parametrize(
    ("score", "error", "expected"),
    [
        ("513", "21", ("472", "554")),
        ("51.3", "2.1", ("47.2", "55.4")),
        ("500", "0", ("500", "500")),
        ("5", None, (None, None)),
    ],
)
def test_the_band_is_printed_like_the_score(score: str, error: str | None, expected: tuple[str, str]) -> None:
    assert reports.band(score, error) == expected


def test_years_later_keeps_the_local_date_and_time() -> None:
    leap = int(datetime(2028, 2, 29, 8, 30, tzinfo=WIB).timestamp() * 1000) + 7
    later = years_later(leap, 3, WIB)
    assert datetime.fromtimestamp(later // 1000, WIB) == datetime(2031, 2, 28, 8, 30, tzinfo=WIB)
    assert later % 1000 == 7


@settings(deadline=None)
@given(st.integers(0, 4_000_000_000_000), st.integers(1, 10))
def test_years_later_is_never_a_day_off(at_ms: int, years: int) -> None:
    days = (years_later(at_ms, years, WIT) - at_ms) / 86_400_000
    assert 365 * years - 1 <= days <= 366 * years
    assert local_year(years_later(at_ms, years, WIT), WIT) == local_year(at_ms, WIT) + years


@settings(deadline=None)
@given(st.tuples(*[st.text(max_size=8)] * 4), st.tuples(*[st.text(max_size=8)] * 4))
def test_different_reports_have_different_codes(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    assert (verification_code(*one) == verification_code(*other)) == (one == other)
