"""Reading the register: the newest valid score counts, what is missing is said, one statement a page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sqlalchemy import event, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.foundation.identifiers import new_id
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.storage import Storage
from cat_engine.foundation.tables import policies
from cat_engine.talent.nine_box import EXAMPLE_POLICY, policy_from
from cat_engine.talent.register import nine_box_policy, person_record, unit_grid, units
from cat_engine.talent.tables import performance_ratings, talent_entries
from tests.cat_engine.results.rows import (
    AGENCY,
    CHAIR,
    OTHER_AGENCY,
    STRANGER,
    T0,
    TALENT_MANAGER,
    add_person,
    open_storage,
)

POLICY = policy_from(EXAMPLE_POLICY)
YEAR_MS = 365 * 24 * 3600 * 1000


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[Storage]:
    async with open_storage(database_url) as opened:
        yield opened


async def enter(
    connection: AsyncConnection,
    person_id: str,
    aspect: str,
    score: str,
    *,
    report: str = "A",
    measured: int = T0,
    expires: int = T0 + 3 * YEAR_MS,
) -> None:
    await connection.execute(
        insert(talent_entries).values(
            id=new_id(measured),
            agency_id=AGENCY,
            person_id=person_id,
            aspect=aspect,
            scale_score=score,
            standard_error="21",
            level=3,
            measured_at_ms=measured,
            expires_at_ms=expires,
            report_number=report,
            idempotency_key=new_id(measured),
        )
    )


async def rate(connection: AsyncConnection, person_id: str, year: int, value: int) -> None:
    await connection.execute(
        insert(performance_ratings).values(person_id=person_id, year=year, value=value, source="e-kinerja")
    )


async def standing_of(storage: Storage, person_id: str, at_ms: int = T0 + 1) -> Any:
    async with storage.reading() as connection:
        return (await person_record(connection, TALENT_MANAGER, person_id, POLICY, at_ms)).standing


async def test_a_complete_person_has_both_axes_and_a_box(storage: Storage) -> None:
    async with storage.transaction() as connection:
        await add_person(connection, "p1")
        await enter(connection, "p1", "competency", "513")
        await enter(connection, "p1", "potential", "560")
        await rate(connection, "p1", 2024, 10)
        await rate(connection, "p1", 2025, 85)
    standing = await standing_of(storage, "p1")
    assert (standing.x, standing.y, standing.reasons) == (Decimal("56.52"), Decimal(85), ())
    assert standing.box.number == 4
    assert standing.missing.potential == Decimal("3.48")
    async with storage.reading() as connection:
        record = await person_record(connection, TALENT_MANAGER, "p1", POLICY, T0 + 1)
    assert [(entry.aspect, entry.scale_score) for entry in record.entries] == [
        ("potential", "560"),
        ("competency", "513"),
    ]
    assert [(rating.year, rating.value) for rating in record.ratings] == [(2025, 85), (2024, 10)]


async def test_what_is_missing_is_said(storage: Storage) -> None:
    async with storage.transaction() as connection:
        for person_id in ("none", "expired", "unrated"):
            await add_person(connection, person_id)
        await enter(connection, "expired", "competency", "513", measured=T0 - YEAR_MS, expires=T0)
        await enter(connection, "expired", "potential", "513")
        await rate(connection, "expired", 2025, 70)
        await enter(connection, "unrated", "competency", "800")
        await enter(connection, "unrated", "potential", "800")
    none = await standing_of(storage, "none")
    assert none.reasons == ("competency_not_measured", "potential_not_measured", "performance_not_imported")
    assert (none.x, none.y, none.box) == (None, None, None)
    expired = await standing_of(storage, "expired")
    assert (expired.x, expired.y, expired.reasons) == (None, Decimal(70), ("competency_expired",))
    unrated = await standing_of(storage, "unrated")
    assert (unrated.x, unrated.box, unrated.reasons) == (Decimal(100), None, ("performance_not_imported",))


async def test_the_newest_valid_report_counts_and_the_future_does_not(storage: Storage) -> None:
    async with storage.transaction() as connection:
        await add_person(connection, "p1")
        await rate(connection, "p1", 2025, 50)
        await enter(connection, "p1", "potential", "500")
        await enter(connection, "p1", "competency", "300", report="A", measured=T0 - 100)
        await enter(connection, "p1", "competency", "600", report="B", measured=T0 - 50)
        # two sections of one aspect in the newest report: their mean
        await enter(connection, "p1", "competency", "500", report="B", measured=T0 - 50)
        await enter(connection, "p1", "competency", "700", report="C", measured=T0 - 10, expires=T0)
        await enter(connection, "p1", "competency", "800", report="D", measured=T0 + 50)
    # (20 * (550-200)/6 + 25 * 50) / 45
    assert (await standing_of(storage, "p1")).x == Decimal("53.70")
    # half a second later report D is there: (20 * 100 + 25 * 50) / 45
    assert (await standing_of(storage, "p1", T0 + 500)).x == Decimal("72.22")


async def test_a_grid_takes_one_statement_and_knows_its_unit(storage: Storage) -> None:
    async with storage.transaction() as connection:
        for n in range(6):
            await add_person(connection, f"p{n}", name=f"Nama {n}", unit="Dinas A" if n < 4 else "Dinas B")
            await enter(connection, f"p{n}", "competency", str(300 + 100 * n))
            await enter(connection, f"p{n}", "potential", "500")
            for year in (2023, 2024, 2025):
                await rate(connection, f"p{n}", year, year - 2000 + n)
        await add_person(connection, "foreign", agency=OTHER_AGENCY)
    statements: list[str] = []
    async with storage.reading() as connection:
        listener = connection.sync_connection

        @event.listens_for(listener, "before_cursor_execute")
        def count(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if statement.startswith("SELECT"):
                statements.append(statement)

        grid = await unit_grid(connection, TALENT_MANAGER, POLICY, T0 + 1, unit="Dinas A")
        assert len(statements) == 1
        page = await unit_grid(connection, TALENT_MANAGER, POLICY, T0 + 1, limit=2, offset=3)
        everybody = await unit_grid(connection, TALENT_MANAGER, POLICY, T0 + 1)
        assert await units(connection, TALENT_MANAGER) == (("Dinas A", 4), ("Dinas B", 2))
    assert [member.name for member in grid] == ["Nama 0", "Nama 1", "Nama 2", "Nama 3"]
    assert [member.standing.y for member in grid] == [25, 26, 27, 28]
    assert [member.standing.x for member in grid] == sorted(member.standing.x or 0 for member in grid)
    assert [member.name for member in page] == ["Nama 3", "Nama 4"]
    assert len(everybody) == 6


async def test_other_agencies_and_other_roles_see_nothing(storage: Storage) -> None:
    async with storage.transaction() as connection:
        await add_person(connection, "p1")
    async with storage.reading() as connection:
        with pytest.raises(Refused) as refused:
            await person_record(connection, STRANGER, "p1", POLICY, T0)
        assert refused.value.code is Refusal.NOT_FOUND
        with pytest.raises(Refused) as refused:
            await unit_grid(connection, CHAIR, POLICY, T0)
        assert refused.value.code is Refusal.NOT_ALLOWED
        assert await unit_grid(connection, STRANGER, POLICY, T0) == ()


async def test_the_policy_in_force_is_the_newest_valid_one(storage: Storage) -> None:
    async with storage.transaction() as connection:
        for version, valid_from in ((1, T0), (2, T0 + 100), (3, T0 + 10_000)):
            body = {**EXAMPLE_POLICY, "version": version, "is_example": False}
            await connection.execute(
                insert(policies).values(
                    id=f"policy-{version}",
                    agency_id=AGENCY,
                    kind="nine_box",
                    version=version,
                    valid_from_ms=valid_from,
                    body=msgspec.json.encode(body).decode(),
                )
            )
    async with storage.reading() as connection:
        assert (await nine_box_policy(connection, AGENCY, T0 + 200)).version == 2
        assert (await nine_box_policy(connection, AGENCY, T0 - 1)).is_example
        assert (await nine_box_policy(connection, OTHER_AGENCY, T0 + 200)).is_example
