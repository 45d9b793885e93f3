"""What a candidate's pages are given to show. One frozen type per page; the templates decide nothing.

No view holds a key, an item parameter, an estimate or any other thing that would tell a candidate more than
the page says; the only number about the person is the reported scale score of a released result. Text from
the item bank was cleaned when it was saved and arrives as `Markup`; everything else is escaped.

Moments are milliseconds since 1970 (UTC), written out by the template's `formats`. Addresses are given, never
composed in a template.
"""

from __future__ import annotations

from typing import Literal

import msgspec
from markupsafe import Markup

CheckState = Literal["open", "done", "failed", "caution"]


class View(msgspec.Struct, frozen=True, kw_only=True):
    """The base of every view, so that a page cannot be given anything else."""


class FieldError(View, frozen=True, kw_only=True):
    """A sentence beside a field, already in the reader's language."""

    field: str
    sentence: str


# ---------------------------------------------------------------- before the sitting


class SignInView(View, frozen=True, kw_only=True):
    """Candidate number and one-time PIN from the slip; `room_token_asked` adds the token on the projector."""

    sign_in_url: str
    candidate_number: str = ""
    room_token_asked: bool = False
    errors: tuple[FieldError, ...] = ()
    staff_url: str = ""

    def error(self, field: str) -> str:
        """The sentence beside one field, or nothing."""
        return next((error.sentence for error in self.errors if error.field == field), "")


class IdentityView(View, frozen=True, kw_only=True):
    """Who the service thinks is sitting here. Two answers: it is me, it is not me."""

    confirm_url: str
    reject_url: str
    name: str
    candidate_number: str
    photo_url: str = ""
    post: str = ""
    agency: str = ""
    session_name: str
    session_at_ms: int
    room: str
    seat: str


class RuleSection(View, frozen=True, kw_only=True):
    """One heading of the tata tertib and its sentences."""

    heading: str
    sentences: tuple[str, ...]


class RulesView(View, frozen=True, kw_only=True):
    """House rules, integrity pledge and consent; what was accepted is known by the hash of the text."""

    accept_url: str
    decline_url: str
    rules: tuple[RuleSection, ...]
    pledge: tuple[str, ...]
    consent: str = ""
    text_version: str
    text_hash: str
    remaining_ms: int
    expired_url: str = ""
    refused: bool = False


class DeviceCheckView(View, frozen=True, kw_only=True):
    """`probe_url` answers with the server's milliseconds as plain text; `lockdown` is what the server saw."""

    continue_url: str
    probe_url: str
    lockdown: CheckState
    lockdown_required: bool = False


class WaitingStep(View, frozen=True, kw_only=True):
    """One thing that must happen before the sitting opens, and by whom."""

    label: str
    state: CheckState
    note: str = ""


class WaitingView(View, frozen=True, kw_only=True):
    """`waiting_fragment.html` is fetched from `poll_url`; a sitting that opened answers with HX-Redirect."""

    poll_url: str
    refresh_url: str
    steps: tuple[WaitingStep, ...]
    name: str
    room: str
    seat: str
    session_name: str
    starts_at_ms: int
    checked_at_ms: int
    resuming: bool = False


class BeginView(View, frozen=True, kw_only=True):
    """The door is open: begin, or go on where one was."""

    begin_url: str
    resuming: bool
    name: str
    remaining_s: int
    most: int


# ---------------------------------------------------------------- the sitting


class OptionView(View, frozen=True, kw_only=True):
    """One option: `id` is posted as `response`, `letter` is its place on this screen."""

    id: str
    letter: str
    text: Markup


class TimeView(View, frozen=True, kw_only=True):
    """What is left of the time allowed, counted by the server. `warnings_s` are the milestones read out."""

    remaining_ms: int
    expired_url: str
    warnings_s: tuple[int, ...] = (900, 300, 60)


class ItemView(View, frozen=True, kw_only=True):
    """One presentation of one item, adaptive or practice.

    `step` is "answer" while the candidate chooses, "confirm" when the chosen option is shown once more. The
    form posts `presentation`, `response`, `ask_first` (1 when a confirmation is wanted), `client_at_ms` and
    `confirm`: 0 from the first step, 1 from "send this answer", change from "change it".
    """

    sitting_id: str
    respond_url: str
    presentation: str
    ordinal: int
    most: int
    stem: Markup
    options: tuple[OptionView, ...]
    stimulus: Markup = Markup()
    chosen: str = ""
    step: Literal["answer", "confirm"] = "answer"
    ask_first: bool = True
    missing: bool = False
    time: TimeView | None = None
    saved_at_ms: int | None = None
    practice: bool = False
    skip_practice_url: str = ""
    help_url: str = ""
    candidate_name: str = ""
    candidate_number: str = ""
    seat: str = ""
    test_name: str = ""
    item_language: str = "id"

    @property
    def here_url(self) -> str:
        """Where the page says that it is still there; nothing for practice, where no clock runs."""
        return "" if self.practice else f"/sittings/{self.sitting_id}/here"

    @property
    def chosen_option(self) -> OptionView | None:
        """The option that the confirmation step shows."""
        return next((option for option in self.options if option.id == self.chosen), None)


class PaletteCell(View, frozen=True, kw_only=True):
    """One item of a fixed form in the palette."""

    position: int
    answered: bool = False
    flagged: bool = False
    current: bool = False


class FixedFormView(View, frozen=True, kw_only=True):
    """One item of a fixed form. Every button saves first: `go` is a position, prev, next, or review.

    Posted beside `presentation` and `response`: `flag` (1 when in doubt), `go`, and `clear` (1 takes the
    answer back).
    """

    item: ItemView
    palette: tuple[PaletteCell, ...]
    flagged: bool = False

    @property
    def answered_count(self) -> int:
        """How many items of the palette have an answer."""
        return sum(cell.answered for cell in self.palette)


class ReviewView(View, frozen=True, kw_only=True):
    """The last page of a fixed form: what is answered, what is not, and the end."""

    sitting_id: str
    return_url: str
    finish_url: str
    section: str = ""  # which form is handed in: a second press must not hand in the next one
    palette: tuple[PaletteCell, ...]
    time: TimeView | None = None
    asked: bool = False
    candidate_name: str = ""
    candidate_number: str = ""
    seat: str = ""
    test_name: str = ""

    @property
    def here_url(self) -> str:
        """Where the page says that it is still there."""
        return f"/sittings/{self.sitting_id}/here"

    @property
    def unanswered(self) -> tuple[int, ...]:
        """Positions without an answer."""
        return tuple(cell.position for cell in self.palette if not cell.answered)

    @property
    def flagged(self) -> tuple[int, ...]:
        """Positions marked as doubtful."""
        return tuple(cell.position for cell in self.palette if cell.flagged)


class InterruptedView(View, frozen=True, kw_only=True):
    """The sitting stands still. `cause` picks the words: proctor, connection, room, or system."""

    cause: Literal["proctor", "connection", "room", "system"]
    since_at_ms: int
    answered_count: int
    remaining_s: int | None
    clock_stopped: bool
    retry_url: str
    poll_url: str = ""


# ---------------------------------------------------------------- after the sitting


class FinishedView(View, frozen=True, kw_only=True):
    """The sitting is over: what was measured, the receipt, and when results come."""

    measured: tuple[str, ...]
    answered_count: int
    started_at_ms: int
    ended_at_ms: int
    receipt_code: str
    results_at_ms: int | None = None
    results_place: str = ""
    result_url: str = ""
    leave_url: str = ""
    ended_by: Literal["candidate", "time", "rule", "proctor"] = "rule"


class Tick(View, frozen=True, kw_only=True):
    """A labelled place on an axis, as a share of its length in percent."""

    at: float
    label: str


class ErrorBand(View, frozen=True, kw_only=True):
    """A score on its scale, ready to draw: places are percent of the axis; screen readers say the words."""

    id: str
    title: str
    description: str
    low: float
    point: float
    high: float
    point_label: str
    ticks: tuple[Tick, ...]
    cuts: tuple[Tick, ...] = ()


class DataClass(View, frozen=True, kw_only=True):
    """One kind of personal data that is kept: why, on what legal basis, until when."""

    name: str
    purpose: str
    basis: str
    kept_until_ms: int | None


class DataAccess(View, frozen=True, kw_only=True):
    """One reading of the candidate's data."""

    at_ms: int
    reader: str
    role: str
    what: str
    why: str


class DataRequest(View, frozen=True, kw_only=True):
    """A request for a copy or a correction, and how far it got."""

    at_ms: int
    kind: Literal["copy", "correction"]
    state: Literal["open", "done", "refused"]
    due_at_ms: int
    download_url: str = ""


class MyDataView(View, frozen=True, kw_only=True):
    """The candidate's own record. Requests post `kind` and, for a correction, `what`."""

    name: str
    request_url: str
    classes: tuple[DataClass, ...]
    accesses: tuple[DataAccess, ...]
    requests: tuple[DataRequest, ...] = ()
    protection_officer: str = ""
    correction_text: str = ""
    correction_error: str = ""


# ---------------------------------------------------------------- a "no"


class RefusalView(View, frozen=True, kw_only=True):
    """An expected "no", or the page for a fault: `code` picks its words in the refusals catalogue."""

    code: str
    reference: str = ""
    action_url: str = ""
    action_label: str = ""
