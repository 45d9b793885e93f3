"""Routes of the proctor."""

from litestar.handlers import HTTPRouteHandler

from web.proctor.act_pages import route_handlers as act_handlers
from web.proctor.board_pages import route_handlers as board_handlers

route_handlers: tuple[HTTPRouteHandler, ...] = (*board_handlers, *act_handlers)
