"""What a proctor does to sittings: admit, pause, resume, extend, end, undo. One sitting, one transaction, one
ledger entry; an act on many is many acts, and each says for itself whether it worked.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from cat_engine.core import engine
from cat_engine.core import events as e
from cat_engine.core.engine import Progress
from cat_engine.core.state import SittingState
from cat_engine.core.transitions import Status, status_after
from cat_engine.delivery.sittings import SittingRef, Sittings
from cat_engine.foundation import ledger
from cat_engine.foundation.actors import Actor, Permission
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.foundation.storage import Storage
from cat_engine.proctoring.reasons import checked

EXTENSION_LIMIT_MS = 4 * 3600 * 1000


@dataclass(frozen=True)
class Order:
    """What is asked of a sitting: the act, its reason, and the time to add where that is the act."""

    act: str
    reason: str = ""
    amount_ms: int = 0
    asked_at_ms: int | None = None  # when the confirmation was shown: one confirmation gives its time once


@dataclass(frozen=True)
class Outcome:
    """What became of an order for one sitting: done, or refused with a code."""

    sitting_id: str
    refused: Refused | None = None


Verb = Callable[[SittingState, Order, int, str], Progress]


def _admit(state: SittingState, _order: Order, now_ms: int, actor: str) -> Progress:
    return engine.act(state, e.Authorised(), now_ms=now_ms, actor=actor)


def _deny(state: SittingState, order: Order, now_ms: int, actor: str) -> Progress:
    return engine.act(state, e.Denied(reason=checked(order.reason)), now_ms=now_ms, actor=actor)


def _readmit(state: SittingState, order: Order, now_ms: int, actor: str) -> Progress:
    return engine.act(state, e.Readmitted(reason=checked(order.reason)), now_ms=now_ms, actor=actor)


def _pause(state: SittingState, order: Order, now_ms: int, actor: str) -> Progress:
    return engine.pause(state, by="proctor", reason=checked(order.reason), now_ms=now_ms, actor=actor)


def _extend(state: SittingState, order: Order, now_ms: int, actor: str) -> Progress:
    if not 0 < order.amount_ms <= EXTENSION_LIMIT_MS:
        raise Refused(Refusal.TIME_AMOUNT_INVALID)
    if order.asked_at_ms is not None and any(
        (line.actor, line.amount_ms, line.reason) == (actor, order.amount_ms, order.reason)
        and line.at_ms >= order.asked_at_ms
        for line in state.time.lines
    ):
        raise Refused(Refusal.CONFLICT)
    added = e.TimeAdded(kind="incident", amount_ms=order.amount_ms, reason=checked(order.reason))
    return engine.act(state, added, now_ms=now_ms, actor=actor)


def _end(state: SittingState, order: Order, now_ms: int, actor: str) -> Progress:
    return engine.terminate(state, reason=checked(order.reason), now_ms=now_ms, actor=actor)


def _reactivate(state: SittingState, order: Order, now_ms: int, actor: str) -> Progress:
    return engine.act(state, e.Reactivated(reason=checked(order.reason)), now_ms=now_ms, actor=actor)


VERBS: Mapping[str, Verb] = {
    "admit": _admit,
    "resume": _admit,
    "deny": _deny,
    "readmit": _readmit,
    "pause": _pause,
    "extend": _extend,
    "end": _end,
    "reactivate": _reactivate,
}

NEEDS_REASON = frozenset(VERBS) - {"admit", "resume"}

_LEADS_TO: Mapping[str, e.Event] = {
    "admit": e.Authorised(),
    "resume": e.Authorised(),
    "deny": e.Denied(reason=""),
    "readmit": e.Readmitted(reason=""),
    "pause": e.Paused(by="", reason="", used_ms=0),
    "extend": e.TimeAdded(kind="", amount_ms=0, reason=""),
    "end": e.Terminated(reason="", used_ms=0),
    "reactivate": e.Reactivated(reason=""),
}

_ONLY_IN: Mapping[str, frozenset[Status]] = {
    "admit": frozenset({Status.WAITING}),
    "resume": frozenset({Status.PAUSED, Status.WAITING_RESUME}),
}
"""Admitting and resuming are one event to the engine; to a proctor they are two acts."""


def is_possible(act: str, status: Status) -> bool:
    """Whether the act may be done to a sitting in that status; boards offer only these."""
    allowed = _ONLY_IN.get(act)
    if allowed is not None and status not in allowed:
        return False
    return status_after(status, _LEADS_TO[act]) is not None


async def carry_out(
    storage: Storage, sittings: Sittings, actor: Actor, refs: Iterable[SittingRef], order: Order, at_ms: int
) -> tuple[Outcome, ...]:
    """Do one thing to several sittings; each is done wholly or refused by itself."""
    actor.require(Permission.EXAM_SESSION_PROCTOR)
    if order.act not in VERBS:
        raise Refused(Refusal.FIELD_INVALID, field="act")
    return tuple([await _one(storage, sittings, actor, ref, order, at_ms) for ref in refs])


async def _one(
    storage: Storage, sittings: Sittings, actor: Actor, ref: SittingRef, order: Order, at_ms: int
) -> Outcome:
    verb = VERBS[order.act]

    def decide(_compiled: object, state: SittingState, now_ms: int) -> Progress:
        if not is_possible(order.act, state.status):
            raise Refused(Refusal.SITTING_STATE, status=state.status.value, act=order.act)
        return verb(state, order, now_ms, actor.label)

    try:
        async with storage.transaction() as connection:
            await sittings.apply_in(connection, ref, decide)
            await ledger.append(
                connection,
                actor,
                action=f"sitting.{order.act}",
                subject=ref.sitting_id,
                at_ms=at_ms,
                detail={"reason": order.reason, "amount_ms": order.amount_ms},
            )
    except Refused as refused:
        return Outcome(ref.sitting_id, refused)
    return Outcome(ref.sitting_id)
