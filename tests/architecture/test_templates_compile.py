"""Every template compiles, finds the templates it names, and fits the security policy."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import jinja2
import jinja2.meta
import pytest

from tests.architecture.tree import ROOT, files, shown

PAGES = ROOT / "web" / "templates"
INTERACTIONS = ROOT / "cat_engine" / "interactions"
TEMPLATES = [path for path in files("web", "cat_engine/interactions") if path.suffix == ".html"]

INLINE = re.compile(r"""\s(?:style|on[a-z]+|hx-on[:\w-]*)\s*=\s*["']|<style\b|javascript:""", re.IGNORECASE)
BARE_SCRIPT = re.compile(r"<script\b(?![^>]*\b(?:src|nonce)=)", re.IGNORECASE)
POST_FORM = re.compile(r"""<form\b[^>]*\bmethod=["']post["'].*?</form>""", re.IGNORECASE | re.DOTALL)


def environment() -> jinja2.Environment:
    kinds = {path.name: jinja2.FileSystemLoader(path) for path in INTERACTIONS.iterdir() if path.is_dir()}
    within = jinja2.PrefixLoader({"interactions": jinja2.PrefixLoader(kinds)})
    loader = jinja2.ChoiceLoader([jinja2.FileSystemLoader(PAGES), within])
    return jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)


def test_there_are_templates() -> None:
    assert PAGES / "base.html" in TEMPLATES


@pytest.mark.parametrize("template", TEMPLATES, ids=shown)
def test_the_template_compiles_and_finds_what_it_names(template: Path) -> None:
    source = template.read_text(encoding="utf-8")
    known = environment()
    known.compile(source, name=shown(template))
    for name in jinja2.meta.find_referenced_templates(known.parse(source)):
        if name is not None:
            known.get_template(name)


@pytest.mark.parametrize("template", TEMPLATES, ids=shown)
def test_the_template_fits_the_security_policy(template: Path) -> None:
    source = re.sub(r"\{#.*?#\}", "", template.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert INLINE.findall(source) == [], "no inline style, handler or evaluated script"
    assert BARE_SCRIPT.findall(source) == [], "a script has a source or a nonce"
    unprotected = [form for form in POST_FORM.findall(source) if "csrf_token" not in form]
    assert unprotected == [], "a form that posts carries the token"


def test_the_linter_finds_nothing() -> None:
    folders = [str(PAGES), str(INTERACTIONS)]
    done = subprocess.run(
        [sys.executable, "-m", "djlint", "--lint", "--quiet", "--allow-empty-input", *folders],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
