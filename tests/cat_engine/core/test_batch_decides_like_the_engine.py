"""The batch against the engine: the same items, answers, estimates, errors, endings, sitting by sitting."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import pytest
from numpy.typing import NDArray

from cat_engine.core import batch
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.simulation.outcomes import created, sitting_seed
from cat_engine.core.simulation.people import Crowd, Respondent
from cat_engine.core.simulation.population import Candidate, Normal, Speed, candidate
from cat_engine.core.simulation.sittings import prepared, sit
from cat_engine.core.simulation.truth import truth_of
from cat_engine.core.state import SittingState
from cat_engine.core.test_package import PoolItem, RuleChoice, Section, Share
from tests.cat_engine import small_packages as small

SITTINGS = 120
SHARES = (Share("verbal", 400), Share("numeric", 350), Share("figural", 250), Share("spare", 0))
ERROR_OR_LENGTH = (
    RuleChoice("standard_error", {"target_millionths": 400_000, "minimum_items": 5}),
    RuleChoice("fixed_length", {"items": 14}),
)
MPWI = RuleChoice("posterior_weighted_information")


def items_of_every_kind() -> list[PoolItem]:
    """Dichotomous and graded items, twins of equal information, enemies, some in no area of the blueprint."""
    rng = random.Random(7)
    areas = ("verbal.analogy", "numeric", "figural", "elsewhere", "verbal.syllogism", "spare")
    found = [small.choice_item(number, rng, area=areas[number % 6]) for number in range(60)]
    models = ("GRM", "GPCM")
    found += [
        small.graded_item(number, rng, model=models[number % 2], area=areas[number % 3])
        for number in range(60, 72)
    ]
    twins = {number: found[number - 1] for number in range(1, 60, 2) if number % 6 != 5}
    for number, other in twins.items():
        found[number] = small.replaced(found[number], a=other.a, b=other.b, c=other.c, area=other.area)
    return list(small.with_enemies(found, [("R0000", "R0006"), ("R0006", "R0012"), ("R0001", "R0002")]))


@dataclass(frozen=True)
class Design:
    """A section's rules, the time allowed, and what the case is there for."""

    name: str
    changes: dict[str, object]
    time_allowed_s: int = 36_000
    slow: float = 0.0


DESIGNS = (
    Design("shares and lots", {"blueprint": SHARES, "stopping": ERROR_OR_LENGTH}),
    Design("no blueprint", {"exposure": RuleChoice("randomesque", {"sizes": [7, 3, 1]})}),
    Design("the best item", {"exposure": RuleChoice("best"), "blueprint": SHARES[:3]}),
    Design("over the posterior", {"selection": MPWI, "blueprint": SHARES, "stopping": ERROR_OR_LENGTH}),
    Design("another prior", {"prior_mean": 0.7, "prior_deviation": 1.4, "start_theta_millionths": -500_000}),
    Design("a final estimate of its own", {"final_estimator": RuleChoice("posterior_mode")}),
    Design("time runs out", {"blueprint": SHARES}, time_allowed_s=380),
    Design(
        "a pool used up",
        {
            "blueprint": (Share("verbal", 400), Share("figural", 600), Share("spare", 0)),
            "stopping": (RuleChoice("fixed_length", {"items": 68}),),
        },
    ),
)


def package_for(design: Design) -> CompiledPackage:
    items = items_of_every_kind()
    section = small.adaptive_section("reasoning", items)
    changed: Section = msgspec.structs.replace(section, **design.changes)
    return small.compiled_of(small.package_of(items, [changed], time_allowed_s=design.time_allowed_s))


def people_of(compiled: CompiledPackage, number: int = SITTINGS) -> list[Candidate]:
    population, speed = Normal(candidates=number), Speed(deviation=0.3, correlation=0.4)
    return [candidate(compiled, population, speed, seed="batch", number=i) for i in range(number)]


def run_batch(compiled: CompiledPackage, people: Sequence[Candidate]) -> batch.Batch:
    truth = truth_of(compiled.sections[0].pool, compiled.package.metric_d)
    crowd = Crowd(
        truth,
        np.array([person.thetas[0] for person in people]),
        np.array([person.speed for person in people]),
        np.array([person.key for person in people], dtype=np.uint64),
    )
    return batch.Hall(compiled).run([sitting_seed("batch", p.number) for p in people], crowd)


def run_engine(compiled: CompiledPackage, person: Candidate) -> SittingState:
    truths = [truth_of(part.pool, compiled.package.metric_d) for part in compiled.sections]
    respondent = Respondent(compiled, truths, person.thetas, key=person.key, speed=person.speed)
    *_, last = sit(compiled, prepared(created(compiled, person, "batch"), 0), respondent)
    return last.state


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.name)
def test_every_sitting_is_the_same_item_for_item(design: Design) -> None:
    compiled = package_for(design)
    people = people_of(compiled)
    found = run_batch(compiled, people)
    index_of = compiled.sections[0].pool.index_of
    reasons = set()
    for person in people:
        state, number = run_engine(compiled, person), person.number
        answered = [p for p in state.presentations if p.response is not None]
        length = int(found.lengths[number])
        assert [index_of[p.item_id] for p in answered] == found.columns[number, :length].tolist()
        assert [p.category for p in answered] == found.categories[number, :length].tolist()
        assert (found.columns[number, length:] == -1).all()
        # every item but the first was chosen at the estimate after the answer before
        chosen_at = [p.theta_millionths for p in state.presentations[1:]]
        assert chosen_at == found.thetas_millionths[number, : len(chosen_at)].tolist()
        pending = [index_of[p.item_id] for p in state.presentations if p.response is None]
        assert pending == [column for column in [int(found.pending[number])] if column >= 0]
        assert state.score is not None
        scored = state.score.sections[0]
        assert found.reasons[number] == scored.stop_reason
        reasons.add(scored.stop_reason)
        assert min(state.time.used_ms, state.time.allowed_ms) == int(found.used_ms[number])
        if "final_estimator" not in design.changes and length:
            assert scored.theta_millionths == int(found.thetas_millionths[number, length - 1])
            assert scored.standard_error_millionths == int(found.errors_millionths[number, length - 1])
    expected = {
        "time runs out": {"not_reached"},
        "a pool used up": {"pool_exhausted"},
        "shares and lots": {"standard_error"},
    }
    assert expected.get(design.name, {"fixed_length"}) <= reasons | {"fixed_length"}
    if design.name in expected:
        assert expected[design.name] <= reasons


def test_information_is_read_as_the_pool_reads_it() -> None:
    compiled = package_for(DESIGNS[1])
    hall, pool = batch.Hall(compiled), compiled.sections[0].pool
    thetas = np.array([*range(-6_100_000, 6_100_001, 77_777), -6_000_000, 0, 50_000, 5_999_999, 6_000_000])
    (rank,) = hall.rank
    found = rank(Thetas(thetas), np.arange(thetas.size))  # type: ignore[arg-type]  # all that a ranking looks at
    for theta, utility in zip(thetas.tolist(), found, strict=True):
        assert utility.tolist() == pool.information_at(theta)[hall.order].tolist()


@dataclass(frozen=True)
class Thetas:
    """Estimates of some sittings."""

    theta: NDArray[np.int64]


def test_chunks_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = package_for(DESIGNS[0])
    people = people_of(compiled, 40)
    whole = run_batch(compiled, people)
    monkeypatch.setattr(batch, "CHUNK", 7)
    pieces = run_batch(compiled, people)
    assert whole.responses == pieces.responses
    assert whole.reasons == pieces.reasons
    np.testing.assert_array_equal(whole.relaxed, pieces.relaxed)


def test_whole_numbers_too_large_for_floats_take_the_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Information of very steep items, times the weights of the cubic, leaves the whole floats."""
    compiled = package_for(DESIGNS[1])
    people = people_of(compiled, 30)
    floats = run_batch(compiled, people)
    monkeypatch.setattr(batch, "_LARGEST_OF_FLOATS", 0)
    integers = run_batch(compiled, people)
    assert floats.responses == integers.responses


REFUSED = (
    ({"selection": RuleChoice("random")}, "selection random"),
    ({"eligibility": RuleChoice("item_eligibility")}, "eligibility item_eligibility"),
    ({"stopping": (RuleChoice("standard_error", {"target_millionths": 300_000}),)}, "no fixed length"),
    ({"interim_estimator": RuleChoice("posterior_mode")}, "interim_estimator posterior_mode"),
    ({"start": RuleChoice("former_result")}, "start former_result"),
)


@pytest.mark.parametrize(("changes", "reason"), REFUSED)
def test_a_design_that_is_not_covered_is_refused_by_name(changes: dict[str, object], reason: str) -> None:
    compiled = package_for(Design("refused", changes))
    assert batch.refusal(compiled).startswith(reason)
    with pytest.raises(ValueError, match=reason):
        batch.Hall(compiled)


def test_several_sections_are_refused() -> None:
    assert batch.refusal(small.mixed()) == "more than one section"
