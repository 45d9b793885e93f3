"""After the sitting: the candidate's released result, and the candidate's own data."""

from typing import Annotated, Final, Literal

import msgspec
from litestar import get, post
from litestar.params import FromPath
from litestar.response import Redirect

from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.results.reports import report_of_sitting
from web.accounts.principals import SittingAccess
from web.candidate.details import details_of, own_sitting
from web.candidate.views import MyDataView
from web.pages import Page, render, translator_of
from web.refusals import STATUSES, field_error
from web.requests import WebRequest, read_form, typed_fields
from web.results.own_data import accesses, ask, data_classes, find_holder, request_lines, requests_of
from web.results.own_result import Owner, post_standard, result_view
from web.rules import OWN_SITTING
from web.services import services_of

MOST_LETTERS: Final = 2000


@get("/sittings/{sitting_id:str}/result", opt=OWN_SITTING)
async def result_page(request: WebRequest, sitting_id: FromPath[str]) -> Page:
    """The result, once it is released."""
    access, ref = await own_sitting(request, sitting_id)
    services = services_of(request)
    async with services.storage.reading() as connection:
        report = await report_of_sitting(connection, ref.agency_id, ref.sitting_id)
        standard = await post_standard(connection, ref.sitting_id)
    details = await details_of(request, access)
    installed = await services.packages.get(ref.package_id)
    view = result_view(
        report,
        installed.compiled,
        Owner(access.principal.actor.name, details.candidate_number),
        standard,
        translator_of(request),
        public_url=services.settings.public_url,
        now_ms=services.clock.now_ms(),
    )
    return render(request, "candidate/result.html", view)


@get("/sittings/{sitting_id:str}/data", opt=OWN_SITTING)
async def my_data_page(request: WebRequest, sitting_id: FromPath[str]) -> Page:
    """What is kept, who read it, what was asked for."""
    access, _ = await own_sitting(request, sitting_id)
    return render(request, "candidate/my_data.html", await _my_data(request, access))


class DataForm(msgspec.Struct, frozen=True, kw_only=True):
    """A request for a copy, or for a correction of what is said."""

    kind: Literal["copy", "correction"]
    what: Annotated[str, msgspec.Meta(max_length=MOST_LETTERS)] = ""


@post("/sittings/{sitting_id:str}/data", opt=OWN_SITTING, status_code=200)
async def ask_for_data(request: WebRequest, sitting_id: FromPath[str]) -> Page | Redirect:
    """Record a request; a refused form keeps what was typed."""
    access, ref = await own_sitting(request, sitting_id)
    services = services_of(request)
    try:
        form = await read_form(request, DataForm)
        if form.kind == "correction" and not form.what.strip():
            raise Refused(Refusal.FIELD_MISSING, field="what")
    except Refused as refused:
        if refused.details.get("field") != "what":
            raise
        typed = (await typed_fields(request)).get("what", "")
        sentence = field_error(translator_of(request), refused).sentence
        view = await _my_data(request, access, correction_text=typed, correction_error=sentence)
        return render(request, "candidate/my_data.html", view, STATUSES[refused.code])
    async with services.storage.transaction() as connection:
        holder = await find_holder(connection, ref.sitting_id)
        what = form.what.strip() if form.kind == "correction" else ""
        await ask(connection, access.principal.actor, holder, form.kind, what, services.clock.now_ms())
    return Redirect(f"/sittings/{sitting_id}/data", status_code=303)


async def _my_data(
    request: WebRequest, access: SittingAccess, *, correction_text: str = "", correction_error: str = ""
) -> MyDataView:
    t = translator_of(request)
    async with services_of(request).storage.reading() as connection:
        holder = await find_holder(connection, access.sitting_id)
        read = await accesses(connection, holder, access.principal.agency_name, t)
        asked = await requests_of(connection, holder)
    return MyDataView(
        name=access.principal.actor.name,
        request_url=f"/sittings/{access.sitting_id}/data",
        classes=data_classes(holder, t),
        accesses=read,
        requests=request_lines(asked),
        correction_text=correction_text,
        correction_error=correction_error,
    )


route_handlers = (result_page, my_data_page, ask_for_data)
