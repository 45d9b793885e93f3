"""`python -m tests.validation`: every claim tried, docs/validation.md and its pictures written.

With `--share` below 1 fewer candidates are simulated and nothing is written, only shown.
"""

from __future__ import annotations

import argparse
import sys
import time

from tests.validation import document
from tests.validation.findings import Effort, Topic
from tests.validation.topics import TOPICS


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.validation", description=__doc__)
    parser.add_argument("--share", type=float, default=1.0, help="of the candidates of the whole run")
    parser.add_argument("--topic", choices=tuple(TOPICS), action="append", help="only this; may be repeated")
    options = parser.parse_args(arguments)
    topics: list[Topic] = []
    for name in options.topic or TOPICS:
        started = time.monotonic()
        say(f"{name} ...")
        topics.append(TOPICS[name](Effort(options.share), say))
        say(f"{name}: {time.monotonic() - started:.0f} s")
    if options.share < 1 or options.topic:
        sys.stdout.write(document.document(topics))
    else:
        document.write(topics)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
