"""The demonstration bank: items anybody can read, generate again bit for bit, and take as an example.

Nothing here is secret, so nothing here may ever be used in a real selection. Parameters are *designed*:
they follow from features of the rule that made the item, by formulas stated beside each family, and carry
the provenance ``rancangan`` until somebody calibrates them.

This module holds what the generated families share: chance, the place of the key, and numbers as people
write them. Chance is a hash of (family, index, step), never a library generator, whose stream may change
between versions.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import TypeVar

from item_bank.demonstration.drafts import DraftItem, ItemBody

T = TypeVar("T")
Number = TypeVar("Number", int, Fraction)
Parameters = tuple[float, tuple[float], dict[str, float]]
"""Slope, difficulty, and the features of the rule they follow from."""

LEVEL_BOUNDS = (-1.2, -0.3, 0.6, 1.5)
"""Difficulty at which the next demand level starts: level = 1 + number of bounds at or below b."""


def draw(family: str, index: int, step: str, size: int) -> int:
    """A number in 0..size-1 that depends on nothing but the arguments.

    The first eight bytes of sha256("family:index:step") modulo size; for the sizes used here (under a
    thousand) the bias of the modulo is below 1e-16.
    """
    digest = hashlib.sha256(f"{family}:{index}:{step}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % size


def pick(family: str, index: int, step: str, values: Sequence[T]) -> T:
    return values[draw(family, index, step, len(values))]


def shuffled(family: str, index: int, step: str, values: Iterable[T]) -> tuple[T, ...]:
    """Fisher-Yates with one draw per place."""
    rest = list(values)
    for last in range(len(rest) - 1, 0, -1):
        other = draw(family, index, f"{step}/{last}", last + 1)
        rest[last], rest[other] = rest[other], rest[last]
    return tuple(rest)


def key_position(family: str, index: int, size: int) -> int:
    """Where the key of the index-th item stands: every block of `size` items uses each place exactly once."""
    block, place = divmod(index, size)
    return shuffled(family, block, "key", range(size))[place]


def place_key(key: T, others: Sequence[T], position: int) -> tuple[T, ...]:
    return (*others[:position], key, *others[position:])


def rising_distractors(
    key: Number, errors: Iterable[tuple[Number, str]], position: int, size: int
) -> tuple[tuple[Number, str], ...] | None:
    """Wrong values in rising order, taken in the order they are named, `position` of them below the key.

    Options in rising order would give the key away if it mostly stood in the middle; so its place is drawn
    first. None when the named errors do not reach far enough on one side.
    """
    named = list(errors)
    below = [error for error in named if error[0] < key][:position]
    above = [error for error in named if error[0] > key][: size - 1 - position]
    return tuple(sorted(below + above)) if len(below) + len(above) == size - 1 else None


def clip(value: float, low: float, high: float) -> float:
    """The value held inside [low, high], rounded to two decimals as parameters are printed."""
    return round(min(max(value, low), high), 2)


def difficulty(value: float) -> tuple[float]:
    return (clip(value, -2.6, 2.8),)


def slope(value: float) -> float:
    return clip(value, 0.7, 1.9)


def level_of(b: float) -> int:
    return 1 + sum(b >= bound for bound in LEVEL_BOUNDS)


def number(value: int | Fraction, language: str, decimals: int = 0) -> str:
    """`78.314` and `335,5` in Indonesian, `78,314` and `335.5` in English; halves round away from zero."""
    scaled = abs(Fraction(value)) * 10**decimals
    units = int(scaled + Fraction(1, 2))
    whole, part = divmod(units, 10**decimals)
    text = f"{whole:,}" + (f".{part:0{decimals}d}" if decimals else "")
    if language == "id":
        text = text.translate(str.maketrans(",.", ".,"))
    return ("\N{MINUS SIGN}" if value < 0 and units else "") + text


def keyed_item(
    code: str,
    family: str,
    content: tuple[str, str],
    parameters: Parameters,
    bodies: dict[str, ItemBody],
    option_notes: tuple[str, ...],
    *,
    expected_time_s: int,
) -> DraftItem:
    """An item with one right option, the one without a note; `content` is its competency and indicator.

    Guessing by design: c = 1 / number of options.
    """
    a, b, features = parameters
    competency, indicator = content
    return DraftItem(
        code=code,
        family=family,
        competency=competency,
        indicator=indicator,
        level=level_of(b[0]),
        model="3PL",
        a=a,
        b=b,
        c=round(1 / len(option_notes), 2),
        bodies=bodies,
        option_points=tuple(int(note == "") for note in option_notes),
        option_notes=option_notes,
        features=features,
        expected_time_s=expected_time_s,
    )


def table_html(caption: str, head: Sequence[str], rows: Iterable[tuple[str, Sequence[str]]]) -> str:
    """A table whose first column names its rows; `head` includes the corner."""
    names = "".join(f'<th scope="col">{name}</th>' for name in head)
    body = ""
    for name, cells in rows:
        body += f'<tr><th scope="row">{name}</th>' + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
    return f"<table><caption>{caption}</caption><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>"


# Rows and columns are separated by |. `where` and `when` put a row or column into a sentence; a wording named
# after a kind of question is this scene's own.
TABLE_SCENES: dict[str, dict[str, dict[str, str]]] = {
    "counters": {
        "id": {
            "caption": "Pemohon yang dilayani Mal Pelayanan Publik Kabupaten Lembayung (orang)",
            "corner": "Loket",
            "rows": "Kependudukan|Perizinan usaha|Pajak daerah|Ketenagakerjaan|Pertanahan",
            "columns": "Januari|Februari|Maret|April",
            "unit": "orang",
            "noun": "pemohon yang dilayani",
            "where": "di loket {row}",
            "when": "pada bulan {column}",
            "period": "bulan",
            "following": "pada bulan Mei",
        },
        "en": {
            "caption": "Applicants served at the Public Service Hall of Lembayung Regency (people)",
            "corner": "Counter",
            "rows": "Civil registry|Business licences|Local tax|Employment|Land affairs",
            "columns": "January|February|March|April",
            "unit": "people",
            "noun": "applicants served",
            "where": "at the {row} counter",
            "when": "in {column}",
            "period": "month",
            "following": "in May",
        },
    },
    "complaints": {
        "id": {
            "caption": "Pengaduan masyarakat yang diterima Inspektorat Kabupaten Tirtamaya (berkas)",
            "corner": "Kecamatan",
            "rows": "Melati|Kenanga|Cempaka|Anggrek|Dahlia",
            "columns": "2020|2021|2022|2023",
            "unit": "berkas",
            "noun": "pengaduan yang diterima",
            "where": "di Kecamatan {row}",
            "when": "pada tahun {column}",
            "period": "tahun",
            "following": "pada tahun 2024",
        },
        "en": {
            "caption": "Public complaints received by the Inspectorate of Tirtamaya Regency (files)",
            "corner": "District",
            "rows": "Melati|Kenanga|Cempaka|Anggrek|Dahlia",
            "columns": "2020|2021|2022|2023",
            "unit": "files",
            "noun": "complaints received",
            "where": "in {row} District",
            "when": "in {column}",
            "period": "year",
            "following": "in 2024",
        },
    },
    "budget": {
        "id": {
            "caption": "Anggaran dan realisasi Dinas Pekerjaan Umum Kabupaten Lembayung (juta rupiah)",
            "corner": "Program",
            "rows": "Jalan desa|Irigasi|Jembatan|Air bersih|Drainase",
            "columns": "Anggaran|Realisasi",
            "rate": "Berapa persen anggaran program {row} yang telah terealisasi?",
            "highest": "Program manakah yang persentase realisasi anggarannya paling tinggi?",
            "overall": "Berapa persen dari seluruh anggaran kelima program yang telah terealisasi?",
            "remainder": "Berapa rupiah sisa anggaran program {row} yang belum terealisasi?",
        },
        "en": {
            "caption": "Budget and spending of the Public Works Office of Lembayung Regency (million rupiah)",
            "corner": "Programme",
            "rows": "Village roads|Irrigation|Bridges|Clean water|Drainage",
            "columns": "Budget|Spent",
            "rate": "What percentage of the budget of the {row} programme has been spent?",
            "highest": "Which programme has spent the highest percentage of its budget?",
            "overall": "What percentage of the total budget of the five programmes has been spent?",
            "remainder": "How many rupiah of the budget of the {row} programme have not been spent?",
        },
    },
    "attendance": {
        "id": {
            "caption": "Kehadiran pegawai Sekretariat Daerah Kabupaten Tirtamaya pada satu hari (orang)",
            "corner": "Bagian",
            "rows": "Umum|Hukum|Organisasi|Protokol|Keuangan",
            "columns": "Jumlah pegawai|Hadir tepat waktu",
            "rate": "Berapa persen pegawai Bagian {row} yang hadir tepat waktu?",
            "highest": "Bagian manakah yang persentase pegawai hadir tepat waktunya paling tinggi?",
            "overall": "Berapa persen dari seluruh pegawai kelima bagian yang hadir tepat waktu?",
        },
        "en": {
            "caption": "Attendance at the Regional Secretariat of Tirtamaya Regency on one day (people)",
            "corner": "Division",
            "rows": "General affairs|Legal|Organisation|Protocol|Finance",
            "columns": "Staff|Present on time",
            "rate": "What percentage of the staff of the {row} division were present on time?",
            "highest": "Which division had the highest percentage of staff present on time?",
            "overall": "What percentage of all staff of the five divisions were present on time?",
        },
    },
    "training": {
        "id": {
            "caption": "Peserta dan lulusan pelatihan dasar Kabupaten Segara Biru (orang)",
            "corner": "Dinas",
            "rows": "Kesehatan|Pendidikan|Perhubungan|Sosial|Pertanian",
            "columns": "Peserta|Lulus",
            "rate": "Berapa persen peserta dari Dinas {row} yang lulus?",
            "highest": "Dinas manakah yang persentase kelulusan pesertanya paling tinggi?",
            "overall": "Berapa persen dari seluruh peserta kelima dinas yang lulus?",
        },
        "en": {
            "caption": "Participants and graduates of basic training in Segara Biru Regency (people)",
            "corner": "Office",
            "rows": "Health|Education|Transport|Social affairs|Agriculture",
            "columns": "Participants|Passed",
            "rate": "What percentage of the participants from the {row} office passed?",
            "highest": "Which office had the highest percentage of participants who passed?",
            "overall": "What percentage of all participants from the five offices passed?",
        },
    },
}

# Common wordings per kind of question about a table whose columns are moments.
TABLE_QUESTIONS = {
    "id": {
        "total_column": "Berapa jumlah seluruh {noun} {when}?",
        "difference": "Berapa selisih jumlah {noun} {where} dan {other} {when}?",
        "mean": "Berapa rata-rata jumlah {noun} {where} per {period} dari {first} sampai dengan {last}?",
        "share": "Dari seluruh {noun} {when}, berapa persen yang tercatat {where}?",
        "rise": "Berapa persen kenaikan jumlah {noun} {where} dari {column} ke {later}?",
        "fall": "Berapa persen penurunan jumlah {noun} {where} dari {column} ke {later}?",
        "projection": "Jumlah {noun} {where} {following} diperkirakan naik 20% dibandingkan dengan {last}. "
        "Berapa perkiraan jumlahnya?",
    },
    "en": {
        "total_column": "What is the total number of {noun} {when}?",
        "difference": "What is the difference between the numbers of {noun} {where} and {other} {when}?",
        "mean": "What is the mean number of {noun} {where} per {period} from {first} to {last}?",
        "share": "Of all {noun} {when}, what percentage were recorded {where}?",
        "rise": "By what percentage did the number of {noun} {where} rise from {column} to {later}?",
        "fall": "By what percentage did the number of {noun} {where} fall from {column} to {later}?",
        "projection": "The number of {noun} {where} {following} is expected to be 20% higher than in {last}. "
        "What number is expected?",
    },
}
