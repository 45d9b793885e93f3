"""Studies: what they count, that they repeat, that they are the engine's own sittings."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest

from cat_engine.core import chain, engine
from cat_engine.core.simulation.designs import Design, DesignError, decode_design, designed
from cat_engine.core.simulation.outcomes import created, through_engine
from cat_engine.core.simulation.people import uniform, uniforms
from cat_engine.core.simulation.population import (
    Listed,
    Normal,
    Points,
    Population,
    Speed,
    Uniform,
    candidate,
)
from cat_engine.core.simulation.report import DesignReport, StudyReport
from cat_engine.core.simulation.sittings import STAFF, prepared, simulate_sitting
from cat_engine.core.simulation.study import AS_PUBLISHED, Runner, Study, run
from cat_engine.core.simulation.truth import Perturbation, truth_of
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import PackageFile, RuleChoice
from cat_engine.integrity.replay import replay
from psychometrics.exposure import exposure_summary
from tests.cat_engine import small_packages as small

SHORT = Design(name="short", adaptive={"stopping": [{"rule": "fixed_length", "settings": {"items": 4}}]})
BEST = Design(name="best", adaptive={"exposure": {"rule": "best"}})
LIMITED = Design(
    name="limited",
    adaptive={"eligibility": {"rule": "item_eligibility", "settings": {"rate_per_mille": 400}}},
)


@cache
def reasoning_file() -> PackageFile:
    """One adaptive section: what the batch covers."""
    items = small.mixed_package().items[:48]
    section = small.adaptive_section("reasoning", items, blueprint=small.REASONING_SHARES)
    return freeze(small.package_of(items, [section]))


def study(**changes: Any) -> Study:
    fields: dict[str, Any] = {
        "package_file": reasoning_file(),
        "population": Normal(candidates=60),
        "seed": "study",
    }
    return Study(**(fields | changes))


def without_path(report: StudyReport) -> list[DesignReport]:
    return [msgspec.structs.replace(design, path="") for design in report.designs]


# ------------------------------------------------------------------------------- the engine's own sittings


def test_simulated_sittings_survive_replay() -> None:
    """Sittings of a study, as their logs, decided again by the audit's replay."""
    file = small.mixed_file()
    compiled = small.mixed()
    truths = [truth_of(part.pool, compiled.package.metric_d) for part in compiled.sections]
    for number in range(3):
        person = candidate(compiled, Normal(candidates=3), Speed(deviation=0.2), seed="r", number=number)
        _, state, entries = through_engine(compiled, truths, person, "r")
        assert state is not None
        assert state.score is not None
        first = created(compiled, person, "r")
        before = small_preparation(first)
        values, head = [], chain.GENESIS
        for entry in (*before, *entries):
            head = chain.extend(head, entry)
            values.append(head)
        log = (*before, *entries)
        assert replay(file, file.content_hash, log, tuple(values)) is None


def small_preparation(first: Any) -> list[Any]:
    """The entries of a simulated sitting before its beginning."""
    state = prepared(first, 0)
    compiled = small.mixed()
    abilities = {part.section.section_id: 0.0 for part in compiled.sections}
    entries = [p.entry for p in simulate_sitting(compiled, first, abilities, 0, "nobody")]
    return entries[: state.revision]


def test_preparation_is_what_every_sitting_has() -> None:
    compiled = small.mixed()
    first = small.created_on(compiled)
    assert prepared(first, 5).last_at_ms == 5 + 5 * 20_000
    entry = engine.create(first, now_ms=5, actor=STAFF).entry
    assert entry.events == (first,)


def test_the_batch_and_the_engine_give_the_same_report() -> None:
    designs = (AS_PUBLISHED, BEST, SHORT)
    fast = run(study(designs=designs, population=Normal(candidates=300)))
    slow = run(study(designs=designs, population=Normal(candidates=300), engine_only=True))
    assert {design.path for design in fast.designs} == {"batch"}
    assert {design.path for design in slow.designs} == {"engine"}
    assert without_path(fast) == without_path(slow)


def test_two_processes_give_the_same_report() -> None:
    alike = study(population=Normal(candidates=600), designs=(AS_PUBLISHED, SHORT))
    seen: list[tuple[int, int]] = []
    two = run(alike, processes=2, progress=lambda done, total: seen.append((done, total)))
    assert two == run(alike)
    assert seen == [(256, 600), (512, 600), (600, 600)]


def test_the_same_seed_repeats_and_another_does_not() -> None:
    one = run(study())
    assert one == run(study())
    assert one.designs != run(study(seed="another")).designs


# ------------------------------------------------------------------------------------------ what is counted


def test_figures_are_those_of_the_sittings() -> None:
    """Everything again from the single outcomes, by other means."""
    runner = Runner(study(engine_only=True))
    compiled = runner.designs[0]
    people = [runner.person(number) for number in range(60)]
    outcomes = [through_engine(compiled, runner.truths[0], person, "study")[0] for person in people]
    section = run(study()).designs[0].sections[0]
    estimates = np.array(
        [o.sections[0].estimate.theta_millionths for o in outcomes if o.sections[0].estimate]
    )
    truth = np.array([person.composites[0] for person in people])
    errors = estimates / 1e6 - truth
    accuracy = section.accuracy
    assert accuracy is not None
    assert accuracy.sittings == 60
    assert accuracy.bias.value == pytest.approx(errors.mean(), abs=1e-6)
    assert accuracy.bias.error == pytest.approx(errors.std(ddof=1) / math.sqrt(60), abs=1e-6)
    assert accuracy.rmse.value == pytest.approx(math.sqrt((errors**2).mean()), abs=1e-6)
    of_squares = (errors**2).std(ddof=1) / math.sqrt(60) / 2 / accuracy.rmse.value
    assert accuracy.rmse.error == pytest.approx(of_squares, abs=1e-6)
    reported = np.array(
        [o.sections[0].estimate.standard_error_millionths for o in outcomes if o.sections[0].estimate]
    )
    inside = float((np.abs(errors) <= 1.96 * reported / 1e6).mean())
    assert accuracy.coverage.value == pytest.approx(inside)
    assert 0.8 < inside < 1
    assert accuracy.mean_standard_error.value == pytest.approx(reported.mean() / 1e6)
    assert accuracy.correlation == pytest.approx(np.corrcoef(truth, estimates)[0, 1], abs=1e-6)
    seen = np.zeros((60, 48), dtype=np.bool_)
    for number, outcome in enumerate(outcomes):
        seen[number, list(outcome.sections[0].shown)] = True
    wanted = exposure_summary(seen, limit=0.25)
    exposure = section.exposure
    assert exposure.overlap == pytest.approx(wanted.overlap)
    assert exposure.chi_square == pytest.approx(wanted.chi_square)
    assert exposure.highest_rate == wanted.highest_rate
    assert exposure.unused_share == wanted.unused_share
    assert exposure.overexposed_items == round(wanted.overexposed_share * 48)
    assert sum(line.mean_items for line in section.content.lines) == pytest.approx(10)
    assert sum(section.stop_reasons.values()) == 60


def test_conditional_figures_stand_at_the_points() -> None:
    report = run(study(population=Points(thetas=(-1.5, 0.0, 1.5), replications=40)))
    places = report.designs[0].sections[0].conditional
    assert [(p.theta, p.lower, p.upper, p.sittings) for p in places] == [
        (-1.5, -1.5, -1.5, 40),
        (0.0, 0.0, 0.0, 40),
        (1.5, 1.5, 1.5, 40),
    ]
    # the prior pulls to its mean: more so with four items
    short = run(study(population=Points(thetas=(-2.0, 2.0), replications=60), designs=(AS_PUBLISHED, SHORT)))
    low, high = short.designs[1].sections[0].conditional
    assert low.bias.value > 0 > high.bias.value
    assert low.mean_length.value == 4


def test_intervals_hold_everybody_once() -> None:
    report = run(study(population=Uniform(candidates=200, lower=-4, upper=4)))
    places = report.designs[0].sections[0].conditional
    assert sum(place.sittings for place in places) == 200
    assert places[0].lower is None
    assert places[-1].upper is None
    for place in places:
        assert place.lower is None or place.theta >= place.lower
        assert place.upper is None or place.theta <= place.upper


def test_shorter_tests_are_worse_and_the_interval_says_so() -> None:
    report = run(study(designs=(AS_PUBLISHED, SHORT), population=Normal(candidates=400)))
    changed = report.designs[1].differences[0]
    assert report.designs[0].differences == ()
    assert changed.length is not None
    assert changed.length.value == -6
    assert changed.mean_square_error is not None
    assert 0 < changed.mean_square_error.lower < changed.mean_square_error.value
    rmse = [
        design.sections[0].accuracy.rmse.value for design in report.designs if design.sections[0].accuracy
    ]
    assert changed.mean_square_error.value == pytest.approx(rmse[1] ** 2 - rmse[0] ** 2)
    assert report.designs[1].used_s_difference is not None
    assert report.designs[1].used_s_difference.upper < 0


def test_wrong_decisions_are_counted_at_every_cut() -> None:
    report = run(study(population=Normal(candidates=300)))
    found = report.designs[0].sections[0].classification
    assert found is not None
    assert [cut.cut_score for cut in found.cuts] == [30, 45, 60]
    for cut in found.cuts:
        wrong = sum(
            share.value * of
            for share, of in ((cut.false_positives, cut.below), (cut.false_negatives, cut.above))
            if share is not None
        )
        assert cut.accuracy.value == pytest.approx(1 - wrong / 300)
    assert sum(times for _, _, times in found.levels) == 300


def test_several_sections_with_a_fixed_form() -> None:
    report = run(study(package_file=small.mixed_file(), population=Points(thetas=(0.0,), replications=12)))
    design = report.designs[0]
    assert [section.mode for section in design.sections] == ["adaptive", "adaptive", "linear"]
    assert design.sections[2].accuracy is None
    assert design.sections[2].mean_points > 0
    assert design.complete == 12
    assert design.passed_share is not None


def test_time_that_runs_out_is_seen() -> None:
    package = msgspec.structs.replace(reasoning_file().package, time_allowed_s=300)
    report = run(study(package_file=freeze(package)))
    design = report.designs[0]
    assert design.complete < 60
    assert design.used_s.maximum == 300
    assert design.sections[0].stop_reasons["not_reached"] == 60 - design.complete


def test_limits_of_exposure_are_kept_by_live_counts() -> None:
    """Eligibility reads the counts of the sittings before, in the order of the people."""
    free = Points(thetas=(0.0,), replications=150)
    report = run(study(designs=(AS_PUBLISHED, LIMITED), population=free), processes=2)
    before, after = (design.sections[0].exposure for design in report.designs)
    assert before.highest_rate > 0.6
    assert after.highest_rate < 0.5
    assert report.designs[1].path == "engine"
    assert report == run(study(designs=(AS_PUBLISHED, LIMITED), population=free))


def test_errors_of_calibration_cost_precision() -> None:
    many = Normal(candidates=500)
    exact = run(study(population=many)).designs[0].sections[0].accuracy
    wrong = Perturbation(log_slope_deviation=0.4, difficulty_deviation=0.6)
    blurred = run(study(population=many, perturbation=wrong)).designs[0].sections[0].accuracy
    assert exact is not None
    assert blurred is not None
    assert blurred.rmse.value > exact.rmse.value * 1.1
    assert blurred.mean_standard_error.value < blurred.rmse.value


def test_a_relaxed_blueprint_is_counted() -> None:
    """More numeric items are asked for than there are."""
    lines = [{"area": "numeric", "per_mille": 900}, {"area": "verbal", "per_mille": 100}]
    greedy = Design(
        name="greedy",
        adaptive={
            "blueprint": lines,
            "stopping": [{"rule": "fixed_length", "settings": {"items": 20}}],
        },
    )
    one = study(designs=(greedy,), population=Normal(candidates=20))
    for engine_only in (False, True):
        content = run(replace(one, engine_only=engine_only)).designs[0].sections[0].content
        assert content.relaxed_sittings == 20
        assert content.relaxed_items["numeric"] > 20
        assert content.lines[0].missed_sittings == 20


# --------------------------------------------------------------------------------------------- the people


def test_people_are_the_same_in_any_order() -> None:
    compiled = small.mixed()
    whole = [
        candidate(compiled, Normal(candidates=9), Speed(deviation=1.0), seed="p", number=number)
        for number in range(9)
    ]
    again = candidate(compiled, Normal(candidates=9), Speed(deviation=1.0), seed="p", number=4)
    assert whole[4] == again
    assert len({person.key for person in whole}) == 9


def test_draws_of_one_person_and_of_many_are_the_same() -> None:
    keys = np.array([1, 2**63 + 5, 2**64 - 1], dtype=np.uint64)
    ties = np.array([7, 2**64 - 3, 0], dtype=np.uint64)
    many = uniforms(keys, ties, 3)
    assert [uniform(int(k), int(t), 3) for k, t in zip(keys, ties, strict=True)] == many.tolist()
    spread = uniforms(np.arange(20_000, dtype=np.uint64), ties[0], 1)
    assert spread.mean() == pytest.approx(0.5, abs=0.01)
    assert spread.var() == pytest.approx(1 / 12, abs=0.003)


def test_speed_goes_with_ability() -> None:
    compiled = small.mixed()
    speed = Speed(deviation=0.5, correlation=0.8)
    people = [candidate(compiled, Normal(candidates=2000), speed, seed="s", number=n) for n in range(2000)]
    z = np.array([person.composites[0] for person in people])
    tau = np.array([person.speed for person in people])
    assert np.corrcoef(z, tau)[0, 1] == pytest.approx(0.8, abs=0.03)
    assert tau.std() == pytest.approx(0.5, abs=0.03)


BAD: tuple[tuple[Callable[[], Any], str], ...] = (
    (lambda: run(study(population=Normal(candidates=0))), "0 candidates"),
    (lambda: run(study(population=Normal(candidates=5, mean=0.0))), "a mean and a positive deviation"),
    (lambda: run(study(population=Uniform(candidates=5, lower=1, upper=1))), "the interval is empty"),
    (lambda: run(study(population=Listed(thetas=(0.0, math.inf)))), "not finite"),
    (lambda: run(study(speed=Speed(deviation=-1))), "deviation of speed"),
    (lambda: run(study(designs=(AS_PUBLISHED, AS_PUBLISHED))), "each its own"),
    (lambda: run(study(designs=(Design(name="x", sections={"none": {}}),))), "no section none"),
    (lambda: run(study(designs=(Design(name="x", adaptive={"item_ids": []}),))), "cannot change item_ids"),
    (lambda: run(study(designs=(Design(name="x", adaptive={"prior_mean": "high"}),))), "x, section reason"),
    (lambda: run(study(designs=(Design(name="x", adaptive={"prior_deviation": 0.0}),))), "x: "),
    (lambda: decode_design(b'{"name": "x", "adaptiv": {}}'), "adaptiv"),
)


@pytest.mark.parametrize(("attempt", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_what_cannot_be_simulated_is_refused_with_its_reason(attempt: Callable[[], Any], reason: str) -> None:
    with pytest.raises(DesignError, match=reason):
        attempt()


def test_a_design_keeps_items_and_tables() -> None:
    file: Population | PackageFile = designed(reasoning_file(), SHORT)
    assert isinstance(file, PackageFile)
    assert file.tables is reasoning_file().tables
    assert file.content_hash != reasoning_file().content_hash
    assert file.package.sections[0].stopping == (RuleChoice("fixed_length", {"items": 4}),)
    assert file.package.sections[0].blueprint == reasoning_file().package.sections[0].blueprint
