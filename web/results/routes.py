"""Routes of results."""

from litestar.handlers import HTTPRouteHandler

from web.results.release_pages import route_handlers as release_handlers
from web.results.verify_pages import route_handlers as verify_handlers

route_handlers: tuple[HTTPRouteHandler, ...] = (*release_handlers, *verify_handlers)
