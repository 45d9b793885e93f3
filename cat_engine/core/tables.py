"""Freezing a test package, and the columns a sitting computes with.

`freeze` turns parameters into rounded tables once; `Pool` lays one section's part of them out as arrays,
shared by all sittings of the package; `verify` computes the tables again from the parameters and names the
first item whose stored numbers do not follow from them.
"""

import hashlib
import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cat_engine.core.exact import THETA_UNIT, UNIT, Floats, Integers
from cat_engine.core.test_package import (
    FrozenTables,
    PackageFile,
    PoolItem,
    Section,
    TestPackage,
    content_hash,
)
from cat_engine.foundation.refusals import Refusal, Refused
from psychometrics.models import dichotomous, polytomous
from psychometrics.models.items import ItemParameters, item_columns

NODE_STEP_MILLIONTHS = 100_000
NODE_LIMIT_MILLIONTHS = 6_000_000  # wider than any ability met: a narrow grid bends extreme estimates inwards
GRID_STEP_MILLIONTHS = 50_000
GRID_LIMIT_MILLIONTHS = 4_000_000
NODES_MILLIONTHS: Integers = np.arange(
    -NODE_LIMIT_MILLIONTHS, NODE_LIMIT_MILLIONTHS + 1, NODE_STEP_MILLIONTHS, dtype=np.int64
)
GRID_MILLIONTHS: Integers = np.arange(
    -GRID_LIMIT_MILLIONTHS, GRID_LIMIT_MILLIONTHS + 1, GRID_STEP_MILLIONTHS, dtype=np.int64
)
NO_ITEMS: Integers = np.empty(0, dtype=np.int64)
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
    for section in package.sections:
        _check_section(section, by_id)
    for item in package.items:
        _check_parameters(item, package.metric_d)
        for enemy in item.enemies:
            if enemy in by_id and item.item_id not in by_id[enemy].enemies:
                raise Refused(Refusal.PACKAGE_INVALID, reason=f"{item.code}: enmity is not mutual")


def _check_section(section: Section, by_id: dict[str, PoolItem]) -> None:
    if not section.item_ids:
        raise Refused(Refusal.PACKAGE_EMPTY_POOL, section=section.section_id)
    for item_id in section.item_ids:
        if item_id not in by_id:
            raise Refused(Refusal.PACKAGE_INVALID, reason=f"unknown item {item_id}")
    reason = ""
    if len(set(section.item_ids)) != len(section.item_ids):
        reason = "duplicate item"
    elif section.mode not in ("adaptive", "linear"):
        reason = f"unknown mode {section.mode}"
    elif not (math.isfinite(section.prior_mean) and 0.0 < section.prior_deviation < math.inf):
        reason = "the prior is no distribution"
    if reason:
        raise Refused(Refusal.PACKAGE_INVALID, reason=f"{section.section_id}: {reason}")


def _check_parameters(item: PoolItem, metric_d: float) -> None:
    """The parameters must be those of the model named: a 2PL item with a guessing parameter is a mistake."""
    if not item.option_points or item.points_maximum - item.points_minimum != item.categories - 1:
        reason = "option points do not match the categories"
        raise Refused(Refusal.PACKAGE_PARAMETERS, item=item.code, reason=reason)
    try:
        item_columns([ItemParameters(item.model, item.a, item.b, item.c, item.d)], D=metric_d)
    except ValueError as error:
        reason = str(error).removeprefix("row 0: ")
        raise Refused(Refusal.PACKAGE_PARAMETERS, item=item.code, reason=reason) from error


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
        log_probability[index, : item.categories] = _billionths(np.maximum(log_p, LOG_FLOOR)).T
        information[index] = _billionths((np.exp(grid_log_p) * score**2).sum(axis=-1))
    return FrozenTables(
        node_count=NODES_MILLIONTHS.size,
        category_count=categories,
        grid_count=GRID_MILLIONTHS.size,
        log_probability=log_probability.tobytes(),
        information=information.tobytes(),
    )


def _billionths(values: Floats) -> Integers:
    return np.rint(values * UNIT).astype("<i8")


def _curves(item: PoolItem, theta: Floats, metric_d: float) -> tuple[Floats, Floats]:
    """ln P and its derivative of one item, both (q, m); parameters are checked by the model."""
    a, points = np.array([item.a]), theta[:, None]
    b = np.array([item.b])
    if item.model in ("1PL", "2PL", "3PL", "4PL"):
        columns = (a, b[:, 0], np.array([item.c]), np.array([item.d]))
        dichotomous.check_dichotomous(*columns)
        log_p = dichotomous.log_probabilities_at(points, *columns, D=metric_d)
        score = dichotomous.log_derivatives_at(points, *columns, D=metric_d).score
    elif item.model in ("PCM", "GPCM"):
        polytomous.check_thresholds(a, b)
        log_p = polytomous.partial_credit_log_probabilities_at(points, a, b, D=metric_d)
        score = polytomous.partial_credit_log_derivatives_at(points, a, b, D=metric_d).score
    elif item.model == "GRM":
        polytomous.check_graded(a, b)
        log_p = polytomous.graded_log_probabilities_at(points, a, b, D=metric_d)
        score = polytomous.graded_log_derivatives_at(points, a, b, D=metric_d).score
    else:
        raise ValueError(f"unknown response model {item.model}")
    return log_p[:, 0, :], score[:, 0, :]


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


@dataclass(frozen=True)
class Pool:
    """One section's items as columns; shared by every sitting of the package.

    `information` is (grid, n) with rows contiguous, so that a step reads one row; `log_probability` is
    (n, categories, nodes). `ties` orders equals by a hash of the content, so that neither the bank's order
    nor a library's sort decides. `area` numbers the blueprint's content areas, -1 for an item in none.
    """

    section: Section
    items: tuple[PoolItem, ...]
    log_probability: Integers
    information: Integers
    ties: NDArray[np.uint64]
    area: Integers
    log_prior: Integers

    @property
    def size(self) -> int:
        """Number of items."""
        return len(self.items)

    @cached_property
    def index_of(self) -> dict[str, int]:
        """Item identity to column."""
        return {item.item_id: index for index, item in enumerate(self.items)}

    @cached_property
    def barred_by(self) -> dict[str, Integers]:
        """Identity of an item seen anywhere to the columns that it bars: itself and its enemies."""
        barred: dict[str, list[int]] = {}
        for index, item in enumerate(self.items):
            for other in (item.item_id, *item.enemies):
                barred.setdefault(other, []).append(index)
        return {item_id: np.array(indices, dtype=np.int64) for item_id, indices in barred.items()}


def pools(package_file: PackageFile) -> tuple[Pool, ...]:
    """The columns of every section."""
    package, tables = package_file.package, package_file.tables
    n = len(package.items)
    log_probability = np.frombuffer(tables.log_probability, dtype="<i8").reshape(
        n, tables.category_count, tables.node_count
    )
    information = np.frombuffer(tables.information, dtype="<i8").reshape(n, tables.grid_count)
    row_of = {item.item_id: row for row, item in enumerate(package.items)}
    return tuple(
        _pool(package, section, log_probability, information, row_of) for section in package.sections
    )


def _pool(
    package: TestPackage,
    section: Section,
    log_probability: Integers,
    information: Integers,
    row_of: dict[str, int],
) -> Pool:
    rows = np.array([row_of[item_id] for item_id in section.item_ids], dtype=np.int64)
    items = tuple(package.items[row] for row in rows)
    area_number = {share.area: number for number, share in enumerate(section.blueprint)}
    deviation = (NODES_MILLIONTHS / THETA_UNIT - section.prior_mean) / section.prior_deviation
    return Pool(
        section=section,
        items=items,
        log_probability=np.ascontiguousarray(log_probability[rows]),
        information=np.ascontiguousarray(information[rows].T),
        ties=np.array(
            [int.from_bytes(hashlib.sha256(item.content_hash.encode()).digest()[:8]) for item in items],
            dtype=np.uint64,
        ),
        area=np.array([_area_of(item.area, area_number) for item in items], dtype=np.int64),
        log_prior=_billionths(-0.5 * deviation * deviation),
    )


def _area_of(area: str, numbers: dict[str, int]) -> int:
    """The blueprint line an item belongs to: its own area, or the nearest one above it in the tree."""
    while area not in numbers and "." in area:
        area = area.rpartition(".")[0]
    return numbers.get(area, -1)
