"""The list of literature, and the entries that a text cites as "Authors (year)"."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

LIST = Path(__file__).with_name("literature.txt")

_AUTHOR = re.compile(r"(?:^|, & |, )([^,&]+), ((?:-?[A-Z]\. ?)+)")
_YEAR = re.compile(r" \((\d{4}[a-z]?)(?:, [A-Z][a-z]+)?\)\. ")
_CITED = re.compile(r" \((\d{4}[a-z]?(?:, \d{4}[a-z]?)*)\)")


def entries() -> dict[str, str]:
    """Every entry under the label that texts cite, such as "Bock & Mislevy (1982)", in the list's order."""
    lines = LIST.read_text(encoding="utf-8").splitlines()
    labelled = {label(line): line for line in lines}
    if len(labelled) != len(lines):
        raise ValueError("two entries of the literature have the same authors and year")
    return labelled


def label(entry: str) -> str:
    """How texts cite an entry: the surnames of all authors, and the year."""
    names = [name for name, _ in _authors(entry)]
    shown = f"{', '.join(names[:-1])} & {names[-1]}" if len(names) > 1 else names[0]
    return f"{shown} ({_year(entry)})"


def order(entry: str) -> tuple[tuple[str, ...], str]:
    """Where an entry stands in the list: by its authors, one after the other, then by year."""
    return tuple(f"{name}, {initials}".casefold() for name, initials in _authors(entry)), _year(entry)


def citations(source: str, known: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """What a source cites, and whether it is known; an unknown one is shown as it stands in the text.

    "Rudner (2001, 2005)" cites two entries. The authors are the longest known ones that stand before the
    year; a name that another author precedes is not the whole of them.
    """
    authors = sorted({entry.rpartition(" (")[0] for entry in known}, key=len, reverse=True)
    labels = set(known)
    for match in _CITED.finditer(source):
        before = source[: match.start()]
        name = next((name for name in authors if before.endswith(name) and _begins(before, name)), None)
        for year in match[1].split(", "):
            found = f"{name} ({year})"
            yield (found, True) if found in labels else (source[: match.end()].strip(), False)


def _begins(before: str, name: str) -> bool:
    left = before[: -len(name)]
    return not left or (left.endswith((" ", "(")) and not re.search(r"(?:&|[a-z],|van der|de la|de) $", left))


def _authors(entry: str) -> list[tuple[str, str]]:
    found = _AUTHOR.findall(entry[: _year_of(entry).start()])
    if not found:
        raise ValueError(f"no author in {entry!r}")
    return [(name.strip(), initials.strip()) for name, initials in found]


def _year(entry: str) -> str:
    return _year_of(entry)[1]


def _year_of(entry: str) -> re.Match[str]:
    match = _YEAR.search(entry)
    if match is None:
        raise ValueError(f"no year in {entry!r}")
    return match
