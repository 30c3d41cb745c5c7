"""The reader's second factor: set it up, make new recovery codes, turn it off."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request
from flask_login import current_user
from werkzeug.wrappers import Response

from hub.access import audit, factors
from hub.driving.links import qr_code
from hub.errors import Refused
from hub.store import FactorRow
from hub.web.account import STAFF, is_code, is_password, me
from hub.web.context import hub, principal, read, write
from hub.web.frame import home, operator_name
from hub.web.policy import allow

blueprint = Blueprint("factor", __name__, url_prefix="/account/second-factor")


@blueprint.get("")
@allow(*STAFF)
def page() -> str:
    """Show how the second factor stands, and its code to scan while it is being set up."""
    return shown()


@blueprint.post("/begin")
@allow(*STAFF)
def begin() -> Response | tuple[str, int]:
    """Make a secret; a code confirms that it has reached the app."""
    try:
        with write() as session:
            factors.begin(session, hub().keys, me(session), operator_name())
    except Refused as error:
        return shown(error), 422
    return redirect("/account/second-factor")


@blueprint.post("/confirm")
@allow(*STAFF)
def confirm() -> str | tuple[str, int]:
    """Turn it on with a first code, and show the recovery codes this once."""
    given = request.form.get("code", "")[:100]
    try:
        with write() as session:
            codes = factors.confirm(session, hub().keys, me(session), given)
    except Refused as error:
        return shown(error), 422
    return recovery_page(codes)


@blueprint.post("/recovery")
@allow(*STAFF)
def renew() -> str | tuple[str, int]:
    """Make new recovery codes; the old ones end."""
    try:
        prove()
        with write() as session:
            codes = factors.renew_recovery(session, current_user.row.id)
            audit.note(session, "factor.renewed", current_user.row.id, "made new recovery codes")
    except Refused as error:
        return shown(error), 422
    return recovery_page(codes)


@blueprint.post("/off")
@allow(*STAFF)
def turn_off() -> Response | tuple[str, int]:
    """Turn it off; the password or a code says that it is really the reader."""
    try:
        prove()
        with write() as session:
            if factors.turn_off(session, current_user.row.id):
                said = "turned their second factor off"
                audit.note(session, "factor.turned_off", current_user.row.id, said)
    except Refused as error:
        return shown(error), 422
    flash("The second factor is off. Your password alone signs you in now.", "warn")
    return redirect("/account")


@blueprint.post("/cancel")
@allow(*STAFF)
def cancel() -> Response:
    """Forget a secret that nobody has confirmed."""
    with write() as session:
        if not factors.is_on(session, current_user.row.id):
            factors.turn_off(session, current_user.row.id)
    return redirect("/account")


def prove() -> None:
    """Raise `Refused` unless the form holds the reader's password or a right code."""
    given = request.form.get("proof", "")
    digits = "".join(given.split())
    right = is_code(given) if digits.isdigit() or "-" in given else is_password(given)
    if not right:
        raise Refused("that is neither your password nor a code that is right now", "proof")


def shown(error: Refused | None = None) -> str:
    """Return the page."""
    with read() as session:
        row = session.get(FactorRow, current_user.row.id)
        left = factors.recovery_left(session, current_user.row.id)
    made = None
    if row is not None and row.on_at is None:
        made = factors.set_up(hub().keys, row, current_user.row, operator_name())
    return render_template(
        "account/factor.html",
        row=row,
        made=made,
        groups=[made.secret[at : at + 4] for at in range(0, len(made.secret), 4)] if made else [],
        qr=qr_code(made.uri) if made else "",
        left=left,
        due=current_user.due,
        error=error,
    )


def recovery_page(codes: list[str]) -> str:
    """Return the page that shows the recovery codes."""
    return render_template("account/recovery.html", codes=codes, go_on=home(principal()))
