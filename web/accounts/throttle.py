"""How long to wait after wrong passwords and PINs.

An attempt is charged before it is evaluated, in one guarded statement: a thousand guesses sent at once cannot
all be evaluated before the first failure is written. Success gives the charge back.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Table, Update, case, literal, update
from sqlalchemy.sql.elements import KeyedColumnElement

FREE_ATTEMPTS = 5
ACCOUNT_DELAY_S, ACCOUNT_DELAY_CAP_S = 30, 15 * 60
# a rival who knows a candidate number must not keep its owner out for long; 50 random bits need no more
PIN_DELAY_S, PIN_DELAY_CAP_S = 20, 5 * 60
_DOUBLINGS = 12


def lock_delay_s(attempts: int, first_s: int, cap_s: int) -> int:
    """Nothing for the first four attempts; then a delay that doubles with each one, up to the cap."""
    if attempts < FREE_ATTEMPTS:
        return 0
    return int(min(cap_s, first_s * 2 ** min(attempts - FREE_ATTEMPTS, _DOUBLINGS)))


def charge(
    table: Table,
    key: Mapping[str, Any],
    counter: KeyedColumnElement[int],
    locked_until_ms: KeyedColumnElement[int],
    *,
    now_ms: int,
    first_s: int,
    cap_s: int,
) -> Update:
    """The statement that counts one attempt; it changes no row while the lock lasts."""
    delays: list[tuple[ColumnElement[bool], int]] = [
        (counter + 1 == attempts, now_ms + 1000 * lock_delay_s(attempts, first_s, cap_s))
        for attempts in range(FREE_ATTEMPTS, FREE_ATTEMPTS + _DOUBLINGS)
    ]
    lock = case((counter + 1 < FREE_ATTEMPTS, literal(0)), *delays, else_=now_ms + 1000 * cap_s)
    return (
        update(table)
        .where(*(table.c[name] == value for name, value in key.items()), locked_until_ms <= now_ms)
        .values({counter.key: counter + 1, locked_until_ms.key: lock})
    )
