"""What persons asked for: the list, and the copies of what is held about them, to be passed on."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request
from sqlmodel import select
from werkzeug.wrappers import Response

from hub.access import audit, get, scoped
from hub.errors import Refused
from hub.nouns import PrivacyRequest
from hub.privacy import requests
from hub.store import ConnectionRow, Merchant, MerchantRow, PrivacyRow, Session
from hub.web.admin.connections import reader_name
from hub.web.admin.settings import render_settings
from hub.web.context import hub, principal, read, write
from hub.web.policy import allow

blueprint = Blueprint("privacy", __name__, url_prefix="/admin/privacy")
KEEPERS = ("owner", "merchant")
HOME = "/admin/privacy"
KINDS = {
    "export": "A copy of what is held",
    "erase": "Erase a person",
    "erase_all": "Erase everybody of a shop",
}


@blueprint.get("")
@allow(*KEEPERS)
def page() -> str:
    """Show the requests that the reader may see."""
    return shown()


@blueprint.post("")
@allow(*KEEPERS)
def ask() -> Response | tuple[str, int]:
    """Take a request that a person made by telephone or in a letter."""
    form = request.form
    try:
        kind = form.get("kind", "")
        if kind not in ("export", "erase"):
            raise Refused("choose what is to be done", "kind")
        order = form.get("order", "").strip()
        asked = PrivacyRequest(
            kind="export" if kind == "export" else "erase",
            orders=(order,) if order else (),
            email=form.get("email", "").strip(),
            phone=form.get("phone", "").strip(),
        )
        with write() as session:
            owner = owner_of(session, form.get("merchant", ""))
            requests.ask_here(hub(), session, asked, owner, reader_name())
    except Refused as error:
        return shown(error), 422
    flash("Taken. It is done in the background; load the page again in some seconds.", "good")
    return redirect(HOME)


@blueprint.get("/<id>/copy.json")
@allow(*KEEPERS)
def copy(id: str) -> Response:
    """Hand over a copy of what is held about a person."""
    with read() as session:
        row = get(session, PrivacyRow, id)
    content = requests.content(hub(), row)
    with write() as session:
        said = "fetched a copy of what is held about a person"
        audit.note(session, "privacy.fetched", row.id, said, merchant=row.merchant)
    answer = Response(content, mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{row.id}.json"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def owner_of(session: Session, asked: str) -> str | None:
    """Return the merchant that a request is about; the reader's own, or one that it may see."""
    reader = principal()
    if isinstance(reader, Merchant):
        return reader.id
    return get(session, MerchantRow, asked).id if asked else None


def shown(error: Refused | None = None) -> str:
    """Return the page."""
    with read() as session:
        rows = requests.listed(session)
        now = session.now
        merchants = list(session.exec(scoped(session, MerchantRow).order_by(MerchantRow.name)))
        ids = {row.connection for row in rows if row.connection}
        titles = select(ConnectionRow.id, ConnectionRow.title)
        sources = {id: title for id, title in session.exec(titles) if id in ids}
    return render_settings(
        "admin/settings/privacy.html",
        rows=rows,
        now=now,
        error=error,
        kinds=KINDS,
        sources=sources,
        merchants=merchants,
        names={row.id: row.name for row in merchants},
        own=isinstance(principal(), Merchant),
        asked=request.form,
    )
