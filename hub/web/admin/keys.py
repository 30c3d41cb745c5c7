"""API keys: what programs come in with; the operator's, and each merchant's own."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, request
from sqlmodel import col
from werkzeug.wrappers import Response

from hub.access import get, scoped, tokens
from hub.errors import Refused
from hub.store import ApiKeyRow, Merchant, MerchantRow, Session, UserRow
from hub.web.admin.settings import render_settings
from hub.web.context import principal, read, write
from hub.web.policy import allow

blueprint = Blueprint("keys", __name__, url_prefix="/admin/keys")
KEEPERS = ("owner", "merchant")
HOME = "/admin/keys"
LIVES = {"": "never", "30": "in 30 days", "90": "in 90 days", "365": "in a year"}
"""Days as the form sends them, and in words."""
OPENS = {
    "orders:read": "read orders and imports",
    "orders:write": "add, change and cancel orders",
    "proofs:read": "read proofs of delivery",
    "events:read": "follow what happens",
    "webhooks:write": "keep endpoints that events are sent to",
    "plans:write": "plan a day",
    "routes:write": "change routes, stops and flags",
    "fleet:write": "keep depots, vehicles and drivers",
}
"""What each scope lets a key do."""


@blueprint.get("")
@allow(*KEEPERS)
def page() -> str:
    """Show the keys that the reader may see."""
    return shown()


@blueprint.post("")
@allow(*KEEPERS)
def make() -> str | tuple[str, int]:
    """Make a key, and show it this once."""
    form = request.form
    name, scopes = " ".join(form.get("name", "").split()), form.getlist("scope")
    try:
        if not name or len(name) > 100 or not name.isprintable():
            raise Refused("say what the key is for, in up to 100 letters", "name")
        if not scopes:
            raise Refused("choose at least one thing that the key may do", "scope")
        with write() as session:
            owner = owner_of(session, form.get("merchant", ""))
            key = tokens.issue_key(session, name, scopes, owner, life=life(form.get("days", "")))
    except Refused as error:
        return shown(error=error), 422
    return shown(made=key, name=name)


@blueprint.post("/<id>/revoke")
@allow(*KEEPERS)
def revoke(id: str) -> Response:
    """End a key, from the next request on and for good."""
    with write() as session:
        row = tokens.revoke_key(session, get(session, ApiKeyRow, id).id)
    flash(f"{row.name} is revoked: whatever uses it is refused from now on.", "good")
    return redirect(HOME)


def owner_of(session: Session, merchant: str) -> str | None:
    """Return the merchant that a new key speaks for, None for the operator."""
    reader = principal()
    if isinstance(reader, Merchant):
        return reader.id
    return get(session, MerchantRow, merchant).id if merchant else None


def life(days: str) -> timedelta | None:
    """Return how long a new key lives; raise `Refused` for what the form does not offer."""
    if days not in LIVES:
        raise Refused("choose one of the times that are offered", "days")
    return timedelta(days=int(days)) if days else None


def shown(made: str = "", name: str = "", error: Refused | None = None) -> str:
    """Return the page."""
    reader = principal()
    with read() as session:
        query = scoped(session, ApiKeyRow).order_by(col(ApiKeyRow.created_at).desc())
        rows = list(session.exec(query))
        merchants = list(session.exec(scoped(session, MerchantRow).order_by(MerchantRow.name)))
        makers = {row.id: row.name for row in session.exec(scoped(session, UserRow))}
        wall = session.wall
    own = isinstance(reader, Merchant)
    known = [
        (scope, text, scope in tokens.MERCHANT_SCOPES)
        for scope, text in OPENS.items()
        if not own or scope in tokens.MERCHANT_SCOPES
    ]
    return render_settings(
        "admin/settings/keys.html",
        rows=rows,
        merchants=[] if own else merchants,
        names={row.id: row.name for row in merchants},
        makers={**makers, "cli": "a command", "": "–"},
        scopes=known,
        lives=LIVES,
        wall=wall,
        made=made,
        name=name,
        error=error,
        form=request.form if error else {},
        chosen=request.form.getlist("scope") if error else [],
    )
