"""One frozen type per thing that can happen in a sitting.

An event says what happened and, where the engine decided, what it decided with. Only integers and text: the
log is hashed over its canonical JSON, and a float has more than one spelling. Times are milliseconds since
the epoch, durations milliseconds, thetas millionths.
"""

from typing import TypeAlias

import msgspec


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="type"):
    """What all events share: nothing but being one."""


class FormerEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """What an earlier sitting measured, for a section that may start from it."""

    section_id: str
    theta_millionths: int
    standard_error_millionths: int


class Created(Event, frozen=True, kw_only=True, tag="created"):
    """The sitting came to be: for whom, on which frozen package, with which seed and time."""

    sitting_id: str
    package_hash: str
    seed: str
    time_allowed_ms: int
    accommodation_ms: int
    candidate: str
    former: tuple[FormerEstimate, ...] = ()


class CheckedIn(Event, frozen=True, kw_only=True, tag="checked_in"):
    """The candidate said "yes, this is me" at this seat."""

    seat: str


class PledgeSigned(Event, frozen=True, kw_only=True, tag="pledge_signed"):
    """The rules and the integrity pledge were accepted; which text, by its hash."""

    text_hash: str


class DeviceChecked(Event, frozen=True, kw_only=True, tag="device_checked"):
    """What the device check found; without JavaScript nothing is known and that is no obstacle."""

    javascript: bool
    clock_offset_ms: int | None = None


class WaitingEntered(Event, frozen=True, kw_only=True, tag="waiting_entered"):
    """Ready, in the waiting room."""


class Authorised(Event, frozen=True, kw_only=True, tag="authorised"):
    """A proctor admitted the candidate, to begin or to go on."""


class Denied(Event, frozen=True, kw_only=True, tag="denied"):
    """A proctor refused admission."""

    reason: str


class Readmitted(Event, frozen=True, kw_only=True, tag="readmitted"):
    """A denial was undone."""

    reason: str


class Cancelled(Event, frozen=True, kw_only=True, tag="cancelled"):
    """The sitting ended before any item was seen."""

    reason: str


class Begun(Event, frozen=True, kw_only=True, tag="begun"):
    """The clock started."""


class SectionBegun(Event, frozen=True, kw_only=True, tag="section_begun"):
    """A section was entered."""

    section_id: str


class ExposureRead(Event, frozen=True, kw_only=True, tag="exposure_read"):
    """How often each item may be eligible in this sitting, as the counts of all sittings stood at its start.

    `probabilities` are ten-thousandths by ability segment (one where the rule knows no segments): unsigned
    16-bit little endian in base 64, one number per item of the section in the order of the package. Which
    items follow is drawn from the sitting's seed, so anybody can draw again.
    """

    section_id: str
    probabilities: tuple[bytes, ...]


class ItemPresented(Event, frozen=True, kw_only=True, tag="item_presented"):
    """One item was chosen and shown; the trace is what a replay compares.

    `eligible` items could come next, `eligible_digest` says which; `drawn` of `considered` best was taken.
    `area` is the blueprint line that was due; `relaxed` names lines that could not be kept; `barred` items
    were kept back by exposure control; `assembled` are the columns of the shadow test, `item_set` the set
    that the item continues.
    """

    position: int
    item_id: str
    theta_millionths: int
    standard_error_millionths: int
    eligible: int
    eligible_digest: str
    considered: int
    drawn: int
    area: str = ""
    relaxed: tuple[str, ...] = ()
    barred: int = 0
    assembled: tuple[int, ...] = ()
    item_set: str = ""
    thetas_millionths: tuple[int, ...] = ()


class ModuleRouted(Event, frozen=True, kw_only=True, tag="module_routed"):
    """A stage of a multistage section was entered with this module of the sitting's panel.

    Decided on the estimate and the points (as the stage counts them) that stand here; `stage` counts from 1.
    """

    section_id: str
    panel_id: str
    stage: int
    module_id: str
    theta_millionths: int
    standard_error_millionths: int
    points: int


class FormPresented(Event, frozen=True, kw_only=True, tag="form_presented"):
    """All items of a fixed form were opened, in this order, from this position on."""

    first_position: int
    item_ids: tuple[str, ...]


class ResponseRecorded(Event, frozen=True, kw_only=True, tag="response_recorded"):
    """The candidate's response to a presentation, and what it earned."""

    position: int
    response: str
    points: int
    category: int
    response_time_ms: int


class ResponseCleared(Event, frozen=True, kw_only=True, tag="response_cleared"):
    """The candidate took a fixed form's response back."""

    position: int


class PresentationFlagged(Event, frozen=True, kw_only=True, tag="presentation_flagged"):
    """A fixed form's item was marked doubtful (ragu-ragu), or the mark taken off."""

    position: int
    flagged: bool


class SectionEnded(Event, frozen=True, kw_only=True, tag="section_ended"):
    """A section is over, and why; `unmet` names the blueprint lines that did not reach their minimum, and
    those that let none of the free items come, where that is the reason.
    """

    section_id: str
    reason: str
    unmet: tuple[str, ...] = ()


class Paused(Event, frozen=True, kw_only=True, tag="paused"):
    """The clock stopped: by a proctor, the system, a change of machine."""

    by: str
    reason: str
    used_ms: int


class ResumeRequested(Event, frozen=True, kw_only=True, tag="resume_requested"):
    """The candidate is back and waits at the door."""


class Resumed(Event, frozen=True, kw_only=True, tag="resumed"):
    """The clock runs again."""


class TimeAdded(Event, frozen=True, kw_only=True, tag="time_added"):
    """An entry in the time ledger: incident minutes or an adjustment, with its reason."""

    kind: str  # incident or adjustment
    amount_ms: int
    reason: str


class Expired(Event, frozen=True, kw_only=True, tag="expired"):
    """The time allowed was used up."""

    used_ms: int


class Completed(Event, frozen=True, kw_only=True, tag="completed"):
    """Every section came to its end."""

    used_ms: int


class Terminated(Event, frozen=True, kw_only=True, tag="terminated"):
    """A proctor ended the sitting."""

    reason: str
    used_ms: int


class Reactivated(Event, frozen=True, kw_only=True, tag="reactivated"):
    """An ending was undone; the sitting is paused again."""

    reason: str


class DimensionScore(msgspec.Struct, frozen=True, kw_only=True):
    """What a section of several abilities measured of one of them."""

    name: str
    theta_millionths: int
    standard_error_millionths: int


class SectionScore(msgspec.Struct, frozen=True, kw_only=True):
    """What a section measured. Adaptive: an estimate with its error. Linear: points out of a maximum."""

    section_id: str
    mode: str
    aspect: str
    theta_millionths: int | None
    standard_error_millionths: int | None
    points: int | None
    points_maximum: int | None
    scale_score: str
    scale_error: str
    level: int
    passed: bool | None
    items: int
    stop_reason: str
    dimensions: tuple[DimensionScore, ...] = ()


class AreaScore(msgspec.Struct, frozen=True, kw_only=True):
    """Points gathered in one content area: a description, not a measurement with an error."""

    section_id: str
    area: str
    points: int
    points_maximum: int
    items: int


class Scored(Event, frozen=True, kw_only=True, tag="scored"):
    """The final score of the sitting."""

    completeness: str  # complete or partial
    sections: tuple[SectionScore, ...]
    areas: tuple[AreaScore, ...]
    passed: bool | None


class Released(Event, frozen=True, kw_only=True, tag="released"):
    """An authorised person released the result."""


AnyEvent: TypeAlias = (
    Created
    | CheckedIn
    | PledgeSigned
    | DeviceChecked
    | WaitingEntered
    | Authorised
    | Denied
    | Readmitted
    | Cancelled
    | Begun
    | ExposureRead
    | SectionBegun
    | ItemPresented
    | ModuleRouted
    | FormPresented
    | ResponseRecorded
    | ResponseCleared
    | PresentationFlagged
    | SectionEnded
    | Paused
    | ResumeRequested
    | Resumed
    | TimeAdded
    | Expired
    | Completed
    | Terminated
    | Reactivated
    | Scored
    | Released
)


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One decision in the log: who, when, and the events that follow from it, all or none of them kept."""

    revision: int
    at_ms: int
    actor: str
    events: tuple[AnyEvent, ...]
