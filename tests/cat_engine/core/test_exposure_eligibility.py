"""Eligibility: what is counted, what follows from counts, who may see what; and that limits hold."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import numpy as np
import pytest

from cat_engine.core import engine, families
from cat_engine.core import events as e
from cat_engine.core.eligibility import item_eligibility, live_cap, overlap_control
from cat_engine.core.exposure_counts import COUNT, Counts, controls, drawn, faded, fading_step
from cat_engine.core.families import Rule
from cat_engine.core.state import CorruptLogError
from cat_engine.core.test_package import RuleChoice
from cat_engine.core.views import Estimate
from cat_engine.foundation.refusals import Refusal, Refused
from psychometrics.exposure import pairwise_overlap
from tests.cat_engine import small_packages as small
from tests.cat_engine.counted_packages import (
    COUNTING,
    CUTS,
    cells_after,
    compiled_with,
    control_of,
    finished,
)

ELIGIBILITY = "cat_engine.core.eligibility"


def read_of(probabilities: list[list[int]]) -> e.ExposureRead:
    rows = tuple(np.array(row, dtype="<u2").tobytes() for row in probabilities)
    return e.ExposureRead(section_id="s", probabilities=rows)


# ------------------------------------------------------------------------------------ every rule's contract


def eligibility_rules() -> list[Any]:
    return [pytest.param(rule, id=name) for name, rule in families.members(ELIGIBILITY).items()]


@pytest.mark.parametrize("rule", eligibility_rules())
def test_a_rule_lets_everything_pass_before_anything_is_read(rule: Rule) -> None:
    allowed = families.bind(ELIGIBILITY, RuleChoice(rule.name))
    pool = compiled_with(rule.name, size=30).sections[0].pool
    assert allowed(small.view(pool), None) is None


@pytest.mark.parametrize("name", COUNTING)
def test_a_rule_does_not_look_at_the_order_of_the_pool_and_says_the_same_again(name: str) -> None:
    order = list(range(40))
    random.Random(1).shuffle(order)
    one = compiled_with(name, size=40).sections[0]
    other = compiled_with(name, size=40, order=tuple(order)).sections[0]
    rng = np.random.default_rng(3)
    for seed in range(30):
        numbers = rng.integers(0, 10_001, size=40)
        view = small.view(
            one.pool, [], [], Estimate(int(rng.integers(-3_000_000, 3_000_000)), 1), seed=str(seed)
        )
        moved = small.view(other.pool, [], [], view.estimate, seed=str(seed))
        here = one.eligibility(view, read_of([numbers.tolist()]))
        there = other.eligibility(moved, read_of([numbers[order].tolist()]))
        assert here.dtype == np.bool_
        assert np.array_equal(here[order], there)
        assert np.array_equal(here, one.eligibility(view, read_of([numbers.tolist()])))


@pytest.mark.parametrize("name", COUNTING)
def test_the_draw_holds_for_the_whole_sitting(name: str) -> None:
    part = compiled_with(name, size=40).sections[0]
    read = read_of([[5000] * 40])
    for seed in range(20):
        first = part.eligibility(small.view(part.pool, seed=str(seed)), read)
        later = part.eligibility(
            small.view(part.pool, range(9), [0] * 9, Estimate(900_000, 1), seed=str(seed)), read
        )
        assert np.array_equal(first, later)


def test_items_are_eligible_as_often_as_their_probability_says() -> None:
    pool = compiled_with("item_eligibility", size=40).sections[0].pool
    numbers = [0, 1, 10_000, 5_000, 2_500, 9_999, *range(300, 9_820, 280)]
    sittings = 20_000
    drawn_often = np.zeros(40)
    for number in range(sittings):
        mask = drawn(pool, f"seed-{number}", read_of([numbers]), 0)
        assert mask is not None
        drawn_often += mask
    p = np.array(numbers) / 10_000
    assert (np.abs(drawn_often / sittings - p) <= 5 * np.sqrt(p * (1 - p) / sittings)).all()
    assert drawn_often[0] == 0
    assert drawn_often[2] == sittings


def test_each_segment_has_a_draw_of_its_own() -> None:
    part = compiled_with("item_eligibility", {"cuts_millionths": CUTS}, size=40).sections[0]
    read = read_of([[5000] * 40, [0] * 40, [5000] * 40])
    masks = [
        part.eligibility(small.view(part.pool, [], [], Estimate(theta, 1)), read)
        for theta in (-500_001, -500_000, 499_999, 500_000)
    ]
    assert not masks[1].any()
    assert not masks[2].any()
    assert 8 < masks[0].sum() < 32
    assert not np.array_equal(masks[0], masks[3])


# --------------------------------------------------------------------------------- probabilities by hand


def counts_of(visited: float, administered: list[float], eligible: list[float], seen: list[float]) -> Counts:
    return Counts(
        visited, np.array(seen), np.array([visited]), np.array([administered]), np.array([eligible])
    )


def test_item_eligibility_is_the_limit_times_eligible_over_administered() -> None:
    counts = counts_of(
        1000.0, [0.0, 100.0, 250.0, 500.0, 250.0], [1000.0, 1000.0, 1000.0, 1000.0, 400.0], [0.0] * 5
    )
    pool = compiled_with("item_eligibility", size=5).sections[0].pool
    plain = item_eligibility.probabilities(counts, pool, item_eligibility.Settings(horizon_sittings=0))
    assert plain.tolist() == [[10_000, 10_000, 10_000, 5_000, 4_000]]
    with_horizon = item_eligibility.probabilities(
        counts, pool, item_eligibility.Settings(horizon_sittings=500)
    )
    # 0.25 + (250 - 500) / 500 < 0; the others are at their limit or far below it
    assert with_horizon.tolist() == [[10_000, 10_000, 10_000, 0, 4_000]]


def test_a_start_is_what_is_read_before_anything_is_counted_and_weighs_less_later() -> None:
    pool = compiled_with("item_eligibility", size=5).sections[0].pool
    settings = item_eligibility.Settings(start=({pool.items[1].code: 400},), horizon_sittings=0)
    nothing = counts_of(0.0, [0.0] * 5, [0.0] * 5, [0.0] * 5)
    assert item_eligibility.probabilities(nothing, pool, settings).tolist() == [
        [10_000, 4_000, *[10_000] * 3]
    ]
    many = counts_of(10_000.0, [2_500.0] * 5, [5_000.0] * 5, [0.0] * 5)
    found = item_eligibility.probabilities(many, pool, settings)[0]
    assert found[0] == 5_000
    assert 4_950 < found[1] < 5_000


def test_the_cap_is_hard_and_is_taken_of_a_minimum_of_sittings() -> None:
    pool = compiled_with("live_cap", size=3).sections[0].pool
    settings = live_cap.Settings(rate_per_mille=250, minimum_sittings=20)
    few = counts_of(4.0, [0.0] * 3, [0.0] * 3, [4.0, 5.0, 0.0])
    assert live_cap.probabilities(few, pool, settings).tolist() == [[10_000, 0, 10_000]]
    many = counts_of(1000.0, [0.0] * 3, [0.0] * 3, [249.0, 250.0, 251.0])
    assert live_cap.probabilities(many, pool, settings).tolist() == [[10_000, 0, 0]]


def test_the_overlap_formula_is_the_share_that_candidates_have_in_common() -> None:
    rng = np.random.default_rng(4)
    given = np.zeros((400, 60), dtype=np.bool_)
    for row in given:
        row[rng.choice(60, size=12, replace=False, p=np.linspace(1, 9, 60) / np.linspace(1, 9, 60).sum())] = (
            True
        )
    rates = given.mean(axis=0)
    assert overlap_control.general_overlap(rates, 1) == pytest.approx(pairwise_overlap(given), abs=0.003)
    by_three = [
        float((given[i] & given[rng.choice(400, 3, replace=False)].any(axis=0)).sum()) / 12
        for i in range(400)
    ]
    assert overlap_control.general_overlap(rates, 3) == pytest.approx(np.mean(by_three), abs=0.03)


@pytest.mark.parametrize("group", [1, 3, 10])
def test_the_common_limit_is_the_highest_that_keeps_the_overlap(group: int) -> None:
    demand = np.concatenate([np.full(10, 0.9), np.full(30, 0.4), np.full(60, 0.1)])
    settings = overlap_control.Settings(overlap_per_mille=400, group=group, rate_per_mille=600)
    rates = np.full(100, 0.05)
    limit = overlap_control.common_limit(demand, rates, 0.0, settings)
    assert 0.049 < limit <= 0.6
    kept = [overlap_control.general_overlap(np.minimum(demand, limit + more), group) for more in (0.0, 0.001)]
    assert kept[0] <= 0.4 or limit == pytest.approx(0.05)
    assert kept[1] > 0.4 or limit == pytest.approx(0.6)


def test_an_overlap_above_its_limit_is_made_good() -> None:
    demand = np.full(100, 0.3)
    settings = overlap_control.Settings(overlap_per_mille=200, horizon_sittings=100)
    limits = [
        overlap_control.common_limit(demand, np.full(100, rate), visited, settings)
        for rate, visited in ((0.1, 50.0), (0.22, 0.0), (0.22, 50.0), (0.22, 5_000.0))
    ]
    assert limits == pytest.approx([0.2, 0.22, 0.22, 0.22])  # all alike cannot be spread thinner
    uneven = np.array([*[0.9] * 10, *[0.1] * 90])
    limits = [
        overlap_control.common_limit(demand, uneven, visited, settings)
        for visited in (0.0, 5.0, 10.0, 5_000.0)
    ]
    assert limits == sorted(limits, reverse=True)
    assert limits[0] > limits[1]


# ------------------------------------------------------------------------------------------- what is counted


def test_a_sitting_counts_in_every_segment_by_the_part_it_spends_there() -> None:
    compiled = compiled_with("item_eligibility", {"cuts_millionths": CUTS}, size=40)
    control = control_of(compiled)
    read = read_of([[7000] * 40] * 3)
    progresses = finished(compiled, 1, 1.2, [read])
    state = progresses[-1].state
    columns = [control.pool.index_of[p.item_id] for p in state.presentations]
    where = [sum(p.theta_millionths >= cut for cut in CUTS) for p in state.presentations]
    assert len(set(where)) > 1
    counts = control.counts(cells_after(control, progresses))
    assert counts.begun == 1.0
    assert np.flatnonzero(counts.seen).tolist() == sorted(columns)
    assert counts.visited.tolist() == [where.count(segment) / 10 for segment in range(3)]
    for segment in range(3):
        mask = drawn(control.pool, state.seed, read, segment)
        assert mask is not None
        assert np.array_equal(counts.eligible[segment], mask * (where.count(segment) / 10))
        chosen = [c for c, at in zip(columns, where, strict=True) if at == segment]
        assert np.flatnonzero(counts.administered[segment]).tolist() == sorted(chosen)


def test_an_unfinished_sitting_counts_what_was_shown_and_a_late_one_counts_whole() -> None:
    compiled = compiled_with("item_eligibility", size=40)
    control = control_of(compiled)
    progresses = finished(compiled, 2, 0.0)
    begun = next(place for place, p in enumerate(progresses) if isinstance(p.entry.events[0], e.Begun))
    half = progresses[: begun + 4]
    counts = control.counts(cells_after(control, half))
    assert (counts.begun, counts.seen.sum(), counts.visited.sum()) == (1.0, 4.0, 0.0)
    late = engine.expire(compiled, half[-1].state, now_ms=small.START_MS + 10**9, actor="system:clock")
    assert late is not None
    counts = control.counts(cells_after(control, [*half, late]))
    assert (counts.seen.sum(), counts.visited.sum(), counts.administered.sum()) == (4.0, 1.0, 4.0)


def test_old_sittings_fade() -> None:
    cells = np.full(4, 1000 * COUNT)
    assert faded(cells, 500, 500) == pytest.approx(1000 * COUNT * (1 - 1 / 500) ** 500, abs=1)
    assert (fading_step(0), fading_step(10), fading_step(1000)) == (0, 1, 50)


def test_sections_without_counts_and_fixed_forms_are_not_counted() -> None:
    assert controls(small.mixed()) == ()
    assert len(controls(compiled_with("live_cap", size=20))) == 1


# ----------------------------------------------------------------------------------------- what is refused


def shapes() -> list[Any]:
    good = read_of([[10_000] * 20])
    return [
        pytest.param([msgspec.structs.replace(good, section_id="other")], id="another section"),
        pytest.param([good, good], id="twice"),
        pytest.param([read_of([[1] * 19])], id="an item less"),
        pytest.param([read_of([[1] * 20] * 2)], id="a segment more"),
        pytest.param([read_of([])], id="no segment"),
        pytest.param([read_of([[10_001] + [1] * 19])], id="more than certain"),
        pytest.param(
            [msgspec.structs.replace(good, probabilities=(good.probabilities[0] + b"1",))], id="odd bytes"
        ),
    ]


@pytest.mark.parametrize("exposure", shapes())
def test_a_sitting_does_not_begin_with_an_exposure_of_another_shape(exposure: list[e.ExposureRead]) -> None:
    compiled = compiled_with("item_eligibility", size=20)
    state = small.admitted(compiled)
    at: dict[str, Any] = {"now_ms": small.START_MS, "actor": small.CANDIDATE}
    assert engine.begin(compiled, state, exposure=[read_of([[10_000] * 20])], **at).state.exposure
    with pytest.raises(CorruptLogError):
        engine.begin(compiled, state, exposure=exposure, **at)


def test_a_package_whose_rule_counts_nothing_reads_nothing() -> None:
    compiled = small.mixed()
    with pytest.raises(CorruptLogError):
        engine.begin(
            compiled, small.admitted(compiled), exposure=[read_of([[1]])], now_ms=small.START_MS, actor="a"
        )


@pytest.mark.parametrize(
    ("rule", "settings"),
    [
        ("item_eligibility", {"rate_per_mille": 0}),
        ("item_eligibility", {"cuts_millionths": [3, 2]}),
        ("item_eligibility", {"start": [{}, {}]}),
        ("item_eligibility", {"start": [{"NONE": 500}]}),
        ("live_cap", {"cuts_millionths": [0]}),
        ("overlap_control", {"group": 0}),
    ],
)
def test_settings_that_make_no_sense_are_refused(rule: str, settings: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        compiled_with(rule, settings, size=20)
    assert refused.value.code is Refusal.PACKAGE_INVALID
