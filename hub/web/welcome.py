"""Accept an invitation: a name, a password, and in."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from hub.access import invitations, passwords, users
from hub.errors import Forbidden, Refused
from hub.store import UserRow
from hub.web import auth
from hub.web.context import hub
from hub.web.frame import home
from hub.web.policy import allow

blueprint = Blueprint("welcome", __name__, url_prefix="/welcome")


@blueprint.get("/<token>")
@allow("public")
def page(token: str) -> str:
    """Show the form: link previews open addresses by themselves and would spend the token."""
    return shown(token, invited(token))


@blueprint.post("/<token>")
@allow("public")
def accept(token: str) -> Response | tuple[str, int]:
    """Set name and password, and sign in."""
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    row = invited(token)
    if row is None:
        return shown(token, None), 404
    try:
        if not name or len(name) > users.LONGEST or not name.isprintable():
            raise Refused("say by which name colleagues know you", "name")
        passwords.check(password, email=row.email, name=name)
    except Refused as error:
        return shown(token, row, error, name), 422
    hashed = users.hash_password(password)
    try:
        with hub().store.write() as session:
            row = invitations.accept(session, token, name, hashed, auth.address())
            begun = auth.begin(session, row, "invitation")
    except Forbidden:
        return shown(token, None), 404
    auth.let_in(begun)
    flash(f"Welcome, {row.name}.", "good")
    return redirect(home(users.principal(row)))


def invited(token: str) -> UserRow | None:
    """Return whom the link invites; nobody for one that is unknown, used, withdrawn or too old."""
    with hub().store.read() as session:
        try:
            return invitations.invited(session, token)
        except Forbidden:
            return None


def shown(token: str, row: UserRow | None, error: Refused | None = None, name: str = "") -> str:
    """Return the page: the form, or that the link is not valid."""
    return render_template(
        "signin/welcome.html",
        user=row,
        token=token,
        error=error,
        name=name,
        shortest=passwords.SHORTEST,
    )
