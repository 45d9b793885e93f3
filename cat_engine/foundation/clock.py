"""The server's clock: the only one that counts.

Milliseconds since 1970 (UTC) as an integer. Inside a process the clock is anchored once and then driven by
the monotonic counter, so that a jump of the machine's wall clock (a wrong time server, a summer-time change,
an operator) neither gives nor takes a candidate a second.
"""

import time
from typing import Protocol


class Clock(Protocol):
    """Anything that tells the time in milliseconds."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch, never going back within a process."""
        ...


class SystemClock:
    """Wall time at start, plus the monotonic time since."""

    def __init__(self) -> None:
        self._anchor_ms = time.time_ns() // 1_000_000 - time.monotonic_ns() // 1_000_000

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return self._anchor_ms + time.monotonic_ns() // 1_000_000

    def drift_ms(self) -> int:
        """Wall clock minus this clock: how far the wall clock has jumped or been slewed since the start."""
        return time.time_ns() // 1_000_000 - self.now_ms()
