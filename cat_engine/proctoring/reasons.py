"""The tree of reasons that a proctor's act must give: coded, so that it can be counted and shown in any
language.
"""

from collections.abc import Mapping

from cat_engine.foundation.refusals import Refusal, Refused

REASONS: Mapping[str, tuple[str, ...]] = {
    "environment": ("comfort", "disturbance", "noise", "power", "weather"),
    "candidate": ("behaviour", "complaint", "identity", "illness", "late", "no_show", "request", "toilet"),
    "staff": ("briefing", "mistake", "shortage"),
    "technical": ("display", "freezing", "machine", "network", "server"),
}
"""Category to reasons; a code is "category.reason"."""

CODES = tuple(f"{category}.{reason}" for category, reasons in REASONS.items() for reason in reasons)


def checked(code: str) -> str:
    """The code, or a refusal: acts on people's time are never without a known reason."""
    if not code:
        raise Refused(Refusal.REASON_MISSING)
    if code not in CODES:
        raise Refused(Refusal.REASON_UNKNOWN, reason=code)
    return code
