"""Every file that others wrote stands in the manifest beside it, with its licence, unchanged since."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, files, shown

MANIFESTS = [path for path in files("web", "tests") if path.name == "manifest.json"]
NEEDED = {"file", "name", "version", "licence", "sha256"}


def test_the_browser_library_has_a_manifest() -> None:
    assert ROOT / "web" / "static" / "vendor" / "manifest.json" in MANIFESTS


@pytest.mark.parametrize("manifest", MANIFESTS, ids=shown)
def test_vendored_files_are_listed_and_unchanged(manifest: Path) -> None:
    entries = json.loads(manifest.read_text(encoding="utf-8"))
    assert entries, "an empty manifest guards nothing"
    for entry in entries:
        assert set(entry) >= NEEDED, entry
        content = (manifest.parent / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], entry["file"]
    licences = {entry["licence_file"] for entry in entries if "licence_file" in entry}
    listed = {entry["file"] for entry in entries} | licences | {manifest.name}
    present = {path.name for path in manifest.parent.iterdir() if path.is_file()}
    assert present == listed
