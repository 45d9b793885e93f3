"""Routes of the panel."""

from litestar.handlers import HTTPRouteHandler

from web.panel.pages import route_handlers as selection_handlers
from web.panel.post_pages import route_handlers as post_handlers

route_handlers: tuple[HTTPRouteHandler, ...] = (*selection_handlers, *post_handlers)
