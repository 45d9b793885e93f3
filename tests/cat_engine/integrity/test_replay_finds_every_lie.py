"""A sitting that was exported is decided again; whatever was changed in between is named.

Three liars: one edits the file; one edits it and makes the chain again; one has the whole engine and invents
a sitting that is true in itself. The third is beyond any replay, and is stopped by the receipt that the
candidate holds. What the second can hide is listed here, field by field: the list is part of the promise.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import Any, get_args

import msgspec
import pytest
from msgspec.structs import replace

from cat_engine.core import chain
from cat_engine.core import events as e
from cat_engine.core.compiled import compile_package
from cat_engine.core.simulation import simulate_sitting
from cat_engine.core.tables import freeze, verify
from cat_engine.core.test_package import PackageFile, content_hash
from cat_engine.integrity.exports import SittingFile, decode_sitting
from cat_engine.integrity.replay import Finding, replay_sitting
from tests.cat_engine import small_packages as small
from tests.cat_engine.recorded_sittings import (
    as_json,
    chain_of,
    changed,
    eventful,
    expired,
    leaves,
    package_file,
)


def found(
    document: Any, *, rechain: bool = False, package: PackageFile | None = None
) -> Finding | str | None:
    """What the replay of a document says; a document that cannot be read is found too."""
    try:
        sitting = decode_sitting(msgspec.json.encode(document))
    except msgspec.ValidationError as error:
        return str(error)
    if rechain:
        sitting = replace(sitting, chain=chain_of(sitting.entries))
    return replay_sitting(package or package_file(), sitting)


def test_recorded_sittings_hold_every_kind_of_event_but_none_that_lies() -> None:
    kinds = set()
    for sitting in (eventful(), expired()):
        assert replay_sitting(package_file(), sitting) is None
        kinds |= {type(event) for entry in sitting.entries for event in entry.events}
    assert kinds == set(get_args(e.AnyEvent))


def test_simulated_sittings_replay_identically() -> None:
    compiled = small.mixed()
    for number in range(12):
        progresses = simulate_sitting(
            compiled, small.created_on(compiled, seed=f"s{number}"), small.THETA, small.START_MS, f"r{number}"
        )
        entries = tuple(progress.entry for progress in progresses)
        sitting = SittingFile(
            sitting_id=f"sitting-s{number}",
            package_hash=compiled.content_hash,
            entries=entries,
            chain=chain_of(entries),
        )
        assert replay_sitting(small.mixed_file(), sitting) is None


# --------------------------------------------------------------------------------- who edits the file


@pytest.mark.parametrize("sitting", [eventful, expired])
def test_no_value_can_be_changed_unseen(sitting: Any) -> None:
    document = as_json(sitting())
    unseen = [path for path in leaves(document) if found(changed(document, path)) is None]
    assert unseen == []


def test_a_changed_answer_is_named_with_its_entry() -> None:
    document = as_json(eventful())
    path = next(p for p in leaves(document) if p[-1] == "response")
    finding = found(changed(document, path))
    assert isinstance(finding, Finding)
    revision = document["entries"][path[1]]["revision"]
    assert f"entry {revision}" in str(finding)
    assert "recorded" in str(finding)


def test_entries_cannot_be_left_out_doubled_or_moved() -> None:
    document = as_json(eventful())
    count = len(document["entries"])
    for index in range(count):
        for rechain in (False, True):
            without = as_json(eventful())
            del without["entries"][index], without["chain"][index]
            last = index == count - 1
            assert last or found(without, rechain=rechain) is not None
            doubled = as_json(eventful())
            doubled["entries"].insert(index, doubled["entries"][index])
            doubled["chain"].insert(index, doubled["chain"][index])
            assert found(doubled, rechain=rechain) is not None
            if not last:
                swapped = as_json(eventful())
                entries = swapped["entries"]
                entries[index], entries[index + 1] = entries[index + 1], entries[index]
                assert found(swapped, rechain=rechain) is not None


def test_an_empty_log_is_no_sitting() -> None:
    for entries in ((), (replace(eventful().entries[0], events=()),), eventful().entries[1:]):
        sitting = replace(eventful(), entries=entries, chain=chain_of(entries))
        assert replay_sitting(package_file(), sitting) is not None


# ------------------------------------------------------------------------- who makes the chain again too

HIDEABLE = {
    "created.candidate": "names the person; whose sitting it is stands in the database and on the receipt",
    "created.accommodation_ms": "an approval from outside; only moves a deadline that was not met",
    "entry.actor": "who acted is what the server says; the ledger says it a second time",
    "entry.at_ms": "the moment of an act that measures no time: check-in, admission, a mark, the sweep",
    "exposure_read.probabilities": "counts of other sittings; only as far as the same items follow",
    "checked_in.seat": "observed, decides nothing",
    "pledge_signed.text_hash": "observed, decides nothing",
    "device_checked.javascript": "observed, decides nothing",
    "device_checked.clock_offset_ms": "observed, decides nothing",
    "denied.reason": "a proctor's reason, also in the ledger",
    "readmitted.reason": "a proctor's reason, also in the ledger",
    "cancelled.reason": "a proctor's reason, also in the ledger",
    "reactivated.reason": "a proctor's reason, also in the ledger",
    "terminated.reason": "a proctor's reason, also in the ledger",
    "paused.by": "a proctor's act, also in the ledger",
    "paused.reason": "a proctor's reason, also in the ledger",
    "time_added.kind": "a proctor's act, also in the ledger",
    "time_added.amount_ms": "a proctor's act, also in the ledger; moves a deadline that was not met",
    "time_added.reason": "a proctor's reason, also in the ledger",
    "response_recorded.position": "a fixed form's answer worth nothing, replaced or taken back later",
    "response_recorded.response": "only for another option that earns exactly the same",
}
"""What somebody who recomputes the chain can change in a single place, and why no replay can know better."""


@cache
def hidden() -> dict[str, list[Any]]:
    """The changes that pass when the chain is made again, by field."""
    passing = defaultdict(list)
    for sitting in (eventful(), expired()):
        document = as_json(sitting)
        for path in leaves(document["entries"], ("entries",)):
            if found(changed(document, path), rechain=True) is None:
                entry = document["entries"][path[1]]
                event = entry["events"][path[3]] if path[2] == "events" else None
                name = next(step for step in reversed(path) if isinstance(step, str))
                passing[f"{event['type'] if event else 'entry'}.{name}"].append((sitting, path))
    return passing


def test_what_a_new_chain_can_hide_is_exactly_what_is_listed() -> None:
    assert set(hidden()) == set(HIDEABLE)


def test_no_moment_that_measures_time_can_be_moved() -> None:
    measuring = (e.Begun, e.Resumed, e.Paused, e.Terminated, e.ResponseRecorded, e.Completed)
    for sitting, path in hidden()["entry.at_ms"]:
        assert not any(isinstance(event, measuring) for event in sitting.entries[path[1]].events)


def test_an_answer_that_earns_something_else_cannot_be_hidden() -> None:
    """Every recorded response is changed to every other option: only equal points ever pass."""
    compiled = compile_package(package_file())
    sitting = eventful()
    item_of: dict[int, str] = {}
    tried = passed = 0
    for index, entry in enumerate(sitting.entries):
        for event in entry.events:
            if isinstance(event, e.ItemPresented):
                item_of[event.position] = event.item_id
            elif isinstance(event, e.FormPresented):
                item_of |= dict(enumerate(event.item_ids, start=event.first_position))
        first = entry.events[0]
        if not isinstance(first, e.ResponseRecorded):
            continue
        points = compiled.items[item_of[first.position]].option_points
        for option in range(1, 6):
            if f"o{option}" == first.response:
                continue
            forged = replace(entry, events=(replace(first, response=f"o{option}"), *entry.events[1:]))
            entries = (*sitting.entries[:index], forged, *sitting.entries[index + 1 :])
            finding = replay_sitting(
                package_file(), replace(sitting, entries=entries, chain=chain_of(entries))
            )
            tried += 1
            if finding is None:
                passed += 1
                assert points[option - 1] == first.points
            elif points[option - 1] != first.points:
                assert f"entry {entry.revision}" in finding.where
    assert tried == 48
    assert 0 < passed < tried


def test_the_seed_cannot_be_exchanged() -> None:
    created = eventful().entries[0].events[0]
    assert isinstance(created, e.Created)
    for number in range(20):
        forged = replace(eventful().entries[0], events=(replace(created, seed=f"{number:032x}"),))
        entries = (forged, *eventful().entries[1:])
        assert replay_sitting(package_file(), replace(eventful(), entries=entries, chain=chain_of(entries)))


def test_an_exposure_that_would_have_let_other_items_pass_cannot_be_put_in() -> None:
    """All items eligible instead of some, another order of them, none read at all: each is found."""
    index = next(n for n, entry in enumerate(eventful().entries) if isinstance(entry.events[0], e.Begun))
    entry = eventful().entries[index]
    read = entry.events[1]
    assert isinstance(read, e.ExposureRead)
    everything = tuple(b"\x10\x27" * 12 for _ in read.probabilities)
    backwards = tuple(row[::-1] for row in read.probabilities)
    forged_events = [
        (entry.events[0], replace(read, probabilities=everything), *entry.events[2:]),
        (entry.events[0], replace(read, probabilities=backwards), *entry.events[2:]),
        (entry.events[0], read, read, *entry.events[2:]),
        (entry.events[0], *entry.events[2:]),
    ]
    for events in forged_events:
        forged = replace(entry, events=events)
        entries = (*eventful().entries[:index], forged, *eventful().entries[index + 1 :])
        assert replay_sitting(package_file(), replace(eventful(), entries=entries, chain=chain_of(entries)))


def test_items_endings_and_scores_cannot_be_written_in_by_themselves() -> None:
    """Entries that begin with what only the engine decides: an item, an end, a better score."""
    scored = eventful().entries[-2].events[-1]
    assert isinstance(scored, e.Scored)
    before = 20  # in progress, an item shown
    entries = eventful().entries[:before]
    position = 1 + max(x.position for y in entries for x in y.events if isinstance(x, e.ItemPresented))
    presented = next(x for y in entries for x in y.events if isinstance(x, e.ItemPresented))
    forgeries: tuple[tuple[e.AnyEvent, ...], ...] = (
        (replace(presented, position=position, item_id="item-R-0011"),),
        (e.FormPresented(first_position=position, item_ids=("item-K-0000",)),),
        (e.SectionBegun(section_id="second"),),
        (e.Completed(used_ms=1),),
        (e.Completed(used_ms=1), scored),
        (e.Expired(used_ms=1), scored),
        (e.ResponseRecorded(position=1, response="o1", points=1, category=1, response_time_ms=1), scored),
    )
    head = entries[-1]
    for events in forgeries:
        forged = e.Entry(
            revision=head.revision + 1, at_ms=head.at_ms + 1, actor=small.CANDIDATE, events=events
        )
        log = (*entries, forged)
        finding = replay_sitting(package_file(), replace(eventful(), entries=log, chain=chain_of(log)))
        assert finding is not None, events
        assert finding.where.startswith(f"entry {forged.revision}")
    rescored = e.Entry(
        revision=head.revision + 2, at_ms=head.at_ms + 1, actor=small.CANDIDATE, events=(scored,)
    )
    log = (*entries, replace(rescored, revision=head.revision + 1))
    assert replay_sitting(package_file(), replace(eventful(), entries=log, chain=chain_of(log))) is not None


# ------------------------------------------------------------------------------ who edits the test package


HASH = "content does not match the package's hash"


def _package_leaves() -> list[Any]:
    return list(leaves(msgspec.json.decode(msgspec.json.encode(package_file().package))))


def test_no_parameter_of_the_package_can_be_changed_unseen() -> None:
    """Every value of the package, with its hash kept, and with its hash made again."""
    document = msgspec.json.decode(msgspec.json.encode(package_file()))
    for path in _package_leaves():
        edited_document = changed(document, ("package", *path))
        try:
            edited = msgspec.convert(edited_document, PackageFile)
        except msgspec.ValidationError:
            continue
        problem = verify(edited)
        assert problem is not None, path
        if path[0] == "items" and path[2] in ("a", "b", "c"):
            assert package_file().package.items[int(path[1])].code in problem
        sealed = replace(edited, content_hash=content_hash(edited.package, edited.tables))
        assert problem != HASH or replay_sitting(sealed, eventful()) is not None, path


def test_another_package_cannot_be_put_in_place_of_the_real_one() -> None:
    """Parameters changed, tables frozen anew, the sitting's hashes and chain made again: decisions differ."""
    answered = [
        event.item_id
        for entry in eventful().entries
        for event in entry.events
        if isinstance(event, e.ItemPresented)
    ]
    package = package_file().package
    for item_id in answered:
        items = tuple(
            replace(item, b=tuple(b + 0.7 for b in item.b)) if item.item_id == item_id else item
            for item in package.items
        )
        other = freeze(replace(package, items=items))
        created = eventful().entries[0].events[0]
        assert isinstance(created, e.Created)
        first = replace(eventful().entries[0], events=(replace(created, package_hash=other.content_hash),))
        entries = (first, *eventful().entries[1:])
        sitting = replace(
            eventful(), package_hash=other.content_hash, entries=entries, chain=chain_of(entries)
        )
        finding = replay_sitting(other, sitting)
        assert finding is not None
        assert finding.where.startswith("entry ")


# --------------------------------------------------------------------------------- who invents a sitting


def test_an_invented_sitting_is_true_in_itself_but_not_on_the_receipt() -> None:
    compiled = small.mixed()
    created = small.created_on(compiled, seed="invented")
    logs = []
    for theta in (0.0, 2.5):
        abilities = dict.fromkeys(small.THETA, theta)
        progresses = simulate_sitting(compiled, created, abilities, small.START_MS, f"r{theta}")
        entries = tuple(progress.entry for progress in progresses)
        logs.append(chain_of(entries)[-1])
        sitting = SittingFile(
            sitting_id=created.sitting_id,
            package_hash=compiled.content_hash,
            entries=entries,
            chain=chain_of(entries),
        )
        assert replay_sitting(small.mixed_file(), sitting) is None
    receipts = [chain.receipt(head) for head in logs]
    assert receipts[0] != receipts[1]
    assert all(len(code) == 19 and code.count("-") == 3 for code in receipts)


def test_a_log_cut_off_at_its_end_is_told_by_the_receipt_alone() -> None:
    cut = replace(eventful(), entries=eventful().entries[:-3], chain=eventful().chain[:-3])
    assert replay_sitting(package_file(), cut) is None
    assert chain.receipt(cut.chain[-1]) != chain.receipt(eventful().chain[-1])
