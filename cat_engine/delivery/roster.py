"""Reading a roster file: from the bytes somebody uploaded to rows that can be imported and rows that cannot.

Spreadsheets of Indonesian offices write `;` or `,` between columns, UTF-8 with or without a byte-order mark,
or Windows-1252. Every refused row is named with its number, its code and the column; nothing is repaired
silently and nothing is dropped silently. This module is pure: what the agency knows (its seats, its posts,
who is on the roster already) is an argument.

The NIP has eighteen digits: date of birth YYYYMMDD, month of appointment YYYYMM, sex (1 or 2), serial number.
It has no check digit, so its structure is all that can be tested.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from cat_engine.foundation.refusals import Refusal, Refused

MAXIMUM_ROWS: Final = 5000

# our name of a column, and what offices write above it
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "nip": ("nip", "nip baru", "nomor induk pegawai"),
    "name": ("name", "nama", "nama lengkap"),
    "candidate_number": ("candidate_number", "nomor peserta", "no peserta", "nomor_peserta"),
    "seat": ("seat", "kursi", "nomor kursi", "meja"),
    "post": ("post", "jabatan", "jabatan yang dilamar", "jabatan dilamar"),
    "unit": ("unit", "unit kerja", "unit_kerja"),
    "rank": ("rank", "golongan", "pangkat", "golongan ruang"),
    "accommodation_minutes": ("accommodation_minutes", "tambahan waktu", "tambahan waktu (menit)"),
    "accommodation_note": ("accommodation_note", "akomodasi", "keterangan akomodasi"),
}
REQUIRED: Final = ("nip", "name", "candidate_number")
MAXIMUM_ACCOMMODATION_MINUTES: Final = 240
_LENGTHS: Final[Mapping[str, int]] = {
    "name": 200,
    "candidate_number": 20,
    "seat": 12,
    "post": 200,
    "unit": 200,
    "rank": 20,
    "accommodation_note": 200,
}


@dataclass(frozen=True, kw_only=True)
class RosterRow:
    """One person to be put on a roster, as the file says it; texts are trimmed."""

    row_number: int  # in the file as a spreadsheet counts: the heading is row 1
    nip: str
    name: str
    candidate_number: str
    seat: str = ""
    post: str = ""
    unit: str = ""
    rank: str = ""
    accommodation_s: int = 0
    accommodation_note: str = ""


@dataclass(frozen=True, kw_only=True)
class RefusedRow:
    """One row that cannot be imported, and why; the first cause found is named."""

    row_number: int
    code: Refusal
    column: str
    value: str  # what stood there, shortened


@dataclass(frozen=True, kw_only=True)
class RosterContext:
    """What the agency knows before the import."""

    seats: frozenset[str]  # labels of the room
    posts: frozenset[str] | None  # titles open in the selection; None when the session belongs to none
    taken_seats: frozenset[str] = frozenset()
    known_nips: frozenset[str] = frozenset()  # on this session's roster already
    known_numbers: frozenset[str] = frozenset()  # candidate numbers in use anywhere
    today: date


@dataclass(frozen=True)
class ParsedRoster:
    """Everything the file had to say."""

    rows: tuple[RosterRow, ...]
    refused: tuple[RefusedRow, ...]


@dataclass
class _Seen:
    nips: set[str] = field(default_factory=set)
    seats: set[str] = field(default_factory=set)
    numbers: set[str] = field(default_factory=set)


def parse_roster(content: bytes, context: RosterContext) -> ParsedRoster:
    """Read the file; a file that cannot be read at all is refused as a whole."""
    lines = _lines(decode(content))
    heading, body = lines[0], lines[1:]
    columns = _columns(heading[1])
    if not body:
        raise Refused(Refusal.ROSTER_EMPTY)
    if len(body) > MAXIMUM_ROWS:
        raise Refused(Refusal.TOO_LARGE)
    seen, rows, refused = _Seen(), [], []
    for row_number, cells in body:
        outcome = _read_row(row_number, cells, columns, context, seen)
        if isinstance(outcome, RefusedRow):
            refused.append(outcome)
            continue
        rows.append(outcome)
        seen.nips.add(outcome.nip)
        seen.numbers.add(outcome.candidate_number)
        if outcome.seat:
            seen.seats.add(outcome.seat)
    return ParsedRoster(tuple(rows), tuple(refused))


def decode(content: bytes) -> str:
    """UTF-8 with or without its mark, else Windows-1252; anything with NUL bytes is no text of ours."""
    if b"\x00" in content:
        raise Refused(Refusal.ROSTER_ENCODING)
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise Refused(Refusal.ROSTER_ENCODING)


def nip_refusal(nip: str, today: date) -> Refusal | None:
    """What is wrong with a NIP, or None."""
    if len(nip) != 18 or not (nip.isascii() and nip.isdigit()) or nip[14] not in "12":
        return Refusal.ROSTER_NIP_INVALID
    try:
        born = date(int(nip[0:4]), int(nip[4:6]), int(nip[6:8]))
        appointed = date(int(nip[8:12]), int(nip[12:14]), 1)
    except ValueError:
        return Refusal.ROSTER_DATE_IMPOSSIBLE
    if born.year < 1900 or born > today or appointed > today:
        return Refusal.ROSTER_DATE_IMPOSSIBLE
    if born >= appointed:
        return Refusal.ROSTER_BIRTH_AFTER_APPOINTMENT
    return None


def _lines(text: str) -> list[tuple[int, list[str]]]:
    """The rows that are not blank, with their numbers; a file without any is refused."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        lines = [
            (number, row) for number, row in enumerate(reader, start=1) if any(cell.strip() for cell in row)
        ]
    except csv.Error:
        raise Refused(Refusal.ROSTER_ENCODING) from None
    if not lines:
        raise Refused(Refusal.ROSTER_EMPTY)
    return lines


def _delimiter(text: str) -> str:
    """Whatever the heading has more of: `;` (local spreadsheets), `,` or a tab (copied from one)."""
    heading = next((line for line in text.splitlines() if line.strip()), "")
    return max(";,\t", key=heading.count)


def _columns(heading: Sequence[str]) -> list[str | None]:
    """Our name for each column of the file; None for a column we have no use for."""
    names = {alias: name for name, aliases in COLUMNS.items() for alias in aliases}
    columns = [names.get(" ".join(cell.split()).casefold()) for cell in heading]
    for name in REQUIRED:
        if columns.count(name) != 1:
            raise Refused(Refusal.ROSTER_COLUMN_MISSING, column=name)
    for name in COLUMNS:
        if columns.count(name) > 1:
            raise Refused(Refusal.ROSTER_COLUMN_MISSING, column=name)
    return columns


def _read_row(
    row_number: int, cells: Sequence[str], columns: Sequence[str | None], context: RosterContext, seen: _Seen
) -> RosterRow | RefusedRow:
    def refuse(code: Refusal, column: str, value: str) -> RefusedRow:
        return RefusedRow(row_number=row_number, code=code, column=column, value=value[:60])

    if len(cells) != len(columns):
        return refuse(Refusal.ROSTER_ROW_WIDTH, "", str(len(cells)))
    values = {name: " ".join(cell.split()) for name, cell in zip(columns, cells, strict=True) if name}
    values["nip"] = values["nip"].lstrip("'").replace(" ", "")
    values["candidate_number"] = values["candidate_number"].upper()
    values["seat"] = values.get("seat", "").upper()
    for column, longest in _LENGTHS.items():
        if len(values.get(column, "")) > longest or not values.get(column, "").isprintable():
            return refuse(Refusal.FIELD_INVALID, column, values[column])
    for check in (_check_person, _check_place):
        found = check(values, context, seen)
        if found is not None:
            return refuse(*found)
    extra_s = _accommodation_s(values.pop("accommodation_minutes", ""))
    if extra_s is None:
        return refuse(Refusal.ROSTER_NUMBER_INVALID, "accommodation_minutes", "")
    return RosterRow(row_number=row_number, accommodation_s=extra_s, **values)


def _check_person(
    values: Mapping[str, str], context: RosterContext, seen: _Seen
) -> tuple[Refusal, str, str] | None:
    nip, number = values["nip"], values["candidate_number"]
    wrong = nip_refusal(nip, context.today)
    if wrong is not None:
        return wrong, "nip", nip
    if nip in seen.nips or nip in context.known_nips:
        return Refusal.ROSTER_DUPLICATE_NIP, "nip", nip
    if not values["name"]:
        return Refusal.ROSTER_NAME_MISSING, "name", ""
    is_well_formed = number.isascii() and number.replace("-", "").replace("/", "").replace(".", "").isalnum()
    if not is_well_formed or number in seen.numbers or number in context.known_numbers:
        return Refusal.ROSTER_NUMBER_INVALID, "candidate_number", number
    return None


def _check_place(
    values: Mapping[str, str], context: RosterContext, seen: _Seen
) -> tuple[Refusal, str, str] | None:
    seat, post = values["seat"], values.get("post", "")
    if seat and seat not in context.seats:
        return Refusal.ROSTER_SEAT_UNKNOWN, "seat", seat
    if seat and (seat in seen.seats or seat in context.taken_seats):
        return Refusal.ROSTER_SEAT_TAKEN, "seat", seat
    if context.posts is not None and post not in context.posts:
        return Refusal.ROSTER_POST_UNKNOWN, "post", post
    return None


def _accommodation_s(text: str) -> int | None:
    """Whole minutes of extra time as seconds; nothing is none, anything else is refused."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit()) or int(text) > MAXIMUM_ACCOMMODATION_MINUTES:
        return None
    return 60 * int(text)
