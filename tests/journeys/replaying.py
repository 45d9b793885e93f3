"""The files of a sitting, as `cat-engine replay` reads them, and copies in which one thing was changed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

from tests.journeys.candidates import Answers

File = dict[str, Any]


def read(path: Path) -> File:
    loaded: File = json.loads(path.read_bytes())
    return loaded


def recorded(sitting: File) -> Answers:
    """The responses that stand in the log, the last one of each presentation, and what is flagged."""
    answers = Answers()
    for event in (event for entry in sitting["entries"] for event in entry["events"]):
        match event["type"]:
            case "response_recorded":
                answers.given[event["position"]] = event["response"]
            case "presentation_flagged" if event["flagged"]:
                answers.flagged.add(event["position"])
            case "presentation_flagged":
                answers.flagged.discard(event["position"])
    return answers


def changed(original: File, path: Path, change: Callable[[File], None]) -> Path:
    """A copy with one change."""
    copy = deepcopy(original)
    change(copy)
    path.write_text(json.dumps(copy), encoding="utf-8")
    return path


def responses(sitting: File) -> list[tuple[int, File]]:
    """Revision and event of every recorded response."""
    return [
        (entry["revision"], event)
        for entry in sitting["entries"]
        for event in entry["events"]
        if event["type"] == "response_recorded"
    ]


def replay(program: list[str]) -> tuple[int, str]:
    """Exit status and output of the stand-alone command."""
    done = subprocess.run(program, check=False, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr
