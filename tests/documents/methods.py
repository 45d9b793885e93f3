"""docs/methods.md, written out of the rules' registry and the library's catalogue.

`python -m tests.documents.methods` writes it and names what is not documented.
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from itertools import groupby
from pathlib import Path

import msgspec

from cat_engine.core.families import Rule
from cat_engine.core.test_package import RuleChoice
from psychometrics.methods import ABOUT_CATR, CATALOGUE, CATR, COMPATIBILITY, Method
from psychometrics.selection.criteria import CRITERIA
from tests.documents.completeness import gaps, rules
from tests.documents.literature import entries

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "methods.md"
FORMULA_WIDTH = 100

HEAD = """\
# Methods

Every method that this project computes: its formula, where it comes from, when to use it.

Written by `python -m tests.documents.methods`; a test fails when this text and the code differ, and when
something is added that is not described. Part A holds the rules of the engine, by which a sitting is run; a
test package names one of each family for each of its sections. Part B holds the library `psychometrics`, in
floating point and for whole batches of candidates, on which simulation, calibration and reports rest."""

NOTATION = """\
## Notation

| sign | meaning |
|---|---|
| theta, theta_hat | ability, and the estimate of it after the answers so far |
| x, n | the answers so far, and how many they are |
| P_ik(theta) | probability of category k of item i; P_i that of a right answer |
| I_i(theta), I(theta) | Fisher information of item i, and of all items given |
| l, l', l'' | log-likelihood of the answers and its derivatives in theta |
| L(theta), p(theta) | likelihood of the answers, density of the prior |
| SE | standard error |
| u_i | utility or value of item i; where nothing else is said, the largest is wanted |
| a, b, c, d | discrimination, difficulty or threshold, lower and upper asymptote of an item |
| D | constant of the logistic metric, 1 or 1.702, stated by the calibration |
| (y)+ | y where it is positive, else 0 |"""

ENGINE = """\
# Part A: the rules of the engine

Before each item the engine estimates ability from the answers (*estimation*; before the first answer *start*
says where to aim), asks the *stopping* rules whether it is enough, and else has *selection* value every item.
*Eligibility* keeps back what was seen too often, *content* narrows what may come next, or weighs it, so that
the blueprint is met, and *exposure* picks the item. Each rule is a pure function of the frozen test package,
the answers, the clock and the seed of the sitting; its numbers are whole (millionths, thousandths), so that a
replay decides the same on every machine."""

LIBRARY = """\
# Part B: the library `psychometrics`

Arrays have the axes ability point (q) or candidate (N), item (n), category (m), in this order. Every function
says in its docstring which shapes it takes and what it refuses."""

FAMILIES = {
    "start": ("Start", "Where the first item aims, which prior holds, and which items come first."),
    "estimation": (
        "Estimation",
        "Ability and its standard error from the answers, during the test and after.",
    ),
    "selection": ("Selection", "How much each item is wanted next."),
    "content": (
        "Content",
        "Which of the free items may come next, so that the finished test meets its blueprint.",
    ),
    "eligibility": (
        "Eligibility",
        "Which items a sitting may see at all, from what other sittings have seen.",
    ),
    "exposure": ("Exposure", "Which of the items that may come next is taken."),
    "stopping": (
        "Stopping",
        "When the section has measured enough. A rule answers the reason, which is kept, or nothing.",
    ),
}


def document() -> str:
    """The whole of docs/methods.md."""
    engine = [(*FAMILIES[family], list(found.values())) for family, found in _families()]
    parts = [
        HEAD,
        "## Contents",
        _contents(
            "Part A: the rules of the engine", [(t, [r.name for r in found]) for t, _, found in engine]
        ),
        _contents(
            "Part B: the library `psychometrics`", [(g.title, [m.name for m in g.methods]) for g in CATALOGUE]
        ),
        f"* [{CATR}](#{slug(CATR)})",
        "* [Literature](#literature)",
        NOTATION,
        ENGINE,
        *(part for title, about, found in engine for part in _family(title, about, found)),
        LIBRARY,
        *(part for group in CATALOGUE for part in _group(group.title, group.about, group.methods)),
        *_compatibility(),
        "# Literature",
        "\n".join(f"* {entry}" for entry in entries().values()),
    ]
    return "\n\n".join(parts) + "\n"


def _families() -> list[tuple[str, dict[str, Rule]]]:
    found = rules()
    return [(family, dict(found[family])) for family in FAMILIES if family in found]


def _contents(part: str, sections: Iterable[tuple[str, list[str]]]) -> str:
    lines = [f"* [{part}](#{slug(part)})"]
    for title, names in sections:
        links = " · ".join(f"[{name}](#{slug(name)})" for name in names)
        lines.append(f"  * [{title}](#{slug(title)}): {links}")
    return "\n".join(lines)


def slug(heading: str) -> str:
    """The anchor that a Markdown reader gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _family(title: str, about: str, found: list[Rule]) -> Iterator[str]:
    yield f"## {title}"
    yield about
    yield _table(
        ("rule", "when to use it"),
        ((f"[{rule.name}](#{rule.name})", _text(rule.about.use)) for rule in found),
    )
    for rule in found:
        yield from _rule(rule)


def _rule(rule: Rule) -> Iterator[str]:
    yield f"### {rule.name}"
    yield _text(_paragraphs(rule.function)[0])
    yield _formula(rule.about.formula)
    settings = " ".join(_paragraphs(rule.settings))
    yield "\n".join(
        [
            f"* When to use it: {_text(rule.about.use)}",
            f"* Source: {_text(_sentence(rule.about.source))}",
            f"* Serves: sections of {rule.abilities.replace('any', 'one ability or several')}.",
            f"* In code: {_file(rule.function)}",
            f"* Settings: {_text(settings)}",
        ]
    )
    described = msgspec.inspect.type_info(rule.settings)
    fields = described.fields if isinstance(described, msgspec.inspect.StructType) else ()
    if fields:
        yield _table(("setting", "value", "default"), (_setting(field) for field in fields))


def _setting(field: msgspec.inspect.Field) -> tuple[str, str, str]:
    if field.required:
        default = "required"
    else:
        value = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        default = f"`{msgspec.json.format(msgspec.json.encode(value), indent=0).decode()}`"
    return f"`{field.encode_name}`", _kind(field.type), default


def _kind(kind: msgspec.inspect.Type, many: str = "") -> str:
    """What may be written for a setting, in words; `many` is the plural's ending."""
    i = msgspec.inspect
    match kind:
        case i.IntType():
            return f"whole number{many}{_range(kind)}"
        case i.BoolType():
            return "`true` or `false`"
        case i.NoneType():
            return "`null`"
        case i.StrType():
            return f"text{many}"
        case i.LiteralType(values):
            return " or ".join(f'`"{value}"`' for value in values)
        case i.VarTupleType(inner, shortest, longest):
            if longest == 0:
                return "an empty list"
            return f"list{many} of {_kind(inner, 's')}" + (", not empty" if shortest else "")
        case i.DictType(key, value):
            return f"table{many} from {_kind(key)} to {_kind(value)}"
        case i.UnionType(types):
            return ", or ".join(_kind(one, many) for one in types)
        case i.StructType(cls) if cls is RuleChoice:
            return f"rule{many} with settings"
    raise TypeError(f"no words for a setting of {kind}")


def _range(kind: msgspec.inspect.IntType) -> str:
    steps = f" in steps of {kind.multiple_of:,}" if kind.multiple_of else ""
    if kind.ge is not None and kind.le is not None:
        return f", {kind.ge:,} to {kind.le:,}{steps}"
    return f", {kind.ge:,} or more{steps}" if kind.ge is not None else steps


def _group(title: str, about: str, found: tuple[Method, ...]) -> Iterator[str]:
    yield f"## {title}"
    yield _text(about)
    yield _table(
        ("method", "when to use it"),
        ((f"[{method.name}](#{slug(method.name)})", _text(method.use)) for method in found),
    )
    for method in found:
        yield f"### {method.name}"
        yield _formula(method.formula)
        yield "\n".join(
            [
                f"* When to use it: {_text(method.use)}",
                f"* Source: {_text(_sentence(method.source))}",
                *_code(method),
            ]
        )


def _compatibility() -> Iterator[str]:
    yield f"# {CATR}"
    yield _text(ABOUT_CATR)
    yield _table(
        ("number of catR", "computed by", "settings and limits"),
        (
            (entry.number, ", ".join(f"`{_named(code)}`" for code in entry.code), _text(entry.settings))
            for entry in COMPATIBILITY
        ),
    )


def _named(code: Callable[..., object] | StrEnum) -> str:
    return f"{type(code).__name__}.{code.name}" if isinstance(code, StrEnum) else code.__name__


def _code(method: Method) -> Iterator[str]:
    """What computes the method, file by file, with the first words of each docstring."""
    for place, found in groupby(method.code, _file):
        yield f"* In code, {place}:"
        for code in found:
            if isinstance(code, StrEnum):
                yield f"  * `{type(code).__name__}.{code.name}`, written `{code.value}`"
            else:
                documented = _paragraphs(code)
                is_list = isinstance(code, type) and issubclass(code, StrEnum)
                words = " ".join(documented if is_list else documented[:1])
                yield f"  * `{code.__name__}`: {_text(words)}"
    for key, criterion in CRITERIA.items():
        if getattr(criterion.values, "func", criterion.values) in method.code:
            yield f'* By name: `CRITERIA["{key}"]`, known as {criterion.known_as}; {criterion.sense.value}'


def _file(code: Callable[..., object] | StrEnum) -> str:
    source = Path(inspect.getfile(type(code) if isinstance(code, StrEnum) else inspect.unwrap(code)))
    if ROOT not in source.parents:
        return f"`{source.name}`"
    name = source.relative_to(ROOT).as_posix()
    return f"[{name}](../{name})"


def _paragraphs(code: object) -> list[str]:
    """The paragraphs of a docstring, each on one line."""
    return [" ".join(part.split()) for part in (inspect.getdoc(code) or "").split("\n\n")]


def _sentence(text: str) -> str:
    named = text.startswith(("van ", "de "))
    return (text if named else text[:1].upper() + text[1:]) + ("" if text.endswith(".") else ".")


def _formula(formula: str) -> str:
    lines = [
        part
        for line in formula.splitlines()
        for part in textwrap.wrap(line, FORMULA_WIDTH, subsequent_indent="    ", break_long_words=False)
    ]
    return "\n".join(["```text", *lines, "```"])


def _text(text: str) -> str:
    """Prose for Markdown: signs that would set type are written as themselves, but not within backticks."""
    parts = text.replace("``", "`").split("`")
    return "`".join(re.sub(r"([*<~\[\]])", r"\\\1", p) if k % 2 == 0 else p for k, p in enumerate(parts))


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
    sys.exit("\n".join(gaps()) or None)
