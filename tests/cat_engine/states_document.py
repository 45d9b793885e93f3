"""docs/states.md, written out of the engine's own table: `python -m tests.cat_engine.states_document`."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from cat_engine.core import events as e
from cat_engine.core.transitions import OVER, TRANSITIONS, Status
from cat_engine.proctoring.acts import VERBS, is_possible

DOCUMENT = Path(__file__).parents[2] / "docs" / "states.md"

HEAD = """\
# The life of a sitting

Written by `python -m tests.cat_engine.states_document` out of `cat_engine/core/transitions.py`; a test fails
when the two differ. A sitting has one status. What an event does not lead from is refused with the code
`sitting_state`, and leaves nothing behind.

Whether a result counts and who may see it are kept elsewhere; a status says only where the sitting is.
"""


def words(event: type[e.Event]) -> str:
    """ItemPresented -> item presented."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", event.__name__).lower()


def diagram() -> str:
    """Every change of status as a Mermaid state diagram; events that change none are in the table."""
    labels: dict[tuple[Status, Status], list[str]] = defaultdict(list)
    for event, changes in TRANSITIONS.items():
        for before, after in changes.items():
            if before is not after:
                labels[before, after].append(words(event))
    lines = ["stateDiagram-v2", f"    [*] --> {Status.SCHEDULED.value}: created"]
    for (before, after), names in sorted(labels.items(), key=lambda edge: _order(*edge[0])):
        lines.append(f"    {before.value} --> {after.value}: {' / '.join(names)}")
    return "\n".join(["```mermaid", *lines, "```"])


def _order(before: Status, after: Status) -> tuple[int, int]:
    statuses = list(Status)
    return statuses.index(before), statuses.index(after)


def events_table() -> str:
    """Which event may happen in which status, and the status after it."""
    rows = ["| event | may happen while | then |", "|---|---|---|"]
    for event, changes in TRANSITIONS.items():
        targets = {after for before, after in changes.items() if before is not after}
        stays = all(before is after for before, after in changes.items())
        then = "as before" if stays else ", ".join(sorted(target.value for target in targets))
        before_ = ", ".join(status.value for status in Status if status in changes)
        rows.append(f"| {words(event)} | {before_} | {then} |")
    return "\n".join(rows)


def acts_table() -> str:
    """What a proctor may do in which status."""
    rows = ["| act of a proctor | offered while |", "|---|---|"]
    for act in VERBS:
        offered = ", ".join(status.value for status in Status if is_possible(act, status))
        rows.append(f"| {act} | {offered} |")
    return "\n".join(rows)


def document() -> str:
    """The whole of docs/states.md."""
    over = ", ".join(status.value for status in OVER)
    clock = (
        f"No further answer can come once a sitting is one of: {over}. The clock runs while it is"
        f" {Status.IN_PROGRESS.value}, and at no other time."
    )
    return "\n\n".join(
        [
            HEAD.strip(),
            diagram(),
            clock,
            "## Events",
            events_table(),
            "## Acts of proctors",
            acts_table() + "\n",
        ]
    )


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
