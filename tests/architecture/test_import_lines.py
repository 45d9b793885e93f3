"""Imports go one way only, and every room has its place: the contracts stand in pyproject.toml."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.architecture.tree import PACKAGES, ROOT

LINTER = [
    sys.executable,
    "-c",
    "from importlinter.cli import lint_imports_command as run; run()",
    "--no-cache",
]


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*LINTER, "--no-logo"], cwd=root, check=False, capture_output=True, text=True)


def test_every_import_contract_is_kept() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_import_against_the_line_would_be_seen(tmp_path: Path) -> None:
    """A copy with three wrongs in it: the linter must name each, or the contracts watch the wrong folders."""
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__", "static")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "psychometrics" / "wrong.py").write_text("import web\n")
    (tmp_path / "cat_engine" / "core" / "wrong.py").write_text("import sqlalchemy\n")
    (tmp_path / "cat_engine" / "unplaced").mkdir()
    (tmp_path / "cat_engine" / "unplaced" / "__init__.py").write_text("")
    said = lint(tmp_path).stdout
    assert "psychometrics is not allowed to import web" in said
    assert "cat_engine.core.wrong -> sqlalchemy" in said
    assert "unplaced" in said
