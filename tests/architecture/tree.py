"""What the architecture tests read: the project's files, without what tools and people put beside them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("psychometrics", "cat_engine", "item_bank", "web")
TEXT_SUFFIXES = frozenset(
    {
        ".py",
        ".html",
        ".js",
        ".css",
        ".toml",
        ".md",
        ".yml",
        ".yaml",
        ".sh",
        ".sql",
        ".json",
        ".txt",
        ".in",
        ".svg",
    }
)
TEXT_NAMES = frozenset({"Makefile", "Dockerfile", "Caddyfile", "run", ".gitignore", ".dockerignore"})
MADE_BY_TOOLS = frozenset({"__pycache__", "node_modules", "build", "dist", "htmlcov", "test-results"})
MADE_IN_THE_ROOT = frozenset({"var", "secrets"})


def files(*folders: str) -> Iterator[Path]:
    """Every file below the named folders, or of the whole project."""
    for top in [ROOT / folder for folder in folders] or [ROOT]:
        for place, inner, names in os.walk(top):
            inner[:] = sorted(name for name in inner if not _is_left_out(Path(place), name))
            yield from (Path(place) / name for name in sorted(names) if not name.startswith(".env"))


def _is_left_out(place: Path, name: str) -> bool:
    hidden = name.startswith(".") and name != ".ci"
    return hidden or name in MADE_BY_TOOLS or (place == ROOT and name in MADE_IN_THE_ROOT)


def text_files(*folders: str) -> Iterator[Path]:
    """Every file that people write and read as text; files made by others lie in folders named `vendor`."""
    for path in files(*folders):
        if path.suffix in TEXT_SUFFIXES or path.name in TEXT_NAMES:
            yield path


def is_vendored(path: Path) -> bool:
    """Whether others wrote the file: it then stands in the manifest beside it."""
    return (path.parent / "manifest.json").is_file()


def shown(path: Path) -> str:
    """The path as a message names it."""
    return path.relative_to(ROOT).as_posix()
