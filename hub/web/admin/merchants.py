"""Merchants: the brands that are delivered for, and the form that adds one."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from hub.errors import Refused
from hub.fleet import roster
from hub.fleet.abilities import given
from hub.fleet.measures import measures
from hub.store import MerchantRow
from hub.web.admin.fleet_labels import Label, labelled
from hub.web.admin.settings import render_settings
from hub.web.api.fleet import NewMerchant
from hub.web.context import read, write
from hub.web.policy import allow

blueprint = Blueprint("merchants", __name__, url_prefix="/admin/merchants")
HOME = "/admin/merchants"
READERS = ("owner", "dispatcher", "ops", "accountant")
LABELS = {
    "name": Label("Name"),
    "slug": Label("Short name"),
    "accent": Label("Colour of its pages"),
    "phone": Label("Phone"),
    "email": Label("E-mail"),
    "sender": Label("Sender of texts"),
    "currency": Label("Currency"),
}
"""What the form calls the fields of a merchant."""


@blueprint.get("")
@allow(*READERS)
def page() -> str:
    """Show the merchants, and to the owner how one is added."""
    return shown({})


@blueprint.post("")
@allow("owner")
def add() -> Response | tuple[str, int]:
    """Add a merchant."""
    said = {name: request.form.get(name, "").strip() for name in LABELS}
    said["currency"] = said["currency"].upper()
    try:
        new = given(
            NewMerchant, {name: text for name, text in said.items() if text or name == "name"}
        )
        with write() as session:
            row = roster.add_merchant(session, **new.model_dump())
    except Refused as error:
        return shown(said, error), 422
    flash(f"{row.name} is there. Commands and files call it {row.slug}.", "good")
    return redirect(f"{HOME}#{row.id}")


@blueprint.get("/slug")
@allow("owner")
def slug() -> Response | str:
    """Suggest a short name for what is being typed, unless somebody has written another."""
    written, suggested = request.args.get("slug", ""), request.args.get("suggested", "")
    if written.strip() not in ("", suggested):
        return Response(status=204)
    made = roster.slug_of(request.args.get("name", "")[:200])
    return render_template("admin/settings/_slug.html", slug=made, suggested=made)


def shown(texts: dict[str, Any], error: Refused | None = None) -> str:
    """Return the page."""
    with read() as session:
        rows = roster.listed(session, MerchantRow)
        currency = measures(session).currency
    return render_settings(
        "admin/settings/merchants.html", rows=rows, labels=LABELS,
        texts={"accent": "#1f6feb", "currency": currency, **texts},
        error=error and labelled(error, LABELS),
    )  # fmt: skip
