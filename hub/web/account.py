"""What is somebody's own: name, password, the browsers that are signed in."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response

from hub.access import audit, factors, passwords, sessions, users
from hub.errors import Refused
from hub.store import Session, SessionRow, UserRow
from hub.web import auth, tries
from hub.web.context import hub, read, write
from hub.web.policy import allow
from hub.web.problems import Problem

blueprint = Blueprint("account", __name__, url_prefix="/account")
STAFF = ("owner", "dispatcher", "ops", "accountant", "merchant")
FRESH = timedelta(hours=1)
"""For so long after a one-time link a new password needs no old one: it is forgotten."""


@blueprint.get("")
@allow(*STAFF)
def page() -> str:
    """Show the reader's own account."""
    return shown()


@blueprint.post("/name")
@allow(*STAFF)
def rename() -> Response | tuple[str, int]:
    """Change the reader's name."""
    name = " ".join(request.form.get("name", "").split())
    if not name or len(name) > users.LONGEST or not name.isprintable():
        return shown(Refused(f"a name has 1 to {users.LONGEST} letters", "name")), 422
    with write() as session:
        me(session).name = name
        audit.note(session, "person.renamed", current_user.row.id, "changed their name")
    flash("Your name is changed.", "good")
    return redirect("/account")


@blueprint.post("/password")
@allow(*STAFF)
def change_password() -> Response | tuple[str, int]:
    """Change the reader's password and end all other sessions."""
    row, new = current_user.row, request.form.get("password", "")
    try:
        if needs_current() and not is_password(request.form.get("current", "")):
            raise Refused("that is not your current password", "current")
        passwords.check(new, email=row.email, name=row.name)
    except Refused as error:
        return shown(error), 422
    hashed = users.hash_password(new)
    with write() as session:
        users.set_password(session, me(session), hashed, keep=current_user.session.id)
    flash("Your password is changed, and every other browser is signed out.", "good")
    return redirect("/account")


@blueprint.post("/sessions/<id>/end")
@allow(*STAFF)
def end_session(id: str) -> Response:
    """Sign one of the reader's browsers out."""
    with write() as session:
        row = sessions.end(session, current_user.row.id, id)
        said = f"signed {row.browser} out"
        audit.note(session, "session.ended", current_user.row.id, said)
    flash(f"{row.browser} is signed out.", "good")
    return redirect("/account")


@blueprint.post("/sessions/end-others")
@allow(*STAFF)
def end_others() -> Response:
    """Sign every browser out but this one."""
    with write() as session:
        count = sessions.end_all(session, current_user.row.id, but=current_user.session.id)
        if count:
            said = f"signed {count} other browser{'s' if count != 1 else ''} out"
            audit.note(session, "session.ended", current_user.row.id, said)
    flash("Every other browser is signed out.", "good")
    return redirect("/account")


def shown(error: Refused | None = None) -> str:
    """Return the page."""
    user = current_user.row.id
    with read() as session:
        row = session.get_one(UserRow, user)
        return render_template(
            "account/page.html",
            row=row,
            error=error,
            sessions=sessions.of_user(session, user),
            here=current_user.session.id,
            factor=factors.is_on(session, user),
            recovery=factors.recovery_left(session, user),
            needs_current=needs_current(),
            shortest=passwords.SHORTEST,
        )


def me(session: Session) -> UserRow:
    """Return the reader's row, for a change."""
    return session.get_one(UserRow, current_user.row.id)


def needs_current() -> bool:
    """Say whether the old password is asked for; not where there is none, or it was forgotten."""
    if not current_user.row.password:
        return False
    came: SessionRow = current_user.session
    return came.how != "link" or came.created_at < hub().store.clock.wall() - FRESH


def is_password(given: str) -> bool:
    """Say whether that is the reader's password; tries are counted as at the door."""
    email = current_user.row.email
    wait = tries.take("password", email)
    if wait:
        raise Problem(429, f"too many wrong passwords; wait {tries.told(wait)}")
    with hub().store.read() as session:
        right = users.verify(session, email, given[: passwords.LONGEST]) is not None
    if right:
        tries.forget("password", email)
    else:
        auth.remember(noted("gave a wrong password"))
    return right


def is_code(given: str) -> bool:
    """Use up a code of the reader's second factor; say whether it was right."""
    user = current_user.row.id
    wait = tries.take("code", user)
    if wait:
        raise Problem(429, f"too many wrong codes; wait {tries.told(wait)} and take a new one")
    with write() as session:
        right = bool(factors.verify(session, hub().keys, user, given[:100]))
    if right:
        tries.forget("code", user)
    else:
        auth.remember(noted("gave a wrong code"))
    return right


def noted(said: str) -> auth.Change:
    """Return what writes a failed attempt of the reader down."""
    user, address = current_user.row.id, auth.address()

    def note(session: Session) -> None:
        audit.failed(session, session.get_one(UserRow, user), said, address)

    return note
