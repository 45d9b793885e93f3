"""From a live sitting to what a page shows. Everything a candidate may see passes through here, and
nothing else.
"""

from markupsafe import Markup

from cat_engine.core import chain
from cat_engine.core.state import Presentation
from cat_engine.core.transitions import Status
from cat_engine.delivery.sittings import LiveSitting
from cat_engine.interactions.choice.scoring import option_ids
from web.accounts.principals import SittingAccess
from web.candidate.details import Details
from web.candidate.views import (
    FinishedView,
    FixedFormView,
    InterruptedView,
    ItemView,
    OptionView,
    PaletteCell,
    ReviewView,
    TimeView,
    WaitingStep,
    WaitingView,
)
from web.language import Translator

LETTERS = "ABCDEFGHIJ"


def _clean(html: str) -> Markup:
    """Words of the bank as HTML: they were cleaned when the package was installed."""
    return Markup(html)  # noqa: S704 - see above; nothing that a visitor typed comes here


def base_url(access: SittingAccess) -> str:
    """Where the sitting lives."""
    return f"/sittings/{access.sitting_id}"


def time_view(access: SittingAccess, live: LiveSitting, now_ms: int) -> TimeView:
    """What is left, by the server's ledger."""
    return TimeView(remaining_ms=live.state.time.remaining_at(now_ms), expired_url=base_url(access))


def item_view(  # noqa: PLR0913 - a page is made of that many facts
    access: SittingAccess,
    live: LiveSitting,
    presentation: Presentation,
    t: Translator,
    now_ms: int,
    *,
    chosen: str = "",
    confirming: bool = False,
    missing: bool = False,
    ask_first: bool = True,
    details: Details | None = None,
) -> ItemView:
    """One presentation. `details` are only needed for a whole page."""
    package = live.installed.compiled.package
    part = live.installed.compiled.sections[presentation.section_index]
    language = (
        t.language if (presentation.item_id, t.language) in live.installed.views else package.languages[0]
    )
    words = live.installed.view(presentation.item_id, language)
    first = live.state.in_section(presentation.section_index)[0].position
    return ItemView(
        sitting_id=access.sitting_id,
        respond_url=f"{base_url(access)}/responses",
        presentation=str(presentation.position),
        ordinal=presentation.position - first + 1 if part.is_linear else presentation.position,
        most=part.most_items
        if part.is_linear
        else sum(s.most_items for s in live.installed.compiled.sections),
        stem=_clean(words.stem),
        stimulus=_clean(words.stimulus),
        options=tuple(
            OptionView(id=option_id, letter=LETTERS[place], text=_clean(words.options[place]))
            for place, option_id in enumerate(option_ids(len(words.options)))
        ),
        chosen=chosen,
        step="confirm" if confirming else "answer",
        ask_first=ask_first,
        missing=missing,
        time=time_view(access, live, now_ms),
        saved_at_ms=live.state.last_at_ms if live.state.answered else None,
        candidate_name=access.principal.actor.name,
        candidate_number=details.candidate_number if details else "",
        seat=details.seat if details else "",
        test_name=package.title.get(t.language, package.title["id"]),
        item_language=language,
    )


def _palette(live: LiveSitting, current: int) -> tuple[PaletteCell, ...]:
    form = live.state.in_section(live.state.section_index)
    return tuple(
        PaletteCell(
            position=place,
            answered=p.response is not None,
            flagged=p.flagged,
            current=p.position == current,
        )
        for place, p in enumerate(form, start=1)
    )


def fixed_form_view(
    access: SittingAccess,
    live: LiveSitting,
    place: int,
    t: Translator,
    now_ms: int,
    *,
    details: Details | None = None,
) -> FixedFormView:
    """The item at one place (from 1) of the open fixed form."""
    form = live.state.in_section(live.state.section_index)
    presentation = form[min(max(place, 1), len(form)) - 1]
    return FixedFormView(
        item=item_view(
            access, live, presentation, t, now_ms, chosen=presentation.response or "", details=details
        ),
        palette=_palette(live, presentation.position),
        flagged=presentation.flagged,
    )


def review_view(
    access: SittingAccess,
    live: LiveSitting,
    t: Translator,
    now_ms: int,
    *,
    asked: bool,
    details: Details | None = None,
) -> ReviewView:
    """The last page of a fixed form."""
    package = live.installed.compiled.package
    return ReviewView(
        sitting_id=access.sitting_id,
        return_url=base_url(access),
        finish_url=f"{base_url(access)}/finish",
        section=live.installed.compiled.sections[live.state.section_index].section.section_id,
        palette=_palette(live, 0),
        time=time_view(access, live, now_ms),
        asked=asked,
        candidate_name=access.principal.actor.name,
        candidate_number=details.candidate_number if details else "",
        seat=details.seat if details else "",
        test_name=package.title.get(t.language, package.title["id"]),
    )


def waiting_view(
    access: SittingAccess, live: LiveSitting, details: Details, t: Translator, now_ms: int
) -> WaitingView:
    """What still has to happen, and by whom."""
    opened = access.exam_session_status == "open"
    return WaitingView(
        poll_url=f"{base_url(access)}/waiting",
        refresh_url=base_url(access),
        steps=(
            WaitingStep(label=t("exam.waiting.ready"), state="done"),
            WaitingStep(label=t("exam.waiting.room_open"), state="done" if opened else "open"),
            WaitingStep(label=t("exam.waiting.admitted"), state="open", note=t("exam.waiting.admitted_note")),
        ),
        name=access.principal.actor.name,
        room=details.room,
        seat=details.seat,
        session_name=details.session_name,
        starts_at_ms=details.starts_at_ms,
        checked_at_ms=now_ms,
        resuming=live.state.status is Status.WAITING_RESUME,
    )


def interrupted_view(access: SittingAccess, live: LiveSitting, now_ms: int) -> InterruptedView:
    """Why the sitting stands still."""
    state = live.state
    return InterruptedView(
        cause="proctor" if state.pause_by == "proctor" else "system",
        since_at_ms=state.last_at_ms,
        answered_count=state.answered,
        remaining_s=state.time.remaining_at(now_ms) // 1000,
        clock_stopped=True,
        retry_url=base_url(access),
        poll_url=f"{base_url(access)}/waiting",
    )


def finished_view(access: SittingAccess, live: LiveSitting, t: Translator) -> FinishedView:
    """The sitting is over: receipt and what was measured."""
    state, compiled = live.state, live.installed.compiled
    ended_by = {"expired": "time", "completed": "rule"}.get(state.end_reason, "proctor")
    if ended_by == "rule" and compiled.sections[-1].is_linear:
        ended_by = "candidate"
    return FinishedView(
        measured=tuple(
            part.section.title.get(t.language, part.section.title["id"]) for part in compiled.sections
        ),
        answered_count=state.answered,
        started_at_ms=state.begun_at_ms or state.last_at_ms,
        ended_at_ms=(state.begun_at_ms or 0) + state.time.used_ms,
        receipt_code=chain.receipt(live.scored_chain or live.chain),
        result_url=f"{base_url(access)}/result" if state.status is Status.RELEASED else "",
        leave_url="/sign-out",
        ended_by=ended_by,  # type: ignore[arg-type] # one of the literals, by the two lines above
    )
