"""What the pages of the panel show. No name of an applicant has a place here, except on the page of names."""

from decimal import Decimal

import msgspec


class SelectionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One selection in the list."""

    url: str
    title: str
    year: int
    posts: int
    is_signed: bool
    asks_statement: bool


class SelectionListView(msgspec.Struct, frozen=True, kw_only=True):
    """The selections of a member of the panel, or of the agency for an auditor."""

    selections: tuple[SelectionLine, ...]


class StatementView(msgspec.Struct, frozen=True, kw_only=True):
    """The conflict-of-interest statement of one member for one selection."""

    title: str
    year: int
    member: str
    text_hash: str
    sign_url: str
    selection_url: str
    back_url: str
    signed_at_ms: int | None
    error: str = ""


class RuleFacts(msgspec.Struct, frozen=True, kw_only=True):
    """The policy of a selection in numbers; words are the template's."""

    cut_score: Decimal | None
    places: int | None
    weights: tuple[tuple[str, int], ...]  # aspect, weight
    tie_break: tuple[str, ...]
    is_example: bool


class PostLine(msgspec.Struct, frozen=True, kw_only=True):
    """One vacancy in a selection."""

    url: str
    title: str
    unit: str
    required_level: int
    applicants: int


class SelectionView(msgspec.Struct, frozen=True, kw_only=True):
    """One selection with its posts."""

    title: str
    year: int
    rules: RuleFacts
    posts: tuple[PostLine, ...]
    statement_url: str
    back_url: str


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A labelled place on the axis, in percent of its length; `anchor` keeps the label inside."""

    at: float
    label: str
    anchor: str = "middle"


class PlotRow(msgspec.Struct, frozen=True, kw_only=True):
    """One applicant in the picture: places on the axis in percent, the height of the row in pixels."""

    y: float
    rank: int
    blind_code: str
    score: str
    low: float
    point: float
    high: float
    is_above_cut: bool | None


class GroupBar(msgspec.Struct, frozen=True, kw_only=True):
    """A bar beside the rows that cannot be told apart; overlapping groups stand in lanes of their own."""

    from_y: float
    to_y: float
    lane: int
    crosses_places: bool


class RankedPlot(msgspec.Struct, frozen=True, kw_only=True):
    """The whole picture, ready to draw."""

    height: float
    rows: tuple[PlotRow, ...]
    marks: tuple[Mark, ...]
    cut: Mark | None
    places_y: float | None
    groups: tuple[GroupBar, ...]


class SectionCell(msgspec.Struct, frozen=True, kw_only=True):
    """One section's score of one applicant."""

    scale_score: str
    scale_error: str
    level: int


class RankLine(msgspec.Struct, frozen=True, kw_only=True):
    """One applicant in the table; numbers are ready to print."""

    rank: int
    blind_code: str
    score: str
    error: str
    low: str
    high: str
    probability: str
    is_above_cut: bool | None
    is_tied: bool
    decided_by: str  # "" by the score, else the name of what decided
    groups: str  # letters of the groups, as in a compact display
    is_partial: bool
    sections: tuple[SectionCell | None, ...]


class GroupLine(msgspec.Struct, frozen=True, kw_only=True):
    """One group in words."""

    letter: str
    codes: tuple[str, ...]
    first_rank: int
    last_rank: int
    low: str
    high: str
    crosses_places: bool


class ApartLine(msgspec.Struct, frozen=True, kw_only=True):
    """An applicant who is not in the ranked list, and why."""

    blind_code: str
    state: str


class SortColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A heading that sorts."""

    key: str
    url: str
    direction: str  # "", ascending or descending


class PostView(msgspec.Struct, frozen=True, kw_only=True):
    """One post: the picture, the table, who stands apart."""

    title: str
    unit: str
    required_level: int
    selection_title: str
    selection_url: str
    rules: RuleFacts
    plot: RankedPlot
    lines: tuple[RankLine, ...]
    columns: tuple[SortColumn, ...]
    aspects: tuple[str, ...]
    groups: tuple[GroupLine, ...]
    apart: tuple[ApartLine, ...]
    is_error_partial: bool
    is_sorted: bool
    export_url: str
    names_url: str  # "" when the policy never opens them
    above_cut: int


class NameLine(msgspec.Struct, frozen=True, kw_only=True):
    """Who is behind a code."""

    blind_code: str
    name: str


class NamesView(msgspec.Struct, frozen=True, kw_only=True):
    """The names of a post, opened on record."""

    title: str
    unit: str
    names: tuple[NameLine, ...]
    opened_at_ms: int
    post_url: str
