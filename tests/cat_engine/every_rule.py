"""Sittings under every rule of every family, and the digests of their logs.

    python -m tests.cat_engine.every_rule                      the digests, as JSON
    python -m tests.cat_engine.every_rule --write              write the digests down anew
    python -m tests.cat_engine.every_rule --freeze --write     freeze the packages anew, too
    python -m tests.cat_engine.every_rule --pythons 3.12 3.13  compare with other Pythons of this machine

A digest that changes means that sittings held before can no longer be replayed: write them anew only when
that is meant, and say so in the change log.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import msgspec
import numpy as np
from msgspec.structs import replace

from cat_engine.core import events as e
from cat_engine.core import exposure_counts, families
from cat_engine.core.compiled import compile_package
from cat_engine.core.engine import Progress
from cat_engine.core.simulation import Ability, simulate_sitting
from cat_engine.core.tables import freeze
from cat_engine.core.test_package import (
    Constraint,
    ItemSet,
    Module,
    PackageFile,
    Panel,
    PoolItem,
    Route,
    RuleChoice,
    Section,
    Share,
    Stage,
    decode_file,
    encode_file,
)
from tests.cat_engine import small_packages as small
from tests.cat_engine.rule_settings import NEEDED
from tests.cat_engine.spatial_packages import section_of as spatial_section
from tests.cat_engine.spatial_packages import spatial_item

GOLDEN = Path(__file__).parent / "golden"
FAMILIES = ("start", "selection", "content", "eligibility", "exposure", "stopping", "estimation")
LENGTH = 8
SITTINGS = 4
LIMIT = RuleChoice("fixed_length", {"items": LENGTH})


def items_of_one_ability() -> list[PoolItem]:
    """Every model in one pool, with response times, words, keys, two item sets and enemies."""
    rng = random.Random(2026)
    items = [small.choice_item(n, rng, area=("law", "ethics")[n % 2], prefix="R") for n in range(20)]
    items += [
        small.graded_item(n, rng, model=("GPCM", "GRM")[n % 2], area="ethics", prefix="J") for n in range(8)
    ]
    nominal = small.graded_item(8, rng, model="NRM", area="ethics", prefix="J")
    items.append(replace(nominal, a=1.0, b=(0.4, 0.5, 0.1, -0.6), slopes=(0.4, 0.9, 1.3, 1.8)))
    items += [
        replace(small.choice_item(20 + n, rng, area="law"), item_set=f"set{n // 3}", set_order=n % 3)
        for n in range(6)
    ]
    timed = [
        replace(
            item,
            time_intensity=round(rng.gauss(3.6, 0.3), 3),
            time_discrimination=round(rng.uniform(1.5, 2.5), 3),
            word_count=rng.randint(10, 80),
        )
        for item in items
    ]
    return list(small.with_enemies(timed, [("R0001", "R0002"), ("R0005", "J0001")]))


def base_section(items: list[PoolItem]) -> Section:
    located = [item for item in items if item.model != "NRM"]  # some rules need a difficulty
    base = small.adaptive_section("s", located, stopping=(LIMIT,), sizes=(3, 2, 1))
    return replace(
        base,
        blueprint=(Share("law", 500), Share("ethics", 500)),
        constraints=(
            Constraint(name="law", attribute="area", value="law", minimum=3, maximum=5),
            Constraint(name="words", attribute="words", maximum=500),
            Constraint(name="key 1", attribute="key", value="1", maximum=3, priority=2),
        ),
        item_sets=(ItemSet(set_id="set0", minimum_items=2), ItemSet(set_id="set1", ordered=True)),
    )


def write_packages() -> None:
    """Freeze the two packages that all designs share: their tables are part of what is fixed."""
    one = items_of_one_ability()
    rng = random.Random(2)
    several = [spatial_item(number, rng, 2) for number in range(24)]
    spatial = spatial_section(several, 2, "determinant_optimality")
    GOLDEN.mkdir(exist_ok=True)
    for name, items, section in (("one", one, base_section(one)), ("several", several, spatial)):
        data = encode_file(freeze(small.package_of(items, [section])))
        (GOLDEN / f"{name}.json.gz").write_bytes(gzip.compress(data, mtime=0))


@cache
def frozen(name: str) -> PackageFile:
    """One of the two packages as it was frozen once."""
    return decode_file(gzip.decompress((GOLDEN / f"{name}.json.gz").read_bytes()))


def designs() -> Iterator[tuple[str, PackageFile]]:
    """A package for each rule of each family, and one multistage section; their names say which."""
    for family in FAMILIES:
        for name, rule in families.members(f"cat_engine.core.{family}").items():
            held = frozen("several" if rule.abilities == families.SEVERAL else "one")
            yield f"{family}/{name}", _with(held, _section(held.package.sections[0], family, name))
    held = frozen("one")
    section = held.package.sections[0]
    yield "mode/multistage", _with(held, _multistage(section))
    everything = tuple(item.item_id for item in held.package.items)
    yield "model/nominal", _with(held, replace(section, item_ids=everything))


def _with(held: PackageFile, section: Section) -> PackageFile:
    return replace(held, package=replace(held.package, sections=(section,)))


def _section(base: Section, family: str, name: str) -> Section:
    choice = RuleChoice(name, NEEDED.get(name, {}))
    match family:
        case "start":
            return replace(base, start=choice)
        case "selection":
            return replace(base, selection=choice)
        case "content":
            return replace(base, content=choice)
        case "eligibility":
            return replace(base, eligibility=choice)
        case "exposure":
            return replace(base, exposure=choice)
        case "stopping":
            return replace(base, stopping=(choice, LIMIT))
        case _:
            return replace(base, interim_estimator=choice, final_estimator=choice)


def _multistage(base: Section) -> Section:
    ids = base.item_ids
    stages = (
        Stage(modules=(Module(module_id="start", item_ids=ids[0:4]),)),
        Stage(
            modules=(
                Module(module_id="low", item_ids=ids[4:8]),
                Module(module_id="high", item_ids=ids[8:12]),
            ),
            routes=(Route(cuts=(0,)),),
        ),
    )
    return replace(
        base,
        mode="multistage",
        panels=(Panel(panel_id="a", stages=stages),),
        blueprint=(),
        constraints=(),
        item_sets=(),
        stopping=(),
    )


def sittings_of(package_file: PackageFile) -> Iterator[list[Progress]]:
    """A few whole sittings, at abilities from low to high."""
    compiled = compile_package(package_file)
    section = compiled.sections[0].section
    for number in range(SITTINGS):
        created = small.created_on(compiled, seed=f"every-{number}")
        former = e.FormerEstimate(
            section_id=section.section_id, theta_millionths=400_000, standard_error_millionths=350_000
        )
        theta: Ability = -1.5 + number
        if section.dimensions:
            theta = (theta, 0.5 - theta)
        yield simulate_sitting(
            compiled,
            replace(created, former=(former,)),
            {section.section_id: theta},
            small.START_MS,
            f"responder-{number}",
            exposure=_read(package_file),
        )


def digest_of(package_file: PackageFile) -> str:
    """SHA-256 over the logs and last states of a few sittings, shortened."""
    digest = hashlib.sha256()
    for progresses in sittings_of(package_file):
        for progress in progresses:
            digest.update(msgspec.json.encode(progress.entry, order="sorted"))
        digest.update(msgspec.json.encode(progresses[-1].state, order="sorted"))
    return digest.hexdigest()[:32]


def _read(package_file: PackageFile) -> tuple[e.ExposureRead, ...]:
    """What a counting rule reads when the counts are even, some items rarer."""
    compiled = compile_package(package_file)
    found = []
    for control in exposure_counts.controls(compiled):
        shares = np.arange(control.pool.size) % 5 * 2_000 + 2_000
        row = shares.astype("<u2").tobytes()
        found.append(e.ExposureRead(section_id=control.section_id, probabilities=(row,) * control.segments))
    return tuple(found)


def digests() -> dict[str, str]:
    """The digest of every design."""
    return {name: digest_of(package_file) for name, package_file in designs()}


def _elsewhere(version: str, folder: Path) -> dict[str, str]:
    """The digests by another Python, in an environment of its own."""
    environment = folder / version
    subprocess.run([f"python{version}", "-m", "venv", str(environment)], check=True)
    python = str(environment / "bin" / "python")
    wanted = [
        line.split(" ")[0]
        for line in Path("requirements/runtime.txt").read_text(encoding="utf-8").splitlines()
        if line.startswith(("numpy==", "scipy==", "msgspec==", "highspy=="))
    ]
    subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=True)
    done = subprocess.run(
        [python, "-m", "tests.cat_engine.every_rule"], check=True, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--freeze", action="store_true")
    parser.add_argument("--pythons", nargs="*", default=[])
    options = parser.parse_args()
    if options.freeze:
        write_packages()
    found = digests()
    if options.write:
        (GOLDEN / "digests.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(json.dumps(found, indent=1) + "\n")
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        for version in options.pythons:
            other = _elsewhere(version, Path(folder))
            wrong = [name for name, digest in found.items() if other.get(name) != digest]
            different += len(wrong)
            sys.stderr.write(
                f"Python {version}: {len(found) - len(wrong)} of {len(found)} the same {wrong}\n"
            )
    return int(different > 0)


if __name__ == "__main__":
    raise SystemExit(main())
