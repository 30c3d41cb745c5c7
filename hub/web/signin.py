"""Sign in with a password or a one-time link, and sign out."""

from __future__ import annotations

from flask import Blueprint, Response, flash, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from hub.access import tokens, users
from hub.errors import Forbidden
from hub.store import UserRow
from hub.web import auth
from hub.web.context import hub
from hub.web.frame import home
from hub.web.policy import allow

blueprint = Blueprint("signin", __name__)

TRIES = 10
PAUSE = 300
"""After TRIES wrong passwords from one address or for one account, seconds until the next."""


@blueprint.get("/sign-in")
@allow("public")
def page() -> AnyResponse | str:
    """Show the form, or go on where somebody is signed in already."""
    if g.principal is not None and g.via == "session":
        return redirect(onward() or home(g.principal))
    return render_template("signin/form.html", next=onward())


@blueprint.post("/sign-in")
@allow("public")
def enter() -> AnyResponse | tuple[str, int]:
    """Check e-mail and password."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    keys = [f"signin:{request.remote_addr}", f"signin:{email.strip().lower()[:200]}"]
    if blocked(keys):
        said = "Too many wrong passwords. Wait five minutes, or ask the owner for a one-time link."
        return render_template("signin/form.html", next=onward(), email=email, error=said), 429
    with hub().store.read() as session:
        row = users.verify(session, email, password)
    if row is None:
        count(keys)
        said = "E-mail and password do not belong together. Try again."
        return render_template("signin/form.html", next=onward(), email=email, error=said), 422
    forget(keys)
    return welcome(row)


@blueprint.get("/sign-in/<token>")
@allow("public")
def link(token: str) -> str:
    """Show a button: link previews open addresses by themselves and would spend the token."""
    with hub().store.read() as session:
        try:
            user = session.get(UserRow, tokens.check(session, "sign_in", token))
        except Forbidden:
            user = None
    return render_template("signin/link.html", user=user, token=token)


@blueprint.post("/sign-in/<token>")
@allow("public")
def spend(token: str) -> AnyResponse:
    """Use up the link and sign its user in."""
    with hub().store.write() as session:
        row = session.get(UserRow, tokens.spend(session, "sign_in", token))
    if row is None or row.disabled_at is not None:
        raise Forbidden("this account is no longer in use; ask the owner of the hub")
    return welcome(row)


@blueprint.post("/sign-out")
@allow("public")
def leave() -> AnyResponse:
    """End the session."""
    auth.sign_out()
    flash("You are signed out.")
    return redirect("/sign-in")


def welcome(row: UserRow) -> AnyResponse:
    """Start the session and go to the page that was asked for, or to the role's first one."""
    auth.sign_in(row)
    response: Response = redirect(onward() or home(users.principal(row)))  # type: ignore[assignment]
    return response


def onward() -> str:
    """Return the page that was asked for before signing in; only one of ours."""
    wanted = request.values.get("next", "")
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if ours else ""


def blocked(keys: list[str]) -> bool:
    """Say whether too many wrong passwords came from here or for this account."""
    from redis.exceptions import RedisError

    try:
        return any(int(found or 0) >= TRIES for found in hub().redis.mget(keys))
    except RedisError:
        return False


def count(keys: list[str]) -> None:
    """Remember a wrong password for PAUSE seconds."""
    from redis.exceptions import RedisError

    try:
        with hub().redis.pipeline() as pipe:
            for key in keys:
                pipe.incr(key)
                pipe.expire(key, PAUSE)
            pipe.execute()
    except RedisError:
        return


def forget(keys: list[str]) -> None:
    """Begin to count anew after a right password."""
    from redis.exceptions import RedisError

    try:
        hub().redis.delete(*keys)
    except RedisError:
        return
