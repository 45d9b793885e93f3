"""After the kills: what the candidates remember against what the database holds, sitting by sitting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from sqlalchemy import select

from cat_engine.core import chain
from cat_engine.core import events as e
from cat_engine.core.state import CorruptLogError, fold
from cat_engine.core.test_package import decode_file
from cat_engine.delivery.sittings import read_log
from cat_engine.delivery.tables import sitting_log, sittings, test_packages
from cat_engine.foundation.storage import Storage
from cat_engine.integrity.replay import replay
from tests.faults.candidates import Acknowledged, ClockReading, Memory

CLOCK_SLACK_MS = 500
LOST_TIME_LIMIT_MS = 4000
"""What one outage may cost a candidate: an outage below 2.5 s is not given back at all, and between the
moment up to which it is given back and the first reply lies the rest of the server's start.
"""


@dataclass(frozen=True)
class Outage:
    """From a kill to the first good reply to something sent when the victim was gone."""

    target: str
    killed_ms: int
    good_ms: int
    crowding: float  # programs that want a processor, per processor; 1.0 when there is one for each

    @property
    def recovery_s(self) -> float:
        return (self.good_ms - self.killed_ms) / 1000


@dataclass
class Audit:
    """The counts of the table, and what must not be there at all."""

    sittings: int = 0
    finished: int = 0
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    unacknowledged: int = 0
    cut_off: int = 0
    replayed: int = 0
    worst_lost_time_ms: int = 0
    findings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Log:
    """One sitting's log as it is stored."""

    sitting_id: str
    entries: list[e.Entry]
    heads: list[str]

    def recorded(self) -> Iterator[tuple[int, e.ResponseRecorded]]:
        for entry in self.entries:
            for event in entry.events:
                if isinstance(event, e.ResponseRecorded):
                    yield entry.at_ms, event


async def compare(storage: Storage, memory: Memory, outages: Sequence[Outage], *, replays: int) -> Audit:
    """Read every sitting and hold it against the candidates' memory."""
    audit = Audit(finished=len(memory.finished), acknowledged=len(memory.acknowledged))
    audit.findings += sorted(set(memory.contradictions))
    remembered: dict[str, list[Acknowledged]] = {}
    for known in memory.acknowledged:
        remembered.setdefault(known.sitting_id, []).append(known)
    logs = await _logs(storage)
    for log in logs:
        _check_log(audit, log)
        _check_answers(audit, log, remembered.pop(log.sitting_id, []), memory.forgotten)
        _check_clock(audit, log.sitting_id, memory.readings.get(log.sitting_id, []), outages)
    for sitting_id, answers in remembered.items():
        audit.lost += len(answers)
        audit.findings.append(f"{sitting_id}: the whole sitting is gone")
    audit.sittings = sum(any(True for _ in log.recorded()) for log in logs)
    await _replay_some(audit, storage, [log for log in logs if log.sitting_id in memory.finished][:replays])
    return audit


async def _logs(storage: Storage) -> list[_Log]:
    async with storage.reading() as connection:
        ids = (await connection.execute(select(sitting_log.c.sitting_id).distinct())).scalars().all()
        return [_Log(sitting_id, *await read_log(connection, sitting_id)) for sitting_id in sorted(ids)]


def _check_log(audit: Audit, log: _Log) -> None:
    """Revisions without a gap, a chain that holds, no item shown twice."""
    revisions = [entry.revision for entry in log.entries]
    if revisions != list(range(1, len(revisions) + 1)):
        audit.findings.append(f"{log.sitting_id}: revisions {revisions} have a gap")
    head = chain.GENESIS
    for entry, stored in zip(log.entries, log.heads, strict=True):
        head = chain.extend(head, entry)
        if head != stored:
            audit.findings.append(f"{log.sitting_id}: the chain breaks at revision {entry.revision}")
            break
    shown = Counter[str]()
    for entry in log.entries:
        for event in entry.events:
            if isinstance(event, e.ItemPresented):
                shown.update([event.item_id])
            elif isinstance(event, e.FormPresented):
                shown.update(event.item_ids)
    audit.findings += [
        f"{log.sitting_id}: {item_id} shown {n} times" for item_id, n in shown.items() if n > 1
    ]
    try:
        fold(log.entries)
    except CorruptLogError as error:
        audit.findings.append(f"{log.sitting_id}: {error}")


def _check_answers(
    audit: Audit, log: _Log, answers: list[Acknowledged], forgotten: set[tuple[str, int]]
) -> None:
    """Each acknowledged answer is there, once, as it was given; nothing else is there twice."""
    stored: dict[int, list[tuple[int, str]]] = {}
    for at_ms, event in log.recorded():
        stored.setdefault(event.position, []).append((at_ms, event.response))
    audit.doubled += sum(len(found) - 1 for found in stored.values())
    known = {answer.position for answer in answers}
    audit.unacknowledged += len(set(stored) - known)
    for answer in answers:
        found = stored.get(answer.position, [])
        is_there = any(response == answer.response for _, response in found)
        if not is_there or (log.sitting_id, answer.position) in forgotten:
            audit.lost += 1
        elif answer.attempts > 1 and any(at_ms < answer.sent_ms for at_ms, _ in found):
            audit.cut_off += 1


def _check_clock(
    audit: Audit, sitting_id: str, readings: list[ClockReading], outages: Sequence[Outage]
) -> None:
    """No outage was taken from a candidate's time: between two readings of the clock on the page, the time
    used is at most the time that passed less the outages in between.
    """
    if len(readings) < 2:
        return
    first, last = readings[0], readings[-1]
    between = [o for o in outages if o.killed_ms >= first.received_ms and o.good_ms <= last.sent_ms]
    down_ms = sum(o.good_ms - o.killed_ms for o in between if o.target != "redis")
    elapsed_ms = last.received_ms - first.sent_ms
    used_ms = first.remaining_ms - last.remaining_ms
    lost_ms = used_ms - (elapsed_ms - down_ms)
    if between:
        audit.worst_lost_time_ms = max(audit.worst_lost_time_ms, round(lost_ms / len(between)))
    if lost_ms > len(between) * LOST_TIME_LIMIT_MS + CLOCK_SLACK_MS:
        audit.findings.append(f"{sitting_id}: {lost_ms} ms of outages were taken from the candidate's time")


async def _replay_some(audit: Audit, storage: Storage, logs: Sequence[_Log]) -> None:
    """Decide some finished sittings again; the engine must come to the very same log."""
    async with storage.reading() as connection:
        rows = await connection.execute(
            select(sittings.c.id, test_packages.c.document, test_packages.c.content_hash)
            .join(test_packages, test_packages.c.id == sittings.c.package_id)
            .where(sittings.c.id.in_([log.sitting_id for log in logs]))
        )
        packages = {row.id: (row.document, row.content_hash) for row in rows}
    for log in logs:
        document, package_hash = packages[log.sitting_id]
        finding = replay(decode_file(document), package_hash, tuple(log.entries), tuple(log.heads))
        audit.replayed += 1
        if finding is not None:
            audit.findings.append(f"{log.sitting_id}: replay differs at {finding}")
