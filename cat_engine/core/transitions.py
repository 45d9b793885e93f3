"""The life of a sitting as data: which event may follow in which status, and what the status is then.

Validity and release rights are kept elsewhere on purpose: one status field that also says whether a result
counts has been misread in every system that tried it.
"""

from collections.abc import Mapping
from enum import StrEnum

from cat_engine.core import events as e


class Status(StrEnum):
    """One line of life."""

    SCHEDULED = "scheduled"
    CHECKED_IN = "checked_in"
    WAITING = "waiting"
    AUTHORISED = "authorised"
    IN_PROGRESS = "in_progress"
    PAUSED = "paused"
    WAITING_RESUME = "waiting_resume"
    COMPLETED = "completed"
    EXPIRED = "expired"
    TERMINATED = "terminated"
    DENIED = "denied"
    CANCELLED = "cancelled"
    SCORED = "scored"
    RELEASED = "released"


S = Status

BEFORE_BEGINNING = (S.SCHEDULED, S.CHECKED_IN, S.WAITING)
UNFINISHED = (
    S.SCHEDULED,
    S.CHECKED_IN,
    S.WAITING,
    S.AUTHORISED,
    S.IN_PROGRESS,
    S.PAUSED,
    S.WAITING_RESUME,
)
FINISHED = (S.COMPLETED, S.EXPIRED, S.SCORED, S.RELEASED)
OVER = (*FINISHED, S.TERMINATED, S.DENIED, S.CANCELLED)


def _stay(*statuses: Status) -> dict[Status, Status]:
    return {status: status for status in statuses}


def _to(target: Status, *statuses: Status) -> dict[Status, Status]:
    return dict.fromkeys(statuses, target)


TRANSITIONS: Mapping[type[e.Event], Mapping[Status, Status]] = {
    e.CheckedIn: _to(S.CHECKED_IN, S.SCHEDULED, S.CHECKED_IN),
    e.PledgeSigned: _stay(S.CHECKED_IN),
    e.DeviceChecked: _stay(S.CHECKED_IN),
    e.WaitingEntered: _to(S.WAITING, S.CHECKED_IN),
    e.Authorised: _to(S.AUTHORISED, S.WAITING, S.PAUSED, S.WAITING_RESUME),
    e.Denied: _to(S.DENIED, S.SCHEDULED, S.CHECKED_IN, S.WAITING),
    # from the start: whoever was turned away says again who they are, and is looked at again
    e.Readmitted: _to(S.SCHEDULED, S.DENIED, S.CANCELLED),
    e.Cancelled: _to(S.CANCELLED, S.SCHEDULED, S.CHECKED_IN, S.WAITING),
    e.Begun: _to(S.IN_PROGRESS, S.AUTHORISED),
    e.Resumed: _to(S.IN_PROGRESS, S.AUTHORISED),
    e.ExposureRead: _stay(S.IN_PROGRESS),
    e.SectionBegun: _stay(S.IN_PROGRESS),
    e.ItemPresented: _stay(S.IN_PROGRESS),
    e.ModuleRouted: _stay(S.IN_PROGRESS),
    e.FormPresented: _stay(S.IN_PROGRESS),
    e.ResponseRecorded: _stay(S.IN_PROGRESS),
    e.ResponseCleared: _stay(S.IN_PROGRESS),
    e.PresentationFlagged: _stay(S.IN_PROGRESS),
    e.SectionEnded: _stay(S.IN_PROGRESS),
    e.Paused: _to(S.PAUSED, S.IN_PROGRESS, S.AUTHORISED),
    e.ResumeRequested: _to(S.WAITING_RESUME, S.PAUSED),
    e.TimeAdded: _stay(*UNFINISHED),
    e.Expired: _to(S.EXPIRED, S.IN_PROGRESS),
    e.Completed: _to(S.COMPLETED, S.IN_PROGRESS),
    e.Terminated: _to(S.TERMINATED, S.AUTHORISED, S.IN_PROGRESS, S.PAUSED, S.WAITING_RESUME),
    e.Reactivated: _to(S.PAUSED, S.TERMINATED),
    e.Scored: _to(S.SCORED, S.COMPLETED, S.EXPIRED),
    e.Released: _to(S.RELEASED, S.SCORED),
}
"""Created is missing: it makes the first state and may not occur again."""


def status_after(status: Status, event: e.Event) -> Status | None:
    """The status once the event has happened, or None when it may not happen now."""
    return TRANSITIONS.get(type(event), {}).get(status)
