"""docs/validation.md and its pictures, written out of the findings."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from tests.validation.findings import MARGIN, Topic, Verdict

FOLDER = Path(__file__).parents[2] / "docs"
DOCUMENT = FOLDER / "validation.md"
PICTURES = FOLDER / "validation"
LITERATURE = Path(__file__).with_name("literature.txt")
"""Every work cited, one to a line."""

HEAD = f"""\
# Validation

Written by `python -m tests.validation` with fixed seeds; the same numbers come out of every run on the same
versions of numpy and scipy. A quick part of it runs with the tests
(`tests/psychometrics/test_validation_figures.py`).

Every row is a claim of theory or of the literature, what was published, and what our own code gives beside
it. `±` is the Monte Carlo standard error. *Holds* means that the figure clears its bound by {MARGIN:g} such
errors, or agrees with theory within {MARGIN:g}; *undecided* that it lies closer to the bound than that;
*fails* that it lies on the wrong side. Where a publication is cited for a direction only, no number of it
is repeated here.
"""


def document(topics: list[Topic]) -> str:
    """The whole of docs/validation.md."""
    verdicts = Counter(finding.verdict for topic in topics for finding in topic.findings)
    tally = ", ".join(f"{verdict.value} {verdicts[verdict]}" for verdict in Verdict)
    parts = [HEAD.strip(), f"Verdicts on {sum(verdicts.values())} claims: {tally}.", contents(topics)]
    parts += [_exceptions(topics), *(_topic(topic) for topic in topics), _literature()]
    return "\n\n".join(part for part in parts if part) + "\n"


def contents(topics: list[Topic]) -> str:
    """Links to the parts."""
    return "\n".join(f"* [{topic.title}](#{_anchor(topic.title)})" for topic in topics)


def write(topics: list[Topic]) -> None:
    """The document, and the pictures beside it."""
    PICTURES.mkdir(exist_ok=True)
    for topic in topics:
        for name, svg in topic.pictures:
            (PICTURES / name).write_text(svg, encoding="utf-8")
    DOCUMENT.write_text(document(topics), encoding="utf-8")


def _exceptions(topics: list[Topic]) -> str:
    """What does not hold is named first, not buried in a table."""
    others = [
        f"* {finding.verdict.value}: {finding.claim} ({finding.source}) - {finding.ours}."
        for topic in topics
        for finding in topic.findings
        if finding.verdict is not Verdict.HOLDS
    ]
    return "\n".join(["## What did not come out as published", "", *others]) if others else ""


def _topic(topic: Topic) -> str:
    rows = ["| claim | source | published | here | |", "|---|---|---|---|---|"]
    rows += [
        f"| {' | '.join(_cell(text) for text in (f.claim, f.source, f.published, f.ours, f.verdict.value))} |"
        for f in topic.findings
    ]
    pictures = "\n\n".join(f"![{_title(svg)}](validation/{name})" for name, svg in topic.pictures)
    parts = [f"## {topic.title}", topic.design, "\n".join(rows), topic.remarks, pictures]
    return "\n\n".join(part for part in parts if part)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _title(svg: str) -> str:
    return svg.partition("<title>")[2].partition("</title>")[0]


def _anchor(title: str) -> str:
    return title.lower().replace(" ", "-").replace(",", "")


def _literature() -> str:
    entries = LITERATURE.read_text(encoding="utf-8").splitlines()
    return "\n".join(["## Literature", "", *(f"* {entry}" for entry in entries)])
