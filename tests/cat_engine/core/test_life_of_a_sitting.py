"""The table of transitions: documented as it is, and without dead ends that nobody meant."""

from __future__ import annotations

from typing import get_args

from cat_engine.core import events as e
from cat_engine.core.transitions import BEFORE_BEGINNING, OVER, TRANSITIONS, UNFINISHED, Status
from tests.cat_engine.states_document import DOCUMENT, document
from tests.cat_engine.stories import EDGES


def test_the_document_is_the_table() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "python -m tests.cat_engine.states_document"


def test_the_table_has_exactly_the_edges_that_were_agreed() -> None:
    edges = {
        (before, after)
        for changes in TRANSITIONS.values()
        for before, after in changes.items()
        if before is not after
    }
    assert edges == EDGES


def test_every_event_has_its_place_in_the_table() -> None:
    assert set(TRANSITIONS) == set(get_args(e.AnyEvent)) - {e.Created}


def test_every_status_is_reached_and_every_unfinished_one_can_go_on() -> None:
    reached, frontier = {Status.SCHEDULED}, {Status.SCHEDULED}
    while frontier:
        frontier = {after for before, after in EDGES if before in frontier} - reached
        reached |= frontier
    assert reached == set(Status)
    assert set(UNFINISHED) | set(OVER) == set(Status)
    assert not set(UNFINISHED) & set(OVER)
    assert set(BEFORE_BEGINNING) < set(UNFINISHED)
    assert {before for before, _ in EDGES} >= set(UNFINISHED)


def test_nobody_goes_on_without_a_proctor_at_the_door() -> None:
    into = {before for before, after in EDGES if after is Status.IN_PROGRESS}
    assert into == {Status.AUTHORISED}
    doors = {
        event
        for event, changes in TRANSITIONS.items()
        for before, after in changes.items()
        if after is Status.AUTHORISED is not before
    }
    assert doors == {e.Authorised}
