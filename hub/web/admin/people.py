"""People: who signs in and in which role; invite, keep out, let in again."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, request
from sqlmodel import col
from werkzeug.wrappers import Response

from hub.access import factors, get, invitations, scoped, users
from hub.errors import Refused
from hub.store import MerchantRow, Session, UserRow
from hub.web.admin.settings import render_settings
from hub.web.context import hub, read, write
from hub.web.policy import allow
from hub.workflow import invitations as mails

blueprint = Blueprint("people", __name__, url_prefix="/admin/people")
HOME = "/admin/people"
DOES = {
    "owner": "runs the hub",
    "dispatcher": "runs the day",
    "ops": "keeps connections and workflows",
    "accountant": "sees orders, proofs and messages",
}
"""What each of the operator's roles is for."""


@dataclass(frozen=True)
class Made:
    """A link that is shown once."""

    id: str
    email: str
    url: str
    invitation: bool


@dataclass(frozen=True)
class Undo:
    """What was just done and can be taken back."""

    id: str
    text: str
    action: str
    """The last part of the address that takes it back."""
    field: str
    value: str


@blueprint.get("")
@allow("owner")
def page() -> str:
    """Show everybody who has an account or an invitation."""
    return shown()


@blueprint.post("/invite")
@allow("owner")
def invite() -> str | tuple[str, int]:
    """Invite somebody, and show the link this once."""
    role, merchant = role_of(request.form.get("role", ""))
    try:
        with write() as session:
            if merchant:
                get(session, MerchantRow, merchant)
            email = request.form.get("email", "")
            row, token = invitations.invite(session, email, role, merchant=merchant)
    except Refused as error:
        return shown(error=error), 422
    return shown(made=Made(row.id, row.email, link("welcome", token), True))


@blueprint.post("/<id>/invitation")
@allow("owner")
def renew(id: str) -> str:
    """Make a new link for an invitation, and show it this once."""
    with write() as session:
        row, token = invitations.renew(session, email_of(session, id))
    return shown(made=Made(row.id, row.email, link("welcome", token), True))


@blueprint.post("/<id>/mail")
@allow("owner")
def mail(id: str) -> Response | tuple[str, int]:
    """Mail somebody the invitation, with a link of its own, through the operator's connection."""
    try:
        with write() as session:
            row = invitations.waiting(session, email_of(session, id))
            if mails.channel(hub(), session) is None:
                raise Refused("the operator has no connection for e-mail; set one up first")
            mails.request(session, row.id)
    except Refused as error:
        return shown(error=error), 422
    flash(f"A link is on its way to {row.email}; the history says what became of it.", "good")
    return redirect(HOME)


@blueprint.post("/<id>/withdraw")
@allow("owner")
def withdraw(id: str) -> Response:
    """Take an invitation back."""
    with write() as session:
        row = invitations.withdraw(session, email_of(session, id))
    flash(f"The invitation of {row.email} is taken back; its link opens nothing any more.", "good")
    return redirect(HOME)


@blueprint.post("/<id>/role")
@allow("owner")
def set_role(id: str) -> Response | tuple[str, int]:
    """Give somebody another role."""
    role, merchant = role_of(request.form.get("role", ""))
    try:
        with write() as session:
            if merchant:
                get(session, MerchantRow, merchant)
            before = get(session, UserRow, id)
            was = value_of(before)
            row = users.set_role(session, before.email, role, merchant)
    except Refused as error:
        return shown(error=error), 422
    return redirect(f"{HOME}?done={row.id}&was={was}" if was != value_of(row) else HOME)


@blueprint.post("/<id>/switch")
@allow("owner")
def switch(id: str) -> Response | tuple[str, int]:
    """Keep somebody out from the next request on, or let them in again."""
    enabled = request.form.get("enabled") == "yes"
    try:
        with write() as session:
            email = email_of(session, id)
            row = users.enable(session, email) if enabled else users.disable(session, email)
    except Refused as error:
        return shown(error=error), 422
    if enabled:
        flash(f"{row.name} may sign in again.", "good")
        return redirect(HOME)
    return redirect(f"{HOME}?done={row.id}&was=in")


@blueprint.post("/<id>/factor")
@allow("owner")
def reset_factor(id: str) -> Response:
    """Turn somebody's second factor off, for instance when a phone is lost."""
    with write() as session:
        row = users.reset_factor(session, email_of(session, id))
    flash(f"{row.name} signs in with the password alone until a new second factor is set up.")
    return redirect(HOME)


@blueprint.post("/<id>/link")
@allow("owner")
def make_link(id: str) -> str | tuple[str, int]:
    """Make a link that signs somebody in once, and show it this once."""
    try:
        with write() as session:
            email = email_of(session, id)
            token = users.sign_in_link(session, email)
    except Refused as error:
        return shown(error=error), 422
    return shown(made=Made(id, email, link("sign-in", token), False))


@blueprint.post("/second-factor")
@allow("owner")
def require_factor() -> Response:
    """Say which roles have to have a second factor."""
    roles = frozenset(request.form.getlist("role")) & frozenset(users.ROLES)
    with write() as session:
        factors.require(session, roles)
    flash("Saved. Whoever has to and has none sets one up at the next page.", "good")
    return redirect(HOME)


def shown(made: Made | None = None, error: Refused | None = None) -> str:
    """Return the page."""
    with read() as session:
        merchants = {
            row.id: row.name
            for row in session.exec(scoped(session, MerchantRow).order_by(MerchantRow.name))
        }
        rows = list(session.exec(scoped(session, UserRow).order_by(col(UserRow.name))))
        required = factors.required(session)
        on = factors.users_with(session)
        owners = sum(1 for row in rows if is_in(row) and row.role == "owner")
        undo = undoable(session, merchants)
        mailed = mails.channel(hub(), session) is not None
    rows.sort(key=lambda row: (row.disabled_at is not None, row.invited_at is not None))
    return render_settings(
        "admin/settings/people.html",
        rows=rows,
        merchants=merchants,
        choices=choices(merchants),
        value_of=value_of,
        on=on,
        only_owner=owners == 1,
        is_in=is_in,
        required=required,
        roles=users.ROLES,
        made=made,
        error=error,
        undo=undo,
        mailed=mailed,
        email=request.form.get("email", "") if error else "",
    )


def is_in(row: UserRow) -> bool:
    """Say whether somebody may sign in now."""
    return row.disabled_at is None and row.invited_at is None


def choices(merchants: dict[str, str]) -> list[tuple[str, str]]:
    """Return every role that can be given, as (value, words); a merchant's with the merchant."""
    own = [(role, f"{role.capitalize()}: {does}") for role, does in DOES.items()]
    return own + [(f"merchant:{id}", f"Merchant: {name}") for id, name in merchants.items()]


def value_of(row: UserRow) -> str:
    """Return somebody's role as the form has it."""
    return f"merchant:{row.merchant}" if row.merchant else row.role


def role_of(value: str) -> tuple[str, str | None]:
    """Return role and merchant of what the form sent."""
    role, _, merchant = value[:100].partition(":")
    return role, merchant or None


def email_of(session: Session, id: str) -> str:
    """Return the address of somebody; raise `Missing` where there is nobody."""
    return get(session, UserRow, id).email


def link(kind: str, token: str) -> str:
    """Return the address that a token opens."""
    return f"{hub().settings.public_url.rstrip('/')}/{kind}/{token}"


def undoable(session: Session, merchants: dict[str, str]) -> Undo | None:
    """Return how to take back what was just done, as the address of the page says it."""
    id, was = request.args.get("done", ""), request.args.get("was", "")
    query = scoped(session, UserRow).where(UserRow.id == id)
    row = session.exec(query).one_or_none() if id.isprintable() else None
    if row is None:
        return None
    if was == "in" and row.disabled_at is not None:
        text = f"{row.name} is kept out from the next request on; what {row.name} did stays."
        return Undo(id, text, "switch", "enabled", "yes")
    if was in dict(choices(merchants)) and was != value_of(row):
        now = dict(choices(merchants)).get(value_of(row), row.role).split(":")[0].lower()
        text = f"{row.name} is {now} now and has to sign in again."
        return Undo(id, text, "role", "role", was)
    return None
