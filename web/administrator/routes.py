"""Routes of the administrator and the auditor."""

from litestar.handlers import HTTPRouteHandler

from web.administrator.account_pages import route_handlers as account_handlers
from web.administrator.exam_sessions import route_handlers as exam_session_handlers
from web.administrator.ledger_pages import route_handlers as ledger_handlers
from web.administrator.roster_pages import route_handlers as roster_handlers

route_handlers: tuple[HTTPRouteHandler, ...] = (
    *exam_session_handlers,
    *roster_handlers,
    *account_handlers,
    *ledger_handlers,
)
