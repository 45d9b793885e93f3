"""Getting objects: one statement each, scoped by agency, by panel, by the own sitting."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import event, insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.delivery.tables import sitting_log
from cat_engine.foundation.actors import GRANTS, Actor, Permission, Role
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.storage import Storage
from cat_engine.panel.tables import panel_members
from tests.web.agency import T0, Agency, add_agency
from web import access
from web.accounts.principals import find_own_sitting, find_principal, hash_token
from web.accounts.sessions import begin_candidate_session, begin_staff_session
from web.database import upgrade

Getter = Callable[[AsyncConnection, Actor, str, Permission], Awaitable[object]]

GETTERS: list[tuple[Getter, str, Permission, Role]] = [
    (access.access_exam_session, "exam_session_id", Permission.EXAM_SESSION_MANAGE, Role.ADMINISTRATOR),
    (access.access_exam_session, "exam_session_id", Permission.EXAM_SESSION_PROCTOR, Role.PROCTOR),
    (access.access_roster_entry, "roster_entry_id", Permission.ROSTER_MANAGE, Role.ADMINISTRATOR),
    (access.access_staff_sitting, "sitting_id", Permission.EXAM_SESSION_PROCTOR, Role.PROCTOR),
    (access.access_staff_sitting, "sitting_id", Permission.SITTING_EXPORT, Role.PANEL_CHAIR),
    (access.access_package, "package_id", Permission.PACKAGE_READ, Role.AUDITOR),
    (access.access_person, "person_id", Permission.TALENT_READ, Role.TALENT_MANAGER),
    (access.access_report, "report_id", Permission.OWN_RESULT_READ, Role.CANDIDATE),
    (access.access_report, "report_id", Permission.TALENT_READ, Role.TALENT_MANAGER),
    (access.access_selection, "selection_id", Permission.SELECTION_READ, Role.PANEL_CHAIR),
    (access.access_posting, "posting_id", Permission.POSTING_MANAGE, Role.TALENT_MANAGER),
    (access.access_item, "item_id", Permission.BANK_READ, Role.ITEM_WRITER),
    (access.access_account, "account_id", Permission.ACCOUNT_MANAGE, Role.ADMINISTRATOR),
]


@pytest.fixture
async def place(database_url: str) -> AsyncIterator[tuple[Storage, Agency, Agency]]:
    storage = Storage(database_url)
    try:
        await upgrade(storage)
        yield storage, await add_agency(storage, "satu"), await add_agency(storage, "dua", candidates=1)
    finally:
        await storage.close()


@contextmanager
def counted(storage: Storage) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            statements.append(statement)

    for engine in storage.engines:
        event.listen(engine.sync_engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        for engine in storage.engines:
            event.remove(engine.sync_engine, "before_cursor_execute", note)


def actor_with(agency: Agency, role: Role) -> Actor:
    if role is Role.CANDIDATE:
        return Actor(agency.ids["roster_entry_id"], agency.id, "Peserta", frozenset({role}))
    return agency.actor(role)


async def test_each_object_is_got_by_one_statement_in_the_own_agency_only(
    place: tuple[Storage, Agency, Agency],
) -> None:
    storage, satu, dua = place
    for getter, key, permission, role in GETTERS:
        async with storage.reading() as connection:
            with counted(storage) as statements:
                assert await getter(connection, actor_with(satu, role), satu.ids[key], permission)
            assert len(statements) == 1, getter
            for actor, object_id in (
                (actor_with(dua, role), satu.ids[key]),
                (actor_with(satu, role), "none"),
            ):
                with pytest.raises(Refused) as refused:
                    await getter(connection, actor, object_id, permission)
                assert refused.value.code is Refusal.NOT_FOUND, (getter, actor)
            for other in Role:
                if permission in GRANTS[other]:
                    continue
                with pytest.raises(Refused) as refused:
                    await getter(connection, actor_with(satu, other), satu.ids[key], permission)
                assert refused.value.code is Refusal.NOT_ALLOWED


async def test_the_panel_sees_its_own_selections_after_signing(place: tuple[Storage, Agency, Agency]) -> None:
    storage, satu, _ = place
    member, selection_id = satu.actor(Role.PANEL_MEMBER), satu.ids["selection_id"]
    async with storage.transaction() as connection:
        with pytest.raises(Refused) as refused:
            await access.access_selection(connection, member, selection_id)
        assert refused.value.code is Refusal.CONFLICT_STATEMENT_MISSING
        assert await access.access_selection(connection, member, selection_id, before_statement=True)

        await connection.execute(
            update(panel_members)
            .where(panel_members.c.account_id == member.subject_id)
            .values(statement_at_ms=T0)
        )
        assert await access.access_selection(connection, member, selection_id)

        await connection.execute(panel_members.delete())
        for role in (Role.PANEL_MEMBER, Role.PANEL_CHAIR):
            with pytest.raises(Refused) as refused:
                await access.access_selection(connection, satu.actor(role), selection_id)
            assert refused.value.code is Refusal.NOT_FOUND
        with pytest.raises(Refused) as refused:
            await access.access_staff_sitting(
                connection, satu.actor(Role.PANEL_CHAIR), satu.ids["sitting_id"], Permission.SITTING_EXPORT
            )
        assert refused.value.code is Refusal.NOT_FOUND
        # the auditor is no member of any panel and audits all of the agency's
        assert await access.access_selection(connection, satu.actor(Role.AUDITOR), selection_id)


async def test_a_report_is_the_candidates_own(place: tuple[Storage, Agency, Agency]) -> None:
    storage, satu, _ = place
    neighbour = Actor(f"entry-{satu.key}-2", satu.id, "Peserta 2", frozenset({Role.CANDIDATE}))
    async with storage.reading() as connection:
        with pytest.raises(Refused) as refused:
            await access.access_report(
                connection, neighbour, satu.ids["report_id"], Permission.OWN_RESULT_READ
            )
    assert refused.value.code is Refusal.NOT_FOUND


async def test_the_answer_path_asks_once_for_everything(place: tuple[Storage, Agency, Agency]) -> None:
    storage, satu, dua = place
    async with storage.transaction() as connection:
        token = await begin_candidate_session(connection, satu.ids["roster_entry_id"], T0, None)
        staff = await begin_staff_session(connection, satu.actor(Role.PROCTOR).subject_id, T0, None)
        await connection.execute(
            insert(sitting_log).values(
                sitting_id=satu.ids["sitting_id"],
                revision=2,
                at_ms=T0,
                actor="staff:x",
                events="[]",
                status="waiting",
                answered=0,
                chain="c" * 64,
            )
        )
    async with storage.reading() as connection:
        with counted(storage) as statements:
            found = await find_own_sitting(connection, hash_token(token), satu.ids["sitting_id"], T0)
        assert len(statements) == 1
        assert (found.package_id, found.revision) == (satu.ids["package_id"], 2)
        assert found.principal.actor == Actor(
            satu.ids["roster_entry_id"], satu.id, "Peserta 1 satu", frozenset({Role.CANDIDATE})
        )
        with counted(storage) as statements:
            principal = await find_principal(connection, hash_token(staff), T0)
        assert len(statements) == 1
        assert principal is not None
        assert principal.actor.roles == {Role.PROCTOR}

        for token_hash, sitting_id, code in (
            (None, satu.ids["sitting_id"], Refusal.NOT_SIGNED_IN),
            ("0" * 64, satu.ids["sitting_id"], Refusal.NOT_SIGNED_IN),
            (hash_token(staff), satu.ids["sitting_id"], Refusal.NOT_ALLOWED),
            (hash_token(token), dua.ids["sitting_id"], Refusal.NOT_FOUND),
            (hash_token(token), "none", Refusal.NOT_FOUND),
        ):
            with pytest.raises(Refused) as refused:
                await find_own_sitting(connection, token_hash, sitting_id, T0)
            assert refused.value.code is code


async def test_two_sign_ins_in_one_millisecond_have_an_order(place: tuple[Storage, Agency, Agency]) -> None:
    storage, satu, _ = place
    async with storage.transaction() as connection:
        entry_id = satu.ids["roster_entry_id"]
        older, newer = [await begin_candidate_session(connection, entry_id, T0, None) for _ in range(2)]
        assert await find_principal(connection, hash_token(newer), T0)
        with pytest.raises(Refused) as refused:
            await find_principal(connection, hash_token(older), T0)
    assert refused.value.code is Refusal.SITTING_MOVED
