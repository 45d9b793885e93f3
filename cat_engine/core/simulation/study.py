"""Studies: designs side by side on the same simulated people.

    report = run(Study(package_file=..., population=Normal(candidates=1000), seed="1"))

Every sitting goes through the engine's verbs, or through `core.batch` where that covers the design: it
decides the same, item for item. Only running sums are kept, so a study of a million people needs no more
memory than one of a thousand. The same study gives the same report on any number of processes.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context

import numpy as np

from cat_engine.core import batch
from cat_engine.core import events as e
from cat_engine.core.compiled import CompiledPackage, compile_package
from cat_engine.core.exact import Integers
from cat_engine.core.exposure_counts import Control, controls, faded, fading_step
from cat_engine.core.simulation import outcomes, summary
from cat_engine.core.simulation.designs import Design, DesignError, designed
from cat_engine.core.simulation.outcomes import Outcome
from cat_engine.core.simulation.people import Crowd
from cat_engine.core.simulation.population import (
    Candidate,
    Listed,
    Points,
    Population,
    Speed,
    candidate,
    population_problem,
)
from cat_engine.core.simulation.report import FORMAT, DesignReport, StudyReport
from cat_engine.core.simulation.tallies import DesignTally
from cat_engine.core.simulation.truth import Perturbation, truth_of
from cat_engine.core.state import SittingState
from cat_engine.core.test_package import PackageFile

PART = 256  # people simulated between two reports of progress
EDGES = tuple(edge / 2 for edge in range(-6, 7))  # of the intervals of ability in conditional figures
AS_PUBLISHED = Design(name="package")
ENGINE, BATCH = "engine", "batch"

Progress = Callable[[int, int], None]
"""Told how many of how many people are done."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """What to simulate. The first design is what the others are compared with; `engine_only` does without the
    batch.
    """

    package_file: PackageFile
    population: Population
    seed: str
    designs: tuple[Design, ...] = (AS_PUBLISHED,)
    speed: Speed = field(default_factory=Speed)
    perturbation: Perturbation | None = None
    engine_only: bool = False


def run(study: Study, *, processes: int = 1, progress: Progress | None = None) -> StudyReport:
    """Simulate everybody under every design. Raises DesignError for a study that cannot be run.

    Designs that read live exposure counts are simulated in the order of the people, in one process.
    """
    runner = Runner(study)
    size = study.population.size
    parts = [(first, min(first + PART, size)) for first in range(0, size, PART)]
    if processes > 1 and len(parts) > 1 and not runner.reads_counts:
        found = _on_processes(study, parts, min(processes, len(parts)))
    else:
        found = (runner.simulate(first, last) for first, last in parts)
    total = [runner.empty(compiled) for compiled in runner.designs]
    for number, tallies in enumerate(found):
        for sums, more in zip(total, tallies, strict=True):
            sums.merge(more)
        if progress is not None:
            progress(parts[number][1], size)
    return runner.report(total)


_runner_of_process: list["Runner"] = []


def _prepare(study: Study) -> None:
    _runner_of_process[:] = [Runner(study)]


def _simulate(part: tuple[int, int]) -> list[DesignTally]:
    return _runner_of_process[0].simulate(*part)


def _on_processes(
    study: Study, parts: Sequence[tuple[int, int]], processes: int
) -> Iterator[list[DesignTally]]:
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, context, _prepare, (study,)) as pool:
        yield from pool.map(_simulate, parts)


class Runner:
    """A study made ready: its designs compiled, the truth about their items known."""

    def __init__(self, study: Study) -> None:
        problem = population_problem(study.population, study.speed)
        names = [design.name for design in study.designs]
        if not problem and (not names or len(set(names)) < len(names)):
            problem = "designs need names, each its own"
        if problem:
            raise DesignError(problem)
        self.study = study
        files = [designed(study.package_file, design) for design in study.designs]
        self.designs: list[CompiledPackage] = [compile_package(file) for file in files]
        metric = study.package_file.package.metric_d
        self.truths = [
            tuple(truth_of(part.pool, metric, study.perturbation) for part in compiled.sections)
            for compiled in self.designs
        ]
        self.halls = [
            None if study.engine_only or batch.refusal(compiled) else batch.Hall(compiled)
            for compiled in self.designs
        ]
        self.counts = [[_Counts(control) for control in controls(compiled)] for compiled in self.designs]
        points = study.population.thetas if isinstance(study.population, Points) else None
        self.intervals: list[summary.Interval] = (
            [(point, point) for point in points]
            if points is not None
            else [*zip((None, *EDGES), (*EDGES, None), strict=True)]
        )

    @property
    def reads_counts(self) -> bool:
        """Whether a design needs to know what the sittings before saw."""
        return any(self.counts)

    def empty(self, compiled: CompiledPackage) -> DesignTally:
        """Sums of nothing."""
        return DesignTally.empty(compiled, len(self.intervals))

    def person(self, number: int) -> Candidate:
        """One of the population."""
        study = self.study
        return candidate(self.designs[0], study.population, study.speed, seed=study.seed, number=number)

    def simulate(self, first: int, last: int) -> list[DesignTally]:
        """The sums of people `first` to `last` - 1, by design."""
        people = [self.person(number) for number in range(first, last)]
        groups = [self._groups(person) for person in people]
        tallies = []
        of_first: list[Outcome] = []
        for number, compiled in enumerate(self.designs):
            tally = self.empty(compiled)
            found = list(self._outcomes(number, people))
            of_first = of_first or found
            for person, group, outcome, base in zip(people, groups, found, of_first, strict=True):
                tally.add(compiled, person, group, outcome, base)
            tallies.append(tally)
        return tallies

    def _groups(self, person: Candidate) -> list[int]:
        population = self.study.population
        if isinstance(population, Points):
            return [person.number % len(population.thetas)] * len(person.composites)
        return [int(group) for group in np.searchsorted(EDGES, person.composites, side="right")]

    def _outcomes(self, number: int, people: Sequence[Candidate]) -> Iterator[Outcome]:
        compiled, hall, seed = self.designs[number], self.halls[number], self.study.seed
        if hall is not None:
            crowd = Crowd(
                self.truths[number][0],
                np.array([person.thetas[0] for person in people], dtype=np.float64),
                np.array([person.speed for person in people], dtype=np.float64),
                np.array([person.key for person in people], dtype=np.uint64),
            )
            seeds = [outcomes.sitting_seed(seed, person.number) for person in people]
            yield from outcomes.through_batch(compiled, hall.run(seeds, crowd))
            return
        counts = self.counts[number]
        for person in people:
            read = [one.control.read(one.cells) for one in counts]
            outcome, state, entries = outcomes.through_engine(
                compiled, self.truths[number], person, seed, read
            )
            for one in counts:
                one.add(state, entries)
            yield outcome

    def report(self, tallies: Sequence[DesignTally]) -> StudyReport:
        """The figures."""
        study, package = self.study, self.study.package_file.package
        return StudyReport(
            format=FORMAT,
            package_code=package.code,
            package_version=package.version,
            package_title=package.title,
            package_hash=study.package_file.content_hash,
            seed=study.seed,
            population=_without_list(study.population),
            speed=study.speed,
            perturbation=study.perturbation,
            candidates=study.population.size,
            designs=tuple(self._design(number, tally) for number, tally in enumerate(tallies)),
        )

    def _design(self, number: int, tally: DesignTally) -> DesignReport:
        compiled = self.designs[number]
        verdicts = sum(tally.passed.values())
        return DesignReport(
            name=self.study.designs[number].name,
            package_hash=compiled.content_hash,
            path=ENGINE if self.halls[number] is None else BATCH,
            sittings=tally.sittings,
            complete=tally.complete,
            passed_share=tally.passed[True] / verdicts if verdicts else None,
            refused=dict(sorted(tally.refused.items())),
            used_s=summary.distribution(tally.used_s),
            sections=tuple(
                summary.section_report(part, sums, self.intervals)
                for part, sums in zip(compiled.sections, tally.sections, strict=True)
            ),
            differences=tuple(
                summary.section_differences(part.section.section_id, pairs)
                for part, pairs in zip(compiled.sections, tally.pairs, strict=True)
            )
            if number
            else (),
            used_s_difference=summary.difference(tally.used_difference, 1000.0) if number else None,
        )


def _without_list(population: Population) -> Population:
    """A list of thousands of abilities is not repeated in the report."""
    return Listed(thetas=()) if isinstance(population, Listed) else population


@dataclass
class _Counts:
    """Live counts of a section, as servers keep them: here of the sittings simulated so far."""

    control: Control
    cells: Integers = field(init=False)
    sittings: int = 0

    def __post_init__(self) -> None:
        self.cells = np.zeros(self.control.cells, dtype=np.int64)

    def add(self, state: SittingState | None, entries: Sequence[e.Entry]) -> None:
        """One more sitting; of one that the engine refused to finish nothing is counted."""
        if state is None:
            return
        for entry in entries:
            self.control.add(self.cells, state, entry)
        self.sittings += 1
        memory: int = self.control.settings.memory_sittings
        step = fading_step(memory)
        if step and self.sittings % step == 0:
            self.cells = faded(self.cells, step, memory)
