"""Errors as people and programs read them: a page, or problem details (RFC 9457)."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Flask, Response, g, render_template, request
from jinja2 import TemplateNotFound
from pydantic_core import to_json
from sqlalchemy.exc import DataError, IntegrityError
from werkzeug.exceptions import HTTPException

from hub.dispatch.changes import Overtaken
from hub.errors import Forbidden, HubError, Missing, Refused, Retry
from hub.store.database import Busy

TITLES = {
    400: "That was not understood",
    401: "Please sign in",
    403: "That is not allowed",
    404: "There is nothing here",
    405: "That cannot be done here",
    409: "That is in the way of something else",
    413: "That is too large",
    415: "That is the wrong kind of content",
    421: "This is served elsewhere",
    422: "Something in it is not right",
    429: "Too many requests",
    500: "Something went wrong on our side",
    503: "The hub is busy",
}


class Problem(HubError):
    """An answer that is an error, with its HTTP status and any further members."""

    def __init__(self, status: int, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.more = more


def install(app: Flask) -> None:
    """Turn every error into an answer."""
    app.register_error_handler(HubError, from_hub)
    app.register_error_handler(HTTPException, from_http)
    app.register_error_handler(DataError, from_data)
    app.register_error_handler(IntegrityError, from_race)
    app.register_error_handler(Exception, from_bug)


def from_hub(error: HubError) -> Response:
    """Answer an error that the hub raised on purpose."""
    if isinstance(error, Problem):
        return problem(error.status, str(error), **error.more)
    if isinstance(error, Refused):
        errors = [{"field": error.field, "message": str(error)}] if error.field else []
        return problem(422, str(error), **({"errors": errors} if errors else {}))
    if isinstance(error, Missing):
        return problem(404, str(error))
    if isinstance(error, Forbidden):
        return problem(401 if g.get("principal") is None else 403, str(error))
    if isinstance(error, Overtaken):
        return problem(409, str(error))
    if isinstance(error, Busy | Retry):
        response = problem(503, str(error))
        response.headers["Retry-After"] = "5"
        return response
    return problem(422, str(error))


def from_race(error: IntegrityError) -> Response:
    """Answer a request that another one at the same moment was ahead of."""
    return problem(409, "somebody else has just changed the same thing; look again and repeat it")


def from_data(error: DataError) -> Response:
    """Answer a value that the database cannot hold, such as a text with a NUL in it."""
    return problem(422, "some text or number in it cannot be stored; leave out control signs")


def from_http(error: HTTPException) -> Response:
    """Answer an error that the framework raised."""
    response = problem(error.code or 500, error.description or error.name)
    for name, value in error.get_headers():
        if name.lower() in ("allow", "retry-after"):
            response.headers[name] = value
    return response


def from_bug(error: Exception) -> Response:
    """Answer a mistake of ours without its inner workings, and log it with them."""
    # The rule, not the path: addresses of hooks and of tracking pages have a secret in them.
    rule = request.url_rule.rule if request.url_rule is not None else request.path
    structlog.get_logger("hub.web").exception("request_failed", path=rule)
    return problem(500, "The mistake is ours and has been written to the log. Try again.")


def problem(status: int, detail: str, **more: Any) -> Response:
    """Return a problem as JSON under /api and to programs, as a page to people."""
    title = TITLES.get(status, "That did not work")
    if request.path.startswith("/api/") or not request.accept_mimetypes.accept_html:
        body = {"type": "about:blank", "title": title, "status": status, "detail": detail, **more}
        return Response(to_json(body), status, mimetype="application/problem+json")
    try:
        page = render_template("errors/error.html", status=status, title=title, detail=detail)
    except TemplateNotFound:
        page = f"{title}: {detail}"
    return Response(page, status, mimetype="text/html")
