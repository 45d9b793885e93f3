"""A small bank whose every secret can be told apart from anything else that a page may say."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.core import events as e
from cat_engine.core.test_package import LevelCut, RuleChoice, Scale, Section
from cat_engine.delivery.exam_sessions import open_session
from cat_engine.delivery.packages import PackageStore
from cat_engine.delivery.tables import exam_sessions, test_packages
from cat_engine.foundation.actors import Role
from cat_engine.foundation.storage import Storage
from cat_engine.panel.tables import applications
from item_bank.demonstration.drafts import DraftItem, ItemBody
from item_bank.packages import PackageDesign, SectionDesign, publish
from item_bank.store import add_drafts
from item_bank.tables import item_versions, items
from tests.web.agency import T0, Agency, add_agency

POINTS_FROM = 70_011  # points that no page has another reason to show
SCALE = Scale(
    name="T", slope=100, intercept=500, minimum=200, maximum=800, cuts=(LevelCut(1, 200), LevelCut(2, 500))
)
FORM_SCALE = Scale(name="0-100", slope=1, intercept=0, minimum=0, maximum=100, cuts=(LevelCut(1, 0),))


def canary_drafts() -> tuple[DraftItem, ...]:
    """Sixteen keyed items, eight with graded points, four of a form."""
    return (
        *(_draft(number, "potensi.intelektual.verbal", graded=False) for number in range(16)),
        *(_draft(number, "manajerial.integritas", graded=True) for number in range(16, 24)),
        *(_draft(number, "pengetahuan.sistem_merit", graded=False) for number in range(24, 28)),
    )


def _draft(number: int, competency: str, *, graded: bool) -> DraftItem:
    key = (number * 7) % 4
    keyed = tuple(POINTS_FROM + int(option == key) for option in range(4))
    steps = tuple(POINTS_FROM + (option + number) % 4 for option in range(4))
    body = ItemBody(
        stem=f"<p>Pokok soal nomor {number}.</p>",
        options=tuple(f"Pilihan {'ABCD'[option]}" for option in range(4)),
    )
    b = -1.0345671 + 0.0901237 * number
    return DraftItem(
        code=f"CANARY-CODE-{number:03d}",
        family="situational_judgement" if graded else "analogy",
        competency=competency,
        indicator=f"CANARY-INDICATOR-{number}",
        level=3,
        model="GPCM" if graded else "3PL",
        a=round(1.2345671 + 0.0101013 * number, 7),
        b=tuple(round(b + 0.7123457 * step, 7) for step in range(3)) if graded else (round(b, 7),),
        c=0.0 if graded else round(0.1234573 + 0.0010103 * number, 7),
        bodies={"id": body},
        option_points=steps if graded else keyed,
        option_notes=tuple(f"CANARY-NOTE-{number}-{option}" for option in range(4)),
        citation=f"CANARY-CITATION-{number}",
    )


def _design() -> PackageDesign:
    def adaptive(section_id: str, competency: str, length: int) -> SectionDesign:
        return SectionDesign(
            competencies=(competency,),
            section=Section(
                section_id=section_id,
                title={"id": f"Bagian {section_id}", "en": f"Part {section_id}"},
                aspect="potential" if section_id == "potensi" else "competency",
                mode="adaptive",
                item_ids=(),
                scale=SCALE,
                stopping=(RuleChoice("fixed_length", {"items": length}),),
            ),
        )

    form = Section(
        section_id="pengetahuan",
        title={"id": "Bagian pengetahuan", "en": "Part knowledge"},
        aspect="knowledge",
        mode="linear",
        item_ids=(),
        scale=FORM_SCALE,
    )
    return PackageDesign(
        code="CANARY",
        version=1,
        title={"id": "Tes uji", "en": "Trial test"},
        languages=("id",),
        sections=(
            adaptive("potensi", "potensi", 8),
            adaptive("kompetensi", "manajerial", 5),
            SectionDesign(competencies=("pengetahuan",), form_length=3, section=form),
        ),
        time_allowed_s=3600,
    )


async def add_canaries(storage: Storage) -> Agency:
    """An agency whose open exam session runs the package of canaries."""
    agency = await add_agency(storage, "satu", candidates=3, status="scheduled")
    async with storage.transaction() as connection:
        psychometrician = agency.actor(Role.PSYCHOMETRICIAN)
        await add_drafts(connection, psychometrician, canary_drafts(), status="operational", at_ms=T0)
        agency.ids["package_id"] = await publish(connection, psychometrician, _design(), at_ms=T0)
        await connection.execute(update(exam_sessions).values(package_id=agency.ids["package_id"]))
        found = await connection.execute(select(items.c.id).where(items.c.code == "CANARY-CODE-000"))
        agency.ids["item_id"] = found.scalar_one()
        await connection.execute(
            insert(applications),
            [
                {
                    "id": f"application-{number}",
                    "post_id": agency.ids["post_id"],
                    "person_id": f"person-{agency.key}-{number}",
                    "blind_code": f"K{number}",
                }
                for number in (1, 2, 3)
            ],
        )
    proctor = agency.actor(Role.PROCTOR)
    await open_session(storage, PackageStore(storage), proctor, agency.ids["exam_session_id"], T0)
    return agency


def bank_secrets() -> tuple[str, ...]:
    """Keys and points, parameters, notes: nobody's business outside the bank."""
    numbers: list[float] = []
    for draft in canary_drafts():
        numbers += [draft.a, *draft.b, draft.c]
    written = {text for number in numbers if number for text in _written(number, 7)}
    points = {str(POINTS_FROM + extra) for extra in range(4)}
    marks = {"CANARY-NOTE", "CANARY-CITATION", "option_points", "option_notes", "points_maximum"}
    return tuple(sorted(written | points | marks))


def _written(number: float, decimals: int) -> Iterable[str]:
    """A number as programs and as people write it, with that many decimals and with fewer."""
    yield repr(abs(number))
    for places in range(4, decimals + 1):
        plain = f"{abs(number):.{places}f}"
        yield plain
        yield plain.replace(".", ",")


async def identity_secrets(connection: AsyncConnection, agency: Agency) -> tuple[str, ...]:
    """Which item is which: identities, codes, hashes. A room that knows them can trade them."""
    rows = await connection.execute(
        select(items.c.id, items.c.code, item_versions.c.content_hash).join(
            item_versions, item_versions.c.item_id == items.c.id
        )
    )
    found = {text for row in rows for text in row if not text.endswith(agency.key)}
    package = select(test_packages.c.content_hash).where(test_packages.c.id == agency.ids["package_id"])
    return (*sorted(found), (await connection.execute(package)).scalar_one(), "CANARY-INDICATOR")


def thetas_of(events: Iterable[e.Event]) -> tuple[str, ...]:
    """Every estimate and every error of a log, written in several ways; round numbers left out."""
    millionths: set[int] = set()
    for event in events:
        if isinstance(event, e.ItemPresented):
            millionths |= {event.theta_millionths, event.standard_error_millionths}
        if isinstance(event, e.Scored):
            for section in event.sections:
                millionths |= {section.theta_millionths or 0, section.standard_error_millionths or 0}
    written: set[str] = set()
    for number in millionths - {0, 1_000_000}:
        written.add(str(abs(number)))
        written |= set(_written(number / 1_000_000, 6))
    return tuple(sorted(text for text in written if len(text.lstrip("0.,")) >= 4))


def found_in(text: str, secrets: tuple[str, ...]) -> list[str]:
    """Which of the secrets a text holds; numbers where they stand alone, also beside a comma."""
    numbers, marks = _sorted_out(secrets)
    whole = set(re.findall(r"(?<!\d)\d+", text))
    broken = set(re.findall(r"(?<!\d)(?=(\d+[.,]\d+))", text))
    return sorted(numbers & (whole | broken)) + [mark for mark in marks if mark in text]


@lru_cache(maxsize=64)
def _sorted_out(secrets: tuple[str, ...]) -> tuple[frozenset[str], tuple[str, ...]]:
    numbers = frozenset(secret for secret in secrets if re.fullmatch(r"\d+([.,]\d+)?", secret))
    return numbers, tuple(secret for secret in secrets if secret not in numbers)
