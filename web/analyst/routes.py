"""Routes of the psychometrician and the auditor."""

from litestar.handlers import HTTPRouteHandler

from web.analyst.package_pages import route_handlers as package_handlers
from web.analyst.sitting_pages import route_handlers as sitting_handlers

route_handlers: tuple[HTTPRouteHandler, ...] = (*package_handlers, *sitting_handlers)
