"""Time allowed and time used: the server's ledger.

Three sources, never mixed: the base time of the test, the accommodation approved for the person, and what
proctors added (incident minutes, adjustments), each line with its actor and reason. Time runs only while a
sitting is in progress; the deadline moves when a line is added and when the clock stops.
"""

import msgspec


class LedgerLine(msgspec.Struct, frozen=True, kw_only=True):
    """One line: where some of the allowed time comes from."""

    kind: str  # base, accommodation, incident, adjustment
    amount_ms: int
    reason: str
    actor: str
    at_ms: int


class TimeLedger(msgspec.Struct, frozen=True, kw_only=True):
    """All lines, the time used up to the last stop, and since when the clock runs (None: it stands)."""

    lines: tuple[LedgerLine, ...]
    used_ms: int = 0
    running_since_ms: int | None = None

    @property
    def allowed_ms(self) -> int:
        """Sum of all lines."""
        if len(self.lines) == 1:
            return self.lines[0].amount_ms
        return sum(line.amount_ms for line in self.lines)

    def used_at(self, now_ms: int) -> int:
        """Time used by then."""
        if self.running_since_ms is None:
            return self.used_ms
        return self.used_ms + max(0, now_ms - self.running_since_ms)

    def remaining_at(self, now_ms: int) -> int:
        """Time left by then, never below zero."""
        return max(0, self.allowed_ms - self.used_at(now_ms))

    @property
    def deadline_ms(self) -> int | None:
        """When the time is up if nothing stops the clock; None while it stands."""
        if self.running_since_ms is None:
            return None
        return self.running_since_ms + self.allowed_ms - self.used_ms

    def started(self, now_ms: int) -> "TimeLedger":
        """The clock runs from now on."""
        return msgspec.structs.replace(self, running_since_ms=now_ms)

    def stopped(self, now_ms: int) -> "TimeLedger":
        """The clock stands from now on."""
        return msgspec.structs.replace(self, used_ms=self.used_at(now_ms), running_since_ms=None)

    def with_line(self, line: LedgerLine) -> "TimeLedger":
        """One more source of time."""
        return msgspec.structs.replace(self, lines=(*self.lines, line))
