"""Selections as their administrator sets them up: the list, the rules."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect

from cat_engine.foundation.actors import Permission
from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.panel.selections import SelectionPolicy
from cat_engine.panel.setup import (
    ASPECTS,
    SelectionDraft,
    SelectionSetup,
    change_selection,
    create_selection,
    selection_setup,
    selections_of_agency,
)
from web.administrator.exam_sessions import LIST_URL as SESSIONS_URL
from web.administrator.forms import Line, one_line, typed_again
from web.administrator.setup_views import SelectionFormView, SelectionLine, SelectionListView, SetupForm
from web.pages import Page, language_of, render
from web.refusals import STATUSES
from web.requests import WebRequest, read_form
from web.rules import actor_of, requires
from web.services import services_of

RULE = requires(Permission.EXAM_SESSION_MANAGE)
LIST_URL = "/administrator/selections"
NEW_URL = LIST_URL + "/new"
EDIT_PATH = LIST_URL + "/{selection_id:str}/edit"
TIE_BREAKS: Final = ("tie_break_1", "tie_break_2", "tie_break_3")

Weight = Annotated[int, msgspec.Meta(ge=0, le=1000)]
AspectOrNone = Literal["", "potential", "competency", "knowledge"]


def selection_url(selection_id: str) -> str:
    """The administrator's page of one selection."""
    return f"{LIST_URL}/{selection_id}"


class SelectionForm(msgspec.Struct, frozen=True, kw_only=True):
    """A selection and its rules."""

    title: Line
    year: Annotated[int, msgspec.Meta(ge=2000, le=2100)]
    cut_score: Annotated[str, msgspec.Meta(pattern=r"^\s*\d{1,4}([.,]\d{1,2})?\s*$")] = ""
    places: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None
    weight_potential: Weight = 0
    weight_competency: Weight = 0
    weight_knowledge: Weight = 0
    tie_break_1: AspectOrNone = ""
    tie_break_2: AspectOrNone = ""
    tie_break_3: AspectOrNone = ""
    names_open: Literal["never", "after_release"]


@get(LIST_URL, opt=RULE)
async def setup_list_page(request: WebRequest) -> Page:
    """The agency's selections."""
    async with services_of(request).storage.reading() as connection:
        found = await selections_of_agency(connection, actor_of(request))
    view = SelectionListView(
        selections=tuple(
            SelectionLine(url=selection_url(line.id), title=line.title, year=line.year, posts=line.posts)
            for line in found
        ),
        new_url=NEW_URL,
        back_url=SESSIONS_URL,
    )
    return render(request, "administrator/selections.html", view)


@get(NEW_URL, opt=RULE)
async def selection_new_page(request: WebRequest) -> Page:
    """The empty form."""
    return _show(request, SetupForm(action_url=NEW_URL), "", LIST_URL)


@post(NEW_URL, opt=RULE, status_code=200)
async def selection_create(request: WebRequest) -> Page | Redirect:
    """A new selection."""
    services = services_of(request)
    try:
        draft = _draft(await read_form(request, SelectionForm))
        async with services.storage.transaction() as connection:
            selection_id = await create_selection(
                connection, actor_of(request), draft, services.clock.now_ms()
            )
    except Refused as refused:
        values, refusal = await typed_again(request, refused)
        form = SetupForm(action_url=NEW_URL, values=values, refusal=refusal)
        return _show(request, form, "", LIST_URL, STATUSES[refused.code])
    return Redirect(selection_url(selection_id), status_code=303)


@get(EDIT_PATH, opt=RULE)
async def selection_edit_page(request: WebRequest, selection_id: FromPath[str]) -> Page:
    """The rules as they stand."""
    async with services_of(request).storage.reading() as connection:
        setup = await selection_setup(connection, actor_of(request), selection_id)
    form = SetupForm(
        action_url=f"{selection_url(setup.id)}/edit", values=_as_typed(setup, language_of(request))
    )
    return _show(request, form, setup.title, selection_url(setup.id))


@post(EDIT_PATH, opt=RULE, status_code=200)
async def selection_edit(request: WebRequest, selection_id: FromPath[str]) -> Page | Redirect:
    """Other rules, while nobody was measured."""
    services, actor = services_of(request), actor_of(request)
    async with services.storage.reading() as connection:
        setup = await selection_setup(connection, actor, selection_id)
    try:
        draft = _draft(await read_form(request, SelectionForm))
        async with services.storage.transaction() as connection:
            await change_selection(connection, actor, setup.id, draft, services.clock.now_ms())
    except Refused as refused:
        values, refusal = await typed_again(request, refused)
        form = SetupForm(action_url=f"{selection_url(setup.id)}/edit", values=values, refusal=refusal)
        return _show(request, form, setup.title, selection_url(setup.id), STATUSES[refused.code])
    return Redirect(selection_url(setup.id), status_code=303)


def _draft(form: SelectionForm) -> SelectionDraft:
    """The form as a policy: some aspect counts, and no aspect breaks a tie twice."""
    weights = {aspect: getattr(form, f"weight_{aspect}") for aspect in ASPECTS}
    if not any(weights.values()):
        raise Refused(Refusal.FIELD_MISSING, field="weights")
    tie_break = tuple(aspect for name in TIE_BREAKS if (aspect := getattr(form, name)))
    if len(set(tie_break)) < len(tie_break):
        raise Refused(Refusal.FIELD_INVALID, field="tie_break")
    cut_score = form.cut_score.strip().replace(",", ".")
    return SelectionDraft(
        title=one_line(form.title),
        year=form.year,
        policy=SelectionPolicy(
            cut_score=Decimal(cut_score) if cut_score else None,
            weights={aspect: weight for aspect, weight in weights.items() if weight},
            tie_break=tie_break,
            places=form.places,
            names_open=form.names_open,
        ),
    )


def _as_typed(setup: SelectionSetup, language: str) -> Mapping[str, str]:
    return dict(_fields(setup, language))


def _fields(setup: SelectionSetup, language: str) -> Iterator[tuple[str, str]]:
    policy = setup.policy
    yield "title", setup.title
    yield "year", str(setup.year)
    if policy.cut_score is not None:
        yield "cut_score", str(policy.cut_score).replace(".", "," if language == "id" else ".")
    if policy.places is not None:
        yield "places", str(policy.places)
    for aspect, weight in policy.weights.items():
        yield f"weight_{aspect}", str(weight)
    yield from zip(TIE_BREAKS, policy.tie_break, strict=False)
    yield "names_open", policy.names_open


def _show(request: WebRequest, form: SetupForm, title: str, back_url: str, status: int = 200) -> Page:
    view = SelectionFormView(title=title, aspects=ASPECTS, form=form, back_url=back_url)
    return render(request, "administrator/selection_form.html", view, status)


route_handlers = (
    setup_list_page,
    selection_new_page,
    selection_create,
    selection_edit_page,
    selection_edit,
)
