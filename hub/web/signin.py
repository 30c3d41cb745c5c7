"""Sign in with a password or a one-time link and, where it is on, a second factor; sign out."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request
from flask import session as cookie
from werkzeug.wrappers import Response as AnyResponse

from hub.access import audit, factors, tokens, users
from hub.access.passwords import LONGEST
from hub.errors import Forbidden, Missing
from hub.store import Session, UserRow
from hub.web import auth, tries
from hub.web.context import hub
from hub.web.frame import home
from hub.web.policy import allow

blueprint = Blueprint("signin", __name__)
log = logging.getLogger(__name__)

PENDING = 600
"""Seconds between the password and the code of the second factor."""


@blueprint.get("/sign-in")
@allow("public")
def page() -> AnyResponse | str:
    """Show the form, or go on where somebody is signed in already."""
    if g.principal is not None and g.via == "session":
        return redirect(onward() or home(g.principal))
    return render_template("signin/form.html", next=onward())


@blueprint.post("/sign-in")
@allow("public")
def enter() -> AnyResponse | tuple[str, int, dict[str, str]]:
    """Check e-mail and password."""
    email, password = request.form.get("email", ""), request.form.get("password", "")
    wait = tries.take("password", email)
    if wait:
        said = (
            f"Too many wrong passwords. Wait {tries.told(wait)}, "
            "or ask the owner for a one-time link."
        )
        return refused("signin/form.html", said, wait, email=email)
    with hub().store.read() as session:
        row = users.verify(session, email, password[:LONGEST])
    if row is None:
        count_failure(email)
        said = "E-mail and password do not belong together. Try again."
        return refused("signin/form.html", said, email=email)
    tries.forget("password", email)
    return welcome(row, "password")


@blueprint.get("/sign-in/code")
@allow("public")
def code() -> AnyResponse | str:
    """Ask for the code of the second factor."""
    if pending() is None:
        flash("That took too long. Sign in again.")
        return redirect("/sign-in")
    return render_template("signin/code.html")


@blueprint.post("/sign-in/code")
@allow("public")
def check_code() -> AnyResponse | tuple[str, int, dict[str, str]]:
    """Check the code, from the app or to recover with, and begin the session."""
    user, how = pending() or ("", "")
    if not user:
        flash("That took too long. Sign in again.")
        return redirect("/sign-in")
    wait = tries.take("code", user)
    if wait:
        said = f"Too many wrong codes. Wait {tries.told(wait)} and take a new one."
        return refused("signin/code.html", said, wait)
    given = request.form.get("code", "")[:100]
    with hub().store.write() as session:
        row = session.get(UserRow, user)
        kind = factors.verify(session, hub().keys, user, given)
        if row is None or row.disabled_at is not None or not kind:
            audit.failed(session, row, "gave a wrong code", auth.address())
            token, left = "", 0
        else:
            token, left = auth.begin(session, row, how), factors.recovery_left(session, user)
    if row is None or not token:
        said = "That code is not right, or it was used already. Take the newest one."
        return refused("signin/code.html", said)
    tries.forget("code", user)
    go_on = onward_from(cookie.get("pending", {})) or home(users.principal(row))
    auth.let_in(token)
    if kind == "recovery":
        flash(f"That recovery code is used up; {left} are left. Make new ones here.", "warn")
        return redirect("/account")
    return redirect(go_on)


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
    return welcome(row, "link")


@blueprint.post("/sign-out")
@allow("public")
def leave() -> AnyResponse:
    """End the session."""
    auth.sign_out()
    flash("You are signed out.")
    return redirect("/sign-in")


def welcome(row: UserRow, how: str) -> AnyResponse:
    """Begin the session, or ask for the second factor first where there is one."""
    with hub().store.write() as session:
        asked = factors.is_on(session, row.id)
        token = "" if asked else auth.begin(session, session.get_one(UserRow, row.id), how)
    if asked:
        cookie["pending"] = {"user": row.id, "how": how, "at": time.time(), "next": onward()}
        return redirect("/sign-in/code")
    go_on = onward() or home(users.principal(row))
    auth.let_in(token)
    return redirect(go_on)


def pending() -> tuple[str, str] | None:
    """Return who has given the password and how, while the code is still awaited."""
    said = cookie.get("pending")
    if not isinstance(said, dict) or time.time() - float(said.get("at", 0)) > PENDING:
        cookie.pop("pending", None)
        return None
    return str(said["user"]), str(said["how"])


def refused(page: str, said: str, wait: int = 0, **more: str) -> tuple[str, int, dict[str, str]]:
    """Return the form again with what was wrong, and when to come back."""
    shown = render_template(page, next=onward(), error=said, **more)
    return shown, 429 if wait else 422, {"Retry-After": str(wait)} if wait else {}


def count_failure(email: str) -> None:
    """Write a wrong password down; a busy database does not hold the answer up."""

    def write(session: Session) -> None:
        try:
            row = users.find_user(session, email)
        except Missing:
            row = None
        audit.failed(session, row, "gave a wrong password", auth.address())

    if not auth.remember(write):
        log.warning("a wrong password could not be noted: the database is busy")


def onward() -> str:
    """Return the page that was asked for before signing in; only one of ours."""
    return onward_from(request.values)


def onward_from(said: Mapping[str, Any]) -> str:
    """Return the page `next` of a form or cookie; only one of ours."""
    wanted = str(said.get("next", ""))
    ours = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if ours else ""
