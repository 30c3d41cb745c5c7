"""The dispatcher's page: a day's orders, routes and drivers on one screen, live."""

from hub.web.board.views import blueprint

__all__ = ["blueprint"]
