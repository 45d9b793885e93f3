"""What a panel member gets to see: nothing before signing, no unreleased score, no name before its time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from sqlalchemy import Table, event, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core import events as e
from cat_engine.core.transitions import Status
from cat_engine.delivery.tables import exam_sessions, roster_entries, sittings
from cat_engine.foundation import ledger
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.storage import Storage
from cat_engine.foundation.tables import ledger_entries
from cat_engine.panel.applicants import STATES, ShownScore, composite
from cat_engine.panel.selections import open_names, post_table, selection, selections_of, sign_statement
from cat_engine.panel.tables import applications, panel_members, posts, selections
from cat_engine.results.release import release
from cat_engine.talent.postings import promise
from tests.cat_engine.results.rows import (
    AGENCY,
    AUDITOR,
    CHAIR,
    MEMBER,
    PROCTOR,
    STRANGER,
    T0,
    LogReleaser,
    add_person,
    add_sitting,
    append,
    open_storage,
    scored,
)

SELECTION = f"selection-{AGENCY}"
POLICY: dict[str, Any] = {
    "cut_score": "500",
    "weights": {"competency": 60, "potential": 40},
    "tie_break": ["competency"],
    "places": 2,
    "names_open": "after_release",
    "is_example": True,
}


@pytest.fixture
async def storage(database_url: str) -> AsyncIterator[Storage]:
    """A selection with one post, three scored applicants, one still writing and one who never came."""
    async with open_storage(database_url) as opened:
        await _fill(opened)
        yield opened


async def _fill(storage: Storage) -> None:
    async with storage.transaction() as connection:
        await connection.execute(
            insert(selections).values(
                id=SELECTION,
                agency_id=AGENCY,
                title="JPT Pratama",
                year=2026,
                policy=msgspec.json.encode(POLICY).decode(),
            )
        )
        await connection.execute(
            insert(posts).values(
                id="post-1", selection_id=SELECTION, title="Kepala Dinas", unit="Dinas A", required_level=4
            )
        )
        for actor, statement_at_ms in ((CHAIR, None), (MEMBER, T0)):
            await connection.execute(
                insert(panel_members).values(
                    selection_id=SELECTION, account_id=actor.subject_id, statement_at_ms=statement_at_ms
                )
            )
        for n, score in enumerate(("513", "540", "470"), start=1):
            await add_sitting(
                connection, f"s{n}", score=scored(("competency", score, "21"), ("potential", "520", "28"))
            )
        await add_sitting(connection, "s4", score=None)
        await add_person(connection, "person-s5")
        for n in range(1, 6):
            await connection.execute(
                insert(applications).values(
                    id=f"application-{n}", post_id="post-1", person_id=f"person-s{n}", blind_code=f"K-{n}"
                )
            )


async def do_release(storage: Storage, *sitting_ids: str) -> None:
    await release(storage, LogReleaser(), promise, CHAIR, sitting_ids, T0 + 5000)


async def table(storage: Storage) -> Any:
    async with storage.reading() as connection:
        return await post_table(connection, MEMBER, "post-1")


async def copy(connection: AsyncConnection, source: Table, row_id: str, **changes: Any) -> None:
    """The same row again, with these changes."""
    row = (await connection.execute(select(source).where(source.c.id == row_id))).mappings().one()
    await connection.execute(insert(source).values(**{**row, **changes}))


async def code_of_refusal(act: Any) -> Refusal:
    with pytest.raises(Refused) as refused:
        await act
    return refused.value.code


async def test_nothing_opens_before_the_statement_is_signed(storage: Storage) -> None:
    async with storage.reading() as connection:
        (listed,) = await selections_of(connection, CHAIR)
        assert (listed.posts, listed.is_signed) == (1, False)
        for act in (selection(connection, CHAIR, SELECTION), post_table(connection, CHAIR, "post-1")):
            assert await code_of_refusal(act) is Refusal.CONFLICT_STATEMENT_MISSING
    names = open_names(storage, CHAIR, "post-1", T0)
    assert await code_of_refusal(names) is Refusal.CONFLICT_STATEMENT_MISSING
    for _ in range(2):
        await sign_statement(storage, CHAIR, SELECTION, T0 + 9, text_hash="c" * 64)
    async with storage.reading() as connection:
        assert (await selections_of(connection, CHAIR))[0].is_signed
        opened = await selection(connection, CHAIR, SELECTION)
        assert [(post.title, post.applicants) for post in opened.posts] == [("Kepala Dinas", 5)]
        assert (opened.policy.cut_score, opened.policy.places) == (Decimal(500), 2)
        actions = (await connection.execute(select(ledger_entries.c.action))).scalars().all()
        assert actions == ["selection.conflict_statement_signed"]
        assert await ledger.first_break(connection) is None


async def test_who_is_not_on_the_panel_finds_nothing(storage: Storage) -> None:
    async with storage.transaction() as connection:
        await connection.execute(
            panel_members.delete().where(panel_members.c.account_id == MEMBER.subject_id)
        )
    async with storage.reading() as connection:
        for actor in (MEMBER, STRANGER):
            assert await selections_of(connection, actor) == ()
            for act in (selection(connection, actor, SELECTION), post_table(connection, actor, "post-1")):
                assert await code_of_refusal(act) is Refusal.NOT_FOUND
        assert await code_of_refusal(selection(connection, PROCTOR, SELECTION)) is Refusal.NOT_ALLOWED
        assert len((await selection(connection, AUDITOR, SELECTION)).posts) == 1
        assert len(await selections_of(connection, AUDITOR)) == 1
    for actor in (MEMBER, STRANGER, AUDITOR):
        signing = sign_statement(storage, actor, SELECTION, T0, text_hash="c" * 64)
        assert await code_of_refusal(signing) is Refusal.NOT_FOUND


async def test_scores_are_shown_once_released_and_not_before(storage: Storage) -> None:
    before = await table(storage)
    assert {a.blind_code: a.state for a in before.applicants} == {
        "K-1": "scored",
        "K-2": "scored",
        "K-3": "scored",
        "K-4": "in_progress",
        "K-5": "not_started",
    }
    assert all(a.scores == () and a.completeness is None for a in before.applicants)
    assert before.ranking.rows == ()
    await do_release(storage, "s1", "s3")
    after = await table(storage)
    assert [a.state for a in after.applicants][:3] == ["released", "scored", "released"]
    # (60 * 513 + 40 * 520) / 100 and sqrt((60 * 21)^2 + (40 * 28)^2) / 100
    assert [(r.blind_code, r.scale_score, r.scale_error) for r in after.ranking.rows] == [
        ("K-1", Decimal("515.80"), Decimal("16.86")),
        ("K-3", Decimal("490.00"), Decimal("16.86")),
    ]
    assert [row.is_above_cut for row in after.ranking.rows] == [True, False]
    assert not after.is_error_partial


async def test_the_table_asks_for_no_name_and_for_no_unreleased_score(storage: Storage) -> None:
    await do_release(storage, "s1")
    statements: list[str] = []
    async with storage.reading() as connection:

        @event.listens_for(connection.sync_connection, "before_cursor_execute")
        def note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            statements.append(statement)

        shown = await post_table(connection, MEMBER, "post-1")
    assert statements
    assert [statement for statement in statements if "people" in statement or "nip" in statement] == []
    text = msgspec.json.encode(shown).decode()
    assert "Nama" not in text
    assert "person-" not in text
    assert "540" not in text


async def test_a_second_sitting_replaces_the_first(storage: Storage) -> None:
    await do_release(storage, "s3")
    async with storage.transaction() as connection:
        # the same person in a later exam session of the same selection
        await copy(connection, exam_sessions, f"session-{AGENCY}", id="session-2")
        later = {"exam_session_id": "session-2"}
        await copy(
            connection, roster_entries, "entry-s3", id="entry-again", candidate_number="N-again", **later
        )
        await copy(
            connection,
            sittings,
            "s3",
            id="s3-again",
            roster_entry_id="entry-again",
            created_at_ms=T0 + 10**6,
            **later,
        )
        await append(connection, "s3-again", (e.Begun(),), status="in_progress", actor="clock", at_ms=T0)
    (again,) = [a for a in (await table(storage)).applicants if a.blind_code == "K-3"]
    assert (again.sitting_id, again.state, again.scores) == ("s3-again", "in_progress", ())


async def test_names_open_with_the_policy_and_on_record(storage: Storage) -> None:
    await do_release(storage, "s1", "s2")
    act = open_names(storage, MEMBER, "post-1", T0)
    assert await code_of_refusal(act) is Refusal.RESULT_NOT_RELEASED
    async with storage.transaction() as connection:
        await append(
            connection, "s4", (e.Terminated(reason="r", used_ms=1),), status="terminated", actor="p", at_ms=T0
        )
    assert await code_of_refusal(open_names(storage, MEMBER, "post-1", T0)) is Refusal.RESULT_NOT_RELEASED
    await do_release(storage, "s3")
    assert (await open_names(storage, MEMBER, "post-1", T0))["K-3"] == "Nama person-s3"
    async with storage.reading() as connection:
        actions = (await connection.execute(select(ledger_entries.c.action))).scalars().all()
    assert actions[-1] == "selection.names_opened"
    async with storage.transaction() as connection:
        await connection.execute(
            update(selections).values(policy=msgspec.json.encode({**POLICY, "names_open": "never"}).decode())
        )
    assert await code_of_refusal(open_names(storage, MEMBER, "post-1", T0)) is Refusal.NOT_ALLOWED


def shown(aspect: str, score: str, error: str | None) -> ShownScore:
    return ShownScore(aspect, aspect, Decimal(score), Decimal(error) if error else None, 3, None)


def test_a_composite_needs_every_aspect_that_counts() -> None:
    scores = (shown("competency", "500", "30"), shown("knowledge", "600", None))
    assert composite(scores, {"competency": 1, "potential": 1}) is None
    assert composite((), {}) is None
    plain = composite(scores, {})
    assert plain is not None
    assert (plain.scale_score, plain.scale_error, plain.is_error_partial) == (Decimal(550), Decimal(15), True)
    weighted = composite(scores, {"competency": 3, "knowledge": 0, "potential": 0})
    assert weighted is not None
    assert (weighted.scale_score, weighted.scale_error, weighted.is_error_partial) == (
        Decimal(500),
        Decimal(30),
        False,
    )


def test_every_status_of_a_sitting_has_a_word_for_the_panel() -> None:
    assert set(STATES) == set(Status)
