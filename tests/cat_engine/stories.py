"""Sittings that go every which way: acts at any time, in any status, by people who do not read manuals.

A story keeps its own books of the clock, of what was shown and of which status followed which, by other means
than the engine, and compares after every act.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache
from itertools import pairwise

import msgspec
import numpy as np

from cat_engine.core import engine
from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.engine import FormChange, Progress
from cat_engine.core.state import SittingState, advance, apply
from cat_engine.core.test_package import PoolItem, RuleChoice, Share
from cat_engine.core.transitions import Status
from cat_engine.foundation.refusals import Refused
from cat_engine.interactions.choice.scoring import score
from tests.cat_engine import small_packages as small

S = Status
EDGES = {
    (S.SCHEDULED, S.CHECKED_IN),
    (S.CHECKED_IN, S.WAITING),
    (S.WAITING, S.AUTHORISED),
    (S.AUTHORISED, S.IN_PROGRESS),
    (S.AUTHORISED, S.PAUSED),
    (S.IN_PROGRESS, S.PAUSED),
    (S.PAUSED, S.WAITING_RESUME),
    (S.PAUSED, S.AUTHORISED),
    (S.WAITING_RESUME, S.AUTHORISED),
    (S.IN_PROGRESS, S.COMPLETED),
    (S.IN_PROGRESS, S.EXPIRED),
    (S.COMPLETED, S.SCORED),
    (S.EXPIRED, S.SCORED),
    (S.SCORED, S.RELEASED),
    *((before, S.TERMINATED) for before in (S.AUTHORISED, S.IN_PROGRESS, S.PAUSED, S.WAITING_RESUME)),
    (S.TERMINATED, S.PAUSED),
    *((before, end) for before in (S.SCHEDULED, S.CHECKED_IN, S.WAITING) for end in (S.DENIED, S.CANCELLED)),
    (S.DENIED, S.SCHEDULED),
    (S.CANCELLED, S.SCHEDULED),
}
"""Which status may follow which, written down a second time: the engine's own table may not drift unseen."""

GRACE_MS = 3000


@cache
def story_package() -> CompiledPackage:
    """Small and short, so that stories reach their ends: two adaptive sections about a fixed form, and one of
    two stages.
    """
    rng = random.Random(77)
    first = [
        small.choice_item(number, rng, area="verbal" if number % 2 else "numeric") for number in range(12)
    ]
    second = [small.graded_item(number, rng, model="GPCM", area="service") for number in range(6)]
    second += [small.choice_item(90, rng, area="service", prefix="J")]
    form = [small.choice_item(number, rng, area="law", prefix="K") for number in range(3)]
    staged = [small.choice_item(number, rng, area="staff", prefix="S") for number in range(5)]
    items = small.with_enemies(
        [*first, *second, *form, *staged], [("R0000", "R0002"), ("R0001", "J0000"), ("J0001", "J0002")]
    )
    shares = (Share("verbal", 500), Share("numeric", 500))
    length = {size: (RuleChoice("fixed_length", {"items": size}),) for size in (3, 4)}
    sections = (
        msgspec.structs.replace(
            small.adaptive_section("first", items[:12], blueprint=shares, stopping=length[4]),
            eligibility=RuleChoice("item_eligibility", {"cuts_millionths": [0]}),
        ),
        small.linear_section("form", items[19:22]),
        small.adaptive_section("second", items[12:19], stopping=length[3], final="posterior_mode"),
        small.multistage_section("staged", items[22:], [[[0], [1], [2]], [[3], [1], [4]]]),
    )
    return small.compiled_of(small.package_of(items, sections, code="STORY", time_allowed_s=600))


def story_exposure() -> tuple[e.ExposureRead, ...]:
    """What sittings of the story package read when they begin: some items are barred for most of them."""
    low = [4_000, 10_000, 2_000, *[10_000] * 7, 0, 10_000]
    rows = (low, [*low[:1], *reversed(low[1:])])
    return (
        e.ExposureRead(
            section_id="first", probabilities=tuple(np.array(row, dtype="<u2").tobytes() for row in rows)
        ),
    )


class Story:
    """One sitting and the acts on it."""

    def __init__(self, seed: str, accommodation_ms: int = 0) -> None:
        self.compiled = story_package()
        created = small.created_on(self.compiled, seed=seed, accommodation_ms=accommodation_ms)
        first = engine.create(created, now_ms=small.START_MS, actor=small.PROCTOR)
        self.state: SittingState = first.state
        self.entries = [first.entry]
        self.now_ms = small.START_MS
        self.allowed_ms = 600_000 + accommodation_ms
        self.used_before_ms = 0
        self.runs_from_ms: int | None = None
        self.begun_ms: int | None = None
        self.refusals = 0
        self.most_used_ms = 0
        self.latest_ms = self.now_ms

    # ------------------------------------------------------------------ acts

    def pass_time(self, amount_ms: int) -> None:
        self.now_ms += amount_ms

    def plain(self, event: e.AnyEvent) -> bool:
        return self._do(lambda at, who: engine.act(self.state, event, now_ms=at, actor=who))

    def enter_waiting(self) -> bool:
        return self._do(lambda at, who: engine.enter_waiting(self.state, now_ms=at, actor=who))

    def begin(self) -> bool:
        return self._do(
            lambda at, who: engine.begin(
                self.compiled, self.state, now_ms=at, actor=who, exposure=story_exposure()
            )
        )

    def pause(self) -> bool:
        return self._do(
            lambda at, who: engine.pause(self.state, by="proctor", reason="r", now_ms=at, actor=who)
        )

    def terminate(self) -> bool:
        return self._do(lambda at, who: engine.terminate(self.state, reason="r", now_ms=at, actor=who))

    def add_time(self, amount_ms: int) -> bool:
        return self.plain(e.TimeAdded(kind="incident", amount_ms=amount_ms, reason="technical.network"))

    def respond(self, position: int, option: int) -> bool:
        def verb(at: int, who: str) -> Progress:
            scored = score(self._item_at(position), f"o{option}")
            return engine.record_response(
                self.compiled, self.state, position=position, scored=scored, now_ms=at, actor=who
            )

        return self._do(verb)

    def save(self, position: int, option: int | None, *, clear: bool, flagged: bool | None) -> bool:
        def verb(at: int, who: str) -> Progress | None:
            scored = None if option is None else score(self._item_at(position), f"o{option}")
            change = FormChange(scored, clear=clear, flagged=flagged)
            return engine.save_form(
                self.compiled, self.state, position=position, change=change, now_ms=at, actor=who
            )

        return self._do(verb)

    def finish(self) -> bool:
        return self._do(
            lambda at, who: engine.finish_section(self.compiled, self.state, now_ms=at, actor=who)
        )

    def expire(self) -> bool:
        return self._do(lambda at, who: engine.expire(self.compiled, self.state, now_ms=at, actor=who))

    def next_position(self) -> int:
        """The first presentation of the section without a response, else the last of all."""
        open_ = [p.position for p in self.state.presentations if p.response is None]
        return open_[0] if open_ else max(1, len(self.state.presentations))

    # ----------------------------------------------------------------- books

    def _item_at(self, position: int) -> PoolItem:
        shown = self.state.presentations
        return self.compiled.items[shown[(position - 1) % len(shown)].item_id if shown else "item-R-0000"]

    def _do(self, verb: Callable[[int, str], Progress | None]) -> bool:
        before, untouched = self.state, msgspec.json.encode(self.state)
        try:
            progress = verb(self.now_ms, small.CANDIDATE)
        except Refused:
            self.refusals += 1
            progress = None
        assert self.state is before
        assert msgspec.json.encode(before) == untouched, "a decision changed the state it was given"
        if progress is None:
            return False
        self._book(progress)
        self.state = progress.state
        self.entries.append(progress.entry)
        self.check()
        return True

    def _book(self, progress: Progress) -> None:
        entry = progress.entry
        assert entry.events, "an entry without events"
        assert entry.revision == len(self.entries) + 1
        assert entry.at_ms >= self.entries[-1].at_ms
        assert advance(self.state, entry) == progress.state, "the state is not the fold of the entries"
        walked = [self.state.status]
        state = self.state
        for event in entry.events:
            state = apply(state, event, at_ms=entry.at_ms, actor=entry.actor)
            walked.append(state.status)
            self._book_time(event, entry.at_ms)
        for one, other in pairwise(walked):
            assert one is other or (one, other) in EDGES, f"{one} was followed by {other}"

    def _book_time(self, event: e.AnyEvent, at_ms: int) -> None:
        match event:
            case e.Begun() | e.Resumed():
                assert self.runs_from_ms is None
                self.runs_from_ms = at_ms
                self.begun_ms = at_ms if self.begun_ms is None else self.begun_ms
            case e.Paused() | e.Terminated() | e.Completed() | e.Expired():
                if isinstance(event, e.Expired):
                    assert self.begun_ms is not None
                    stood_ms = (at_ms - self.begun_ms) - self.used_ms(at_ms)
                    assert at_ms > self.begun_ms + self.allowed_ms + stood_ms + GRACE_MS, "expired too early"
                else:
                    assert event.used_ms == self.used_ms(at_ms)
                self.used_before_ms, self.runs_from_ms = self.used_ms(at_ms), None
            case e.TimeAdded():
                self.allowed_ms += event.amount_ms

    def used_ms(self, at_ms: int) -> int:
        return self.used_before_ms + (0 if self.runs_from_ms is None else at_ms - self.runs_from_ms)

    def check(self) -> None:
        """Everything that must be true after every act."""
        self.latest_ms = max(self.latest_ms, self.now_ms, self.state.last_at_ms)
        state, at_ms = self.state, self.latest_ms
        assert state.time.allowed_ms == self.allowed_ms == sum(line.amount_ms for line in state.time.lines)
        used = state.time.used_at(at_ms)
        assert used == self.used_ms(at_ms)
        assert used >= self.most_used_ms, "time used went down"
        self.most_used_ms = used
        runs = state.status is Status.IN_PROGRESS
        assert (state.time.deadline_ms is not None) == runs
        if state.time.deadline_ms is not None:
            assert state.time.deadline_ms == at_ms + self.allowed_ms - used
        self._check_items()

    def _check_items(self) -> None:
        shown = [p.item_id for p in self.state.presentations]
        assert [p.position for p in self.state.presentations] == list(range(1, len(shown) + 1))
        assert len(set(shown)) == len(shown), "an item was shown twice"
        together = set(shown)
        for item_id in shown:
            assert not together & set(self.compiled.items[item_id].enemies), "enemies met"
        assert self.state.answered == sum(p.response is not None for p in self.state.presentations)
        assert (self.state.score is None) == (self.state.status not in (Status.SCORED, Status.RELEASED))


PLAIN: tuple[e.AnyEvent, ...] = (
    e.CheckedIn(seat="A1"),
    e.PledgeSigned(text_hash="p"),
    e.DeviceChecked(javascript=False),
    e.Authorised(),
    e.Authorised(),
    e.ResumeRequested(),
    e.Denied(reason="r"),
    e.Readmitted(reason="r"),
    e.Cancelled(reason="r"),
    e.Reactivated(reason="r"),
    e.Released(),
)


def wild_story(seed: int) -> Story:
    """Chance picks the acts; the way to the first item is taken more often than the others."""
    rng = random.Random(seed)
    story = Story(f"wild-{seed}", accommodation_ms=rng.choice((0, 0, 120_000)))
    for _ in range(rng.randint(30, 80)):
        story.pass_time(rng.choice((0, 1, 900, 20_000, 45_000, -1500, rng.randint(0, 400_000))))
        wild_act(story, rng)
    return story


def wild_act(story: Story, rng: random.Random) -> bool:
    position = story.next_position() if rng.random() < 0.8 else rng.randint(0, 12)
    option = rng.randint(1, 5)
    acts: tuple[tuple[int, Callable[[], bool]], ...] = (
        (8, lambda: _forward(story)),
        (10, lambda: story.respond(position, option)),
        (
            6,
            lambda: story.save(
                position,
                rng.choice((None, option)),
                clear=rng.random() < 0.2,
                flagged=rng.choice((None, True, False)),
            ),
        ),
        (2, lambda: story.plain(rng.choice(PLAIN))),
        (1, story.pause),
        (1, story.terminate if rng.random() < 0.3 else story.pause),
        (1, lambda: story.add_time(rng.randint(1, 600_000))),
        (1, story.finish),
        (2, story.expire),
        (1, story.begin),
    )
    act = rng.choices([act for _, act in acts], [weight for weight, _ in acts])[0]
    return act()


def _forward(story: Story) -> bool:
    """What a candidate on the straight way would do now."""
    state = story.state
    match state.status:
        case Status.SCHEDULED:
            return story.plain(e.CheckedIn(seat="A1"))
        case Status.CHECKED_IN:
            missing = not state.pledge_hash or not state.device_checked
            if missing:
                story.plain(e.PledgeSigned(text_hash="p"))
                return story.plain(e.DeviceChecked(javascript=True))
            return story.enter_waiting()
        case Status.WAITING | Status.PAUSED | Status.WAITING_RESUME:
            return story.plain(e.Authorised())
        case Status.AUTHORISED:
            return story.begin()
        case Status.TERMINATED:
            return story.plain(e.Reactivated(reason="r"))
        case _:
            return False
