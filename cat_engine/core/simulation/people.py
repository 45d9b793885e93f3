"""Simulated candidates: what they answer and how long it takes them.

Every draw is a hash of the person and of the item: the same person gives the same answer to an item in
whatever test it comes, so designs are compared on the same people and the same answers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cat_engine.core import exact
from cat_engine.core.compiled import CompiledPackage
from cat_engine.core.engine import ScoredResponse
from cat_engine.core.exact import Floats, Integers
from cat_engine.core.simulation.truth import (
    DRAW_CHOICES,
    RESPONSE_TIME_LOG_DEVIATION,
    RESPONSE_TIME_S,
    Ability,
    Truth,
    truth_of,
)
from cat_engine.core.state import Presentation

CATEGORY, OPTION, TIME = 1, 2, 3
_GOLDEN = 0x9E3779B97F4A7C15
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_MASK = (1 << 64) - 1


class Person(Protocol):
    """Whoever sits a simulated test."""

    def answer(self, asked: Presentation) -> ScoredResponse:
        """The response to a presentation."""
        ...

    def time_ms(self, asked: Presentation) -> int:
        """How long it takes."""
        ...


def person_key(seed: str) -> int:
    """The 64 bits that tell people apart."""
    return exact.draw(seed, "person", 0, 1 << 64)


def uniform(key: int, tie: int, purpose: int) -> float:
    """A number within (0, 1) for a person and an item: the finaliser of SplitMix64 (Steele, Lea & Flood,
    2014).
    """
    mixed = ((key ^ tie) + purpose * _GOLDEN) & _MASK
    mixed = ((mixed ^ (mixed >> 30)) * _FIRST) & _MASK
    mixed = ((mixed ^ (mixed >> 27)) * _SECOND) & _MASK
    return (((mixed ^ (mixed >> 31)) >> 11) + 0.5) / DRAW_CHOICES


def uniforms(keys: NDArray[np.uint64] | np.uint64, ties: NDArray[np.uint64], purpose: int) -> Floats:
    """The same for arrays of people or items, elementwise."""
    mixed = (keys ^ ties) + np.uint64(purpose * _GOLDEN & _MASK)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(_FIRST)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(_SECOND)
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)).astype(np.float64) / DRAW_CHOICES + (
        0.5 / DRAW_CHOICES
    )


class Respondent:
    """One person of a study, on the items as they truly are."""

    def __init__(
        self,
        compiled: CompiledPackage,
        truths: Sequence[Truth],
        thetas: Sequence[Ability],
        *,
        key: int,
        speed: float = 0.0,
    ) -> None:
        self._index_of = tuple(part.pool.index_of for part in compiled.sections)
        self._truths = truths
        self._thetas = thetas
        self._key = key
        self._speed = np.float64(speed)
        self._answers: dict[int, tuple[list[int], list[int]]] = {}

    def answer(self, asked: Presentation) -> ScoredResponse:
        """A category drawn from the item's true model, and an option that earns it."""
        truth, column = self._truths[asked.section_index], self._column(asked)
        category = self._section(asked.section_index)[0][column]
        options = truth.options[column][category]
        option = options[0]
        if len(options) > 1:
            option = options[int(uniform(self._key, int(truth.ties[column]), OPTION) * len(options))]
        return ScoredResponse(f"o{option}", truth.points_minimum[column] + category, category)

    def time_ms(self, asked: Presentation) -> int:
        """Lognormal response time."""
        return self._section(asked.section_index)[1][self._column(asked)]

    def _column(self, asked: Presentation) -> int:
        return self._index_of[asked.section_index][asked.item_id]

    def _section(self, index: int) -> tuple[list[int], list[int]]:
        """The category and the time of every item of a section."""
        found = self._answers.get(index)
        if found is None:
            truth = self._truths[index]
            key, every = np.uint64(self._key), np.arange(len(truth.columns))
            drawn = uniforms(key, truth.ties, CATEGORY)
            given = (drawn[:, None] >= truth.steps(self._thetas[index])).sum(axis=1)
            times = _milliseconds(truth.seconds(every, self._speed, uniforms(key, truth.ties, TIME)))
            found = truth.earned[every, given].tolist(), times.tolist()
            self._answers[index] = found
        return found


@dataclass(frozen=True, eq=False)
class Crowd:
    """Many people in one section: abilities, speeds and keys (N,)."""

    truth: Truth
    theta: Floats
    speed: Floats
    keys: NDArray[np.uint64]

    def categories(self, who: Integers, items: Integers) -> Integers:
        """What each of `who` answers to its own item: the recorded categories."""
        drawn = uniforms(self.keys[who], self.truth.ties[items], CATEGORY)
        given = (drawn[:, None] >= self.truth.steps_of(items, self.theta[who])).sum(axis=1)
        return np.asarray(self.truth.earned[items, given], dtype=np.int64)

    def times_ms(self, who: Integers, items: Integers) -> Integers:
        """How long each takes."""
        drawn = uniforms(self.keys[who], self.truth.ties[items], TIME)
        return _milliseconds(self.truth.seconds(items, self.speed[who], drawn))


def _milliseconds(seconds: Floats) -> Integers:
    return np.asarray(np.rint(seconds * 1000.0), dtype=np.int64)


class Responder:
    """One person whose draws depend on the position instead of the item: a seed, and abilities by section."""

    def __init__(self, compiled: CompiledPackage, theta: Mapping[str, Ability], seed: str) -> None:
        self._seed = seed
        self._index_of = tuple(part.pool.index_of for part in compiled.sections)
        self._truths = tuple(truth_of(part.pool, compiled.package.metric_d) for part in compiled.sections)
        self._steps = tuple(
            truth.steps(theta[part.section.section_id])
            for truth, part in zip(self._truths, compiled.sections, strict=True)
        )

    def answer(self, asked: Presentation) -> ScoredResponse:
        """A category drawn from the item's model at the candidate's ability, and an option that earns it."""
        truth = self._truths[asked.section_index]
        column = self._index_of[asked.section_index][asked.item_id]
        steps = self._steps[asked.section_index][column]
        given = int((self._uniform("category", asked.position) >= steps).sum())
        category = int(truth.earned[column, given])
        options = truth.options[column][category]
        option = options[exact.draw(self._seed, "option", asked.position, len(options))]
        return ScoredResponse(f"o{option}", truth.points_minimum[column] + category, category)

    def time_ms(self, asked: Presentation) -> int:
        """Lognormal response time."""
        return round(1000.0 * RESPONSE_TIME_S * math.exp(RESPONSE_TIME_LOG_DEVIATION * self._normal(asked)))

    def _normal(self, asked: Presentation) -> float:
        return _NORMAL.inv_cdf(self._uniform("time", asked.position))

    def _uniform(self, purpose: str, position: int) -> float:
        """A number within (0, 1)."""
        return (exact.draw(self._seed, purpose, position, DRAW_CHOICES) + 0.5) / DRAW_CHOICES


_NORMAL = NormalDist()
