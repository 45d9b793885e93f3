"""The tree stays readable: short files, short functions, nothing left for later, nothing of one machine."""

from __future__ import annotations

import ast
import importlib.metadata
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, ROOT, files, is_vendored, shown, text_files

FILE_LIMIT_LINES = 400
TEST_FILE_LIMIT_LINES = 500
FUNCTION_LIMIT_LINES = 50
CODE_SUFFIXES = frozenset({".py", ".html", ".js", ".css"})

# Longer than the limit because they are one table; the reason stands beside each.
LONG_BY_NATURE: dict[str, str] = {}

# A class of one letter keeps a pattern from finding itself in this file.
LEFT_FOR_LATER = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b")
UNFINISHED_CODE = re.compile(r"NotImplementedErro[r]|#.*\bfor no[w]\b", re.IGNORECASE)
ONE_MACHINE = re.compile(r"(?<![\w.])/(tm[p]|wor[k]|far[m]|roo[t]|home/[a-z]+)/")
REGISTRIES = (r"pyp[i]\.org", r"pythonhos[t]ed", r"registry\.npm[j]s", r"de[b]\.debian", r"unp[k]g\.com")
STAND_INS = re.compile(r"unittest\.moc[k]|MagicMoc[k]|fakeredi[s]|importorski[p]")
PASSED_OVER = re.compile(r"pytest\.(mark\.)?(ski[p]|xfai[l])|assert Tru[e]\b")


def code_files() -> list[Path]:
    return [path for path in files(*PACKAGES) if path.suffix in CODE_SUFFIXES and not is_vendored(path)]


def hits(paths: list[Path], pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in paths:
        for number, line in enumerate(
            path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1
        ):
            if pattern.search(line):
                found.append(f"{shown(path)}:{number}: {line.strip()[:120]}")
    return found


def length_lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_product_files_are_short() -> None:
    too_long = {shown(path): n for path in code_files() if (n := length_lines(path)) > FILE_LIMIT_LINES}
    assert {name: n for name, n in too_long.items() if name not in LONG_BY_NATURE} == {}
    assert sorted(set(LONG_BY_NATURE) - set(too_long)) == [], "no longer long: take it off the list"


def test_test_files_are_short() -> None:
    tests = [path for path in files("tests") if path.suffix == ".py"]
    assert {shown(path): n for path in tests if (n := length_lines(path)) > TEST_FILE_LIMIT_LINES} == {}


def test_functions_are_short() -> None:
    too_long = {}
    for path in (path for path in code_files() if path.suffix == ".py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LIMIT_LINES:
                    too_long[f"{shown(path)}: {node.name}"] = lines
    assert too_long == {}


def test_nothing_is_left_for_later() -> None:
    written = [path for path in text_files() if not is_vendored(path)]
    assert hits(written, LEFT_FOR_LATER) == []
    assert hits([path for path in code_files() if path.suffix == ".py"], UNFINISHED_CODE) == []


def test_no_path_of_one_machine_is_in_the_tree() -> None:
    assert hits([path for path in text_files() if not is_vendored(path)], ONE_MACHINE) == []


@pytest.mark.parametrize("host", REGISTRIES)
def test_no_package_registry_is_named(host: str) -> None:
    assert hits(list(text_files()), re.compile(host)) == []


def test_tests_use_real_parts_and_pass_over_nothing() -> None:
    tests = [path for path in files("tests") if path.suffix == ".py"]
    assert hits(tests, STAND_INS) == []
    assert hits(tests, PASSED_OVER) == []


def test_every_product_folder_is_a_package_and_no_test_folder_is() -> None:
    modules = [path for path in files(*PACKAGES) if path.suffix == ".py" and "migrations" not in path.parts]
    assert (
        sorted({shown(path.parent) for path in modules if not (path.parent / "__init__.py").is_file()}) == []
    )
    assert [shown(path) for path in files("tests") if path.name == "__init__.py"] == []


def test_the_packages_are_siblings_and_web_is_ours_alone() -> None:
    """Another distribution may install a top-level `web` too, and installers merge the folders silently."""
    owners = importlib.metadata.packages_distributions()
    for package in PACKAGES:
        assert (ROOT / package / "__init__.py").is_file()
        assert set(owners.get(package, ["cat-engine"])) == {"cat-engine"}, package


def test_file_names_do_not_differ_by_case_alone() -> None:
    """Such files are one file on a file system that ignores case."""
    counted = Counter(shown(path).lower() for path in files())
    assert [name for name, n in counted.items() if n > 1] == []
