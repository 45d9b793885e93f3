"""Routes of the administrator and the auditor."""

from litestar.handlers import HTTPRouteHandler

from web.administrator.accommodation_pages import route_handlers as accommodation_handlers
from web.administrator.account_pages import route_handlers as account_handlers
from web.administrator.exam_sessions import route_handlers as exam_session_handlers
from web.administrator.ledger_pages import route_handlers as ledger_handlers
from web.administrator.room_pages import route_handlers as room_handlers
from web.administrator.roster_pages import route_handlers as roster_handlers
from web.administrator.schedule_pages import route_handlers as schedule_handlers
from web.administrator.selection_pages import route_handlers as selection_handlers
from web.administrator.selection_parts import route_handlers as selection_part_handlers

route_handlers: tuple[HTTPRouteHandler, ...] = (
    *exam_session_handlers,
    *schedule_handlers,
    *room_handlers,
    *selection_handlers,
    *selection_part_handlers,
    *roster_handlers,
    *accommodation_handlers,
    *account_handlers,
    *ledger_handlers,
)
