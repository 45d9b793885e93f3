"""The nine boxes of a unit, and one person's record."""

from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from litestar import get
from litestar.params import FromPath

from cat_engine.foundation.actors import Permission
from cat_engine.talent.nine_box import Cuts, NineBoxPolicy
from cat_engine.talent.register import (
    Entry,
    PersonRecord,
    Standing,
    UnitMember,
    nine_box_policy,
    person_record,
    unit_grid,
    units,
)
from web.access import access_person
from web.formats import Formats
from web.language import Translator
from web.pages import Page, formats_of, render, translator_of
from web.requests import WebRequest, is_clean
from web.results.readings import note_reading
from web.rules import actor_of, requires
from web.services import services_of
from web.talent.boxes import box_rows, steps_to_next
from web.talent.views import (
    EntryLine,
    GridPerson,
    GridView,
    PersonView,
    RatingLine,
    UnitChoice,
    UnplacedPerson,
)

URL: Final = "/talent"
RULE = requires(Permission.TALENT_READ)
MOST_PEOPLE: Final = 3000
REASON_ENDS: Final = ("_expired", "_not_measured")


def person_url(person_id: str) -> str:
    """The page of one person."""
    return f"{URL}/people/{person_id}"


@get(URL, opt=RULE)
async def grid_page(request: WebRequest) -> Page:
    """The nine boxes; `unit` narrows to a unit, `box` shows the names in one box."""
    services, actor = services_of(request), actor_of(request)
    now_ms = services.clock.now_ms()
    unit, box = _unit(request), _box(request)
    async with services.storage.reading() as connection:
        policy = await nine_box_policy(connection, actor.agency_id, now_ms)
        choices = await units(connection, actor)
        total = sum(count for name, count in choices if unit in {"", name})
        is_too_many = total > MOST_PEOPLE
        members: tuple[UnitMember, ...] = ()
        if not is_too_many:
            members = await unit_grid(connection, actor, policy, now_ms, unit=unit or None, limit=MOST_PEOPLE)
    if members:
        await note_reading(request, f"agency:{actor.agency_id}", {"page": "nine_box", "unit": unit})
    view = GridView(
        rows=box_rows(
            (member.standing for member in members),
            policy,
            lambda number: _url(unit, 0 if number == box else number),
            chosen=box,
        ),
        unit=unit,
        units=tuple(UnitChoice(name=name, count=count) for name, count in choices),
        filter_url=URL,
        all_url=_url(unit, 0),
        box=box,
        people=_people(request, members, box),
        placed=sum(member.standing.box is not None for member in members),
        unplaced=_unplaced(request, members),
        total=total,
        is_too_many=is_too_many,
        policy_version=policy.version,
        is_example_policy=policy.is_example,
        potential_cuts=_bounds(policy.potential_cuts),
        performance_cuts=_bounds(policy.performance_cuts),
        postings_url=f"{URL}/postings" if actor.may(Permission.POSTING_MANAGE) else "",
    )
    return render(request, "talent/grid.html", view)


def _unit(request: WebRequest) -> str:
    text = request.query_params.get("unit", "").strip()[:200]
    return text if is_clean(text) else ""


def _box(request: WebRequest) -> int:
    text = request.query_params.get("box", "")
    return int(text) if text in {str(number) for number in range(1, 10)} else 0


def _url(unit: str, box: int) -> str:
    given = {name: value for name, value in (("unit", unit), ("box", str(box or ""))) if value}
    return f"{URL}?{urlencode(given)}#people" if given else f"{URL}#people"


def _bounds(cuts: Cuts) -> tuple[int, int]:
    return cuts.middle, cuts.high


def _people(request: WebRequest, members: tuple[UnitMember, ...], box: int) -> tuple[GridPerson, ...]:
    """The names in the chosen box, those nearest to the next box first; without a box, of a unit all."""
    t, formats = translator_of(request), formats_of(request)
    shown = [
        member
        for member in members
        if member.standing.box is not None and box in {0, member.standing.box.number}
    ]
    if not box and not _unit(request):
        return ()
    return tuple(
        GridPerson(
            url=person_url(member.person_id),
            name=member.name,
            post=member.post,
            unit=member.unit,
            potential=_points(formats, member.standing.x),
            performance=_points(formats, member.standing.y),
            missing=_missing(member.standing, t, formats),
        )
        for member in shown
    )


def _points(formats: Formats, value: Decimal | None) -> str:
    return "–" if value is None else formats.number(float(value), 0 if value % 1 == 0 else 2)


def _missing(standing: Standing, t: Translator, formats: Formats) -> str:
    if standing.box is None or standing.missing is None:
        return ""
    steps = steps_to_next(standing.box, standing.missing, lambda value: _points(formats, value))
    said = [t(f"talent.step.{step.axis}", points=step.points, box=step.box) for step in steps]
    return "; ".join(said) or t("talent.step.nothing")


def _unplaced(request: WebRequest, members: tuple[UnitMember, ...]) -> tuple[UnplacedPerson, ...]:
    t = translator_of(request)
    return tuple(
        UnplacedPerson(
            url=person_url(member.person_id),
            name=member.name,
            post=member.post,
            unit=member.unit,
            reasons=_reasons(member.standing, t),
        )
        for member in members
        if member.standing.box is None
    )


def _reasons(standing: Standing, t: Translator) -> tuple[str, ...]:
    return tuple(_reason(code, t) for code in standing.reasons)


def _reason(code: str, t: Translator) -> str:
    for end in REASON_ENDS:
        if code.endswith(end):
            return t(f"talent.reason.aspect{end}", aspect=t(f"results.aspect.{code.removesuffix(end)}"))
    return t(f"talent.reason.{code}")


# ------------------------------------------------------------------------------------------------ one person


@get(URL + "/people/{person_id:str}", opt=RULE)
async def person_page(request: WebRequest, person_id: FromPath[str]) -> Page:
    """One person's record; reading it is written down for the person to see."""
    services, actor = services_of(request), actor_of(request)
    now_ms = services.clock.now_ms()
    async with services.storage.reading() as connection:
        person = await access_person(connection, actor, person_id, Permission.TALENT_READ)
        policy = await nine_box_policy(connection, actor.agency_id, now_ms)
        record = await person_record(connection, actor, person.id, policy, now_ms)
    await note_reading(request, f"person:{person.id}", {"page": "person"})
    view = _person_view(record, policy, translator_of(request), formats_of(request))
    return render(request, "talent/person.html", view)


def _person_view(record: PersonRecord, policy: NineBoxPolicy, t: Translator, formats: Formats) -> PersonView:
    standing = record.standing
    steps = (
        steps_to_next(standing.box, standing.missing, lambda value: _points(formats, value))
        if standing.box is not None and standing.missing is not None
        else ()
    )
    return PersonView(
        name=record.name,
        nip=_printed_nip(record.nip),
        post=record.post,
        unit=record.unit,
        rank=record.rank,
        is_simulated=record.is_simulated,
        rows=box_rows((standing,), policy, chosen=standing.box.number if standing.box else 0),
        box=standing.box.number if standing.box else 0,
        potential=_points(formats, standing.x),
        performance=_points(formats, standing.y),
        steps=steps,
        reasons=_reasons(standing, t),
        entries=tuple(_entry(entry, formats) for entry in record.entries),
        ratings=tuple(
            RatingLine(year=rating.year, value=rating.value, source=rating.source)
            for rating in record.ratings
        ),
        policy_version=standing.policy_version,
        is_example_policy=policy.is_example,
        back_url=URL,
    )


def _entry(entry: Entry, formats: Formats) -> EntryLine:
    return EntryLine(
        aspect=entry.aspect,
        scale_score=formats.number(float(entry.scale_score)),
        standard_error=formats.number(float(entry.standard_error)) if entry.standard_error else "",
        level=entry.level,
        measured_at_ms=entry.measured_at_ms,
        expires_at_ms=entry.expires_at_ms,
        report_number=entry.report_number,
        is_expired=entry.is_expired,
    )


def _printed_nip(nip: str | None) -> str:
    """`19860926 201505 1 001`: birth, appointment, sex, serial; any other number as it is."""
    if nip is None or len(nip) != 18:
        return nip or "–"
    return f"{nip[:8]} {nip[8:14]} {nip[14]} {nip[15:]}"


route_handlers = (grid_page, person_page)
