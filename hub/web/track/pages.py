"""The tracking page of one stop, opened by an unguessable link."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint, Response, abort, make_response, render_template
from sqlmodel import select

from hub.errors import Missing
from hub.store import MerchantRow, Session
from hub.tracking import brand, page
from hub.tracking.live import live_url
from hub.web.answers import tagged
from hub.web.context import hub
from hub.web.policy import allow

blueprint = Blueprint("track", __name__)


@contextmanager
def opened(token: str) -> Iterator[tuple[Session, str]]:
    """Open what the link opens, in a read-only session; the link itself is the permission."""
    with hub().store.read() as session:
        yield session, page.opened(session, token)


@blueprint.get("/t/<token>")
@allow("public")
def show(token: str) -> Response:
    """Show the page, readable without scripts."""
    try:
        with opened(token) as (session, stop):
            state = page.state(hub(), session, stop)
    except Missing as error:
        return hidden(make_response(render_template("track/gone.html", words=str(error)), 404))
    live = "" if state.told.over else live_url(hub(), [f"live:stop:{stop}"])
    return hidden(
        make_response(render_template("track/page.html", state=state, token=token, live=live))
    )


@blueprint.get("/t/<token>/state")
@allow("public")
def state(token: str) -> Response:
    """Return what the page shows, with an ETag."""
    with opened(token) as (session, stop):
        return hidden(tagged(page.state(hub(), session, stop)))


@blueprint.get("/t/<token>/picture/<sha256>")
@allow("public")
def picture(token: str, sha256: str) -> Response:
    """Return a photo or the signature of this stop's handover."""
    with opened(token) as (session, stop):
        found = page.picture(session, stop, sha256)
    if not found.media_type.startswith("image/"):
        abort(404)
    response = Response(hub().files.get(found.sha256), mimetype=found.media_type)
    response.headers["Cache-Control"] = "private, max-age=3600"
    return hidden(response)


@blueprint.get("/brand/<slug>.css")
@allow("public")
def colours(slug: str) -> Response:
    """Return the merchant's colours as a style sheet."""
    with hub().store.read() as session:
        accent = session.exec(select(MerchantRow.accent).where(MerchantRow.slug == slug)).first()
    if accent is None:
        abort(404)
    response = Response(brand.style(accent), mimetype="text/css")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


def hidden(response: Response) -> Response:
    """Keep an answer out of search engines; where it links to learns the origin alone."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    response.headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    return response
