"""What may come next, and in what shape: blueprint, enemies, fixed forms, several sections, ends."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from msgspec.structs import replace

from cat_engine.core import engine
from cat_engine.core import events as e
from cat_engine.core.blueprint import free_items
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.engine import FormChange
from cat_engine.core.state import SittingState
from cat_engine.core.test_package import PoolItem, RuleChoice, Share
from cat_engine.core.transitions import Status
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.interactions.choice.scoring import score
from tests.cat_engine import small_packages as small

AREAS = ("verbal.analogy", "verbal.syllogism", "numeric", "figural")


def _presented(compiled: CompiledPackage, seed: str, theta: float) -> list[e.ItemPresented]:
    return [
        event
        for progress in small.simulated(compiled, seed, theta)
        for event in progress.events
        if isinstance(event, e.ItemPresented)
    ]


def _pool(n: int, seed: int = 5) -> list[PoolItem]:
    rng = random.Random(seed)
    return [small.choice_item(number, rng, area=AREAS[number % 4]) for number in range(n)]


@pytest.mark.parametrize("length", [7, 10, 20])
def test_blueprint_shares_are_kept_within_one_item(length: int) -> None:
    items = _pool(80)
    stopping = (RuleChoice("fixed_length", {"items": length}),)
    section = small.adaptive_section("s", items, blueprint=small.REASONING_SHARES, stopping=stopping)
    compiled = small.compiled_of(small.package_of(items, [section]))
    for number in range(40):
        presented = _presented(compiled, f"b{number}", random.Random(number).gauss(0, 1.5))
        counts = Counter(compiled.items[event.item_id].area.partition(".")[0] for event in presented)
        for share in small.REASONING_SHARES:
            assert abs(counts[share.area] - share.per_mille * length / 1000) <= 1
            assert all(event.relaxed == () for event in presented)
        for event in presented:
            assert compiled.items[event.item_id].area.startswith(event.area), "not of the line that was due"


def test_a_line_without_items_is_passed_over_by_name() -> None:
    items = [item for item in _pool(80) if item.area != "figural"] + [
        item for item in _pool(8) if item.area == "figural"
    ]
    stopping = (RuleChoice("fixed_length", {"items": 16}),)
    section = small.adaptive_section("s", items, blueprint=small.REASONING_SHARES, stopping=stopping)
    compiled = small.compiled_of(small.package_of(items, [section]))
    presented = _presented(compiled, "relaxed", 0.3)
    figural = [event for event in presented if event.area == "figural"]
    assert len(figural) == 2, "the pool holds two"
    passed_over = [event for event in presented if event.relaxed]
    assert passed_over
    assert all(event.relaxed == ("figural",) for event in passed_over)
    assert min(event.position for event in passed_over) > max(event.position for event in figural)


def test_items_below_a_line_in_the_tree_belong_to_it_and_others_to_none() -> None:
    items = [*_pool(4), replace(_pool(1)[0], item_id="x", code="X", content_hash="x", area="law.civil")]
    shares = (Share("verbal", 500), Share("verbal.syllogism", 500))
    two = (RuleChoice("fixed_length", {"items": 2}),)
    section = small.adaptive_section("s", items, blueprint=shares, stopping=two)
    pool = small.compiled_of(small.package_of(items, [section])).sections[0].pool
    assert pool.area.tolist() == [0, 1, -1, -1, -1]


def test_enemies_keep_away_from_each_other_across_sections() -> None:
    """R0002 and R0003 are enemies of J0000 and J0001, which are in the next section."""
    compiled = small.mixed()
    met = 0
    for number in range(60):
        shown = {event.item_id for event in _presented(compiled, f"enemies-{number}", -0.5)}
        for item_id in shown:
            assert not shown & set(compiled.items[item_id].enemies)
        met += "item-R-0002" in shown or "item-R-0003" in shown
    assert met > 5, "the enemies of the second section never came up in the first: nothing was tried"


def test_what_is_free_leaves_out_every_enemy_and_every_item_seen() -> None:
    pool = small.mixed().sections[0].pool
    everything = set(range(48))
    assert set(np.flatnonzero(free_items(pool, []))) == everything
    seen = np.flatnonzero(free_items(pool, ["item-R-0000", "item-R-0001"]))
    assert everything - set(seen.tolist()) == {0, 1, 4, 5}
    from_elsewhere = np.flatnonzero(free_items(pool, ["item-J-0000"]))
    assert everything - set(from_elsewhere.tolist()) == {2}


def test_a_pool_that_runs_out_ends_its_section_and_says_so() -> None:
    items = _pool(6)
    section = small.adaptive_section("s", items, stopping=(RuleChoice("fixed_length", {"items": 50}),))
    compiled = small.compiled_of(small.package_of(items, [section]))
    last = small.simulated(compiled, "short", 0.0)[-1].state
    assert last.score is not None
    assert [(part.items, part.stop_reason) for part in last.score.sections] == [(6, "pool_exhausted")]
    assert last.score.completeness == "complete"


def test_the_standard_error_stops_a_section_at_the_first_item_that_reaches_it() -> None:
    compiled = small.mixed()
    reasons: Counter[str] = Counter()
    for number in range(30):
        state = small.simulated(compiled, f"se-{number}", random.Random(number).gauss(0, 2.0))[-1].state
        assert state.score is not None
        part = state.score.sections[1]
        reasons[part.stop_reason] += 1
        presentations = state.in_section(1)
        interim = compiled.sections[1].interim
        index_of = compiled.sections[1].pool.index_of
        errors = []
        for count in range(1, len(presentations) + 1):
            given = presentations[:count]
            columns = tuple(index_of[p.item_id] for p in given)
            categories = tuple(p.category for p in given)
            held = small.evidence(compiled.sections[1].pool, columns, categories)
            errors.append(interim(held).standard_error_millionths)
        reached = [n for n, error in enumerate(errors, start=1) if error <= 380_000 and n >= 4]
        assert len(presentations) == min([*reached, 9])
    assert set(reasons) == {"standard_error", "fixed_length"}


# --------------------------------------------------------------------------------------------- fixed forms


def _form() -> tuple[CompiledPackage, SittingState]:
    items = [
        replace(small.choice_item(number, random.Random(number), area="law"), option_points=(1, 0, 0, 0, 0))
        for number in range(5)
    ]
    scale = small.POINT_SCALE
    compiled = small.compiled_of(
        small.package_of(
            items, [small.linear_section("one", items[:4]), small.linear_section("two", items[4:], scale)]
        )
    )
    return compiled, small.begun(compiled)


def _save(
    compiled: CompiledPackage,
    state: SittingState,
    position: int,
    change: FormChange,
    at_ms: int = small.START_MS,
) -> SittingState:
    saved = engine.save_form(
        compiled, state, position=position, change=change, now_ms=at_ms, actor=small.CANDIDATE
    )
    assert saved is not None
    return saved.state


def _choose(compiled: CompiledPackage, state: SittingState, position: int, option: str) -> SittingState:
    item = compiled.items[state.presentations[position - 1].item_id]
    return _save(compiled, state, position, FormChange(score(item, option)))


def test_a_fixed_form_is_opened_whole_and_in_order() -> None:
    compiled, state = _form()
    assert [p.item_id for p in state.presentations] == list(compiled.sections[0].section.item_ids)
    assert state.answered == 0


def test_answers_of_a_fixed_form_may_be_changed_flagged_and_taken_back() -> None:
    compiled, state = _form()
    state = _choose(compiled, state, 3, "o2")
    assert (state.presentations[2].response, state.presentations[2].points, state.answered) == ("o2", 0, 1)
    state = _choose(compiled, state, 3, "o1")
    assert (state.presentations[2].response, state.presentations[2].points, state.answered) == ("o1", 1, 1)
    state = _save(compiled, state, 1, FormChange(flagged=True))
    assert [p.flagged for p in state.presentations] == [True, False, False, False]
    state = _save(compiled, state, 3, FormChange(clear=True))
    assert (state.presentations[2].response, state.presentations[2].points, state.answered) == (None, 0, 0)


def test_saving_what_is_saved_already_changes_nothing() -> None:
    compiled, state = _form()
    state = _choose(compiled, state, 1, "o1")
    item = compiled.items[state.presentations[0].item_id]
    for change in (FormChange(score(item, "o1")), FormChange(flagged=False), FormChange()):
        again = engine.save_form(compiled, state, position=1, change=change, now_ms=0, actor=small.CANDIDATE)
        assert again is None


def test_unanswered_items_earn_nothing_and_cuts_are_conjunctive() -> None:
    """Three of four right reach the section's cut of 3; the second section's one point cannot."""
    compiled, state = _form()
    for position in (1, 2, 3):
        state = _choose(compiled, state, position, "o1")
    state = engine.finish_section(compiled, state, now_ms=small.START_MS, actor=small.CANDIDATE).state
    assert [p.position for p in state.in_section(1)] == [5]
    state = _choose(compiled, state, 5, "o1")
    state = engine.finish_section(compiled, state, now_ms=small.START_MS, actor=small.CANDIDATE).state
    assert state.status is Status.SCORED
    assert state.score is not None
    rows = [(s.points, s.points_maximum, s.items, s.passed) for s in state.score.sections]
    assert rows == [(3, 4, 3, True), (1, 1, 1, False)]
    assert state.score.passed is False


@pytest.mark.parametrize(("total_cut", "passed"), [(None, True), (3, True), (4, False)])
def test_the_total_cut_counts_the_points_of_all_fixed_forms(total_cut: int | None, passed: bool) -> None:
    items = [
        replace(small.choice_item(number, random.Random(number), area="law"), option_points=(1, 0, 0, 0, 0))
        for number in range(4)
    ]
    scale = replace(small.POINT_SCALE, cut_score=1)
    sections = [small.linear_section("one", items[:2], scale), small.linear_section("two", items[2:], scale)]
    compiled = small.compiled_of(small.package_of(items, sections, total_cut_points=total_cut))
    state = small.begun(compiled)
    for positions in ((1, 2), (3,)):
        for position in positions:
            state = _choose(compiled, state, position, "o1")
        state = engine.finish_section(compiled, state, now_ms=small.START_MS, actor=small.CANDIDATE).state
    assert state.score is not None
    assert state.score.passed is passed


def test_a_form_that_is_handed_in_is_closed() -> None:
    compiled, state = _form()
    state = engine.finish_section(compiled, state, now_ms=small.START_MS, actor=small.CANDIDATE).state
    with pytest.raises(Refused) as refused:
        _choose(compiled, state, 1, "o1")
    assert refused.value.code is Refusal.ALREADY_ANSWERED


def test_adaptive_and_fixed_sections_do_not_take_each_other_s_verbs() -> None:
    compiled = small.mixed()
    state = small.begun(compiled)
    with pytest.raises(Refused) as refused:
        _choose(compiled, state, 1, "o1")
    assert refused.value.code is Refusal.SECTION_NOT_LINEAR
    with pytest.raises(Refused) as refused:
        engine.finish_section(compiled, state, now_ms=small.START_MS, actor=small.CANDIDATE)
    assert refused.value.code is Refusal.SECTION_NOT_LINEAR
    form, begun = _form()
    with pytest.raises(Refused) as refused:
        small.respond(form, begun, 1, "o1", small.START_MS)
    assert refused.value.code is Refusal.PRESENTATION_NOT_CURRENT


# ----------------------------------------------------------------------------------- sections and positions


def test_sections_follow_each_other_and_positions_go_on() -> None:
    compiled = small.mixed()
    progresses = small.simulated(compiled, "sections", small.THETA)
    state = progresses[-1].state
    assert [p.position for p in state.presentations] == list(range(1, len(state.presentations) + 1))
    assert [p.section_index for p in state.presentations] == sorted(
        p.section_index for p in state.presentations
    )
    kinds = [type(event).__name__ for progress in progresses for event in progress.events]
    assert kinds.count("SectionBegun") == kinds.count("SectionEnded") == 3
    assert kinds[-2:] == ["Completed", "Scored"]
    assert [name for name, _ in state.sections_ended] == ["reasoning", "judgement", "knowledge"]


def test_an_answer_to_an_earlier_item_is_refused_and_one_to_a_later_one_too() -> None:
    compiled = small.mixed()
    state = small.respond(compiled, small.begun(compiled), 1, "o1", small.START_MS).state
    with pytest.raises(Refused) as refused:
        small.respond(compiled, state, 1, "o2", small.START_MS)
    assert refused.value.code is Refusal.ALREADY_ANSWERED
    for position in (0, 3, -1):
        with pytest.raises(Refused) as refused:
            engine.record_response(
                compiled,
                state,
                position=position,
                scored=score(compiled.items["item-R-0000"], "o1"),
                now_ms=small.START_MS,
                actor=small.CANDIDATE,
            )
        assert refused.value.code is Refusal.PRESENTATION_NOT_CURRENT


def test_time_that_runs_out_scores_what_was_answered() -> None:
    compiled = small.mixed()
    state = small.begun(compiled)
    for position in (1, 2, 3):
        state = small.respond(compiled, state, position, "o1", small.START_MS + 1000 * position).state
    ended = engine.expire(compiled, state, now_ms=small.START_MS + 3_603_001, actor="system:clock")
    assert ended is not None
    assert ended.state.score is not None
    assert ended.state.score.completeness == "partial"
    assert [part.items for part in ended.state.score.sections] == [3, 0, 0]
    assert [part.stop_reason for part in ended.state.score.sections] == ["not_reached"] * 3
    untouched = ended.state.score.sections[1]
    assert untouched.theta_millionths is None, "the prior's own mean would be a gift"
    assert untouched.scale_score == str(compiled.sections[1].section.scale.minimum)
    assert (untouched.scale_error, untouched.level) == ("", 0)


def test_simulated_candidates_score_as_their_ability_asks() -> None:
    """Over many simulated candidates the estimates' mean error is near nothing, and their spread known."""
    compiled = small.mixed()
    errors = []
    for number in range(200):
        theta = random.Random(number).gauss(0, 1)
        score_ = small.simulated(compiled, f"ability-{number}", theta)[-1].state.score
        assert score_ is not None
        estimate = score_.sections[0].theta_millionths
        assert estimate is not None
        errors.append(estimate / 1e6 - theta)
    mean = sum(errors) / len(errors)
    spread = (sum(error**2 for error in errors) / len(errors)) ** 0.5
    assert abs(mean) < 0.1
    assert 0.2 < spread < 0.55
