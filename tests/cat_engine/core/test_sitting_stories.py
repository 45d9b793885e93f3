"""Whatever is done to a sitting, in whatever order and at whatever time: its laws hold after every act."""

from __future__ import annotations

import random
from collections import Counter
from typing import get_args

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from cat_engine.core import events as e
from cat_engine.core.state import fold
from cat_engine.core.transitions import Status
from tests.cat_engine import small_packages as small
from tests.cat_engine.stories import EDGES, GRACE_MS, PLAIN, Story, wild_act, wild_story

STORIES = 2000


def test_thousands_of_wild_stories_keep_every_law() -> None:
    statuses: Counter[Status] = Counter()
    kinds: Counter[str] = Counter()
    refusals = 0
    for seed in range(STORIES):
        story = wild_story(seed)
        assert fold(story.entries) == story.state
        statuses[story.state.status] += 1
        kinds.update(type(event).__name__ for entry in story.entries for event in entry.events)
        refusals += story.refusals
    # the stories must have gone everywhere, or the laws were not tried
    never = {kind.__name__ for kind in get_args(e.AnyEvent)} - set(kinds)
    assert never == set()
    assert refusals > STORIES
    assert set(statuses) >= {Status.SCORED, Status.IN_PROGRESS, Status.PAUSED, Status.DENIED, Status.RELEASED}
    assert kinds["Expired"] > 50


class AnyOrder(RuleBasedStateMachine):
    """The same laws with hypothesis choosing, which shrinks a broken story to its shortest form."""

    story: Story

    @initialize(accommodation_ms=st.sampled_from((0, 90_000)))
    def start(self, accommodation_ms: int) -> None:
        self.story = Story("any-order", accommodation_ms)

    @rule(amount_ms=st.integers(min_value=-5000, max_value=400_000))
    def time_passes(self, amount_ms: int) -> None:
        self.story.pass_time(amount_ms)

    @rule(event=st.sampled_from(PLAIN))
    def plain_act(self, event: e.AnyEvent) -> None:
        self.story.plain(event)

    @rule(seed=st.integers(min_value=0, max_value=1_000_000))
    def probable_act(self, seed: int) -> None:
        wild_act(self.story, random.Random(seed))

    @rule(position=st.integers(min_value=-1, max_value=12), option=st.integers(min_value=1, max_value=5))
    def respond(self, position: int, option: int) -> None:
        self.story.respond(position, option)

    @rule(amount_ms=st.integers(min_value=1, max_value=3_600_000))
    def add_time(self, amount_ms: int) -> None:
        self.story.add_time(amount_ms)

    @rule()
    def sweep(self) -> None:
        self.story.expire()

    @invariant()
    def laws_hold(self) -> None:
        if hasattr(self, "story"):
            self.story.check()


def test_acts_in_any_order_keep_every_law() -> None:
    run_state_machine_as_test(
        AnyOrder,
        settings=settings(
            max_examples=150,
            stateful_step_count=50,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_no_law_is_kept_by_a_story_that_breaks_it() -> None:
    """The books notice a minute from nowhere, and know no way from a pause past the proctor."""
    story = Story("forged")
    story.plain(e.CheckedIn(seat="A1"))
    story.allowed_ms += 1
    with pytest.raises(AssertionError):
        story.check()
    assert (Status.PAUSED, Status.IN_PROGRESS) not in EDGES


def test_a_sitting_cannot_expire_while_it_stands() -> None:
    story = _in_progress()
    story.pass_time(100_000)
    assert story.pause()
    story.pass_time(50 * 3_600_000)
    assert not story.expire()
    assert story.plain(e.Authorised())
    assert not story.expire()
    assert story.begin()
    assert story.state.time.remaining_at(story.now_ms) == 500_000
    story.pass_time(500_000 + GRACE_MS)
    assert not story.expire(), "the grace belongs to the candidate to its last millisecond"
    story.pass_time(1)
    assert story.expire()
    assert story.state.status is Status.SCORED


def test_the_deadline_moves_by_exactly_what_is_added() -> None:
    story = _in_progress()
    before = story.state.time.deadline_ms
    story.pass_time(30_000)
    assert story.add_time(123_456)
    assert before is not None
    assert story.state.time.deadline_ms == before + 123_456


def test_a_response_within_the_grace_counts_and_one_after_it_does_not() -> None:
    story = _in_progress()
    story.pass_time(600_000 + GRACE_MS)
    assert story.respond(1, 1)
    story.pass_time(1)
    assert not story.respond(2, 1)
    assert story.state.answered == 1


def test_time_lines_name_their_source() -> None:
    story = Story("lines", accommodation_ms=300_000)
    assert story.add_time(60_000)
    kinds = [(line.kind, line.amount_ms) for line in story.state.time.lines]
    assert kinds == [("base", 600_000), ("accommodation", 300_000), ("incident", 60_000)]


def _in_progress() -> Story:
    story = Story("straight")
    for event in PLAIN[:3]:
        assert story.plain(event)
    assert story.enter_waiting()
    assert story.plain(e.Authorised())
    assert story.begin()
    assert story.now_ms == small.START_MS
    return story
