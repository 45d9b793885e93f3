"""What the proctor's pages show. No view has a field for an estimate, a score, a key or an item."""

import msgspec


class SessionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One exam session in the list."""

    url: str
    title: str
    room: str
    starts_at_ms: int
    status: str
    candidates: int
    finished: int


class SessionListView(msgspec.Struct, frozen=True, kw_only=True):
    """Exam sessions of the agency, newest first."""

    sessions: tuple[SessionLine, ...]


class RosterSeat(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is expected, before the room is opened."""

    seat: str
    name: str
    candidate_number: str
    accommodation_s: int


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """One seat of the room, as of one moment."""

    sitting_id: str
    url: str
    seat: str
    name: str
    candidate_number: str
    status: str
    answered: int
    remaining_s: int | None
    clock_runs: bool
    idle_s: int | None  # working time since the last answer
    is_idle: bool
    is_silent: bool  # the clock runs, but the browser has not been heard from
    accommodation_s: int
    added_s: int  # by proctors and after outages
    note: str  # why it stands still or was ended, in the reader's language
    since_ms: int
    quick_act: str  # the one act that this seat most likely waits for


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A counter that narrows the board to the seats it counts."""

    key: str
    count: int
    url: str
    current: bool


class RefusedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One person for whom an act was refused, and why."""

    name: str
    seat: str
    sentence: str


class ActResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an act on several people."""

    act: str
    done: int
    refused: tuple[RefusedLine, ...]


class SessionHead(msgspec.Struct, frozen=True, kw_only=True):
    """The exam session that a page is about."""

    url: str
    title: str
    room: str
    starts_at_ms: int
    status: str


class BoardView(msgspec.Struct, frozen=True, kw_only=True):
    """The room, incident first."""

    head: SessionHead
    list_url: str
    poll_url: str
    confirm_url: str
    room_url: str
    open_url: str
    close_url: str
    state: str
    filters: tuple[Filter, ...]
    seats: tuple[Seat, ...]
    total: int
    waiting: int
    attention: int
    at_ms: int
    selected: frozenset[str] = frozenset()
    expected: tuple[RosterSeat, ...] = ()
    result: ActResult | None = None
    nothing_selected: bool = False


class Affected(msgspec.Struct, frozen=True, kw_only=True):
    """One person named on a confirmation."""

    sitting_id: str
    seat: str
    name: str
    candidate_number: str
    status: str


class ReasonGroup(msgspec.Struct, frozen=True, kw_only=True):
    """A category of reasons, with (code, word) for each."""

    category: str
    reasons: tuple[tuple[str, str], ...]


class ConfirmView(msgspec.Struct, frozen=True, kw_only=True):
    """The second step before an act on people."""

    head: SessionHead
    act: str
    act_url: str
    back_url: str
    state: str
    affected: tuple[Affected, ...]
    impossible: tuple[Affected, ...]
    needs_reason: bool
    needs_minutes: bool
    is_grave: bool
    reasons: tuple[ReasonGroup, ...]
    reason: str = ""
    minutes: str = ""
    asked_at_ms: int = 0
    reason_error: str = ""
    minutes_error: str = ""


class SwitchView(msgspec.Struct, frozen=True, kw_only=True):
    """The second step before a room is opened or closed."""

    head: SessionHead
    act: str  # open or close
    act_url: str
    candidates: int
    unfinished: tuple[Affected, ...]


class TimeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the time ledger."""

    kind: str
    amount_s: int
    reason: str
    actor: str
    at_ms: int


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One act of the sitting's life."""

    at_ms: int
    event: str
    detail: str
    actor: str


class ActChoice(msgspec.Struct, frozen=True, kw_only=True):
    """An act, and whether the sitting's status allows it."""

    act: str
    possible: bool


class CandidateView(msgspec.Struct, frozen=True, kw_only=True):
    """One candidate of the room."""

    head: SessionHead
    seat: Seat
    post_title: str
    accommodation_note: str
    acts: tuple[ActChoice, ...]
    confirm_url: str
    time_lines: tuple[TimeLine, ...]
    allowed_s: int
    used_s: int
    log: tuple[LogLine, ...]
    at_ms: int


class RoomView(msgspec.Struct, frozen=True, kw_only=True):
    """What the projector shows to the room; nobody's name."""

    head: SessionHead
    agency_name: str
    sign_in_address: str
    poll_url: str
    back_url: str
    now_ms: int
    second_of_day: int
    zone: str
    candidates: int
    ready: int
    working: int
    finished: int
