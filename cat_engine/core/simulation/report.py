"""What a study found, as frozen types: the JSON of the report, and what its pages are drawn from.

Every mean stands with its Monte Carlo error, the standard deviation it would have over repetitions of the
study with other seeds.
"""

import msgspec

from cat_engine.core.simulation.population import Population, Speed
from cat_engine.core.simulation.truth import Perturbation

FORMAT = "cat-engine/simulation/1"


class Estimated(msgspec.Struct, frozen=True):
    """A value and its Monte Carlo error; no error where one sitting cannot give one."""

    value: float
    error: float | None


class AccuracyReport(msgspec.Struct, frozen=True, kw_only=True):
    """How near the estimates came to the truth, over all people with an estimate.

    `mean_standard_error` is what the test says of itself, `coverage` the share of its 95 % intervals that
    hold the truth. `correlation` is None where truth or estimates do not vary.
    """

    sittings: int
    bias: Estimated
    rmse: Estimated
    mean_absolute_error: Estimated
    mean_standard_error: Estimated
    coverage: Estimated
    correlation: float | None
    mean_theta: float
    mean_estimate: float


class ConditionalReport(msgspec.Struct, frozen=True, kw_only=True):
    """The same at one ability, or over one interval of abilities (`lower` to `upper`, None without a bound).

    `theta` is the mean ability of those simulated there; `empirical_error` the standard deviation of the
    errors, which the reported standard error should match; `highest_rate` the rate of the item most used
    there, `overlap` what two sittings there share.
    """

    theta: float
    lower: float | None
    upper: float | None
    sittings: int
    bias: Estimated
    rmse: Estimated
    empirical_error: Estimated
    mean_standard_error: Estimated
    coverage: Estimated
    mean_length: Estimated
    highest_rate: float
    overlap: float | None


class Distribution(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution of whole numbers: mean, deviation, percentiles by nearest rank, and how many of each."""

    mean: float
    deviation: float
    minimum: int
    percentiles: dict[str, int]
    maximum: int
    counts: dict[int, int]


class ExposureReport(msgspec.Struct, frozen=True, kw_only=True):
    """How the pool was used. `rates` are of the items in the section's order; `overlap` is the mean share of
    a test that two sittings have in common, over all pairs.
    """

    rates: tuple[float, ...]
    highest_rate: float
    unused_items: int
    unused_share: float
    overexposed_items: int
    limit: float
    overlap: float | None
    chi_square: float | None


class LineReport(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the blueprint: the share it shall have, the share it had, and in how many sittings it was
    more than one item off.
    """

    area: str
    share: float
    mean_share: float
    mean_items: float
    missed_sittings: int
    passed_over_items: int


class ContentReport(msgspec.Struct, frozen=True, kw_only=True):
    """How well the content specification was kept; constraints with how many sittings broke them."""

    lines: tuple[LineReport, ...]
    below_minimum: dict[str, int]
    above_maximum: dict[str, int]
    relaxed_items: dict[str, int]
    relaxed_sittings: int


class CutReport(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions at one cut score: right ones, and of those truly below or above it the wrong ones."""

    cut_score: int
    accuracy: Estimated
    below: int
    false_positives: Estimated | None
    above: int
    false_negatives: Estimated | None


class ClassificationReport(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions at the section's cuts; `level_accuracy` is the share placed in their true level."""

    cuts: tuple[CutReport, ...]
    level_accuracy: Estimated
    levels: tuple[tuple[int, int, int], ...]  # true level, level given, sittings


class SectionReport(msgspec.Struct, frozen=True, kw_only=True):
    """One section under one design."""

    section_id: str
    title: dict[str, str]
    mode: str
    items_in_pool: int
    rules: dict[str, str]
    accuracy: AccuracyReport | None
    conditional: tuple[ConditionalReport, ...]
    length: Distribution
    stop_reasons: dict[str, int]
    exposure: ExposureReport
    content: ContentReport
    classification: ClassificationReport | None
    mean_points: float


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A design's mean less that of the first design on the same people, with its 95 % interval."""

    value: float
    lower: float
    upper: float


class SectionDifferences(msgspec.Struct, frozen=True, kw_only=True):
    """What a design changes in one section; None where nothing was estimated."""

    section_id: str
    bias: Difference | None
    mean_square_error: Difference | None
    mean_standard_error: Difference | None
    length: Difference | None


class DesignReport(msgspec.Struct, frozen=True, kw_only=True):
    """One design. `path`: simulated one by one through the `engine`, or as a `batch`, which decides alike."""

    name: str
    package_hash: str
    path: str
    sittings: int
    complete: int
    passed_share: float | None
    refused: dict[str, int]
    used_s: Distribution
    sections: tuple[SectionReport, ...]
    differences: tuple[SectionDifferences, ...]
    used_s_difference: Difference | None


class StudyReport(msgspec.Struct, frozen=True, kw_only=True):
    """A study with all that is needed to repeat it."""

    format: str
    package_code: str
    package_version: int
    package_title: dict[str, str]
    package_hash: str
    seed: str
    population: Population
    speed: Speed
    perturbation: Perturbation | None
    candidates: int
    designs: tuple[DesignReport, ...]
