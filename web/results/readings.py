"""Reading a person's result leaves a trace: the person can see who read it, as what, and when.

A page that shows several people's results writes one entry for what it showed together: a post under its
blind codes, a unit of the agency on its nine boxes. `web.results.own_data` finds them again for each of them.
"""

from collections.abc import Mapping
from typing import Final

from cat_engine.foundation import ledger
from web.requests import WebRequest
from web.rules import actor_of
from web.services import services_of

RESULT_READ: Final = "result.read"


async def note_reading(request: WebRequest, subject: str, detail: Mapping[str, str]) -> None:
    """Write down that the signed-in member of staff reads what `subject` names.

    The roles are kept with the entry: what somebody was then is not what the account may be later.
    """
    services, actor = services_of(request), actor_of(request)
    async with services.storage.transaction() as connection:
        await ledger.append(
            connection,
            actor,
            action=RESULT_READ,
            subject=subject,
            at_ms=services.clock.now_ms(),
            detail={**detail, "roles": ",".join(sorted(actor.roles))},
        )
