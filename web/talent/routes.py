"""Routes of the talent manager."""

from litestar.handlers import HTTPRouteHandler

from web.talent.people_pages import route_handlers as people_handlers
from web.talent.posting_pages import route_handlers as posting_handlers

route_handlers: tuple[HTTPRouteHandler, ...] = (*people_handlers, *posting_handlers)
