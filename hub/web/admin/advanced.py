"""Advanced: another name, diagnostics to download, pause, and removal with its effects first."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request
from pydantic_core import to_json
from werkzeug.wrappers import Response

from hub.access import get
from hub.connections import removal
from hub.connections.tally import tallies
from hub.errors import Refused
from hub.store import ConnectionRow
from hub.web.admin.connections import KEEPERS, changed, reader_name, said_title
from hub.web.admin.diagnostics import diagnostics
from hub.web.admin.tabs import render_tab
from hub.web.context import hub, read, write
from hub.web.policy import allow
from hub.workflow import pulls, subscriptions
from hub.workflow.usage import uses

blueprint = Blueprint("advanced", __name__, url_prefix="/admin/connections")


@blueprint.get("/<id>/advanced")
@allow(*KEEPERS)
def page(id: str) -> str:
    """Show what is seldom needed, and what a removal would do."""
    with read() as session:
        row = get(session, ConnectionRow, id)
        return render_tab(
            "admin/connection/advanced.html",
            row,
            tally=tallies(session, [id])[id],
            uses=uses(hub(), session, row),
            source=pulls.hands_over(hub(), row),
            asked=request.args.get("remove") == "yes",
        )


@blueprint.post("/<id>/rename")
@allow(*KEEPERS)
def rename(id: str) -> Response:
    """Give a connection another name."""
    title = said_title()
    with write() as session:
        row = get(session, ConnectionRow, id)
        if not title:
            raise Refused("a connection needs a name", "title")
        row.title = title
        changed(session, row)
    flash(f"It is called {title} now.", "good")
    return redirect(f"/admin/connections/{id}/advanced")


@blueprint.get("/<id>/diagnostics")
@allow(*KEEPERS)
def download(id: str) -> Response:
    """Hand over what helps to find a fault, as JSON without any secret."""
    with read() as session:
        row = get(session, ConnectionRow, id)
        found = diagnostics(session, row)
    response = Response(to_json(found, indent=2), mimetype="application/json")
    response.headers["Content-Disposition"] = f'attachment; filename="{row.id}-diagnostics.json"'
    return response


@blueprint.post("/<id>/remove")
@allow(*KEEPERS)
def remove(id: str) -> Response:
    """Take a connection away; for a day it can be brought back."""
    with write() as session:
        row = get(session, ConnectionRow, id)
        subscriptions.leave(hub(), session, row)
        removal.remove(session, row, reader_name())
        changed(session, row)
    flash(f"{row.title} was removed. Below it can be brought back for 24 hours.", "good")
    return redirect("/admin/connections#removed")


@blueprint.post("/<id>/restore")
@allow(*KEEPERS)
def restore(id: str) -> Response:
    """Bring a removed connection back."""
    with write() as session:
        row = removal.restore(session, id)
        changed(session, row)
    flash(f"{row.title} is back as it was.", "good")
    return redirect(f"/admin/connections#{id}")
