"""The engine on simulated candidates.

A simulated candidate has an ability per section and answers through the verbs that people's answers take; the
categories are drawn from the response models (`psychometrics`), so what is simulated is the test as it will
run: its rules, its clock, its log. Every draw is a hash of the responder's seed and the position: the same
arguments give the same log.
"""

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import TypeAlias

import numpy as np

from cat_engine.core import engine, exact
from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.engine import FormChange, Progress, ScoredResponse
from cat_engine.core.exact import Floats
from cat_engine.core.state import Presentation, SittingState
from cat_engine.core.tables import parameters
from cat_engine.core.test_package import PoolItem
from psychometrics.models.items import item_columns, log_probabilities_at

RESPONSE_TIME_S = 40.0  # median
RESPONSE_TIME_LOG_DEVIATION = 0.45  # of the lognormal response time (van der Linden, 2006)
PREPARATION_STEP_MS = 20_000  # from one act before the beginning to the next
REVIEW_MS = 15_000  # from the last answer of a fixed form to handing it in
STAFF = "system:simulation"
NO_PLEDGE_TEXT = "0" * 64

Ability: TypeAlias = float | tuple[float, ...]
"""A simulated candidate's theta in a section, or one theta for each of its dimensions."""

_DRAW_CHOICES = 1 << 53
_NORMAL = NormalDist()


def simulate_sitting(
    compiled: CompiledPackage,
    created: e.Created,
    theta: Mapping[str, Ability],
    now_ms: int,
    responder_seed: str,
    *,
    seat: str = "",
    pledge_hash: str = NO_PLEDGE_TEXT,
) -> list[Progress]:
    """A whole sitting from its creation at `now_ms` to its score.

    `theta` gives the ability by section. Somebody whose time runs out is ended by the clock, as in a room.
    """
    progresses = _prepared(created, now_ms, seat=seat, pledge_hash=pledge_hash)
    responder = _Responder(compiled, theta, responder_seed)
    candidate = f"candidate:{created.candidate}"
    at_ms = progresses[-1].entry.at_ms + PREPARATION_STEP_MS
    progresses.append(engine.begin(compiled, progresses[-1].state, now_ms=at_ms, actor=candidate))
    while not progresses[-1].state.is_over:
        state = progresses[-1].state
        asked = next((p for p in state.in_section(state.section_index) if p.response is None), None)
        at_ms = state.last_at_ms + (REVIEW_MS if asked is None else responder.time_ms(asked.position))
        expired = engine.expire(compiled, state, now_ms=at_ms, actor=STAFF)
        if expired is not None:
            progresses.append(expired)
        elif asked is None:
            progresses.append(engine.finish_section(compiled, state, now_ms=at_ms, actor=candidate))
        else:
            scored = responder.answer(asked)
            progresses.append(_answered(compiled, state, asked.position, scored, at_ms, candidate))
    return progresses


def _prepared(created: e.Created, now_ms: int, *, seat: str, pledge_hash: str) -> list[Progress]:
    """From creation to admission."""
    candidate = f"candidate:{created.candidate}"
    progresses = [engine.create(created, now_ms=now_ms, actor=STAFF)]
    acts: tuple[tuple[e.AnyEvent, str], ...] = (
        (e.CheckedIn(seat=seat), candidate),
        (e.PledgeSigned(text_hash=pledge_hash), candidate),
        (e.DeviceChecked(javascript=True, clock_offset_ms=0), candidate),
        (e.WaitingEntered(), candidate),
        (e.Authorised(), STAFF),
    )
    for number, (event, actor) in enumerate(acts, start=1):
        state, at_ms = progresses[-1].state, now_ms + number * PREPARATION_STEP_MS
        if isinstance(event, e.WaitingEntered):
            progresses.append(engine.enter_waiting(state, now_ms=at_ms, actor=actor))
        else:
            progresses.append(engine.act(state, event, now_ms=at_ms, actor=actor))
    return progresses


def _answered(
    compiled: CompiledPackage,
    state: SittingState,
    position: int,
    scored: ScoredResponse,
    now_ms: int,
    actor: str,
) -> Progress:
    if not compiled.sections[state.section_index].is_linear:
        return engine.record_response(
            compiled, state, position=position, scored=scored, now_ms=now_ms, actor=actor
        )
    saved = engine.save_form(
        compiled, state, position=position, change=FormChange(scored), now_ms=now_ms, actor=actor
    )
    if saved is None:
        raise ValueError(f"position {position} holds {scored.response} already")
    return saved


class _Responder:
    """Draws what a person of given abilities answers, and how long it takes."""

    def __init__(self, compiled: CompiledPackage, theta: Mapping[str, Ability], seed: str) -> None:
        self._seed = seed
        self._sections = tuple(part.pool for part in compiled.sections)
        self._cumulative = tuple(
            _cumulative(part.pool.items, theta[part.section.section_id], compiled.package.metric_d)
            for part in compiled.sections
        )

    def answer(self, asked: Presentation) -> ScoredResponse:
        """A category drawn from the item's model at the candidate's ability, and an option that earns it."""
        pool = self._sections[asked.section_index]
        index = pool.index_of[asked.item_id]
        item = pool.items[index]
        steps = self._cumulative[asked.section_index][index, : item.categories - 1]
        category = int((self._uniform("category", asked.position) >= steps).sum())
        # points may leave a category without an option: then the nearest worse one is what can be chosen
        points = max(p for p in item.option_points if p <= category + item.points_minimum)
        options = [number for number, p in enumerate(item.option_points, start=1) if p == points]
        option = options[exact.draw(self._seed, "option", asked.position, len(options))]
        return ScoredResponse(response=f"o{option}", points=points, category=points - item.points_minimum)

    def time_ms(self, position: int) -> int:
        """Lognormal response time."""
        z = _NORMAL.inv_cdf(self._uniform("time", position))
        return round(1000.0 * RESPONSE_TIME_S * math.exp(RESPONSE_TIME_LOG_DEVIATION * z))

    def _uniform(self, purpose: str, position: int) -> float:
        """A number within (0, 1)."""
        return (exact.draw(self._seed, purpose, position, _DRAW_CHOICES) + 0.5) / _DRAW_CHOICES


def _cumulative(items: tuple[PoolItem, ...], theta: Ability, metric_d: float) -> Floats:
    """P(X <= k | theta) of every item, (n, categories)."""
    columns = item_columns([parameters(item) for item in items], D=metric_d)
    if isinstance(theta, tuple):  # an item of several abilities is a function of its composite
        slopes = np.array([item.slopes for item in items], dtype=np.float64)
        at = (slopes * np.array(theta)).sum(axis=1)
    else:
        at = np.full(len(items), theta)
    cumulative: Floats = np.cumsum(np.exp(log_probabilities_at(columns, at)), axis=1)
    return cumulative
