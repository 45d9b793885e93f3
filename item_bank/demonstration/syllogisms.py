"""Syllogisms: what must be true if the premises are, about sets (all, some, none) and about facts (if, or,
only if).

The forms are the classical ones. Wrong options are statements over the same terms that careless reading
yields: a premise turned round, "some" read as "only some", a denied antecedent (Evans, Newstead and Byrne
1993). They do not follow even if every set named in the premises has a member, so nobody is marked wrong
for a reading of "all" that the schoolbook shares. The last option says that none of the others must be
true; it is right for a fifth of the items.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from item_bank.demonstration import (
    Parameters,
    difficulty,
    draw,
    key_position,
    keyed_item,
    place_key,
    shuffled,
    slope,
)
from item_bank.demonstration.drafts import DraftItem, ItemBody

FAMILY = "syllogism"
OPTION_COUNT = 5
LANGUAGES = ("id", "en")

Formula = str
"""`all S P`, `no S P`, `some S P`, `some_not S P` over sets; `P`, `-P`, `P > -Q`, `P only Q`, `P or Q` over
facts."""


@dataclass(frozen=True)
class Form:
    """Premises, the conclusion they force ("" when they force none of the options), and wrong conclusions
    by name.

    `turns` counts the steps in which a statement must be turned round (contraposed or converted) before it
    links up.
    """

    name: str
    premises: tuple[Formula, ...]
    key: Formula
    turns: int
    wrong: tuple[tuple[Formula, str], ...]


def _set_form(name: str, premises: str, key: Formula, turns: int) -> Form:
    """A valid categorical form; its wrong conclusions follow from what kind of statement the right one is."""
    quantity, subject, predicate = key.split()
    wrong = tuple(
        (formula.replace("X", subject).replace("Y", predicate), note)
        for formula, note in MISREADINGS[quantity]
    )
    return Form(name, tuple(premises.split(", ")), key, turns, wrong)


MISREADINGS: dict[str, tuple[tuple[Formula, str], ...]] = {
    "all": (
        ("all Y X", "membalik arah simpulan"),
        ("some_not X Y", "mengira 'semua' berlaku hanya bagi sebagian"),
        ("no X Y", "salah tanda pada simpulan"),
        ("some_not Y X", "menambahkan sisa yang tidak disebut premis"),
    ),
    "no": (
        ("all X Y", "mengabaikan kata 'tidak'"),
        ("some X Y", "mencari irisan yang sudah ditutup premis"),
        ("all Y X", "membalik premis dan mengabaikan kata 'tidak'"),
    ),
    "some": (
        ("all X Y", "menggeneralisasi dari sebagian ke semua"),
        ("some_not X Y", "mengira 'sebagian' berarti 'sebagian lagi bukan'"),
        ("no X Y", "salah tanda pada simpulan"),
        ("all Y X", "membalik premis dan menggeneralisasi"),
    ),
    "some_not": (
        ("no X Y", "menggeneralisasi dari sebagian ke semua"),
        ("some X Y", "mengira 'sebagian bukan' berarti 'sebagian lagi ya'"),
        ("some_not Y X", "membalik arah simpulan"),
        ("all Y X", "membalik premis"),
    ),
}

NOTHING_FOLLOWS: tuple[tuple[Formula, str], ...] = (
    ("all S P", "menggeneralisasi melalui kelompok penengah"),
    ("some S P", "mengira kelompok penengah pasti dipakai bersama"),
    ("no S P", "mengira yang tidak diketahui berarti tidak ada"),
    ("some_not S P", "mengira 'sebagian' berarti 'sebagian lagi bukan'"),
)

SET_FORMS: tuple[Form, ...] = (
    _set_form("barbara", "all M P, all S M", "all S P", 0),
    _set_form("celarent", "no M P, all S M", "no S P", 0),
    _set_form("darii", "all M P, some S M", "some S P", 0),
    _set_form("ferio", "no M P, some S M", "some_not S P", 0),
    _set_form("cesare", "no P M, all S M", "no S P", 1),
    _set_form("camestres", "all P M, no S M", "no S P", 1),
    _set_form("festino", "no P M, some S M", "some_not S P", 1),
    _set_form("baroco", "all P M, some_not S M", "some_not S P", 2),
    _set_form("disamis", "some M P, all M S", "some S P", 1),
    _set_form("datisi", "all M P, some M S", "some S P", 1),
    _set_form("bocardo", "some_not M P, all M S", "some_not S P", 2),
    _set_form("ferison", "no M P, some M S", "some_not S P", 1),
    _set_form("camenes", "all P M, no M S", "no S P", 1),
    _set_form("dimaris", "some P M, all M S", "some S P", 1),
    _set_form("fresison", "no P M, some M S", "some_not S P", 2),
    _set_form("barbara, premises turned round", "all S M, all M P", "all S P", 0),
    _set_form("chain of three", "all S M, all M N, all N P", "all S P", 0),
    _set_form("chain that closes", "all S M, all M N, no N P", "no S P", 0),
    _set_form("chain from some", "some S M, all M N, all N P", "some S P", 0),
    _set_form("chain from some that closes", "all M N, no N P, some S M", "some_not S P", 1),
    _set_form("two chains that part", "all S M, no N M, all P N", "no S P", 1),
    _set_form("chain backwards", "some_not S M, all N M, all P N", "some_not S P", 2),
    _set_form("meeting in the middle", "all M S, some M N, all N P", "some S P", 2),
    Form("shared genus", ("all P M", "all S M"), "", 1, NOTHING_FOLLOWS),
    Form("some and some", ("some M P", "some S M"), "", 1, NOTHING_FOLLOWS),
    Form("all and no", ("all M P", "no S M"), "", 1, NOTHING_FOLLOWS),
    Form("two denials", ("no M P", "no S M"), "", 1, NOTHING_FOLLOWS),
    Form("some not and all", ("some_not M P", "all S M"), "", 1, NOTHING_FOLLOWS),
)

SIGN, CONVERSE, INVERSE = "salah tanda pada simpulan", "membalik premis", "menyangkal anteseden"
# Kept as a table: one form per paragraph, as one reads them.
FACT_FORMS: tuple[Form, ...] = (
    Form("two steps forwards", ("P > Q", "Q > R", "P"), "R", 0,
         (("-R", SIGN), ("-Q", "menyangkal premis pertama"), ("Q > -R", "menyangkal premis kedua"))),
    Form("linked conditionals", ("P > Q", "Q > R"), "P > R", 0,
         (("R > P", CONVERSE), ("-P > -R", INVERSE), ("P > -R", SIGN))),
    Form("linked and contraposed", ("P > Q", "Q > R"), "-R > -P", 2,
         (("R > P", CONVERSE), ("-P > -R", INVERSE), ("-Q > -R", "menyangkal anteseden premis kedua"))),
    Form("two steps backwards", ("P > Q", "Q > R", "-R"), "-P", 2,
         (("P", SIGN), ("Q", "berhenti sebelum menyangkal syarat kedua"), ("-P > Q", "menyangkal premis"))),
    Form("back from the middle", ("P > Q", "Q > R", "-Q"), "-P", 1,
         (("-R", INVERSE), ("R", "mengabaikan syarat"), ("P", SIGN))),
    Form("on from the middle", ("P > Q", "Q > R", "Q"), "R", 0,
         (("P", "menegaskan konsekuen"), ("-P", "mengira ada sebab lain"), ("-R", SIGN))),
    Form("one of two, then on", ("P or Q", "Q > R", "-P"), "R", 1,
         (("-R", SIGN), ("-Q", "mengira kedua pilihan gugur bersama"), ("P", "mengabaikan premis ketiga"))),
    Form("one of two, backwards", ("P or Q", "Q > R", "-R"), "P", 2,
         (("-P", SIGN), ("Q", "memilih kemungkinan yang sudah gugur"), ("P > R", "memindahkan syarat"))),
    Form("both ways lead there", ("P or Q", "P > R", "Q > R"), "R", 1,
         (("-R", SIGN), ("P", "memastikan satu pilihan tanpa dasar"),
          ("Q", "memastikan satu pilihan tanpa dasar"))),
    Form("excluded, so the other", ("P > -Q", "Q or R", "P"), "R", 1,
         (("-R", SIGN), ("Q", "mengabaikan kata 'tidak'"), ("P > Q", "menghapus kata 'tidak' dari premis"))),
    Form("either way something", ("P > Q", "-P > R"), "-Q > R", 2,
         (("Q > -R", "mengira dua akibat saling meniadakan"), ("R > -P", CONVERSE),
          ("-R > -Q", INVERSE))),
    Form("a shared condition", ("P only Q", "R only Q", "P"), "Q", 1,
         (("R", "mengira syarat perlu sudah cukup"), ("-R", "mengira hanya satu yang dapat terjadi"),
          ("-Q", SIGN))),
    Form("roads that exclude", ("P > Q", "R > -Q"), "P > -R", 2,
         (("-P > R", INVERSE), ("Q > P", CONVERSE), ("-R > P", "membalik simpulan"))),
    Form("affirmed consequent", ("P > Q", "R > Q", "Q"), "", 1,
         (("P", "menegaskan konsekuen"), ("R", "menegaskan konsekuen premis kedua"),
          ("-P", "mengira ada sebab lain"), ("-R", "mengira satu sebab meniadakan yang lain"))),
    Form("denied antecedent", ("P > Q", "Q > R", "-P"), "", 1,
         (("-Q", INVERSE), ("-R", "menyangkal anteseden sepanjang rantai"),
          ("Q", "mengabaikan syarat"), ("R", "mengira akibat terjadi dengan sendirinya"))),
    Form("two effects of one", ("P > Q", "P > R", "Q"), "", 1,
         (("P", "menegaskan konsekuen"), ("R", "mengira akibat selalu datang bersama"),
          ("-P", "mengira ada sebab lain"), ("-R", "mengira satu akibat meniadakan yang lain"))),
    Form("or is not either", ("P or Q", "Q > R", "P"), "", 1,
         (("-Q", "mengira 'atau' menolak salah satu"), ("-R", INVERSE),
          ("Q", "mengira kedua pilihan pasti terjadi"), ("R", "meloncati pilihan yang belum pasti"))),
)  # fmt: skip

SETS_IN_WORDS = """arsiparis=archivists; peserta diklat=training participants;
anggota koperasi=cooperative members; pegawai teladan=model employees

auditor=auditors; penerima beasiswa=scholarship holders;
penutur bahasa Jepang=speakers of Japanese; anggota tim penilai=members of the assessment team

analis kebijakan=policy analysts; penulis buku=authors;
pengajar tamu=guest lecturers; lulusan pelatihan kepemimpinan=leadership course graduates

berkas perizinan=licence files; berkas digital=digital files;
berkas tersegel=sealed files; berkas rahasia=confidential files

kendaraan dinas=official vehicles; kendaraan listrik=electric vehicles;
kendaraan baru=new vehicles; kendaraan sewaan=rented vehicles

desa pesisir=coastal villages; desa wisata=tourist villages;
desa mandiri=self-reliant villages; desa penerima hibah=grant-receiving villages

gedung bertingkat=multi-storey buildings; gedung hemat energi=energy-saving buildings;
gedung cagar budaya=heritage buildings; gedung milik daerah=municipal buildings

puskesmas rawat inap=inpatient clinics; puskesmas terakreditasi=accredited clinics;
puskesmas percontohan=model clinics; puskesmas kepulauan=island clinics

pedagang sayur=vegetable traders; pemegang izin usaha=licence holders;
peserta pameran=exhibitors; penerima pinjaman=borrowers

aplikasi layanan=service applications; aplikasi berbayar=paid applications;
aplikasi berbahasa daerah=regional-language applications; aplikasi terintegrasi=integrated applications

sekolah berasrama=boarding schools; sekolah inklusif=inclusive schools;
sekolah rujukan=reference schools; sekolah kejuruan=vocational schools

peneliti=researchers; pemain catur=chess players;
pelari maraton=marathon runners; penggemar kopi=coffee lovers"""
SETS: tuple[tuple[tuple[str, str], ...], ...] = tuple(
    tuple((one.strip(), two.strip()) for one, two in (term.split("=") for term in scene.split(";")))
    for scene in SETS_IN_WORDS.split("\n\n")
)

FACTS: tuple[tuple[tuple[str, str], ...], ...] = (
    (
        ("hujan {tidak }diperkirakan turun", "rain is {not }forecast"),
        ("apel pagi {tidak }dipindahkan ke aula", "the morning assembly is {not }moved to the hall"),
        ("pengeras suara cadangan {tidak }dipasang", "the spare loudspeaker is {not }installed"),
    ),
    (
        ("berkas pemohon {tidak }lengkap", "the applicant's file is {not }complete"),
        ("permohonan {tidak }diterima loket", "the application is {not }accepted at the counter"),
        ("tanda terima {tidak }dicetak", "a receipt is {not }printed"),
    ),
    (
        ("anggaran {tidak }disetujui", "the budget is {not }approved"),
        ("lelang {tidak }dibuka pada bulan Maret", "the tender is {not }opened in March"),
        ("jembatan {tidak }diperbaiki tahun ini", "the bridge is {not }repaired this year"),
    ),
    (
        ("rapat {tidak }dihadiri kepala dinas", "the meeting is {not }attended by the head of office"),
        ("keputusan {tidak }diambil hari ini", "a decision is {not }taken today"),
        ("surat edaran {tidak }dikirim besok", "the circular is {not }sent tomorrow"),
    ),
    (
        ("jaringan {tidak }terputus", "the network is {not }interrupted"),
        ("antrean {tidak }dialihkan ke loket manual", "the queue is {not }diverted to the manual counter"),
        ("petugas tambahan {tidak }dipanggil", "extra staff are {not }called"),
    ),
    (
        ("Rina {tidak }ditugaskan ke Ambon", "Rina is {not }assigned to Ambon"),
        ("Bayu {tidak }ditempatkan di bagian arsip", "Bayu is {not }placed in the archive section"),
        ("Citra {tidak }dipindahkan ke bagian hukum", "Citra is {not }moved to the legal section"),
    ),
    (
        ("pintu ruang arsip {tidak }terkunci", "the archive room door is {not }locked"),
        ("alarm {tidak }diaktifkan", "the alarm is {not }activated"),
        ("penjaga malam {tidak }ditambah", "the night watch is {not }reinforced"),
    ),
    (
        ("kuota pelatihan {tidak }terpenuhi", "the training quota is {not }filled"),
        ("gelombang kedua {tidak }dibuka", "a second batch is {not }opened"),
        ("narasumber dari luar {tidak }diundang", "an outside speaker is {not }invited"),
    ),
)

QUANTIFIED = {
    "id": {
        "all": "Semua {x} adalah {y}.",
        "no": "Tidak ada {x} yang merupakan {y}.",
        "some": "Sebagian {x} adalah {y}.",
        "some_not": "Sebagian {x} bukan {y}.",
    },
    "en": {
        "all": "All {x} are {y}.",
        "no": "No {x} are {y}.",
        "some": "Some {x} are {y}.",
        "some_not": "Some {x} are not {y}.",
    },
}
LINKED = {
    "id": {
        ">": "jika {x}, maka {y}.",
        "only": "{x} hanya jika {y}.",
        "or": "{x} atau {y} (atau keduanya).",
        "": "{x}.",
    },
    "en": {
        ">": "if {x}, then {y}.",
        "only": "{x} only if {y}.",
        "or": "{x} or {y} (or both).",
        "": "{x}.",
    },
}
QUESTION = {
    "id": "<p>Anggaplah semua pernyataan berikut benar.</p>{premises}"
    "<p>Simpulan manakah yang pasti benar?</p>",
    "en": "<p>Take all of the following statements as true.</p>{premises}"
    "<p>Which conclusion must be true?</p>",
}
NONE_MUST = {
    "id": "Tidak satu pun dari simpulan lain pasti benar.",
    "en": "None of the other conclusions must be true.",
}

Terms = dict[str, tuple[str, str]]


def _set_sentence(formula: Formula, terms: Terms, language: str) -> str:
    quantity, x, y = formula.split()
    place = LANGUAGES.index(language)
    return QUANTIFIED[language][quantity].format(x=terms[x][place], y=terms[y][place])


def _literal(literal: str, terms: Terms, language: str) -> str:
    denied = literal.startswith("-")
    before, rest = terms[literal.removeprefix("-")][LANGUAGES.index(language)].split("{")
    word, after = rest.split("}")
    return before + (word if denied else "") + after


def _fact_sentence(formula: Formula, terms: Terms, language: str) -> str:
    x, link, y = (*formula.split(), "", "")[:3]
    template = LINKED[language][link]
    sentence = template.format(x=_literal(x, terms, language), y=_literal(y, terms, language) if y else "")
    return sentence[0].upper() + sentence[1:]


def _parameters(form: Form, index: int) -> Parameters:
    """Slope, difficulty and the features behind them; g and h are hash draws in 0..6 for the spread of
    reality.

    b = -3.3 + 0.65 premises + 0.3 denials + 0.35 particulars + 0.7 turns + 0.8 none_follows + 0.06 g
    a = 0.85 + 0.15 premises + 0.1 turns + 0.05 h
    """
    said = " ".join(form.premises)
    features = {
        "premises": float(len(form.premises)),
        "denials": float(said.count("no ") + said.count("some_not") + said.count("-")),
        "particulars": float(said.count("some") + said.count("or ")),
        "turns": float(form.turns),
        "none_follows": float(form.key == ""),
    }
    b = -3.3 + 0.65 * features["premises"] + 0.3 * features["denials"] + 0.35 * features["particulars"]
    b += (
        0.7 * features["turns"] + 0.8 * features["none_follows"] + 0.06 * draw(FAMILY, index, "difficulty", 7)
    )
    a = 0.85 + 0.15 * features["premises"] + 0.1 * features["turns"]
    return slope(a + 0.05 * draw(FAMILY, index, "slope", 7)), difficulty(b), features


def _chosen(form: Form, index: int, forced: int) -> tuple[tuple[Formula, str], ...]:
    """Four conclusions with their notes; `forced` counts the items so far whose key is one of these four."""
    wrong = shuffled(FAMILY, index, "wrong", form.wrong)
    if not form.key:
        return wrong
    return place_key(
        (form.key, ""), wrong[: OPTION_COUNT - 2], key_position(FAMILY, forced, OPTION_COUNT - 1)
    )


def _item(form: Form, terms: Terms, index: int, forced: int) -> DraftItem:
    about_sets = "M" in terms
    sentence = _set_sentence if about_sets else _fact_sentence
    chosen = _chosen(form, index, forced)
    bodies = {}
    for language in LANGUAGES:
        premises = "".join(f"<p><em>{sentence(said, terms, language)}</em></p>" for said in form.premises)
        said = tuple(sentence(conclusion, terms, language) for conclusion, _ in chosen)
        bodies[language] = ItemBody(
            stem=QUESTION[language].format(premises=premises), options=(*said, NONE_MUST[language])
        )
    last_note = "ragu menarik simpulan yang sah" if form.key else ""
    topic = "keanggotaan kelompok" if about_sets else "syarat dan pilihan"
    return keyed_item(
        f"CONTOH-SL-{index + 1:03d}",
        FAMILY,
        ("potensi.intelektual.logika", f"Menarik simpulan dari pernyataan tentang {topic}"),
        _parameters(form, index),
        bodies,
        (*(note for _, note in chosen), last_note),
        expected_time_s=30 + 12 * len(form.premises) + 8 * form.turns,
    )


def _cast() -> Iterator[tuple[Form, Terms]]:
    """Each form with its terms: forms alternate between scenes, and roles within a scene are dealt by
    hash."""
    for number, form in enumerate(SET_FORMS):
        roles = shuffled(FAMILY, number, "roles", SETS[number % len(SETS)])
        yield form, dict(zip("SMPN", roles, strict=True))
    for number, form in enumerate(FACT_FORMS):
        yield form, dict(zip("PQR", FACTS[number % len(FACTS)], strict=True))


def items() -> tuple[DraftItem, ...]:
    made: list[DraftItem] = []
    forced = 0
    for form, terms in _cast():
        made.append(_item(form, terms, len(made), forced))
        forced += form.key != ""
    return tuple(made)
