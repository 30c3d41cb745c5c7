"""The hub over HTTP: the API, the pages, and the factory that puts them together."""

from hub.web.app import create_app

__all__ = ["create_app"]
