"""What the pages about test packages and sitting files show."""

import msgspec

from web.plots import LinePlot


class PackageLine(msgspec.Struct, frozen=True, kw_only=True):
    """One test package in the list."""

    url: str
    title: str
    code: str
    version: int
    published_at_ms: int
    content_hash: str
    exam_sessions: int


class PackageListView(msgspec.Struct, frozen=True, kw_only=True):
    """Test packages, newest first."""

    packages: tuple[PackageLine, ...]


class AreaLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the blueprint: its share, and whether the pool can give it."""

    name: str
    share: float
    wanted: float
    in_pool: int
    is_met: bool


class LevelLine(msgspec.Struct, frozen=True, kw_only=True):
    """A level and the scale scores it reaches over."""

    level: int
    from_score: int


class RuleLine(msgspec.Struct, frozen=True, kw_only=True):
    """A rule in words."""

    family: str  # selection, exposure, stopping, interim_estimator, final_estimator
    sentence: str


class SectionView(msgspec.Struct, frozen=True, kw_only=True):
    """One section of a package."""

    section_id: str
    title: str
    mode: str
    aspect: str
    pool_size: int
    most_items: int
    by_design: int
    rules: tuple[RuleLine, ...]
    areas: tuple[AreaLine, ...]
    is_blueprint_met: bool
    scale_name: str
    scale_minimum: int
    scale_maximum: int
    cut_score: int | None
    levels: tuple[LevelLine, ...]
    plots: tuple[LinePlot, ...]


class SessionUse(msgspec.Struct, frozen=True, kw_only=True):
    """An exam session that uses the package."""

    title: str
    starts_at_ms: int
    status: str
    candidates: int


class PackageView(msgspec.Struct, frozen=True, kw_only=True):
    """One test package."""

    title: str
    code: str
    version: int
    published_at_ms: int
    content_hash: str
    time_allowed_s: int
    languages: tuple[str, ...]
    items: int
    by_design: int
    total_cut_points: int | None
    sections: tuple[SectionView, ...]
    exam_sessions: tuple[SessionUse, ...]
    back_url: str
    file_url: str  # "" for who may not take it away


class SittingLine(msgspec.Struct, frozen=True, kw_only=True):
    """One finished sitting: nobody's name."""

    sitting_id: str
    code: str
    exam_session: str
    package: str
    status: str
    answered: int
    ended_at_ms: int
    file_url: str
    replay_url: str


class SittingListView(msgspec.Struct, frozen=True, kw_only=True):
    """Finished sittings, newest first."""

    sittings: tuple[SittingLine, ...]
    filter_url: str
    exam_sessions: tuple[tuple[str, str], ...]
    exam_session: str
    total: int
    first: int
    last: int
    pages: tuple[tuple[str, str, bool], ...]


class ReplayView(msgspec.Struct, frozen=True, kw_only=True):
    """What deciding a sitting again has shown."""

    code: str
    exam_session: str
    package: str
    package_hash: str
    entries: int
    events: int
    head: str
    receipt: str
    took_ms: int
    is_identical: bool
    where: str
    recorded: str
    decided: str
    file_url: str
    package_file_url: str
    back_url: str
