"""The public check: type or scan the code of a report, and see what it certifies and whether it is intact.

Codes carry 80 bits, so nobody finds one by trying; the throttle only keeps one address from keeping the
database busy. It counts in the memory of the process, in windows of one minute.
"""

from dataclasses import dataclass, field
from typing import Final

from litestar import get
from litestar.params import FromPath
from litestar.response import Redirect

from cat_engine.foundation.refusals import Refusal, Refused
from cat_engine.results.reports import VerifiedReport, verify
from web.pages import Page, render
from web.requests import WebRequest
from web.results.views import VerifiedSection, VerifyView
from web.rules import PUBLIC
from web.security import client_address
from web.services import services_of

URL: Final = "/verify"
CHECKS_PER_WINDOW: Final = 30
WINDOW_MS: Final = 60_000
LONGEST_CODE: Final = 60
_THROTTLE: Final = "verification_throttle"


@dataclass
class Throttle:
    """How often each address has asked in the present window."""

    window: int = 0
    counts: dict[str, int] = field(default_factory=dict)

    def take(self, address: str, now_ms: int) -> bool:
        """Count one more; False when it is one too many."""
        if now_ms // WINDOW_MS != self.window:
            self.window, self.counts = now_ms // WINDOW_MS, {}
        self.counts[address] = self.counts.get(address, 0) + 1
        return self.counts[address] <= CHECKS_PER_WINDOW


def verify_url(code: str) -> str:
    """The address that a report's picture leads to."""
    return f"{URL}/{code}"


def grouped_code(code: str) -> str:
    """The code as people read it aloud, in groups of four."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


@get(URL, opt=PUBLIC)
async def verify_form_page(request: WebRequest) -> Page | Redirect:
    """The form; a typed code leads to its own address."""
    typed = _plain(request.query_params.get("code", ""))
    if typed:
        return Redirect(verify_url(typed), status_code=303)
    return render(request, "results/verify.html", VerifyView(state="asked", check_url=URL))


@get(URL + "/{code:str}", opt=PUBLIC)
async def verify_page(request: WebRequest, code: FromPath[str]) -> Page:
    """What a code certifies."""
    services = services_of(request)
    now_ms, plain = services.clock.now_ms(), _plain(code)
    throttle: Throttle = request.app.state.setdefault(_THROTTLE, Throttle())
    if not throttle.take(client_address(request), now_ms):
        raise Refused(Refusal.TOO_MANY_ATTEMPTS)
    try:
        async with services.storage.reading() as connection:
            found = await verify(connection, plain)
    except Refused as refused:
        if refused.code is not Refusal.NOT_FOUND:
            raise
        unknown = VerifyView(state="unknown", check_url=URL, code=grouped_code(plain))
        return render(request, "results/verify.html", unknown, status=404)
    return render(request, "results/verify.html", _view(found, plain, now_ms))


def _plain(typed: str) -> str:
    return "".join(character for character in typed[:LONGEST_CODE].upper() if character.isalnum())


def _view(found: VerifiedReport, code: str, now_ms: int) -> VerifyView:
    if not found.is_intact:
        # whatever is stored beside a wrong code proves nothing and is not repeated
        return VerifyView(state="tampered", check_url=URL, code=grouped_code(code))
    return VerifyView(
        state="expired" if found.expires_at_ms <= now_ms else "intact",
        check_url=URL,
        code=grouped_code(code),
        report_number=found.report_number,
        agency_name=found.agency_name,
        sections=tuple(
            VerifiedSection(
                aspect=section.aspect,
                scale_score=section.scale_score,
                scale_error=section.scale_error,
                level=section.level,
                passed=section.passed,
            )
            for section in found.sections
        ),
        measured_at_ms=found.measured_at_ms,
        released_at_ms=found.released_at_ms,
        expires_at_ms=found.expires_at_ms,
    )


route_handlers = (verify_form_page, verify_page)
