"""Reading roster files: what is accepted, and the code and row number of what is not."""

from __future__ import annotations

from datetime import date

import pytest

from cat_engine.delivery.roster import RosterContext, nip_refusal, parse_roster
from cat_engine.foundation.refusals import Refusal, Refused

CONTEXT = RosterContext(
    seats=frozenset({"A01", "A02"}), posts=frozenset({"Kepala Dinas"}), today=date(2023, 8, 14)
)
HEADING = "NIP;Nama;Nomor Peserta;Kursi;Jabatan"
NIP = "198609262015051001"
GOOD = f"{NIP};Siti Rahmawati, S.E.;cat-001;a01;Kepala Dinas"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_what_spreadsheets_write_is_read(encoding: str, delimiter: str) -> None:
    line = delimiter.join([NIP, '"José, S.E."', "cat-001", "a01", "Kepala Dinas"])
    content = f"{HEADING.replace(';', delimiter)}\r\n{line}\r\n"
    roster = parse_roster(content.encode(encoding), CONTEXT)
    assert roster.refused == ()
    row = roster.rows[0]
    assert (row.row_number, row.name, row.candidate_number, row.seat) == (2, "José, S.E.", "CAT-001", "A01")


@pytest.mark.parametrize(
    ("line", "code", "column"),
    [
        ("12345;A;1;;Kepala Dinas", Refusal.ROSTER_NIP_INVALID, "nip"),
        ("19860926201505100X;A;1;;Kepala Dinas", Refusal.ROSTER_NIP_INVALID, "nip"),
        ("198609262015053001;A;1;;Kepala Dinas", Refusal.ROSTER_NIP_INVALID, "nip"),
        ("198602302015051001;A;1;;Kepala Dinas", Refusal.ROSTER_DATE_IMPOSSIBLE, "nip"),
        ("198609262015131001;A;1;;Kepala Dinas", Refusal.ROSTER_DATE_IMPOSSIBLE, "nip"),
        ("198609262099051001;A;1;;Kepala Dinas", Refusal.ROSTER_DATE_IMPOSSIBLE, "nip"),
        ("200609262005051001;A;1;;Kepala Dinas", Refusal.ROSTER_BIRTH_AFTER_APPOINTMENT, "nip"),
        (f"{NIP};;1;;Kepala Dinas", Refusal.ROSTER_NAME_MISSING, "name"),
        (f"{NIP};A;;;Kepala Dinas", Refusal.ROSTER_NUMBER_INVALID, "candidate_number"),
        (f"{NIP};A;=1+1;;Kepala Dinas", Refusal.ROSTER_NUMBER_INVALID, "candidate_number"),
        (f"{NIP};A;1;Z99;Kepala Dinas", Refusal.ROSTER_SEAT_UNKNOWN, "seat"),
        (f"{NIP};A;1;;Kepala Sekolah", Refusal.ROSTER_POST_UNKNOWN, "post"),
        (f"{NIP};A;1", Refusal.ROSTER_ROW_WIDTH, ""),
        (f"{NIP};A;1;;Kepala Dinas;lebih", Refusal.ROSTER_ROW_WIDTH, ""),
        (f"{NIP};{'x' * 201};1;;Kepala Dinas", Refusal.FIELD_INVALID, "name"),
    ],
)
def test_each_refused_row_has_number_code_and_column(line: str, code: Refusal, column: str) -> None:
    other = "198701012010011001;B;cat-002;;Kepala Dinas"
    roster = parse_roster(f"{HEADING}\n{other}\n{line}".encode(), CONTEXT)
    assert [row.candidate_number for row in roster.rows] == ["CAT-002"]
    assert [(row.row_number, row.code, row.column) for row in roster.refused] == [(3, code, column)]


def test_what_is_twice_in_the_file_is_refused_the_second_time() -> None:
    same_nip = f"{NIP};B;cat-002;;Kepala Dinas"
    same_seat = "198701012010011001;C;cat-003;A01;Kepala Dinas"
    same_number = "198701012010012002;D;CAT-001;;Kepala Dinas"
    roster = parse_roster(f"{HEADING}\n{GOOD}\n{same_nip}\n{same_seat}\n{same_number}".encode(), CONTEXT)
    assert [row.code for row in roster.refused] == [
        Refusal.ROSTER_DUPLICATE_NIP,
        Refusal.ROSTER_SEAT_TAKEN,
        Refusal.ROSTER_NUMBER_INVALID,
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", Refusal.ROSTER_EMPTY),
        (b"\n \n", Refusal.ROSTER_EMPTY),
        (HEADING.encode(), Refusal.ROSTER_EMPTY),
        (b"nama;nip\nA;B", Refusal.ROSTER_COLUMN_MISSING),
        (HEADING.encode("utf-16"), Refusal.ROSTER_ENCODING),
        (f"{HEADING}\n".encode() + b"\x81\x8d;x", Refusal.ROSTER_ENCODING),
        (f'{HEADING}\n"unclosed'.encode(), Refusal.ROSTER_ENCODING),
    ],
)
def test_files_that_cannot_be_read_are_refused_as_a_whole(content: bytes, code: Refusal) -> None:
    with pytest.raises(Refused) as refused:
        parse_roster(content, CONTEXT)
    assert refused.value.code is code


@pytest.mark.parametrize(("minutes", "seconds"), [("", 0), ("0", 0), ("30", 1800)])
def test_extra_time_is_whole_minutes(minutes: str, seconds: int) -> None:
    content = f"nip;nama;nomor peserta;jabatan;tambahan waktu\n{NIP};A;1;Kepala Dinas;{minutes}"
    assert parse_roster(content.encode(), CONTEXT).rows[0].accommodation_s == seconds


@pytest.mark.parametrize("minutes", ["-5", "7,5", "241", "banyak", "٣"])
def test_any_other_extra_time_is_refused(minutes: str) -> None:
    content = f"nip;nama;nomor peserta;jabatan;tambahan waktu\n{NIP};A;1;Kepala Dinas;{minutes}"
    assert parse_roster(content.encode(), CONTEXT).refused[0].code is Refusal.ROSTER_NUMBER_INVALID


def test_a_nip_on_the_last_possible_day_is_good() -> None:
    assert nip_refusal("200001312023081001", CONTEXT.today) is None
    assert nip_refusal("200001312023091001", CONTEXT.today) is Refusal.ROSTER_DATE_IMPOSSIBLE
