"""Routes of the item bank."""

from web.author.bank_pages import route_handlers

__all__ = ["route_handlers"]
