"""What the talent manager's pages show. Axis values are points of the policy, 0 to 100."""

import msgspec


class Dot(msgspec.Struct, frozen=True, kw_only=True):
    """One person inside a box: how far into its bands, in percent from the left and from the top."""

    x: float
    y: float


class BoxCell(msgspec.Struct, frozen=True, kw_only=True):
    """One of the nine boxes."""

    number: int
    potential_band: str
    performance_band: str
    count: int
    url: str
    chosen: bool
    dots: tuple[Dot, ...]


class UnitChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of the filter."""

    name: str
    count: int


class GridPerson(msgspec.Struct, frozen=True, kw_only=True):
    """One person of the list below the grid."""

    url: str
    name: str
    post: str
    unit: str
    potential: str
    performance: str
    missing: str


class UnplacedPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody without a box, and why."""

    url: str
    name: str
    post: str
    unit: str
    reasons: tuple[str, ...]


class GridView(msgspec.Struct, frozen=True, kw_only=True):
    """The nine boxes of a unit or of the agency. `rows` are from high potential to low."""

    rows: tuple[tuple[BoxCell, ...], ...]
    unit: str
    units: tuple[UnitChoice, ...]
    filter_url: str
    all_url: str
    box: int  # 0 when no box is chosen
    people: tuple[GridPerson, ...]
    placed: int
    unplaced: tuple[UnplacedPerson, ...]
    total: int
    is_too_many: bool
    policy_version: int
    is_example_policy: bool
    potential_cuts: tuple[int, int]
    performance_cuts: tuple[int, int]
    postings_url: str  # "" without the permission


class EntryLine(msgspec.Struct, frozen=True, kw_only=True):
    """One measured aspect of a person."""

    aspect: str
    scale_score: str
    standard_error: str
    level: int
    measured_at_ms: int
    expires_at_ms: int
    report_number: str
    is_expired: bool


class RatingLine(msgspec.Struct, frozen=True, kw_only=True):
    """Performance of one year, imported."""

    year: int
    value: int
    source: str


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """What is missing to the next band of one axis: reaching it leads to `box`."""

    axis: str  # potential or performance
    points: str
    box: int


class PersonView(msgspec.Struct, frozen=True, kw_only=True):
    """One person's record."""

    name: str
    nip: str
    post: str
    unit: str
    rank: str
    is_simulated: bool
    rows: tuple[tuple[BoxCell, ...], ...]
    box: int
    potential: str
    performance: str
    steps: tuple[Step, ...]
    reasons: tuple[str, ...]
    entries: tuple[EntryLine, ...]
    ratings: tuple[RatingLine, ...]
    policy_version: int
    is_example_policy: bool
    back_url: str


class PostingLine(msgspec.Struct, frozen=True, kw_only=True):
    """One report on its way."""

    id: str
    report_number: str
    connector: str
    state: str
    attempts: int
    reason: str
    receipt: str
    created_at_ms: int
    delivered_at_ms: int | None
    next_try_at_ms: int | None
    retry_url: str


class StateChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One state of the filter with its number of postings."""

    state: str
    count: int
    url: str
    chosen: bool


class PostingsView(msgspec.Struct, frozen=True, kw_only=True):
    """The queue of the agency."""

    lines: tuple[PostingLine, ...]
    states: tuple[StateChoice, ...]
    state: str
    total: int
    pages: tuple[tuple[str, str, bool], ...]
    retried: bool
    talent_url: str
