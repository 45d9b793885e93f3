"""Freezing a test package.

`freeze` turns parameters into rounded tables once; `verify` computes the tables again from the parameters and
names the first item whose stored numbers do not follow from them.
"""

import math

import numpy as np

from cat_engine.core import families
from cat_engine.core.checks import check_forms, check_section, item_problem
from cat_engine.core.exact import THETA_UNIT, UNIT, Floats, Integers
from cat_engine.core.matrices import dimensions_problem
from cat_engine.core.test_package import (
    FrozenTables,
    PackageFile,
    PoolItem,
    Section,
    TestPackage,
    content_hash,
)
from cat_engine.foundation.refusals import Refusal, Refused
from psychometrics.models.items import (
    ItemParameters,
    category_log_derivatives,
    category_log_probabilities,
    item_columns,
)

NODE_STEP_MILLIONTHS = 100_000
NODE_LIMIT_MILLIONTHS = 6_000_000  # wider than any ability met: a narrow grid bends extreme estimates inwards
GRID_STEP_MILLIONTHS = 50_000
GRID_LIMIT_MILLIONTHS = NODE_LIMIT_MILLIONTHS
NODES_MILLIONTHS: Integers = np.arange(
    -NODE_LIMIT_MILLIONTHS, NODE_LIMIT_MILLIONTHS + 1, NODE_STEP_MILLIONTHS, dtype=np.int64
)
GRID_MILLIONTHS: Integers = np.arange(
    -GRID_LIMIT_MILLIONTHS, GRID_LIMIT_MILLIONTHS + 1, GRID_STEP_MILLIONTHS, dtype=np.int64
)
STEEPEST = 30.0
"""Of D a: such an item rises from 1 to 99 % within three nodes, and curves are read from the nodes."""
MOST_INFORMATION = 4000.0
"""Of one item anywhere: in billionths, and times the weights of the cubic between nodes, it fits 64 bits."""
LOG_FLOOR = -700.0  # probabilities below exp(-700) do not exist in double precision


def freeze(package: TestPackage) -> PackageFile:
    """Check a package, compute its tables, and seal both with a hash."""
    check(package)
    tables = compute_tables(package)
    return PackageFile(package=package, tables=tables, content_hash=content_hash(package, tables))


def check(package: TestPackage) -> None:
    """Refuse a package that could not be run, naming the item or section and the reason."""
    by_id = {item.item_id: item for item in package.items}
    if len(by_id) != len(package.items):
        raise Refused(Refusal.PACKAGE_INVALID, reason="duplicate item")
    if not package.sections or package.time_allowed_s <= 0 or not package.languages:
        raise Refused(Refusal.PACKAGE_INVALID, reason="sections, time or languages are missing")
    if len({section.section_id for section in package.sections}) != len(package.sections):
        raise Refused(Refusal.PACKAGE_INVALID, reason="duplicate section")
    for item in package.items:  # first: what a section asks for is reckoned from them
        _check_parameters(item, package.metric_d)
    for section in package.sections:
        check_section(section, by_id)
        items = tuple(by_id[item_id] for item_id in section.item_ids)
        _check_dimensions(section, items)
        families.check_rules(section, items)
    check_forms(package.sections, by_id)
    for item in package.items:
        for enemy in item.enemies:
            if enemy in by_id and item.item_id not in by_id[enemy].enemies:
                raise Refused(Refusal.PACKAGE_INVALID, reason=f"{item.code}: enmity is not mutual")


def _check_dimensions(section: Section, items: tuple[PoolItem, ...]) -> None:
    loadings = [(i.code, len(i.slopes) if i.model in COMPOSITE_MODELS else 0) for i in items]
    reason = dimensions_problem(section, loadings)
    if reason:
        raise Refused(Refusal.PACKAGE_INVALID, reason=f"{section.section_id}: {reason}")


def _check_parameters(item: PoolItem, metric_d: float) -> None:
    """The parameters must be those of the model named: a 2PL item with a guessing parameter is a mistake."""
    reason = item_problem(item)
    if reason:
        raise Refused(Refusal.PACKAGE_PARAMETERS, item=item.code, reason=reason)
    if item.model in COMPOSITE_MODELS:
        wrong = [slope for slope in item.slopes if not (math.isfinite(slope) and slope >= 0.0)]
        if wrong or item.a != 1.0 or not item.slopes:
            reason = "the slopes of an item of several abilities are finite and not negative, and a is 1"
            raise Refused(Refusal.PACKAGE_PARAMETERS, item=item.code, reason=reason)
    try:
        item_columns([parameters(item)], D=metric_d)
    except ValueError as error:
        reason = str(error).removeprefix("row 0: ")
        raise Refused(Refusal.PACKAGE_PARAMETERS, item=item.code, reason=reason) from error
    slopes = item.slopes or (item.a,)
    if metric_d * (max(slopes) - min(0.0, *slopes)) > STEEPEST:
        reason = f"slope D a is above {STEEPEST}"
        raise Refused(Refusal.PACKAGE_PARAMETERS, item=item.code, reason=reason)


def compute_tables(package: TestPackage) -> FrozenTables:
    """Log probabilities on the nodes and Fisher information on the grid, rounded to billionths.

    Information is that of the response, I(theta) = sum_k P_k (d ln P_k / d theta)^2 (Samejima, 1969), which
    for two categories is Lord's (1980) formula.
    """
    categories = max(item.categories for item in package.items)
    n = len(package.items)
    log_probability = np.zeros((n, categories, NODES_MILLIONTHS.size), dtype="<i8")
    information = np.zeros((n, GRID_MILLIONTHS.size), dtype="<i8")
    nodes, grid = NODES_MILLIONTHS / THETA_UNIT, GRID_MILLIONTHS / THETA_UNIT
    for index, item in enumerate(package.items):  # once per freezing: not a hot path
        try:
            log_p, _ = _curves(item, nodes, package.metric_d)
            grid_log_p, score = _curves(item, grid, package.metric_d)
        except ValueError as error:
            raise Refused(Refusal.PACKAGE_PARAMETERS, item=item.code, reason=str(error)) from error
        found = (np.exp(grid_log_p) * score**2).sum(axis=-1)
        if float(found.max()) > MOST_INFORMATION:
            reason = f"its information is above {MOST_INFORMATION}"
            raise Refused(Refusal.PACKAGE_PARAMETERS, item=item.code, reason=reason)
        log_probability[index, : item.categories] = _billionths(np.maximum(log_p, LOG_FLOOR)).T
        information[index] = _billionths(found)
    return FrozenTables(
        node_count=NODES_MILLIONTHS.size,
        category_count=categories,
        grid_count=GRID_MILLIONTHS.size,
        log_probability=log_probability.tobytes(),
        information=information.tobytes(),
    )


def _billionths(values: Floats) -> Integers:
    return np.rint(values * UNIT).astype("<i8")


COMPOSITE_MODELS = {"M2PL": "2PL", "M3PL": "3PL", "M4PL": "4PL", "MGRM": "GRM", "MGPCM": "GPCM"}
"""Models of several abilities, and what each is along its composite a . theta."""


def parameters(item: PoolItem) -> ItemParameters:
    """The item as the response models know it; one of several abilities as a function of its composite."""
    along = COMPOSITE_MODELS.get(item.model)
    if along is None:
        return ItemParameters(item.model, item.a, item.b, item.c, item.d, slopes=item.slopes)
    return ItemParameters(along, 1.0, tuple(-intercept for intercept in item.b), item.c, item.d)


def _curves(item: PoolItem, theta: Floats, metric_d: float) -> tuple[Floats, Floats]:
    """ln P and its derivative of one item, both (q, m); parameters are checked by the model."""
    columns = item_columns([parameters(item)], D=metric_d)
    log_p = category_log_probabilities(columns, theta)
    return log_p[:, 0, :], category_log_derivatives(columns, theta).score[:, 0, :]


def verify(package_file: PackageFile) -> str | None:
    """What does not fit in a package file, in words, or None.

    The stored tables are compared with freshly computed ones to within one billionth: another processor's
    exponential may round differently there, an edited parameter moves them by far more.
    """
    package, tables = package_file.package, package_file.tables
    try:
        check(package)
        fresh = compute_tables(package)
    except Refused as refused:
        return f"the package could not be frozen: {refused}"
    stored_shape = (tables.node_count, tables.category_count, tables.grid_count)
    if stored_shape != (fresh.node_count, fresh.category_count, fresh.grid_count):
        return "tables have another shape than the parameters ask for"
    for name in ("log_probability", "information"):
        held: bytes = getattr(tables, name)
        stored = np.frombuffer(held, dtype="<i8", count=len(held) // 8)
        computed = np.frombuffer(getattr(fresh, name), dtype="<i8")
        if stored.size != computed.size:
            return f"table {name} has {stored.size} numbers, expected {computed.size}"
        differs = np.abs(stored - computed) > 1
        if differs.any():
            row = int(np.flatnonzero(differs)[0]) // (computed.size // len(package.items))
            return f"item {package.items[row].code}: table {name} does not follow from its parameters"
    if content_hash(package, tables) != package_file.content_hash:
        return "content does not match the package's hash"
    return None
