"""Chance as an argument: draws are hashes of (seed, purpose, position), never a generator with a state."""

import hashlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cat_engine.core import exact
from cat_engine.core.exact import Integers

FRACTION_BITS = 32
CERTAIN = 1 << FRACTION_BITS
"""A fraction is below this; compare `fractions < probability * CERTAIN`."""


@dataclass(frozen=True)
class Chance:
    """All draws of one step of one sitting."""

    seed: str
    position: int

    def below(self, purpose: str, choices: int) -> int:
        """A number in [0, choices)."""
        return exact.draw(self.seed, purpose, self.position, choices)

    def fractions(self, purpose: str, ties: NDArray[np.uint64]) -> Integers:
        """A 32-bit number for each item, a hash of the draw and of the item's content: where an item stands
        in the pool makes no difference. Shape as `ties`.

        The mixing is the finaliser of SplitMix64 (Steele, Lea & Flood, 2014) over one SHA-256 key.
        """
        key = hashlib.sha256(f"{self.seed}|{purpose}|{self.position}".encode()).digest()
        mixed = ties ^ np.uint64(int.from_bytes(key[:8]))
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31)) ^ np.uint64(int.from_bytes(key[8:16]))
        return (mixed >> np.uint64(32)).astype(np.int64)
