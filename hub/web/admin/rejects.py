"""What could not be taken of a connection's records: why, tried again, laid by, put back."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from flask_login import current_user
from sqlmodel import col
from werkzeug.wrappers import Response

from hub.access import get, scoped
from hub.errors import Missing
from hub.store import ConnectionRow, RejectedRow, Session
from hub.web.admin.activity import KEEPERS
from hub.web.admin.tabs import render_tab
from hub.web.context import read, write
from hub.web.policy import allow
from hub.workflow import rejects

blueprint = Blueprint("rejects", __name__, url_prefix="/admin/connections")
SHOWN = 200
STATES = {"open": "Open", "dismissed": "Laid by", "resolved": "Settled"}


@blueprint.get("/<id>/rejected")
@allow(*KEEPERS)
def page(id: str) -> str:
    """Show what waits for somebody, or what was settled or laid by, newest first."""
    state = request.args.get("state", "open")
    with read() as session:
        row = get(session, ConnectionRow, id)
        query = scoped(session, RejectedRow).where(
            RejectedRow.connection == row.id, RejectedRow.state == state
        )
        found = list(session.exec(query.order_by(col(RejectedRow.last_at).desc()).limit(SHOWN)))
        number = rejects.count_open(session, row.id)
    return render_tab(
        "admin/connection/rejected.html",
        row,
        found=found,
        state=state if state in STATES else "open",
        states=STATES,
        number=number,
    )


@blueprint.post("/<id>/rejected/<item>/retry")
@allow(*KEEPERS)
def retry(id: str, item: str) -> Response:
    """Have one read again."""
    with write() as session:
        rejects.retry(session, checked(session, id, item).id)
    flash("It is being read again. It leaves this list by itself once it is taken.", "good")
    return redirect(url_for("rejects.page", id=id))


@blueprint.post("/<id>/rejected/<item>/dismiss")
@allow(*KEEPERS)
def dismiss(id: str, item: str) -> Response:
    """Lay one by."""
    by = str(current_user.row.name or current_user.row.email)
    with write() as session:
        rejects.dismiss(session, checked(session, id, item).id, by)
    flash("It is laid by. You find it under Laid by and can put it back.", "good")
    return redirect(url_for("rejects.page", id=id))


@blueprint.post("/<id>/rejected/<item>/restore")
@allow(*KEEPERS)
def restore(id: str, item: str) -> Response:
    """Put one that was laid by back on the list."""
    with write() as session:
        rejects.restore(session, checked(session, id, item).id)
    flash("It is back on the list.", "good")
    return redirect(url_for("rejects.page", id=id))


def checked(session: Session, id: str, item: str) -> RejectedRow:
    """Return one of a connection's rejected records; raise `Missing` for any other."""
    row = get(session, ConnectionRow, id)
    found = get(session, RejectedRow, item)
    if found.connection != row.id:
        raise Missing(f"there is no rejected record {item[:60]} of this connection")
    return found
