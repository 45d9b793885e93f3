"""A real Chromium for the journeys: the system's, else what Playwright or the package manager brings."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.services.throw_away import Unavailable

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
APPLICATIONS = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MEND = "apt-get install -y chromium"
START_LIMIT_S = 60
DOWNLOAD_LIMIT_S = 600


def _candidates() -> Iterator[Path]:
    for name in NAMES:
        place = shutil.which(name)
        if place:
            yield Path(place)
    yield from (path for path in APPLICATIONS if path.is_file())
    brought = _brought_by_playwright()
    if brought.is_file():
        yield brought


def _brought_by_playwright() -> Path:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path)


def starts(program: Path) -> bool:
    """Whether the browser really opens a page: a missing library or an empty wrapper shows only then."""
    command = [str(program), "--headless", *ARGUMENTS, "--dump-dom", "data:text/html,<p>ready</p>"]
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=START_LIMIT_S,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return "ready" in done.stdout


def ensure_chromium() -> Path:
    """The browser's program, fetched when it is not there, and seen to start."""
    for candidate in _candidates():
        if starts(candidate):
            return candidate
    for bring in _ways_to_bring():
        subprocess.run(bring, check=False, timeout=DOWNLOAD_LIMIT_S, stdin=subprocess.DEVNULL)
        for candidate in _candidates():
            if starts(candidate):
                return candidate
    raise Unavailable(f"no Chromium that starts. {MEND}")


def _ways_to_bring() -> list[list[str]]:
    playwright = [sys.executable, "-m", "playwright"]
    ways = [[*playwright, "install", "chromium"]]
    if os.geteuid() == 0:
        ways.append([*playwright, "install-deps", "chromium"])
        if shutil.which("apt-get"):
            ways += [["apt-get", "update", "-q"], ["apt-get", "install", "-y", "-q", "chromium"]]
    return ways
