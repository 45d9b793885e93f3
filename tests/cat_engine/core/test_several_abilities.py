"""Sections of several correlated abilities: estimates and criteria against the psychometrics package."""

from __future__ import annotations

import random
from functools import cache

import numpy as np
import pytest
from msgspec.structs import replace

from cat_engine.core.compiled import CompiledSection
from cat_engine.core.events import ItemPresented
from cat_engine.core.space import SpatialPool
from cat_engine.core.tables import freeze, verify
from cat_engine.core.test_package import Dimension, PackageFile, PoolItem, RuleChoice, Section, TestPackage
from cat_engine.core.views import SectionView
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.integrity.replay import replay
from psychometrics.multidimensional.estimation import eap_estimates
from psychometrics.multidimensional.grids import MultivariateNormalPrior, normal_grid
from psychometrics.multidimensional.items import (
    MultidimensionalColumns,
    MultidimensionalItem,
    multidimensional_columns,
)
from psychometrics.multidimensional.selection import (
    a_optimality,
    d_optimality,
    kullback_leibler,
    precision_so_far,
)
from tests.cat_engine import small_packages as small
from tests.cat_engine.recorded_sittings import chain_of
from tests.cat_engine.spatial_packages import NAMES, section_of, spatial_item

METRIC = 1.7
RULES = ("determinant_optimality", "trace_optimality", "several_kullback_leibler")


@cache
def file_of(dimensions: int, selection: str = "determinant_optimality") -> PackageFile:
    rng = random.Random(dimensions)
    items = [spatial_item(number, rng, dimensions) for number in range(40)]
    return freeze(package(items, section_of(items, dimensions, selection)))


def package(items: list[PoolItem], section: Section) -> TestPackage:
    return small.package_of(items, [section])


@cache
def part_of(dimensions: int, selection: str = "determinant_optimality") -> CompiledSection:
    return small.compile_package(file_of(dimensions, selection)).sections[0]


@cache
def library(dimensions: int) -> tuple[MultidimensionalColumns, MultivariateNormalPrior]:
    pool = part_of(dimensions).pool
    columns = multidimensional_columns(
        [MultidimensionalItem(i.model, i.slopes, i.b, i.c, i.d) for i in pool.items], D=METRIC
    )
    section = pool.section
    table = np.eye(dimensions)
    table[np.triu_indices(dimensions, 1)] = section.correlations
    deviations = np.array([d.deviation for d in section.dimensions])
    covariance = (table + table.T - np.eye(dimensions)) * np.outer(deviations, deviations)
    return columns, MultivariateNormalPrior(np.array([d.mean for d in section.dimensions]), covariance)


def views(dimensions: int, count: int) -> list[SectionView]:
    part = part_of(dimensions)
    found = []
    for seed in range(count):
        rng = random.Random(seed)
        answered = rng.sample(range(part.pool.size), rng.randint(0, 12))
        categories = [rng.randrange(part.pool.items[i].categories) for i in answered]
        evidence = small.evidence(part.pool, answered, categories)
        found.append(small.view(part.pool, answered, categories, part.interim(evidence)))
    return found


@pytest.mark.parametrize(("dimensions", "tolerance"), [(2, 1e-4), (3, 1e-3)])
def test_the_posterior_mean_agrees_with_the_psychometrics_package(dimensions: int, tolerance: float) -> None:
    columns, prior = library(dimensions)
    grid = normal_grid(prior, count=61 if dimensions == 2 else 25)
    for view in views(dimensions, 25):
        responses = np.full(len(columns), -1)
        responses[list(view.answered)] = view.categories
        theirs = eap_estimates(columns, responses[None], grid)
        np.testing.assert_allclose(
            np.array(view.estimate.thetas_millionths) / 1e6, theirs.theta[0], atol=tolerance
        )
        errors = np.sqrt(np.diag(theirs.covariance[0]))
        np.testing.assert_allclose(np.array(view.estimate.errors_millionths) / 1e6, errors, atol=tolerance)
        shares = np.array([d.per_mille / 1000 for d in part_of(dimensions).section.dimensions])
        composite = float(np.sqrt(shares @ theirs.covariance[0] @ shares))
        assert view.estimate.standard_error_millionths / 1e6 == pytest.approx(composite, abs=tolerance)
        assert view.estimate.theta_millionths / 1e6 == pytest.approx(shares @ theirs.theta[0], abs=tolerance)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_criteria_agree_with_the_psychometrics_package(dimensions: int) -> None:
    columns, prior = library(dimensions)
    ours = {name: part_of(dimensions, name).select for name in RULES}
    for view in views(dimensions, 20):
        theta = np.array(view.estimate.thetas_millionths) / 1e6
        precision = precision_so_far(columns, list(view.answered), theta, prior)
        gain = d_optimality(columns, theta, precision) / np.linalg.det(precision) - 1.0
        np.testing.assert_allclose(ours[RULES[0]](view) / 1e9, gain, rtol=2e-4, atol=1e-6)
        drop = a_optimality(columns, theta, precision) + np.trace(np.linalg.inv(precision))
        np.testing.assert_allclose(ours[RULES[1]](view) / 1e9, drop, rtol=2e-4, atol=1e-6)
        assert isinstance(view.pool, SpatialPool)
        mass = view.evidence.weights / view.evidence.weights.sum()
        nodes = np.stack(view.pool.points, axis=1)
        divergence = kullback_leibler(columns, theta, nodes, mass)
        # the rule looks at every second point of each ability
        np.testing.assert_allclose(ours[RULES[2]](view) / 1e9, divergence, rtol=1e-2, atol=2e-3)


@pytest.mark.parametrize("selection", RULES)
@pytest.mark.parametrize("dimensions", [2, 3])
def test_a_sitting_measures_each_ability_and_can_be_replayed(dimensions: int, selection: str) -> None:
    held = file_of(dimensions, selection)
    compiled = small.compile_package(held)
    truth = (1.5, -1.0, 0.5)[:dimensions]
    progresses = small.simulated(compiled, "spatial", {"s": truth})
    last = progresses[-1].state
    assert last.score is not None
    score = last.score.sections[0]
    assert [line.name for line in score.dimensions] == list(NAMES[:dimensions])
    assert score.dimensions[0].theta_millionths > score.dimensions[1].theta_millionths
    shown = [event for p in progresses for event in p.events if isinstance(event, ItemPresented)]
    assert len({event.item_id for event in shown}) == len(shown) == 10
    assert all(len(event.thetas_millionths) == dimensions for event in shown)
    entries = tuple(progress.entry for progress in progresses)
    assert replay(held, held.content_hash, entries, chain_of(entries)) is None


def test_an_answer_on_one_ability_informs_the_other_through_the_correlation() -> None:
    part = part_of(2)
    only_first = [i for i, item in enumerate(part.pool.items) if item.slopes[1] == 0.0][:5]
    best = [part.pool.items[i].categories - 1 for i in only_first]
    before = part.interim(small.evidence(part.pool, (), ()))
    after = part.interim(small.evidence(part.pool, only_first, best))
    assert after.thetas_millionths[1] > before.thetas_millionths[1] + 100_000
    assert after.errors_millionths[0] < after.errors_millionths[1] < before.errors_millionths[1]


def _refused(items: list[PoolItem], section: Section) -> str:
    with pytest.raises(Refused) as refused:
        small.compile_package(freeze(package(items, section)))
    assert refused.value.code in {Refusal.PACKAGE_INVALID, Refusal.PACKAGE_PARAMETERS}
    return str(refused.value)


def test_what_cannot_be_measured_together_is_refused_with_its_reason() -> None:
    rng = random.Random(5)
    items = [spatial_item(number, rng, 2) for number in range(12)]
    section = section_of(items, 2, "determinant_optimality")
    other = [*items[:-1], replace(items[-1], slopes=(1.0, 0.5, 0.5))]
    assert f"{other[-1].code} has 3 slopes" in _refused(other, section)
    assert "1 correlations" in _refused(items, replace(section, correlations=(0.5, 0.5))).replace(
        "2 c", "1 c"
    )
    assert "correlation beyond" in _refused(items, replace(section, correlations=(1.0,)))
    assert "add up to 1000" in _refused(
        items, replace(section, dimensions=(Dimension(name="x"), Dimension(name="y")))
    )
    assert "several abilities" in _refused(items, replace(section, dimensions=(), correlations=()))
    one_only = replace(section, selection=RuleChoice("maximum_information"))
    assert "maximum_information" in _refused(items, one_only)
    negative = [replace(items[0], slopes=(-1.0, 1.0)), *items[1:]]
    assert "slopes" in _refused(negative, section)


def test_tables_of_several_abilities_follow_from_their_parameters() -> None:
    held = file_of(2)
    assert verify(held) is None
    items = list(held.package.items)
    items[3] = replace(items[3], b=(0.123, *items[3].b[1:]))
    lie = replace(held, package=replace(held.package, items=tuple(items)))
    assert verify(lie) == f"item {items[3].code}: table log_probability does not follow from its parameters"
