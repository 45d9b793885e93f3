"""docs/methods.md is the code's own text, and nothing that computes is missing from it."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import psychometrics.selection
from cat_engine.core import families, selection
from psychometrics.models.items import ResponseModel
from psychometrics.multidimensional.items import MultidimensionalModel
from tests.documents import completeness
from tests.documents.completeness import gaps, library, methods, rules
from tests.documents.literature import citations, entries, label, order
from tests.documents.methods import DOCUMENT, FAMILIES, document, slug

RULE = '''
import msgspec

from cat_engine.core.families import About, Rule

class Settings(msgspec.Struct, frozen=True):
    """Nothing to set."""


def newcomer(view, *, settings):
    """All items alike."""

RULE = Rule("newcomer", Settings, newcomer, About(formula={formula!r}, source={source!r}, use="Never."))
'''
METHOD = '''
def newcomer(theta: float) -> float:
    """Half of theta."""
    return theta / 2
'''


def _widened(package: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder, whose module `newcomer` belongs to the package for one test."""
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(folder)])
    families.members.cache_clear()
    yield folder / "newcomer.py"
    sys.modules.pop(f"{package.__name__}.newcomer", None)
    vars(package).pop("newcomer", None)
    families.members.cache_clear()


@pytest.fixture
def rule_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    yield from _widened(selection, tmp_path, monkeypatch)


@pytest.fixture
def library_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    yield from _widened(psychometrics.selection, tmp_path, monkeypatch)


def test_the_document_is_what_the_code_says() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "python -m tests.documents.methods"


def test_nothing_is_undocumented() -> None:
    assert gaps() == []


def test_all_families_and_models_are_there() -> None:
    assert set(FAMILIES) == set(rules())
    held = [code for method in methods() for code in method.code]
    for model in (*ResponseModel, *MultidimensionalModel):
        assert [code is model for code in held].count(True) == 1, model


def test_the_walk_finds_what_computes_and_leaves_what_only_checks() -> None:
    names = {f"{code.__module__}.{code.__qualname__}" for code in library()}
    assert "psychometrics.estimation.eap.eap_estimates" in names
    assert "psychometrics.scaling.ReportingScale" in names
    assert "psychometrics.selection.choice.Sense" in names
    assert "psychometrics.scaling.check_cut_scores" not in names
    assert len(names) > 150


def test_a_rule_without_its_formula_is_found(rule_file: Path) -> None:
    rule_file.write_text(RULE.format(formula=" ", source="Lord (1980)"), encoding="utf-8")
    assert gaps() == ["selection.newcomer: about has no formula"]


def test_a_rule_of_unknown_literature_is_found(rule_file: Path) -> None:
    rule_file.write_text(RULE.format(formula="u_i = 1", source="Nobody (1999)"), encoding="utf-8")
    assert gaps() == ["selection.newcomer: the list of literature has no entry for Nobody (1999)"]


def test_a_rule_that_says_all_only_makes_the_document_stale(rule_file: Path) -> None:
    before = document()
    families.members.cache_clear()
    rule_file.write_text(RULE.format(formula="u_i = 1", source="Lord (1980)"), encoding="utf-8")
    assert gaps() == []
    assert document() != before
    assert "### newcomer\n\nAll items alike.\n\n```text\nu_i = 1\n```\n" in document()


def test_a_function_of_the_library_that_is_in_no_method_is_found(library_file: Path) -> None:
    library_file.write_text(METHOD, encoding="utf-8")
    assert gaps() == ["psychometrics.selection.newcomer.newcomer: not in the catalogue"]


def test_a_method_taken_out_of_the_catalogue_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *rest = completeness.CATALOGUE
    monkeypatch.setattr(completeness, "CATALOGUE", tuple(rest))
    assert len(gaps()) > len(first.methods)


def test_every_link_leads_somewhere() -> None:
    text = re.sub(r"```text\n.*?```", "", document(), flags=re.DOTALL)
    anchors = [slug(heading) for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)]
    assert len(anchors) == len(set(anchors)), "two headings with one anchor"
    targets = re.findall(r"\]\(([^)]+)\)", text)
    assert len(targets) > 300
    for target in set(targets):
        if target.startswith("#"):
            assert target[1:] in anchors, target
        else:
            assert (DOCUMENT.parent / target).is_file(), target


def test_entries_are_labelled_as_texts_cite_them() -> None:
    known = entries()
    three = (
        "Chang, H.-H., Qian, J., & Ying, Z. (2001). a-stratified multistage testing. *Journal*, 25(4), 1-2."
    )
    assert label(three) == "Chang, Qian & Ying (2001)"
    assert label("Spray, J. A., & Reckase, M. D. (1994, April). *Title*.") == "Spray & Reckase (1994)"
    assert {"van der Linden (1998)", "Kaplan, de la Torre & Barrada (2015)", "Magis (2014b)"} <= set(known)
    assert all(label(entry) == name for name, entry in known.items())


def test_authors_come_one_after_the_other_in_the_list() -> None:
    one = "Magis, D. (2016). Late. *Journal*."
    two = "Magis, D., & Barrada, J. R. (1990). Early. *Journal*."
    other = "Marianti, S. (1980). First. *Journal*."
    assert sorted([other, two, one], key=order) == [one, two, other]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Rudner (2001, 2005)", [("Rudner (2001)", True), ("Rudner (2005)", True)]),
        ("the yardstick of Kingsbury & Zara (1989)", [("Kingsbury & Zara (1989)", True)]),
        ("van der Linden (1998)", [("van der Linden (1998)", True)]),
        ("common practice", []),
        ("Lord (1950)", [("Lord (1950)", False)]),
        ("Somebody & Lord (1980)", [("Somebody & Lord (1980)", False)]),
        ("Chang, Lord & Ying (1999)", [("Chang, Lord & Ying (1999)", False)]),
    ],
)
def test_citations_are_found_whole(source: str, expected: list[tuple[str, bool]]) -> None:
    assert list(citations(source, entries())) == expected
