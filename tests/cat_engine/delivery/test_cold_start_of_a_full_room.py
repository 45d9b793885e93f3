"""A room that answers a server which has just started: nobody waits for a neighbour's connection."""

import asyncio

from cat_engine.core.transitions import Status
from cat_engine.proctoring.acts import Order, carry_out
from tests.cat_engine.exam_room import PROCTOR, exam_room, process

CANDIDATES = 24  # more than any pool has connections
PATIENCE_S = 20  # the pool itself gives up after 30


async def test_everybody_is_loaded_at_once_by_a_process_that_knows_nothing(database_url: str) -> None:
    async with (
        exam_room(database_url, candidates=CANDIDATES) as room,
        process(database_url, room.clock) as fresh,
    ):
        refs = [await room.ref(number) for number in range(CANDIDATES)]
        async with asyncio.timeout(PATIENCE_S):
            loaded = await asyncio.gather(*(fresh.sittings.load(ref) for ref in refs))
        assert {live.state.status for live in loaded} == {Status.SCHEDULED}
        assert len({id(live.installed) for live in loaded}) == 1, "the package was read more than once"


async def test_acts_on_everybody_at_once_by_a_process_that_knows_nothing(database_url: str) -> None:
    async with (
        exam_room(database_url, candidates=CANDIDATES) as room,
        process(database_url, room.clock) as fresh,
    ):
        refs = [await room.ref(number) for number in range(CANDIDATES)]
        order = Order("deny", "candidate.late")
        async with asyncio.timeout(PATIENCE_S):
            outcomes = await asyncio.gather(
                *(
                    carry_out(fresh.storage, fresh.sittings, PROCTOR, [ref], order, room.clock.now_ms())
                    for ref in refs
                )
            )
        assert not [outcome for (outcome,) in outcomes if outcome.refused]
