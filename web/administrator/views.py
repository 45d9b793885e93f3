"""What the pages of the administrator and the auditor show."""

import msgspec

from web.candidate.views import FieldError


class _Form(msgspec.Struct, frozen=True, kw_only=True):
    errors: tuple[FieldError, ...] = ()

    def error(self, field: str) -> str:
        """The sentence beside one field, or nothing."""
        return next((error.sentence for error in self.errors if error.field == field), "")


class SessionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One exam session in the list."""

    url: str
    title: str
    room: str
    package: str
    starts_at_ms: int
    status: str
    candidates: int


class SessionListView(msgspec.Struct, frozen=True, kw_only=True):
    """Exam sessions, newest first."""

    sessions: tuple[SessionLine, ...]
    new_url: str
    rooms_url: str
    selections_url: str


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """One exam session and what can be done with it."""

    title: str
    room: str
    package: str
    selection: str  # "" when it belongs to none
    starts_at_ms: int
    status: str
    candidates: int
    seats: int
    without_slip: int
    roster_url: str
    edit_url: str  # "" once it was opened
    back_url: str


class RosterLine(msgspec.Struct, frozen=True, kw_only=True):
    """One person on the roster."""

    name: str
    nip: str
    candidate_number: str
    seat: str
    post: str
    accommodation_s: int
    has_slip: bool
    slip_url: str
    accommodation_url: str


class RosterView(_Form, frozen=True, kw_only=True):
    """The roster, the form that imports one, and the making of slips."""

    title: str
    can_import: bool
    can_accommodate: bool
    entries: tuple[RosterLine, ...]
    without_slip: int
    preview_url: str
    slips_url: str
    export_url: str
    back_url: str


class RefusedLine(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the file that will not be imported."""

    row_number: int
    column: str
    value: str
    code: str
    sentence: str


class GoodLine(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the file that will be imported."""

    row_number: int
    nip: str
    name: str
    candidate_number: str
    seat: str
    post: str


class PreviewView(msgspec.Struct, frozen=True, kw_only=True):
    """What an import would do; nothing is stored yet."""

    title: str
    good: tuple[GoodLine, ...]
    refused: tuple[RefusedLine, ...]
    has_changed: bool  # since the preview that was confirmed
    content: str
    fingerprint: str
    import_url: str
    back_url: str


class SlipLine(msgspec.Struct, frozen=True, kw_only=True):
    """One slip to be cut out."""

    candidate_number: str
    name: str
    seat: str
    post: str
    pin: str


class SlipsView(msgspec.Struct, frozen=True, kw_only=True):
    """Slips with their PINs, shown this once."""

    title: str
    agency: str
    room: str
    starts_at_ms: int
    slips: tuple[SlipLine, ...]
    back_url: str


class RoleChoice(msgspec.Struct, frozen=True, kw_only=True):
    """One role with its box."""

    role: str
    chosen: bool


class AccountLine(msgspec.Struct, frozen=True, kw_only=True):
    """One account in the list."""

    url: str
    username: str
    name: str
    roles: tuple[str, ...]
    is_disabled: bool


class AccountListView(_Form, frozen=True, kw_only=True):
    """Accounts of the agency, and the form for a new one with what was typed."""

    accounts: tuple[AccountLine, ...]
    roles: tuple[RoleChoice, ...]
    create_url: str
    username: str = ""
    name: str = ""


class AccountView(_Form, frozen=True, kw_only=True):
    """One account."""

    username: str
    name: str
    is_disabled: bool
    is_self: bool
    roles: tuple[RoleChoice, ...]
    roles_url: str
    password_url: str
    switch_url: str
    back_url: str


class PasswordView(msgspec.Struct, frozen=True, kw_only=True):
    """A generated password, shown this once."""

    username: str
    name: str
    password: str
    back_url: str


class LedgerLine(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the ledger."""

    sequence: int
    at_ms: int
    actor: str
    action: str
    subject: str
    detail: str
    hash: str


class LedgerView(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger of the agency, filtered, page by page; the state of the chain when it was asked for."""

    entries: tuple[LedgerLine, ...]
    total: int
    first: int
    last: int
    actor: str
    action: str
    subject: str
    pages: tuple[tuple[str, str, bool], ...]
    filter_url: str
    check_url: str
    check_state: str  # "" when not asked for, else intact or broken
    broken_at: int
    head_size: int
    head_hash: str
