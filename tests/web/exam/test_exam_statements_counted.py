"""How many statements the answer path sends to the database, counted at the driver while HTTP is spoken."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from tests.web.exam.playing import HTMX, Room, position_on

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOT_THE_REQUESTS = {"beat", "sweep", "outbox"}  # tasks that run beside the requests
COLD, WARM, BEGIN, PAGE = 3, 2, 4, 3


@contextmanager
def counted(room: Room) -> Iterator[list[str]]:
    """The statements that requests, and the journal on their behalf, send meanwhile."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        task = asyncio.current_task()
        assert task is not None
        if task.get_name() not in NOT_THE_REQUESTS and not statement.startswith(("BEGIN", "PRAGMA")):
            statements.append(" ".join(statement.split()))

    engines = [engine.sync_engine for engine in room.server.storage.engines]
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        for engine in engines:
            event.remove(engine, "before_cursor_execute", note)


def forget(room: Room) -> None:
    """As a worker that has just taken over."""
    room.services.sittings._cache.clear()


def kinds(statements: list[str]) -> list[str]:
    return [statement.split()[0] for statement in statements]


async def test_an_answer_takes_one_select_and_one_insert(room: Room) -> None:
    async with room.begun() as candidate:
        await candidate.answer(1, "o1")
        for position in (2, 3, 4):
            with counted(room) as statements:
                answer = await candidate.answer(position, "o1")
            assert position_on(answer.text) == position + 1
            assert len(statements) <= WARM, kinds(statements)
            assert kinds(statements) == ["SELECT", "INSERT"]
            assert "login_sessions" in statements[0]
            assert statements[1].startswith("INSERT INTO sitting_log")


async def test_a_worker_without_memory_reads_the_log_once(room: Room) -> None:
    async with room.begun() as candidate:
        await candidate.answer(1, "o1")
        for position, htmx in ((2, True), (3, False)):
            forget(room)
            with counted(room) as statements:
                answer = await candidate.answer(position, "o1", htmx=htmx)
            assert answer.status_code == (200 if htmx else 303)
            assert len(statements) <= COLD, kinds(statements)
            assert kinds(statements) == ["SELECT", "SELECT", "INSERT"]
        await candidate.checked()


async def test_the_question_before_an_answer_writes_nothing(room: Room) -> None:
    async with room.begun() as candidate:
        with counted(room) as statements:
            await candidate.answer(1, "o1", confirm="0", ask_first="1")
        assert kinds(statements) == ["SELECT"]
        with counted(room) as statements:
            await candidate.answer(1, "o1")
            await candidate.answer(1, "o1")
        assert kinds(statements) == ["SELECT", "INSERT", "SELECT"]


async def test_beginning_takes_four_statements_at_most(room: Room) -> None:
    async with room.waiting() as candidate:
        await room.act("admit", candidate)
        forget(room)
        with counted(room) as statements:
            answer = await candidate.post("begin")
        assert answer.status_code == 303
        assert len(statements) <= BEGIN, statements
        with counted(room) as statements:
            page = await candidate.page()
        assert position_on(page.text) == 1
        assert len(statements) <= PAGE, statements


async def test_whoever_is_not_signed_in_costs_nothing(room: Room) -> None:
    async with room.begun() as candidate, room.server.client() as stranger:
        with counted(room) as statements:
            await stranger.get(candidate.url, headers=HTMX)
            await stranger.post(f"{candidate.url}/responses", data={"presentation": "1", "response": "o1"})
            await stranger.get("/candidate/sign-in")
            await stranger.get("/clock")
            static = await stranger.get("/static/nothing.css")
        assert static.status_code == 404
        assert statements == []
        with counted(room) as statements:
            await candidate.post("responses", {"presentation": "1", "csrf_token": "forged"})
        assert statements == []
