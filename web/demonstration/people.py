"""Forty fictitious civil servants, drawn from word lists by a hash: the same forty every time.

NIPs have the official structure (birth, appointment, sex, serial) and belong to nobody: their serials, 901 to
940, are not ones that a personnel agency gives out in these months.
"""

from dataclasses import dataclass
from functools import cache

from cat_engine.core.exact import draw

_SEED = "demonstration people 1"

_MEN = (
    "Arya Baskara", "Bagus Wiratama", "Cahyo Nugraha", "Damar Prasetya", "Eko Santosa", "Fajar Ramadhan",
    "Galih Permana", "Hendra Kusuma", "Ilham Maulana", "Joko Pramono", "Krisna Aditama", "Lukman Hakim",
    "Made Sudarsana", "Nanda Saputra", "Okky Firmansyah", "Pandu Wicaksono", "Rangga Mahardika",
    "Satria Nusantara", "Teguh Wibisana", "Yohanes Lering",
)  # fmt: skip
_WOMEN = (
    "Anindya Laras", "Bunga Melati", "Citra Kirana", "Dewi Anggraini", "Endah Puspita", "Fitri Handayani",
    "Gita Maharani", "Hesti Wulandari", "Indah Permata", "Kartika Sari", "Lestari Ayuningtyas",
    "Maria Goreti Tuto", "Nurul Hidayati", "Putri Ramadhani", "Ratna Pertiwi", "Sekar Ayu", "Tri Hastuti",
    "Utami Dewanti", "Wening Galuh", "Yulia Kusumawati",
)  # fmt: skip
_DEGREES = ("S.Sos., M.Si.", "S.E., M.M.", "S.H., M.H.", "S.T., M.T.", "S.Kom., M.Kom.", "S.IP., M.A.P.")
_UNITS = (
    "Dinas Pekerjaan Umum dan Penataan Ruang", "Dinas Kesehatan", "Dinas Pendidikan",
    "Badan Perencanaan Pembangunan Daerah", "Dinas Penanaman Modal dan PTSP", "Sekretariat Daerah",
    "Dinas Komunikasi dan Informatika", "Badan Kepegawaian dan Pengembangan SDM", "Inspektorat",
    "Badan Keuangan dan Aset Daerah",
)  # fmt: skip
_OFFICES = ("Kepala Bidang", "Sekretaris", "Kepala Bagian", "Camat", "Inspektur Pembantu")
_RANKS = ("IV/a", "IV/b", "III/d")


@dataclass(frozen=True)
class DemonstrationPerson:
    """Somebody who does not exist."""

    nip: str
    name: str
    post: str
    unit: str
    rank: str
    performance: int
    ability: float  # in standard deviations, for the simulated sittings
    character: float


@cache
def demonstration_people() -> tuple[DemonstrationPerson, ...]:
    """The forty, in the order of their serials."""
    names = [name for pair in zip(_MEN, _WOMEN, strict=True) for name in pair]
    return tuple(_person(number, name, is_man=number % 2 == 0) for number, name in enumerate(names))


def _person(number: int, name: str, *, is_man: bool) -> DemonstrationPerson:
    def pick(purpose: str, choices: int) -> int:
        return draw(_SEED, purpose, number, choices)

    born = (1970 + pick("year", 15), 1 + pick("month", 12), 1 + pick("day", 28))
    appointed = (born[0] + 24 + pick("appointed", 4), (3, 12)[pick("appointment", 2)])
    birth, appointment = f"{born[0]}{born[1]:02}{born[2]:02}", f"{appointed[0]}{appointed[1]:02}"
    nip = f"{birth}{appointment}{1 if is_man else 2}{901 + number}"
    unit = _UNITS[pick("unit", len(_UNITS))]
    office = _OFFICES[pick("office", len(_OFFICES))]
    return DemonstrationPerson(
        nip=nip,
        name=f"{name}, {_DEGREES[pick('degree', len(_DEGREES))]}",
        post=office,
        unit=unit,
        rank=_RANKS[pick("rank", len(_RANKS))],
        performance=55 + pick("performance a", 24) + pick("performance b", 20),
        ability=_normal(number, "ability"),
        character=_normal(number, "character"),
    )


def _normal(number: int, purpose: str) -> float:
    """Nearly normal: twelve uniform numbers added, less six."""
    return sum(draw(_SEED, f"{purpose} {k}", number, 1000) / 1000 for k in range(12)) - 6.0
