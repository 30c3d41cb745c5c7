"""No more e-mails: the page behind the link in every mail.

Looking changes nothing, because mail servers open every link to look for malware. A mail program
ends the mails by one POST that nobody's browser sends (RFC 8058), so there is no session and no
token of a form: the link itself is the permission, and all that it can do is this.
"""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, make_response, redirect, render_template, request
from redis.exceptions import RedisError
from werkzeug.wrappers import Response as Answer

from hub.errors import Missing
from hub.notify import unsubscribe
from hub.notify.unsubscribe import Subscription
from hub.store import MerchantRow, Session
from hub.web.context import hub
from hub.web.policy import allow
from hub.web.problems import Problem
from hub.web.track.pages import hidden
from hub.web.tries import neighbourhood

blueprint = Blueprint("unsubscribe", __name__, url_prefix="/u")
MOST = 60
"""Links in a minute that open nothing, from one address; who has tried more waits."""
Change = Callable[[Session, Subscription], None]


@blueprint.get("/<token>")
@allow("public")
def page(token: str) -> Response:
    """Show whose mails they are, and whether they still come."""
    hold()
    with hub().store.read() as session:
        try:
            found = unsubscribe.opened(hub(), session, token)
        except Missing as error:
            return gone(str(error))
        merchant = session.get_one(MerchantRow, found.merchant)
        out = unsubscribe.is_out(session, found)
    text = render_template("track/unsubscribe.html", merchant=merchant, out=out, token=token)
    return hidden(make_response(text))


@blueprint.post("/<token>")
@allow("public")
def leave(token: str) -> Answer:
    """End the mails: at once for a mail program, and for a person with the page that says so."""

    def end(session: Session, found: Subscription) -> None:
        unsubscribe.leave(session, found, unsubscribe.BY_LINK)

    return changed(token, end)


@blueprint.post("/<token>/undo")
@allow("public")
def undo(token: str) -> Answer:
    """Let the mails come again."""
    return changed(token, unsubscribe.rejoin)


def changed(token: str, change: Change) -> Answer:
    """Do what a link is for, and answer who asked for it."""
    hold()
    with hub().store.write() as session:
        try:
            change(session, unsubscribe.opened(hub(), session, token))
        except Missing as error:
            return gone(str(error))
    if request.form.get("List-Unsubscribe") == "One-Click":  # a mail program follows no redirect
        return hidden(Response("Done. No more e-mails are sent.\n", mimetype="text/plain"))
    return redirect(f"/u/{token}", 303)


def gone(words: str) -> Response:
    """Say that a link opens nothing, the same for all that do not, and count it."""
    key = counter()
    try:
        with hub().redis.pipeline() as pipe:
            pipe.incr(key)
            pipe.expire(key, 60)
            pipe.execute()
    except RedisError:
        pass  # a link has 128 bits; the count only keeps the log quiet
    return hidden(make_response(render_template("track/unsubscribe_gone.html", words=words), 404))


def hold() -> None:
    """Raise `Problem` for an address that tries one link after the other."""
    try:
        count = int(hub().redis.get(counter()) or 0)
    except RedisError:
        return
    if count >= MOST:
        raise Problem(429, "too many links that open nothing; wait a minute")


def counter() -> str:
    """Return under what the wrong links of an address are counted."""
    return f"unsubscribe:wrong:{neighbourhood()}"
