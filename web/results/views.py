"""What the pages of results show: sittings that wait for release, and what a verification code proves."""

import msgspec


class WaitingLine(msgspec.Struct, frozen=True, kw_only=True):
    """One scored sitting; whose it is stays behind the blind code."""

    sitting_id: str
    code: str
    post: str
    scored_at_ms: int
    completeness: str
    pauses: int
    incident_s: int
    ended_by: str  # rule, time, proctor
    is_intact: bool
    chosen: bool = True


class WaitingGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The waiting sittings of one exam session."""

    selection: str
    exam_session: str
    starts_at_ms: int
    lines: tuple[WaitingLine, ...]


class WaitingView(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for release."""

    groups: tuple[WaitingGroup, ...]
    choose_url: str
    released: int
    is_nothing_chosen: bool = False
    is_cut_off: bool = False

    @property
    def waiting(self) -> int:
        """How many sittings wait."""
        return sum(len(group.lines) for group in self.groups)


class ConfirmView(msgspec.Struct, frozen=True, kw_only=True):
    """What releasing the chosen sittings will do."""

    sitting_ids: tuple[str, ...]
    partial: int
    with_incidents: int
    connectors: tuple[str, ...]
    release_url: str
    back_url: str

    @property
    def count(self) -> int:
        """How many results will be released."""
        return len(self.sitting_ids)


class VerifiedSection(msgspec.Struct, frozen=True, kw_only=True):
    """One section as it was reported."""

    aspect: str
    scale_score: str
    scale_error: str | None
    level: int
    passed: bool | None


class VerifyView(msgspec.Struct, frozen=True, kw_only=True):
    """The public check: `state` is asked, unknown, tampered, intact, or expired (and intact)."""

    state: str
    check_url: str
    code: str = ""
    report_number: str = ""
    agency_name: str = ""
    sections: tuple[VerifiedSection, ...] = ()
    measured_at_ms: int = 0
    released_at_ms: int = 0
    expires_at_ms: int = 0
