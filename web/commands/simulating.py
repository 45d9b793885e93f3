"""`cat-engine simulate`: a test package on simulated candidates, with a report as a page and as JSON."""

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from cat_engine.core.simulation.designs import Design, DesignError, decode_design
from cat_engine.core.simulation.population import Listed, Normal, Points, Population, Speed, Uniform
from cat_engine.core.simulation.study import AS_PUBLISHED, Progress, Study, run
from cat_engine.core.simulation.truth import Perturbation
from cat_engine.core.tables import verify
from cat_engine.core.test_package import PackageFile, decode_file
from cat_engine.foundation.refusals import Refused
from web.commands.simulate_options import CANDIDATES

PROGRESS_STEP_S: Final = 1.0


class StudyFileError(ValueError):
    """A file that the command was given is of no use; the sentence says why."""


def simulate(options: argparse.Namespace, arguments: Sequence[str]) -> int:
    """Simulate and write the reports; 0: done, 2: something given cannot be used."""
    try:
        study = _study(options)
        started = time.perf_counter()
        report = run(study, processes=options.processes, progress=_progress())
        seconds = time.perf_counter() - started
    except (StudyFileError, DesignError, Refused) as error:
        _say(f"cat-engine: {error}")
        return 2
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))
    if options.html is not None:
        from web.simulation.pages import render_report

        page = render_report(report, options.language, shlex.join(["cat-engine", *arguments]))
        options.html.write_text(page, encoding="utf-8")
    if options.json is None and options.html is None:
        sys.stdout.buffer.write(msgspec.json.encode(report) + b"\n")
    _say(f"{report.candidates} candidates, {len(report.designs)} designs, {seconds:.1f} s")
    return 0


def _study(options: argparse.Namespace) -> Study:
    package_file = _package(options.package)
    designs = (AS_PUBLISHED, *(_design(path) for path in options.design))
    perturbation = None
    if options.calibration_error is not None:
        slope, difficulty = options.calibration_error
        perturbation = Perturbation(
            seed=options.seed, log_slope_deviation=slope, difficulty_deviation=difficulty
        )
    return Study(
        package_file=package_file,
        designs=designs,
        population=_population(options),
        seed=options.seed,
        speed=Speed(deviation=options.speed[0], correlation=options.speed[1]) if options.speed else Speed(),
        perturbation=perturbation,
        engine_only=options.one_by_one,
    )


def _package(path: Path) -> PackageFile:
    try:
        package_file = decode_file(path.read_bytes())
    except (OSError, msgspec.DecodeError, Refused) as error:
        raise StudyFileError(f"{path}: cannot be read: {error}") from error
    problem = verify(package_file)
    if problem is not None:
        raise StudyFileError(f"{path}: {problem}")
    return package_file


def _design(path: Path) -> Design:
    try:
        return decode_design(path.read_bytes())
    except (OSError, DesignError) as error:
        raise StudyFileError(f"{path}: cannot be read: {error}") from error


def _population(options: argparse.Namespace) -> Population:
    chosen = [options.theta, options.normal, options.uniform, options.thetas_from]
    if sum(one is not None for one in chosen) > 1:
        raise StudyFileError("--theta, --normal, --uniform and --thetas-from exclude each other")
    candidates = options.candidates or CANDIDATES
    if options.theta is not None:
        return Points(thetas=options.theta, replications=candidates)
    if options.normal is not None:
        return Normal(candidates=candidates, mean=options.normal[0], deviation=options.normal[1])
    if options.uniform is not None:
        return Uniform(candidates=candidates, lower=options.uniform[0], upper=options.uniform[1])
    if options.thetas_from is not None:
        return _listed(options.thetas_from, options.candidates)
    return Normal(candidates=candidates)


def _listed(path: Path, most: int | None) -> Listed:
    try:
        lines = path.read_text(encoding="utf-8").split()
        thetas = tuple(float(line) for line in lines)
    except (OSError, ValueError) as error:
        raise StudyFileError(f"{path}: cannot be read: {error}") from error
    return Listed(thetas=thetas[:most] if most else thetas)


def _progress() -> Progress:
    """Tells standard error how far it is: in place on a terminal, now and then elsewhere."""
    started = last = time.monotonic()
    terminal = sys.stderr.isatty()

    def tell(done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if done < total and now - last < PROGRESS_STEP_S:
            return
        last = now
        left = (now - started) / done * (total - done)
        end = "\r" if terminal and done < total else "\n"
        sys.stderr.write(f"{done} / {total}, {left:.0f} s left {end}")
        sys.stderr.flush()

    return tell


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
