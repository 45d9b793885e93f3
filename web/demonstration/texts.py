"""The rules that candidates of the demonstration accept; the words are in `pledge.toml`."""

from functools import cache
from pathlib import Path

import msgspec

from web.candidate.details import PledgeText


@cache
def demonstration_pledge() -> dict[str, PledgeText]:
    """Rules and pledge by language."""
    source = Path(__file__).with_name("pledge.toml").read_bytes()
    return msgspec.toml.decode(source, type=dict[str, PledgeText])
