"""The item bank: the list, and one item with its key, its words and its curves."""

from typing import Final
from urllib.parse import urlencode

import msgspec
import numpy as np
from litestar import get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from markupsafe import Markup
from sqlalchemy.engine import RowMapping

from cat_engine.foundation import ledger
from cat_engine.foundation.actors import Permission
from cat_engine.interactions.choice.scoring import option_ids
from item_bank.cleaning import clean
from item_bank.demonstration.drafts import ItemBody
from psychometrics.information import fisher_information
from psychometrics.models.items import ItemColumns, ItemParameters, category_probabilities, item_columns
from web.access import Item, access_item
from web.author import queries
from web.author.queries import Parameters
from web.author.views import (
    BankFilters,
    BankItemView,
    BankLine,
    BankView,
    CalibrationLine,
    Choices,
    EnemyLine,
    OptionLine,
    Parameter,
    PreviewLink,
    Sort,
    VersionLine,
)
from web.candidate.present import LETTERS
from web.candidate.views import ItemView, OptionView
from web.competencies import competency_name, tree_order
from web.language import Translator
from web.pages import Page, formats_of, render, translator_of
from web.plots import Curve, LinePlot, PlotWords, line_plot
from web.requests import WebRequest, is_clean
from web.rules import actor_of, requires
from web.services import services_of

RULE = requires(Permission.BANK_READ)
URL: Final = "/bank"
WIDTHS: Final = ("wide", "medium", "narrow")
THETA: Final = np.linspace(-4.0, 4.0, 81)


def family_name(t: Translator, family: str) -> str:
    """The name of a family of items, or its own word for itself."""
    key = f"author.family.{family}"
    return t(key) if t.has(key) else family


# ------------------------------------------------------------------------------------------------- the list


@get(URL, opt=RULE)
async def bank_page(request: WebRequest) -> Page:
    """A page of the bank, narrowed and sorted as the address says."""
    actor, t, filters = actor_of(request), translator_of(request), _filters(request)
    sort = request.query_params.get("sort", "code")
    sort = sort if sort.removeprefix("-") in queries.SORTS else "code"
    async with services_of(request).storage.reading() as connection:
        total = await queries.count_items(connection, actor, filters)
        last_page = max(1, -(-total // queries.PAGE_SIZE))
        number = min(_page_number(request), last_page)
        offset = (number - 1) * queries.PAGE_SIZE
        rows = await queries.read_items(connection, actor, filters, sort, offset)
        competencies, families = await queries.read_kinds(connection, actor)
    view = BankView(
        items=tuple(_line(row, t) for row in rows),
        filters=filters,
        filter_url=URL,
        competencies=_branches(competencies, t),
        families=tuple((family, family_name(t, family)) for family in families),
        statuses=tuple((status, t(f"author.status.{status}")) for status in queries.STATUSES),
        provenances=tuple((word, t(f"author.provenance.{word}")) for word in queries.PROVENANCES),
        languages=tuple((word, t(f"common.language.{word}")) for word in queries.LANGUAGES),
        levels=tuple((level, level) for level in queries.LEVELS),
        sorts={name: _sort(name, sort, filters) for name in queries.SORTS},
        sort=sort,
        total=total,
        first=offset + 1 if rows else 0,
        last=offset + len(rows),
        pages=_pages(filters, sort, number, last_page),
    )
    return render(request, "author/bank.html", view)


def _filters(request: WebRequest) -> BankFilters:
    allowed = {
        "level": queries.LEVELS,
        "status": queries.STATUSES,
        "provenance": queries.PROVENANCES,
        "language": queries.LANGUAGES,
    }
    given = {
        name: request.query_params.get(f"in_{name}" if name == "language" else name, "").strip()[:120]
        for name in BankFilters.__struct_fields__
    }
    kept = {
        name: value
        for name, value in given.items()
        if is_clean(value) and value in allowed.get(name, (value,))
    }
    return BankFilters(**kept)


def _page_number(request: WebRequest) -> int:
    text = request.query_params.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 8 else 1


def _line(row: RowMapping, t: Translator) -> BankLine:
    bodies = msgspec.json.decode(row["bodies"], type=dict[str, msgspec.Raw]) if row["bodies"] else {}
    parameters = queries.decode_parameters(row["parameters"])
    return BankLine(
        url=f"{URL}/items/{row['id']}",
        code=row["code"],
        indicator=row["indicator"],
        competency=competency_name(t.language, row["competency"]),
        family=family_name(t, row["family"]),
        level=row["level"],
        status=row["status"],
        provenance=row["provenance"] or "",
        languages=tuple(sorted(bodies, reverse=True)),
        difficulty=parameters.difficulty if parameters else None,
    )


def _branches(codes: tuple[str, ...], t: Translator) -> Choices:
    """Every competency with items and the branches above it, in the order of the tree."""
    wanted = {code.rsplit(".", cut)[0] for code in codes for cut in range(code.count(".") + 1)}
    indent = "\N{NO-BREAK SPACE}\N{NO-BREAK SPACE}"
    return tuple(
        (code, indent * code.count(".") + competency_name(t.language, code))
        for code in sorted(wanted, key=tree_order)
    )


def _sort(name: str, sort: str, filters: BankFilters) -> Sort:
    is_ascending, is_descending = sort == name, sort == f"-{name}"
    return Sort(
        url=_url(filters, f"-{name}" if is_ascending else name),
        direction="ascending" if is_ascending else "descending" if is_descending else "",
    )


def _url(filters: BankFilters, sort: str, page: int = 1) -> str:
    query = {
        f"in_{name}" if name == "language" else name: getattr(filters, name)
        for name in filters.__struct_fields__
        if getattr(filters, name)
    }
    if sort != "code":
        query["sort"] = sort
    if page > 1:
        query["page"] = str(page)
    return f"{URL}?{urlencode(query)}" if query else URL


def _pages(filters: BankFilters, sort: str, number: int, last_page: int) -> tuple[tuple[str, str, bool], ...]:
    """First, last and the neighbours; a gap has no address."""
    wanted = sorted({1, last_page, *range(max(1, number - 2), min(last_page, number + 2) + 1)})
    pages: list[tuple[str, str, bool]] = []
    for before, page in zip([0, *wanted], wanted, strict=False):
        if page - before > 1:
            pages.append(("…", "", False))
        pages.append((str(page), _url(filters, sort, page), page == number))
    return tuple(pages)


# -------------------------------------------------------------------------------------------------- one item


@get(URL + "/items/{item_id:str}", opt=RULE)
async def bank_item_page(request: WebRequest, item_id: FromPath[str]) -> Page:
    """An item with its key; that somebody looked is written down in the same breath."""
    services, actor, t = services_of(request), actor_of(request), translator_of(request)
    async with services.storage.transaction() as connection:
        item = await access_item(connection, actor, item_id)
        row = await queries.read_item(connection, item.id)
        enemies = await queries.read_enemies(connection, actor, item.id)
        await ledger.append(
            connection,
            actor,
            action="item.read",
            subject=item.id,
            at_ms=services.clock.now_ms(),
            detail={"version": row["version"] if row else 0},
        )
    return render(request, "author/item.html", _item_view(request, item, row, enemies, t))


def _item_view(
    request: WebRequest, item: Item, row: RowMapping | None, enemies: list[RowMapping], t: Translator
) -> BankItemView:
    bodies = msgspec.json.decode(row["bodies"], type=dict[str, ItemBody]) if row else {}
    asked = request.query_params.get("in_language", t.language)
    language = asked if asked in bodies else next(iter(bodies), "id")
    width = request.query_params.get("width", "")
    width = width if width in WIDTHS else WIDTHS[0]
    url = f"{URL}/items/{item.id}"

    def link(key: str, current: str, **query: str) -> PreviewLink:
        return PreviewLink(key=key, url=f"{url}?{urlencode(query)}#preview", current=key == current)

    return BankItemView(
        code=item.code,
        indicator=item.indicator,
        competency=competency_name(t.language, item.competency),
        family=family_name(t, item.family),
        level=item.level,
        status=item.status,
        back_url=URL,
        version=_version(request, row, bodies[language], language) if row else None,
        width=width,
        widths=tuple(link(each, width, width=each, in_language=language) for each in WIDTHS),
        language=language,
        languages=tuple(link(each, language, width=width, in_language=each) for each in bodies),
        enemies=tuple(
            EnemyLine(url=f"{URL}/items/{enemy['id']}", code=enemy["code"], indicator=enemy["indicator"])
            for enemy in enemies
        ),
    )


def _version(request: WebRequest, row: RowMapping, body: ItemBody, language: str) -> VersionLine:
    points = msgspec.json.decode(row["option_points"], type=tuple[int, ...])
    notes = msgspec.json.decode(row["option_notes"], type=tuple[str, ...])
    options = tuple(_clean(option) for option in body.options)
    parameters = queries.decode_parameters(row["parameters"])
    return VersionLine(
        number=row["version"],
        interaction=row["interaction"],
        content_hash=row["content_hash"],
        created_at_ms=row["created_at_ms"],
        citation=row["citation"],
        expected_time_s=row["expected_time_s"],
        preview=_preview(body, options, language),
        options=tuple(
            OptionLine(
                letter=LETTERS[place], text=text, points=value, is_best=value == max(points), note=note
            )
            for place, (text, value, note) in enumerate(zip(options, points, notes, strict=True))
        ),
        calibration=_calibration(row, parameters) if parameters else None,
        plots=_plots(request, row["model"], parameters, float(row["metric_d"])) if parameters else (),
    )


def _clean(html: str) -> Markup:
    return Markup(clean(html))  # noqa: S704 - cleaned in this very expression


def _preview(body: ItemBody, options: tuple[Markup, ...], language: str) -> ItemView:
    """The item as the candidate's page gets it, with nowhere to send an answer to."""
    return ItemView(
        sitting_id="",
        respond_url="",
        presentation="preview",
        ordinal=1,
        most=1,
        stem=_clean(body.stem),
        stimulus=_clean(body.stimulus),
        options=tuple(
            OptionView(id=option_id, letter=LETTERS[place], text=options[place])
            for place, option_id in enumerate(option_ids(len(options)))
        ),
        candidate_name="",
        test_name="",
        item_language=language,
    )


def _calibration(row: RowMapping, parameters: Parameters) -> CalibrationLine:
    lines = [Parameter(name="discrimination", symbol="a", value=parameters.a)]
    if len(parameters.b) == 1:
        lines.append(Parameter(name="difficulty", symbol="b", value=parameters.b[0]))
    else:
        steps = enumerate(parameters.b, start=1)
        lines += [Parameter(name="step", symbol=f"b{place}", value=value) for place, value in steps]
    if row["model"] in {"3PL", "4PL"}:
        lines.append(Parameter(name="guessing", symbol="c", value=parameters.c))
    return CalibrationLine(
        model=row["model"],
        provenance=row["provenance"],
        metric_d=row["metric_d"],
        made_at_ms=row["made_at_ms"],
        parameters=tuple(lines),
    )


def _plots(request: WebRequest, model: str, parameters: Parameters, metric_d: float) -> tuple[LinePlot, ...]:
    columns = item_columns(
        [ItemParameters(model, parameters.a, parameters.b, parameters.c, parameters.d)], D=metric_d
    )
    return (_response_plot(request, columns), _information_plot(request, columns))


def _response_plot(request: WebRequest, columns: ItemColumns) -> LinePlot:
    """P(theta) of the right answer, or of each category."""
    t, probabilities = translator_of(request), category_probabilities(columns, THETA)[:, 0, :]
    categories = probabilities.shape[1]
    shown = range(1, 2) if categories == 2 else range(categories)
    curves = [
        Curve(
            t("author.plot.right") if categories == 2 else t("author.plot.category", category=category + 1),
            tuple(float(value) for value in probabilities[:, category]),
        )
        for category in shown
    ]
    words = PlotWords(
        id="response-plot",
        title=t("author.plot.response"),
        description=t("author.plot.response_text"),
        x_label=t("author.plot.theta"),
        y_label=t("author.plot.probability"),
    )
    return line_plot(words, THETA.tolist(), curves, formats_of(request), y_most=1.0)


def _information_plot(request: WebRequest, columns: ItemColumns) -> LinePlot:
    t, information = translator_of(request), fisher_information(columns, THETA)[:, 0]
    peak = int(information.argmax())
    formats = formats_of(request)
    words = PlotWords(
        id="information-plot",
        title=t("author.plot.information"),
        description=t(
            "author.plot.information_text",
            theta=formats.number(float(THETA[peak]), 1),
            most=formats.number(float(information[peak]), 2),
        ),
        x_label=t("author.plot.theta"),
        y_label=t("author.plot.information_unit"),
    )
    curve = Curve(t("author.plot.information_unit"), tuple(float(value) for value in information))
    return line_plot(words, THETA.tolist(), [curve], formats)


route_handlers: tuple[HTTPRouteHandler, ...] = (bank_page, bank_item_page)
