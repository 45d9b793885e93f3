"""The arithmetic that every decision rests on: precise, repeatable, and the same with other kernels."""

from __future__ import annotations

import hashlib
import importlib
import os
import subprocess
import sys
from collections import Counter
from decimal import Decimal, localcontext
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cat_engine.core import exact
from cat_engine.core.test_package import encode_file
from tests.cat_engine import small_packages as small

ROOT = Path(__file__).parents[3]


def _relative_error(x: float, computed: float) -> float:
    with localcontext() as context:
        context.prec = 60
        true = Decimal(x).exp()
        return float(abs((Decimal(computed) - true) / true))


@settings(deadline=None)
@given(st.floats(min_value=-700.0, max_value=700.0))
def test_the_exponential_is_within_two_ulps(x: float) -> None:
    assert _relative_error(x, float(exact.exponential(np.array([x]))[0])) < 4e-16


def test_the_exponential_is_precise_on_a_dense_grid_and_at_the_seams_of_its_reduction() -> None:
    dense = np.linspace(-40.0, 0.0, 1501)
    k = np.arange(-60, 2)
    seams = (k + 0.5) * 0.6931471805599453
    points = np.concatenate([dense, seams, np.nextafter(seams, -np.inf), np.nextafter(seams, np.inf), [0.0]])
    values = exact.exponential(points)
    assert max(_relative_error(float(x), float(y)) for x, y in zip(points, values, strict=True)) < 4e-16
    assert exact.exponential(np.array([0.0]))[0] == 1.0


def test_the_exponential_is_bounded_below_and_does_not_depend_on_what_stands_beside() -> None:
    assert exact.exponential(np.array([-1e9]))[0] == exact.exponential(np.array([-700.0]))[0] > 0.0
    points = np.linspace(-700.0, 0.0, 977)
    together = exact.exponential(points)
    alone = np.array([exact.exponential(np.array([x]))[0] for x in points])
    assert together.tobytes() == alone.tobytes()


@settings(deadline=None)
@given(st.integers(), st.integers(min_value=1))
def test_ratios_are_rounded_half_to_even(numerator: int, denominator: int) -> None:
    assert exact.round_ratio(numerator, denominator) == round(Fraction(numerator, denominator))


def test_draws_are_stable_and_even() -> None:
    """Fixed forever: another draw for the same seed would make every old sitting unverifiable."""
    assert [exact.draw("seed", "exposure", step, 5) for step in range(1, 9)] == [
        int.from_bytes(hashlib.sha256(f"seed|exposure|{step}".encode()).digest()[:8]) % 5
        for step in range(1, 9)
    ]
    assert exact.draw("00" * 16, "exposure", 1, 1000) == 577
    counts = Counter(exact.draw(f"s{number}", "exposure", number % 30, 5) for number in range(20_000))
    expected = 20_000 / 5
    assert sum((counts[k] - expected) ** 2 / expected for k in range(5)) < 18.5  # chi-square, 4 df, p = 0.001


SIMULATE = """
import hashlib, sys
from pathlib import Path
import msgspec
from cat_engine.core.compiled import compile_package
from cat_engine.core.tables import verify
from cat_engine.core.test_package import decode_file
from tests.cat_engine import small_packages as small
digest = hashlib.sha256()
package_file = decode_file(Path(sys.argv[1]).read_bytes())
compiled = compile_package(package_file)
for number in range(40):
    theta = -3.0 + 6.0 * number / 39
    for progress in small.simulated(compiled, f"kernels-{number}", theta):
        digest.update(msgspec.json.encode(progress.entry, order="sorted"))
        digest.update(msgspec.json.encode(progress.state, order="sorted"))
sys.stdout.write(f"{digest.hexdigest()} {verify(package_file)}")
"""


def _simulated_elsewhere(package: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SIMULATE, str(package)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def _vector_kernels() -> list[str]:
    """What numpy dispatches to on this processor beyond its baseline."""
    umath = importlib.import_module("numpy._core._multiarray_umath")  # numpy shows it nowhere else
    features: dict[str, bool] = umath.__cpu_features__
    dispatched: list[str] = umath.__cpu_dispatch__
    return [name for name in dispatched if features.get(name)]


@pytest.mark.timeout(180)
def test_whole_sittings_are_the_same_bytes_without_the_processor_s_vector_kernels(tmp_path: Path) -> None:
    """One package file, three processes: other hash seeds and other numpy kernels change no byte."""
    kernels = _vector_kernels()
    assert kernels, "this processor offers numpy nothing to switch off: the comparison would be empty"
    package = tmp_path / "package.json"
    package.write_bytes(encode_file(small.mixed_file()))
    here = _simulated_elsewhere(package, {})
    assert here.endswith(" None"), "the stored tables follow from the parameters on either kernel"
    assert _simulated_elsewhere(package, {"PYTHONHASHSEED": "7"}) == here
    assert _simulated_elsewhere(package, {"NPY_DISABLE_CPU_FEATURES": " ".join(kernels)}) == here
