"""What the pages show on which an administrator sets up an exam: rooms, schedules, selections."""

from collections.abc import Mapping

import msgspec


class ShownRefusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a form was refused, in the reader's language."""

    code: str
    title: str
    sentence: str
    field: str


class SetupForm(msgspec.Struct, frozen=True, kw_only=True):
    """A form with the values it begins with, or with what was typed and why it was refused."""

    action_url: str
    values: Mapping[str, str] = {}
    refusal: ShownRefusal | None = None

    def value(self, field: str) -> str:
        """What stands in one field."""
        return self.values.get(field, "")

    def error(self, field: str) -> str:
        """The sentence beside one field, or nothing."""
        return self.refusal.sentence if self.refusal and self.refusal.field == field else ""


Choice = tuple[str, str]  # value, label


# ------------------------------------------------------------------------------------------------- rooms


class RoomLine(msgspec.Struct, frozen=True, kw_only=True):
    """One room in the list."""

    url: str
    name: str
    building: str
    seats: int


class RoomListView(msgspec.Struct, frozen=True, kw_only=True):
    """The agency's rooms, and the form for a new one."""

    rooms: tuple[RoomLine, ...]
    form: SetupForm
    back_url: str


class PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the seat plan: what is stuck on each table, "" where none stands."""

    number: int
    seats: tuple[str, ...]


class RoomView(msgspec.Struct, frozen=True, kw_only=True):
    """One room with its seat plan, the front row first."""

    name: str
    building: str
    seats: int
    columns: int
    plan: tuple[PlanRow, ...]
    back_url: str


# ---------------------------------------------------------------------------------------- exam sessions


class ScheduleView(msgspec.Struct, frozen=True, kw_only=True):
    """The form of an exam session, new or not yet open."""

    title: str  # "" for a new one
    zone: str
    rooms: tuple[Choice, ...]
    packages: tuple[Choice, ...]
    selections: tuple[Choice, ...]
    form: SetupForm
    rooms_url: str
    back_url: str


class AccommodationView(msgspec.Struct, frozen=True, kw_only=True):
    """Extra time of one person on a roster."""

    name: str
    candidate_number: str
    session_title: str
    can_change: bool
    form: SetupForm
    back_url: str


# -------------------------------------------------------------------------------------------- selections


class SelectionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One selection in the list."""

    url: str
    title: str
    year: int
    posts: int


class SelectionListView(msgspec.Struct, frozen=True, kw_only=True):
    """The agency's selections."""

    selections: tuple[SelectionLine, ...]
    new_url: str
    back_url: str


class SelectionFormView(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of a selection, new or not yet in force."""

    title: str  # "" for a new one
    aspects: tuple[str, ...]
    form: SetupForm
    back_url: str


class PostLine(msgspec.Struct, frozen=True, kw_only=True):
    """One vacancy."""

    url: str
    title: str
    unit: str
    required_level: int
    applications: int


class MemberLine(msgspec.Struct, frozen=True, kw_only=True):
    """One account that may sit on the panel."""

    account_id: str
    name: str
    roles: tuple[str, ...]
    is_member: bool
    statement_at_ms: int | None


class SelectionView(msgspec.Struct, frozen=True, kw_only=True):
    """One selection: rules, posts with the form for a new one, the panel."""

    title: str
    year: int
    cut_score: str
    places: int | None
    weights: tuple[tuple[str, int], ...]
    tie_break: tuple[str, ...]
    names_open: str
    is_fixed: bool
    posts: tuple[PostLine, ...]
    members: tuple[MemberLine, ...]
    post_form: SetupForm
    member_form: SetupForm
    edit_url: str
    back_url: str


class PostView(msgspec.Struct, frozen=True, kw_only=True):
    """One vacancy, to be corrected."""

    title: str
    selection_title: str
    form: SetupForm
    back_url: str
