"""A decision that solves an integer programme is made beside the event loop; all others are made in it."""

from __future__ import annotations

import threading

import pytest

from cat_engine.core import engine
from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.engine import Progress
from cat_engine.core.state import SittingState
from cat_engine.core.test_package import TestPackage
from tests.cat_engine import small_packages as small
from tests.cat_engine.core.test_content_shadow_tests import items_of, section_of
from tests.cat_engine.exam_room import candidate, exam_room


def shadow_package() -> TestPackage:
    items = items_of()
    return small.package_of(items, [section_of(items)])


@pytest.mark.parametrize(("package", "beside"), [(shadow_package(), True), (small.mixed_package(), False)])
async def test_where_a_decision_is_made(sqlite_url: str, package: TestPackage, beside: bool) -> None:
    threads: list[int] = []

    def decide(_compiled: CompiledPackage, state: SittingState, now_ms: int) -> Progress:
        threads.append(threading.get_ident())
        return engine.act(state, e.CheckedIn(seat="A1"), now_ms=now_ms, actor=small.CANDIDATE)

    async with exam_room(sqlite_url, package=package) as room:
        await room.sittings.apply(await room.ref(), decide)
    assert (threads[0] != threading.get_ident()) is beside


async def test_a_whole_sitting_with_shadow_tests_on_disk(sqlite_url: str) -> None:
    async with exam_room(sqlite_url, package=shadow_package()) as room:
        state = await room.begin()
        while not state.is_over:
            answered = await room.sittings.respond(
                await room.ref(), candidate(), len(state.presentations), "o1"
            )
            state = answered.state
        assert len(state.presentations) == 12
        assert await room.stored() == state
