"""Test packages: the list, one package, and the package file."""

from collections.abc import Mapping
from typing import Final

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from litestar.response import Response
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from cat_engine.delivery.tables import exam_sessions, roster_entries, test_packages
from cat_engine.foundation import ledger
from cat_engine.foundation.actors import Actor, Permission
from cat_engine.integrity.exports import export_package
from web.access import Package, access_package
from web.analyst.sections import BY_DESIGN, section_view
from web.analyst.views import PackageLine, PackageListView, PackageView, SessionUse
from web.language import Language
from web.pages import Page, formats_of, language_of, render, translator_of
from web.requests import WebRequest
from web.rules import actor_of, requires
from web.services import services_of

URL: Final = "/packages"


def title_of(titles: str, language: Language) -> str:
    """A package's title as stored (JSON by language) in the reader's language."""
    words: Mapping[str, str] = msgspec.json.decode(titles, type=dict[str, str])
    return words.get(language) or words.get("id") or next(iter(words.values()), "")


def file_response(content: bytes, name: str) -> Response[bytes]:
    """A JSON document as a download; the name is made of our identifiers only."""
    return Response(
        content,
        media_type="application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}.json"'},
    )


@get(URL, opt=requires(Permission.PACKAGE_READ))
async def package_list_page(request: WebRequest) -> Page:
    """The agency's test packages, newest first."""
    async with services_of(request).storage.reading() as connection:
        lines = await _lines(connection, actor_of(request), language_of(request))
    return render(request, "analyst/packages.html", PackageListView(packages=lines))


async def _lines(connection: AsyncConnection, actor: Actor, language: Language) -> tuple[PackageLine, ...]:
    columns = [test_packages.c[name] for name in Package.__struct_fields__]
    rows = await connection.execute(
        select(*columns, func.count(exam_sessions.c.id).label("exam_sessions"))
        .outerjoin(exam_sessions, exam_sessions.c.package_id == test_packages.c.id)
        .where(test_packages.c.agency_id == actor.agency_id)
        .group_by(*columns)
        .order_by(
            test_packages.c.published_at_ms.desc(), test_packages.c.code, test_packages.c.version.desc()
        )
    )
    return tuple(
        PackageLine(
            url=f"{URL}/{row.id}",
            title=title_of(row.title, language),
            code=row.code,
            version=row.version,
            published_at_ms=row.published_at_ms,
            content_hash=row.content_hash,
            exam_sessions=row.exam_sessions,
        )
        for row in rows
    )


@get(URL + "/{package_id:str}", opt=requires(Permission.PACKAGE_READ))
async def package_page(request: WebRequest, package_id: FromPath[str]) -> Page:
    """One package: what it asks, how it decides, what it can measure. No key and no words of an item."""
    services, actor, t = services_of(request), actor_of(request), translator_of(request)
    async with services.storage.reading() as connection:
        row = await access_package(connection, actor, package_id)
        uses = await _uses(connection, row.id)
    compiled = (await services.packages.get(row.id)).compiled
    package, formats = compiled.package, formats_of(request)
    view = PackageView(
        title=title_of(row.title, t.language),
        code=row.code,
        version=row.version,
        published_at_ms=row.published_at_ms,
        content_hash=row.content_hash,
        time_allowed_s=package.time_allowed_s,
        languages=package.languages,
        items=len(package.items),
        by_design=sum(item.provenance == BY_DESIGN for item in package.items),
        total_cut_points=package.total_cut_points,
        sections=tuple(section_view(part, t, formats) for part in compiled.sections),
        exam_sessions=uses,
        back_url=URL,
        file_url=f"{URL}/{row.id}/file" if actor.may(Permission.SITTING_EXPORT) else "",
    )
    return render(request, "analyst/package.html", view)


async def _uses(connection: AsyncConnection, package_id: str) -> tuple[SessionUse, ...]:
    columns = [exam_sessions.c[name] for name in ("id", "title", "starts_at_ms", "status")]
    rows = await connection.execute(
        select(*columns, func.count(roster_entries.c.id).label("candidates"))
        .outerjoin(roster_entries, roster_entries.c.exam_session_id == exam_sessions.c.id)
        .where(exam_sessions.c.package_id == package_id)
        .group_by(*columns)
        .order_by(exam_sessions.c.starts_at_ms.desc(), exam_sessions.c.id)
    )
    return tuple(
        SessionUse(
            title=row.title, starts_at_ms=row.starts_at_ms, status=row.status, candidates=row.candidates
        )
        for row in rows
    )


@get(URL + "/{package_id:str}/file", opt=requires(Permission.SITTING_EXPORT))
async def package_file(request: WebRequest, package_id: FromPath[str]) -> Response[bytes]:
    """The package file, keys and parameters included; who took it and when is written down."""
    services, actor = services_of(request), actor_of(request)
    async with services.storage.transaction() as connection:
        row = await access_package(connection, actor, package_id, Permission.SITTING_EXPORT)
        content = await export_package(connection, row.id)
        await ledger.append(
            connection,
            actor,
            action="package.export",
            subject=row.id,
            at_ms=services.clock.now_ms(),
            detail={"content_hash": row.content_hash},
        )
    return file_response(content, f"package-{row.content_hash[:16]}")


route_handlers: tuple[HTTPRouteHandler, ...] = (package_list_page, package_page, package_file)
