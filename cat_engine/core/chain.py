"""The hash chain of a sitting's log: every entry vouches for all before it.

    chain_0 = 64 zeros        chain_r = SHA-256(chain_{r-1} || canonical JSON of entry r)

The last value is the candidate's receipt: whoever holds it can tell whether the log that is shown later is
the one that was written. Entries hold only integers, text, booleans and nulls, for which sorted compact JSON
is RFC 8785's canonical form.
"""

import base64
import hashlib

import msgspec

from cat_engine.core.events import Entry

GENESIS = "0" * 64


def extend(previous: str, entry: Entry) -> str:
    """The chain value after one more entry, hexadecimal."""
    content = msgspec.json.encode(entry, order="sorted")
    return hashlib.sha256(previous.encode() + content).hexdigest()


def receipt(chain: str) -> str:
    """A chain value as people copy it: 16 base-32 characters (80 bits) in groups of four."""
    code = base64.b32encode(bytes.fromhex(chain)[:10]).decode()
    return "-".join(code[start : start + 4] for start in range(0, 16, 4))
