"""What selection rules promise beyond their values: chance, order, refusals, and the same bits everywhere."""

from __future__ import annotations

import gc
import importlib
import os
import random
import subprocess
import sys
import weakref
from collections import Counter
from decimal import Decimal, localcontext
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cat_engine.core import families, pool_facts
from cat_engine.core.criteria import likelihood_shares, whole_weights, window_weights
from cat_engine.core.exact import WEIGHT_BITS
from cat_engine.core.logarithm import logarithm
from cat_engine.core.pool import Pool
from cat_engine.core.selection import information_per_second
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import RuleChoice, encode_file
from cat_engine.core.views import Estimate, SectionView
from cat_engine.foundation.refusals import Refused
from tests.cat_engine import oracle_pools
from tests.cat_engine import small_packages as small

SELECTION = "cat_engine.core.selection"
WHOLE = 1 << WEIGHT_BITS
ROOT = Path(__file__).parents[3]


@cache
def pool() -> Pool:
    rng = random.Random(8)
    items = [small.choice_item(number, rng, area="a") for number in range(40)]
    items += [small.graded_item(number, rng, model="GRM", area="a") for number in range(10)]
    items = [
        small.replaced(item, time_intensity=4.0 + 0.017 * number, time_discrimination=2.0 + 0.013 * number)
        for number, item in enumerate(items)
    ]
    return small.compiled_of(small.package_of(items, [small.adaptive_section("s", items)])).sections[0].pool


def rule(name: str, **chosen: Any) -> Any:
    return families.bind(SELECTION, RuleChoice(name, chosen))


def view(answers: int = 0, theta: int = 0, seed: str = "seed") -> SectionView:
    return small.view(pool(), range(answers), (0, 1) * (answers // 2), Estimate(theta, 500_000), seed=seed)


# ------------------------------------------------------------------------------------------------- helpers


@settings(deadline=None)
@given(st.floats(min_value=1e-300, max_value=1e300))
def test_the_logarithm_is_within_two_ulps(x: float) -> None:
    with localcontext() as context:
        context.prec = 60
        true = Decimal(x).ln()
        error = abs(Decimal(float(logarithm(np.array(x)))) - true)
        assert error <= Decimal("4e-16") * max(abs(true), Decimal(1))


@settings(deadline=None)
@given(st.floats(-5.9, 5.8), st.floats(0.0, 1.0), st.integers(0, 3))
def test_window_weights_integrate_cubics_exactly(lower: float, part: float, power: int) -> None:
    upper = lower + 0.05 + part * (5.9 - lower - 0.05)
    weights = window_weights(lower, upper)
    assert np.abs(weights).sum() <= WHOLE
    assert (weights == np.rint(weights)).all()
    inside = lower >= -5.9 and upper <= 5.9  # the two outermost intervals are straight lines
    values = np.linspace(-6.0, 6.0, 121) ** power
    mean = (upper ** (power + 1) - lower ** (power + 1)) / ((power + 1) * (upper - lower))
    found = float(weights @ values / weights.sum())
    assert not inside or found == pytest.approx(mean, abs=2e-5 * 6.0**power)


def test_likelihood_shares_lie_within_their_limit_and_their_sum() -> None:
    for answers in (0, 2, 12):
        for limit in (1_000_000, 4_000_000, 6_000_000):
            shares = likelihood_shares(view(answers), limit)
            nodes = np.flatnonzero(shares)
            assert abs(nodes - 60).max() <= limit // 100_000
            assert WHOLE - 200 < shares.sum() <= WHOLE
            assert (shares == np.rint(shares)).all()
    flat = likelihood_shares(view(0), 4_000_000)
    assert flat[20] == pytest.approx(flat[60] / 2, abs=1)


def test_weights_of_either_sign_become_whole_and_keep_their_proportions() -> None:
    for answers in (0, 2, 12):
        shares = view(answers).evidence.shares
        for power in (1, 2):
            values = shares * (np.arange(shares.size) - 40.0) ** power
            weights, unit = whole_weights(values)
            assert (weights == np.rint(weights)).all()
            assert np.abs(weights).sum() <= WHOLE
            np.testing.assert_allclose(weights * unit, values, atol=unit)
            assert np.abs(weights).sum() > WHOLE / 2 - 200 or unit == 1.0


def test_the_order_of_the_answers_changes_no_bit_of_the_speed() -> None:
    chosen = information_per_second.Settings()
    for seed in range(20):
        rng = random.Random(seed)
        pairs = [(column, rng.randint(3_000, 200_000)) for column in rng.sample(range(50), 15)]
        speeds = set()
        for _ in range(4):
            rng.shuffle(pairs)
            held = small.view(pool(), [column for column, _ in pairs], [0] * 15)
            times = tuple(time_ms for _, time_ms in pairs)
            timed = SectionView(
                held.evidence, held.start, held.estimate, held.chance, response_times_ms=times
            )
            speeds.add(information_per_second.speed(timed, chosen))
        assert len(speeds) == 1


def test_what_is_derived_of_a_pool_is_derived_once_and_goes_with_it() -> None:
    items = [oracle_pools.pool_item(number, "2PL", 1.0, (0.1 * number,)) for number in range(8)]
    compiled = small.compiled_of(small.package_of(items, [small.adaptive_section("s", items)]))
    held = compiled.sections[0].pool
    assert pool_facts.strata(held, 2, "discrimination", True) is pool_facts.strata(
        held, 2, "discrimination", True
    )
    assert pool_facts.strata(held, 2, "discrimination", True) is not pool_facts.strata(
        held, 4, "discrimination", True
    )
    derived = weakref.ref(pool_facts.information_maxima(held))
    del held, compiled
    gc.collect()
    assert derived() is None


# --------------------------------------------------------------------------------------- chance and order


def test_random_gives_every_item_the_same_chance() -> None:
    """Chi-square over 5,000 sittings and 50 items, p = 0.001; and another draw at every step."""
    select = rule("random")
    first = Counter(int(select(view(seed=f"random-{number}")).argmax()) for number in range(5000))
    assert sum((first[column] - 100) ** 2 / 100 for column in range(50)) < 85.4
    steps = {int(select(view(answers, seed="one")).argmax()) for answers in range(0, 20, 2)}
    assert len(steps) > 5


def test_progressive_begins_with_chance_and_ends_with_information() -> None:
    select = rule("progressive", items=10)
    lots = view(0, 300_000).chance.fractions("selection", pool().ties)
    assert (np.argsort(select(view(0, 300_000))) == np.argsort(lots)).all()
    for answers in (10, 12):
        last = small.view(pool(), range(answers), (0, 1) * (answers // 2), Estimate(300_000, 1))
        at_last = SectionView(last.evidence, last.start, last.estimate, last.chance, shown=answers - 1)
        assert (select(at_last) == pool().information_at(300_000)).all()


def test_proportional_ends_with_the_most_informative_items() -> None:
    select = rule("proportional", items=60, acceleration=0)
    information = pool().information_at(0)
    best_five = set(np.argsort(-information)[:5])
    early, late = Counter[bool](), Counter[bool]()
    for number in range(200):
        held = view(0, 0, f"proportional-{number}")
        early[int(select(held).argmax()) in best_five] += 1
        at_last = SectionView(held.evidence, held.start, held.estimate, held.chance, shown=59)
        late[int(select(at_last).argmax()) in best_five] += 1
    assert early[True] < 60
    assert late[True] > 190


def test_strata_come_in_their_order_and_the_next_when_one_is_used_up() -> None:
    select = rule("stratified", items=20, strata=4)
    of_item = pool_facts.strata(pool(), 4, "discrimination", True)
    places = pool_facts.difficulties(pool())
    for shown, order in ((0, (0, 1, 2, 3)), (4, (0, 1, 2, 3)), (5, (1, 2, 3, 0)), (19, (3, 2, 1, 0))):
        held = view(0, 250_000)
        at = SectionView(held.evidence, held.start, held.estimate, held.chance, shown=shown)
        ranked = np.argsort(-select(at), kind="stable")
        assert list(dict.fromkeys(of_item[ranked].tolist())) == list(order)
        within = np.abs(places - 250_000)[ranked[of_item[ranked] == order[0]]]
        assert (np.diff(within) >= 0).all()
    at_end = SectionView(held.evidence, held.start, held.estimate, held.chance, shown=30)
    assert of_item[int(select(at_end).argmax())] == 3


def test_a_fixed_order_is_kept_and_the_rest_follows_by_code() -> None:
    codes = ("R0007", "J0002", "R0001")
    ranked = np.argsort(-rule("fixed_order", codes=codes)(view()))
    asked = [pool().items[column].code for column in ranked]
    assert tuple(asked[:3]) == codes
    assert asked[3:] == sorted(asked[3:])


def test_information_at_the_cut_does_not_follow_the_estimate_but_the_nearest_cut() -> None:
    cuts = [-800_000, 900_000]
    nearest, both = (
        rule("maximum_information_at_cut", cuts_millionths=cuts, which=w) for w in ("nearest", "all")
    )
    low, high = pool().information_at(-800_000), pool().information_at(900_000)
    assert (nearest(view(theta=-3_000_000)) == low).all()
    assert (nearest(view(theta=49_999)) == low).all()
    assert (nearest(view(theta=50_001)) == high).all()
    assert (both(view(theta=50_001)) == low + high).all()


def test_time_does_not_count_where_its_power_is_nought_and_speed_changes_no_order() -> None:
    without = rule("information_per_second", power_per_mille=0)(view(4))
    np.testing.assert_allclose(without, pool().information_at(0), atol=1)
    select = rule("information_per_second")
    held = view(4)
    quick, slow = (
        SectionView(held.evidence, held.start, held.estimate, held.chance, response_times_ms=(ms,) * 4)
        for ms in (8_000, 300_000)
    )
    ratio = select(quick)[:40] / select(slow)[:40]
    assert ratio.min() > 1.5
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-4)  # values are whole billionths
    unknown = SectionView(held.evidence, held.start, held.estimate, held.chance, response_times_ms=(0,) * 4)
    assert (select(unknown) == select(view(0))).all()


# ------------------------------------------------------------------------------------ what theory promises


def test_the_expected_variance_is_never_above_the_present_one_under_predictive_weights() -> None:
    select = rule("expected_posterior_variance")
    eap = families.bind("cat_engine.core.estimation", RuleChoice("eap"))
    for answers in (0, 2, 8, 20):
        held = view(answers)
        present = eap(held.evidence).standard_error_millionths ** 2 / 1e3
        assert (-select(held) <= present * (1 + 1e-4)).all()


@pytest.mark.parametrize("name", ["kullback_leibler", "posterior_kullback_leibler", "global_information"])
def test_divergences_are_not_negative(name: str) -> None:
    for answers in (0, 2, 8, 20):
        assert (rule(name)(view(answers, 400_000)) >= -1000).all()  # a millionth: the rounding of ln P


def test_weighted_rules_come_to_maximum_information_when_the_posterior_is_sharp() -> None:
    """A prior of deviation 0.1: averaging over it is averaging over next to nothing."""
    items = [small.replaced(item, item_set="") for item in pool().items]
    section = msgspec.structs.replace(small.adaptive_section("s", items), prior_deviation=0.1)
    sharp = small.compiled_of(small.package_of(items, [section])).sections[0].pool
    held = small.view(sharp, (), (), Estimate(0, 100_000))
    best = int(sharp.information_at(0).argmax())
    for name in ("posterior_weighted_information", "expected_information"):
        top = np.argsort(-rule(name)(held))[:3]
        assert best in top
    assert int(rule("expected_posterior_variance")(held).argmax()) in np.argsort(-sharp.information_at(0))[:3]


# ----------------------------------------------------------------------------------------------- refusals


def _problem(name: str, pooled: list[Any], **chosen: Any) -> str:
    section = small.adaptive_section("s", pooled)
    return families.problem(SELECTION, RuleChoice(name, chosen), section, tuple(pooled))


def test_settings_that_do_not_fit_the_pool_are_named() -> None:
    plain = [oracle_pools.pool_item(number, "2PL", 1.0, (0.0,)) for number in range(6)]
    timed = [small.replaced(item, time_intensity=4.0, time_discrimination=2.0) for item in plain]
    nominal = small.replaced(
        plain[0], code="N1", model="NRM", b=(0.1, 0.2), slopes=(0.5, 1.0), option_points=(0, 1, 2)
    )
    assert _problem("information_per_second", timed) == ""
    assert "0000: no response time" in _problem("information_per_second", plain)
    assert "0002: no response time" in _problem("information_per_second", [*timed[:2], plain[2]])
    assert "N1: a nominal item" in _problem("closest_difficulty", [*plain[1:], nominal])
    assert "N1: a nominal item" in _problem("stratified", [*plain[1:], nominal], items=5)
    assert _problem("stratified", [*plain[1:], nominal], items=5, blocked=False, closest="maximum") == ""
    assert "6 items cannot be cut into 7 strata" in _problem("stratified", plain, items=9, strata=7)
    assert "item X is not of the section" in _problem("fixed_order", plain, codes=["0001", "X"])
    assert "item 0001 comes twice" in _problem("fixed_order", plain, codes=["0001", "0001"])
    assert _problem("fixed_order", plain, codes=["0001", "0003"]) == ""


def test_a_pool_without_times_is_refused_also_by_the_rule_itself() -> None:
    untimed = oracle_pools.pool_of("2PL100")
    with pytest.raises(Refused, match="no response time parameters"):
        rule("information_per_second")(oracle_pools.view(untimed, (), (), 0.0))


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("stratified", {}),
        ("stratified", {"items": 0}),
        ("stratified", {"items": 10, "by": "luck"}),
        ("progressive", {}),
        ("proportional", {"items": 10, "acceleration": -1}),
        ("maximum_information_at_cut", {"cuts_millionths": []}),
        ("expected_posterior_variance", {"weights": "uniform"}),
        ("expected_information", {"updated": "median"}),
        ("likelihood_weighted_information", {"limit_millionths": 4_050_000}),
        ("global_information", {"half_width_millionths": 0}),
        ("information_per_second", {"power_per_mille": -1}),
    ],
)
def test_settings_that_make_no_sense_are_refused(name: str, chosen: dict[str, Any]) -> None:
    with pytest.raises(Refused, match=name):
        rule(name, **chosen)


# ------------------------------------------------------------------------------------------ the same bits

EVERY_RULE = """
import hashlib, random, sys
from pathlib import Path
from cat_engine.core import families
from cat_engine.core.compiled import compile_package
from cat_engine.core.test_package import RuleChoice, decode_file
from cat_engine.core.views import Estimate
from tests.cat_engine import small_packages as small
pool = compile_package(decode_file(Path(sys.argv[1]).read_bytes())).sections[0].pool
items = {"items": 10}
settings = {
    "stratified": [items, {**items, "by": "maximum_information", "closest": "maximum"}],
    "progressive": [items],
    "proportional": [items],
    "maximum_information_at_cut": [{"cuts_millionths": [-312_345, 812_345], "which": "all"}],
    "expected_posterior_variance": [{}, {"weights": "at_estimate"}],
    "expected_information": [{}, {"updated": "mode", "information": "observed", "weights": "at_estimate"}],
    "global_discrimination": [{}, {"weights": "likelihood"}],
}
digest = hashlib.sha256()
for family in ("selection", "estimation"):
    family = f"cat_engine.core.{family}"
    for name, rule in families.members(family).items():
        if rule.abilities == families.SEVERAL:
            continue
        for chosen in settings.get(name, [{}]):
            bound = families.bind(family, RuleChoice(name, chosen))
            for seed in range(12):
                rng = random.Random(seed)
                answered = rng.sample(range(pool.size), rng.randint(0, 15))
                given = [rng.randrange(pool.items[column].categories) for column in answered]
                view = small.view(pool, answered, given, Estimate(rng.randint(-5_000_000, 5_000_000), 1))
                found = bound(view if family.endswith("selection") else view.evidence)
                digest.update(found.tobytes() if family.endswith("selection") else repr(found).encode())
sys.stdout.write(digest.hexdigest())
"""


def _digest(package: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", EVERY_RULE, str(package)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_every_rule_gives_the_same_bits_with_other_kernels_of_numpy_and_of_the_linear_algebra(
    tmp_path: Path,
) -> None:
    umath = importlib.import_module("numpy._core._multiarray_umath")  # numpy shows it nowhere else
    kernels = [name for name in umath.__cpu_dispatch__ if umath.__cpu_features__.get(name)]
    assert kernels, "this processor offers numpy nothing to switch off: the comparison would be empty"
    items = list(pool().items)
    package = tmp_path / "package.json"
    frozen = freeze(small.package_of(items, [small.adaptive_section("s", items)]))
    package.write_bytes(encode_file(frozen))
    here = _digest(package, {})
    assert len(here) == 64
    assert _digest(package, {"NPY_DISABLE_CPU_FEATURES": " ".join(kernels), "PYTHONHASHSEED": "3"}) == here
    assert _digest(package, {"OPENBLAS_CORETYPE": "Prescott", "OPENBLAS_NUM_THREADS": "1"}) == here
