"""Test packages that are quick to freeze, and sittings on them: what the tests of cat_engine work with."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache

import msgspec

from cat_engine.core import engine
from cat_engine.core import events as e
from cat_engine.core.chance import Chance
from cat_engine.core.compiled import CompiledPackage, compile_package
from cat_engine.core.engine import Progress
from cat_engine.core.pool import Pool
from cat_engine.core.simulation import Ability, simulate_sitting
from cat_engine.core.state import SittingState
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import (
    LevelCut,
    Module,
    PackageFile,
    Panel,
    PoolItem,
    Route,
    RuleChoice,
    Scale,
    Section,
    Share,
    Stage,
    TestPackage,
    encode_file,
)
from cat_engine.core.views import Estimate, Estimator, Evidence, SectionView, Start, section_prior
from cat_engine.interactions.registry import interaction

START_MS = 1_700_000_000_000
CANDIDATE = "candidate:roster-1"
PROCTOR = "staff:proctor-1"
THETA = {"reasoning": 0.8, "judgement": -0.4, "knowledge": 0.3}

T_SCALE = Scale(
    name="T",
    slope=10,
    intercept=50,
    minimum=10,
    maximum=90,
    cuts=(
        LevelCut(level=1, from_score=30),
        LevelCut(level=2, from_score=45),
        LevelCut(level=3, from_score=60),
    ),
)
POINT_SCALE = Scale(name="points", slope=1, intercept=0, minimum=0, maximum=100, cuts=(), cut_score=3)


def choice_item(number: int, rng: random.Random, *, area: str, prefix: str = "R") -> PoolItem:
    """A five-option item of the 3PL with one right option."""
    key = rng.randrange(5)
    return PoolItem(
        item_id=f"item-{prefix}-{number:04d}",
        code=f"{prefix}{number:04d}",
        content_hash=f"{prefix}-content-{number}",
        interaction="choice",
        model="3PL",
        a=round(rng.uniform(0.6, 2.0), 3),
        b=(round(rng.gauss(0.0, 1.2), 3),),
        c=round(rng.uniform(0.1, 0.25), 3),
        option_points=tuple(int(option == key) for option in range(5)),
        area=area,
    )


def graded_item(number: int, rng: random.Random, *, model: str, area: str, prefix: str = "J") -> PoolItem:
    """A five-option item with 1 to 5 points, of a polytomous model."""
    points = [1, 2, 3, 4, 5]
    rng.shuffle(points)
    return PoolItem(
        item_id=f"item-{prefix}-{number:04d}",
        code=f"{prefix}{number:04d}",
        content_hash=f"{prefix}-content-{number}",
        interaction="choice",
        model=model,
        a=round(rng.uniform(0.5, 1.4), 3),
        b=tuple(sorted(round(rng.gauss(0.0, 1.1), 3) + 0.01 * step for step in range(4))),
        option_points=tuple(points),
        area=area,
    )


def with_enemies(items: Sequence[PoolItem], pairs: Sequence[tuple[str, str]]) -> tuple[PoolItem, ...]:
    """The items, each pair of codes at enmity in both directions."""
    by_code = {item.code: item for item in items}
    for one, other in (*pairs, *((b, a) for a, b in pairs)):
        before = by_code[one]
        by_code[one] = PoolItem(
            **{
                **{name: getattr(before, name) for name in before.__struct_fields__},
                "enemies": (*before.enemies, by_code[other].item_id),
            }
        )
    return tuple(by_code.values())


def adaptive_section(
    section_id: str,
    items: Sequence[PoolItem],
    *,
    stopping: tuple[RuleChoice, ...] = (RuleChoice("fixed_length", {"items": 10}),),
    blueprint: tuple[Share, ...] = (),
    sizes: tuple[int, ...] = (5, 4, 3),
    final: str = "eap",
    scale: Scale = T_SCALE,
) -> Section:
    return Section(
        section_id=section_id,
        title={"id": section_id, "en": section_id},
        aspect="potential",
        mode="adaptive",
        item_ids=tuple(item.item_id for item in items),
        scale=scale,
        blueprint=blueprint,
        exposure=RuleChoice("randomesque", {"sizes": list(sizes)}),
        stopping=stopping,
        final_estimator=RuleChoice(final),
    )


def linear_section(section_id: str, items: Sequence[PoolItem], scale: Scale = POINT_SCALE) -> Section:
    return Section(
        section_id=section_id,
        title={"id": section_id, "en": section_id},
        aspect="knowledge",
        mode="linear",
        item_ids=tuple(item.item_id for item in items),
        scale=scale,
    )


def multistage_section(
    section_id: str,
    items: Sequence[PoolItem],
    panels: Sequence[Sequence[Sequence[int]]],
    *,
    by: str = "points",
    cuts: tuple[int, ...] = (1,),
) -> Section:
    """Panels of two stages: the items (by their places) of the first, of the easy and of the hard module."""
    made = []
    for number, (first, easy, hard) in enumerate(panels):
        modules = [
            Module(module_id=f"{number}-{name}", item_ids=tuple(items[place].item_id for place in places))
            for name, places in (("first", first), ("easy", easy), ("hard", hard))
        ]
        stages = (
            Stage(modules=tuple(modules[:1])),
            Stage(modules=tuple(modules[1:]), by=by, routes=(Route(cuts=cuts),)),
        )
        made.append(Panel(panel_id=str(number), stages=stages))
    return Section(
        section_id=section_id,
        title={"id": section_id, "en": section_id},
        aspect="potential",
        mode="multistage",
        item_ids=tuple(item.item_id for item in items),
        scale=T_SCALE,
        panels=tuple(made),
    )


def package_of(
    items: Sequence[PoolItem],
    sections: Sequence[Section],
    *,
    code: str = "SMALL",
    time_allowed_s: int = 3600,
    total_cut_points: int | None = None,
) -> TestPackage:
    return TestPackage(
        code=code,
        version=1,
        title={"id": "Tes kecil", "en": "Small test"},
        languages=("id", "en"),
        metric_d=1.7,
        items=tuple(items),
        sections=tuple(sections),
        time_allowed_s=time_allowed_s,
        total_cut_points=total_cut_points,
    )


def evidence(pool: Pool, answered: Sequence[int], categories: Sequence[int]) -> Evidence:
    """Responses under the section's own prior."""
    return Evidence(pool, tuple(answered), tuple(categories), section_prior(pool))


def view(
    pool: Pool,
    answered: Sequence[int] = (),
    categories: Sequence[int] = (),
    estimate: Estimate | None = None,
    *,
    seed: str = "seed",
    estimator: Estimator | None = None,
) -> SectionView:
    """A section as the rules see it; the estimate is the prior's unless one is given."""
    held = section_prior(pool)
    return SectionView(
        evidence=evidence(pool, answered, categories),
        start=Start(held, held.theta_millionths),
        estimate=estimate or held,
        chance=Chance(seed, len(answered) + 1),
        shown=len(answered),
        estimator=estimator,
        response_times_ms=(30_000,) * len(answered),
        time_used_ms=30_000 * len(answered),
    )


REASONING_SHARES = (Share("verbal", 400), Share("numeric", 350), Share("figural", 250))


def mixed_package() -> TestPackage:
    """Three sections: a 3PL pool with a blueprint, a polytomous pool with an error to reach, a fixed form."""
    rng = random.Random(20231)
    areas = ("verbal.analogy", "verbal.syllogism", "numeric", "figural")
    reasoning = [choice_item(number, rng, area=areas[number % 4]) for number in range(48)]
    models = ("GPCM", "GRM", "GPCM")
    judgement = [
        graded_item(number, rng, model=models[number % 3], area="integrity" if number % 2 else "service")
        for number in range(16)
    ]
    judgement += [choice_item(number, rng, area="integrity", prefix="J") for number in range(16, 20)]
    knowledge = [choice_item(number, rng, area="law", prefix="K") for number in range(5)]
    pairs = [
        ("R0000", "R0004"),
        ("R0001", "R0005"),
        ("R0002", "J0000"),
        ("R0003", "J0001"),
        ("J0002", "J0003"),
    ]
    items = with_enemies([*reasoning, *judgement, *knowledge], pairs)
    error_or_length = (
        RuleChoice("standard_error", {"target_millionths": 380_000, "minimum_items": 4}),
        RuleChoice("fixed_length", {"items": 9}),
    )
    return package_of(
        items,
        (
            adaptive_section("reasoning", items[:48], blueprint=REASONING_SHARES),
            adaptive_section("judgement", items[48:68], stopping=error_or_length, final="posterior_mode"),
            linear_section("knowledge", items[68:]),
        ),
        total_cut_points=2,
    )


@cache
def mixed_file() -> PackageFile:
    return freeze(mixed_package())


@cache
def mixed() -> CompiledPackage:
    return compile_package(mixed_file())


def compiled_of(package: TestPackage) -> CompiledPackage:
    return compile_package(freeze(package))


def created_on(compiled: CompiledPackage, *, seed: str = "seed-1", accommodation_ms: int = 0) -> e.Created:
    return e.Created(
        sitting_id=f"sitting-{seed}",
        package_hash=compiled.content_hash,
        seed=seed,
        time_allowed_ms=compiled.package.time_allowed_s * 1000,
        accommodation_ms=accommodation_ms,
        candidate="roster-1",
    )


def simulated(
    compiled: CompiledPackage, seed: str, theta: float | dict[str, Ability] | None = None
) -> list[Progress]:
    """A simulated sitting; one ability for all sections, or one for each."""
    abilities: dict[str, Ability] | None = theta if isinstance(theta, dict) else None
    if abilities is None:
        value = 0.0 if theta is None or isinstance(theta, dict) else theta
        abilities = {part.section.section_id: value for part in compiled.sections}
    return simulate_sitting(
        compiled, created_on(compiled, seed=seed), abilities, START_MS, f"responder-{seed}"
    )


def admitted(compiled: CompiledPackage, *, seed: str = "seed-1", accommodation_ms: int = 0) -> SittingState:
    """A sitting whose candidate may begin."""
    created = created_on(compiled, seed=seed, accommodation_ms=accommodation_ms)
    state = engine.create(created, now_ms=START_MS, actor=PROCTOR).state
    for event in (
        e.CheckedIn(seat="A1"),
        e.PledgeSigned(text_hash="a" * 64),
        e.DeviceChecked(javascript=True),
    ):
        state = engine.act(state, event, now_ms=START_MS, actor=CANDIDATE).state
    state = engine.enter_waiting(state, now_ms=START_MS, actor=CANDIDATE).state
    return engine.act(state, e.Authorised(), now_ms=START_MS, actor=PROCTOR).state


def begun(compiled: CompiledPackage, *, seed: str = "seed-1", accommodation_ms: int = 0) -> SittingState:
    """A sitting in progress since START_MS."""
    state = admitted(compiled, seed=seed, accommodation_ms=accommodation_ms)
    return engine.begin(compiled, state, now_ms=START_MS, actor=CANDIDATE).state


def respond(
    compiled: CompiledPackage, state: SittingState, position: int, response: str, now_ms: int
) -> Progress:
    """A response as the delivery records it: scored by the item's own interaction."""
    item = compiled.items[state.presentations[position - 1].item_id]
    return engine.record_response(
        compiled,
        state,
        position=position,
        scored=interaction(item.interaction).score(item, response),
        now_ms=now_ms,
        actor=CANDIDATE,
    )


def encode(package_file: PackageFile) -> str:
    return encode_file(package_file).decode()


def replaced(item: PoolItem, **changes: object) -> PoolItem:
    return msgspec.structs.replace(item, **changes)
