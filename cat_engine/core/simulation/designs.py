"""Designs: one test package with other rules, so that rules can be compared on the same items and people."""

from typing import Any

import msgspec

from cat_engine.core.tables import check
from cat_engine.core.test_package import PackageFile, Section, TestPackage, content_hash
from cat_engine.foundation.refusals import Refused

FIXED_FIELDS = frozenset({"section_id", "mode", "item_ids", "panels"})
"""What a design may not change: with another pool it would be another test."""


class DesignError(ValueError):
    """A design does not fit its package; the sentence says why."""


class Design(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A name, and what differs from the package: fields of sections by section in `sections`, in `adaptive`
    those of all adaptive sections that `sections` does not name.
    """

    name: str
    adaptive: dict[str, Any] = {}
    sections: dict[str, dict[str, Any]] = {}


def decode_design(data: bytes | str) -> Design:
    """Read a design file."""
    try:
        return msgspec.json.decode(data, type=Design)
    except msgspec.DecodeError as error:
        raise DesignError(str(error)) from error


def designed(package_file: PackageFile, design: Design) -> PackageFile:
    """The package with a design's rules; its tables stay, since they follow from the items alone."""
    package = package_file.package
    strangers = sorted(design.sections.keys() - {section.section_id for section in package.sections})
    if strangers:
        raise DesignError(f"{design.name}: the package has no section {strangers[0]}")
    sections = tuple(_section(section, design) for section in package.sections)
    changed: TestPackage = msgspec.structs.replace(package, sections=sections)
    try:
        check(changed)
    except Refused as refused:
        raise DesignError(f"{design.name}: {refused}") from refused
    tables = package_file.tables
    return PackageFile(package=changed, tables=tables, content_hash=content_hash(changed, tables))


def _section(section: Section, design: Design) -> Section:
    general = design.adaptive if section.mode == "adaptive" else {}
    changes = design.sections.get(section.section_id, general)
    for name in changes:
        if name in FIXED_FIELDS or name not in Section.__struct_fields__:
            raise DesignError(f"{design.name}: a design cannot change {name}")
    if not changes:
        return section
    fields = msgspec.to_builtins(section) | changes
    try:
        return msgspec.convert(fields, Section)
    except msgspec.ValidationError as error:
        raise DesignError(f"{design.name}, section {section.section_id}: {error}") from error
