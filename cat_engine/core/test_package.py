"""A test package: what one test may ask and how it decides. Immutable and content-hashed.

The item bank builds it, the engine runs it, and a replay needs nothing else. It holds the parameters and the
points of every option, so it never leaves the server; what candidates see of an item is kept elsewhere and
tied to it by `content_hash`.
"""

import hashlib
from typing import Any

import msgspec

from cat_engine.foundation.refusals import Refusal, Refused

FORMAT = "cat-engine/test-package/2"


class PoolItem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item as the engine knows it: identity, parameters, points; no words.

    Fields at their default are left out of the file, so that a field added later changes no hash.
    """

    item_id: str
    code: str
    content_hash: str
    interaction: str
    # 1PL, 2PL, 3PL, 4PL, GRM, PCM, GPCM, RSM, NRM; of several abilities: M2PL, M3PL, M4PL, MGRM, MGPCM, whose
    # b holds the intercepts. The metric's D is the package's.
    model: str
    a: float
    b: tuple[float, ...]
    c: float = 0.0
    d: float = 1.0
    slopes: tuple[float, ...] = ()  # NRM: of categories 1 to m - 1; several abilities: one for each
    option_points: tuple[int, ...]
    area: str
    enemies: tuple[str, ...] = ()
    provenance: str = "design"  # design (rancangan) or calibrated
    item_set: str = ""  # items of one set share a stimulus and travel together
    set_order: int = 0
    word_count: int = 0
    time_intensity: float | None = None  # of the lognormal response time, ln seconds
    time_discrimination: float | None = None

    @property
    def points_minimum(self) -> int:
        """Points of the worst option: category 0."""
        return min(self.option_points)

    @property
    def points_maximum(self) -> int:
        """Points of the best option."""
        return max(self.option_points)

    @property
    def categories(self) -> int:
        """Scored categories of the response model: one more than its difficulties."""
        return len(self.b) + 1


class RuleChoice(msgspec.Struct, frozen=True):
    """A member of a rule family by its registered name, with its settings."""

    rule: str
    settings: dict[str, Any] = {}


class Share(msgspec.Struct, frozen=True):
    """The part of a section's items that a content area shall have, in thousandths."""

    area: str
    per_mille: int


class Constraint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a content specification: how much of something a section shall have.

    `attribute` says what is counted: `area` (items whose area is `value` or below it), `key` (items whose
    best option stands at place `value`), `interaction`, `item_set` (items of that set), `item_sets` (sets
    begun), or summed: `words`, `seconds` (expected). Where not all lines can be met, those of the lowest
    priority give way first; a `strict` line never does.
    """

    name: str
    attribute: str
    value: str = ""
    minimum: int = 0
    maximum: int | None = None
    weight: int = 1
    priority: int = 1
    strict: bool = False


class ItemSet(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Items that travel together once one of them is asked: how many of them, and whether in their order."""

    set_id: str
    minimum_items: int = 1
    maximum_items: int | None = None
    ordered: bool = False


class Dimension(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of several abilities that a section measures together: its normal prior, its part of the total."""

    name: str
    mean: float = 0.0
    deviation: float = 1.0
    per_mille: int = 0  # of the composite that is reported; together 1000


class Module(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Items of a multistage test that are asked together, in this order; `follows` names the modules after
    which it may come (none named: any of the stage before).
    """

    module_id: str
    item_ids: tuple[str, ...]
    follows: tuple[str, ...] = ()


class Route(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Cuts between the modules of a stage, rising: module k is taken from cut k - 1 on and below cut k.

    With `after`, for those who come from that module; without, for all others.
    """

    cuts: tuple[int, ...] = ()
    after: str = ""


class Stage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One stage of a panel: its modules from the easiest to the hardest, and what decides between them.

    `by`: `theta` (the interim estimate, cuts in millionths), `points` (gathered in the section so far) or
    `module_points` (in the module before).
    """

    modules: tuple[Module, ...]
    by: str = "theta"
    routes: tuple[Route, ...] = ()


class Panel(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of a multistage test; which panel a sitting gets is drawn from its seed."""

    panel_id: str
    stages: tuple[Stage, ...]


class LevelCut(msgspec.Struct, frozen=True):
    """The lowest scale score of a level."""

    level: int
    from_score: int


class Scale(msgspec.Struct, frozen=True, kw_only=True):
    """The reported scale: slope * theta + intercept, rounded half to even, kept within its limits."""

    name: str
    slope: int
    intercept: int
    minimum: int
    maximum: int
    cuts: tuple[LevelCut, ...]
    cut_score: int | None = None  # the pass mark of this section, where the policy has one


class Section(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One part of a test with its own pool, blueprint, rules, estimator and scale.

    An adaptive section chooses its items one by one; a linear section is a fixed form: all items are shown,
    may be revisited and flagged, and are scored by summed points. A multistage section chooses whole modules
    of one of its panels and asks their items one by one; its stopping rules are heard between stages.
    """

    section_id: str
    title: dict[str, str]
    aspect: str  # potential, competency or knowledge: where its score goes in the talent record
    mode: str  # adaptive, linear or multistage
    item_ids: tuple[str, ...]
    scale: Scale
    blueprint: tuple[Share, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    item_sets: tuple[ItemSet, ...] = ()
    panels: tuple[Panel, ...] = ()
    start: RuleChoice = RuleChoice("prior")
    selection: RuleChoice = RuleChoice("maximum_information")
    content: RuleChoice = RuleChoice("shares")
    eligibility: RuleChoice = RuleChoice("everything")
    exposure: RuleChoice = RuleChoice("randomesque")
    stopping: tuple[RuleChoice, ...] = ()
    interim_estimator: RuleChoice = RuleChoice("eap")
    final_estimator: RuleChoice = RuleChoice("eap")
    prior_mean: float = 0.0
    prior_deviation: float = 1.0
    dimensions: tuple[Dimension, ...] = ()  # none: one ability with the prior above
    correlations: tuple[float, ...] = ()  # of the dimensions: 12, or 12, 13, 23
    start_theta_millionths: int = 0


class TestPackage(msgspec.Struct, frozen=True, kw_only=True):
    """Pool, blueprint, rules, limits and scales of one test."""

    __test__ = False  # pytest: the name begins with "Test", the class is none

    format: str = FORMAT
    code: str
    version: int
    title: dict[str, str]
    languages: tuple[str, ...]
    metric_d: float
    items: tuple[PoolItem, ...]
    sections: tuple[Section, ...]
    time_allowed_s: int
    answer_grace_ms: int = 3000
    total_cut_points: int | None = None


class FrozenTables(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers that decisions are made with, computed once at freezing, rounded, and stored.

    Floating point is part of the contract: exponentials differ in the last bit between processors, so no
    exponential of an item's curve is taken during a sitting. Integers in units of 1e-9, little endian, base
    64: `log_probability` (items, categories, nodes), `information` (items, grid). Rows of items with fewer
    categories are padded with zeros.
    """

    node_count: int
    category_count: int
    grid_count: int
    log_probability: bytes
    information: bytes


class PackageFile(msgspec.Struct, frozen=True, kw_only=True):
    """A test package as it is stored and handed over: content, tables, and the hash over both."""

    package: TestPackage
    tables: FrozenTables
    content_hash: str


def content_hash(package: TestPackage, tables: FrozenTables) -> str:
    """SHA-256 over the package's sorted JSON and its tables, hexadecimal."""
    digest = hashlib.sha256()
    digest.update(msgspec.json.encode(package, order="sorted"))
    digest.update(msgspec.json.encode(tables, order="sorted"))
    return digest.hexdigest()


def encode_file(package_file: PackageFile) -> bytes:
    """The package file's bytes (sorted JSON)."""
    return msgspec.json.encode(package_file, order="sorted")


def decode_file(data: bytes | str) -> PackageFile:
    """Read a package file; shape and format are checked, the hash is not (see `tables.verify`)."""
    package_file = msgspec.json.decode(data, type=PackageFile)
    if package_file.package.format != FORMAT:
        reason = f"format {package_file.package.format} is not {FORMAT}: freeze the package again"
        raise Refused(Refusal.PACKAGE_INVALID, reason=reason)
    return package_file
