"""The log of a connection: what came, what went, how it ended, and deliveries taken in again."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, request, url_for
from sqlmodel import col, func, select
from werkzeug.wrappers import Response

from hub.access import get, scoped
from hub.connections.activity import DELIVERY
from hub.connections.excerpts import excerpt
from hub.errors import HubError, Missing
from hub.store import ActivityRow, ConnectionRow, InboxRow, Session
from hub.web.admin.tabs import render_tab
from hub.web.context import hub, read, write
from hub.web.policy import allow
from hub.workflow import incoming, rejects

blueprint = Blueprint("activity", __name__, url_prefix="/admin/connections")
KEEPERS = ("owner", "ops", "merchant")
"""Who may look after a connection; a merchant sees its own only."""
SHOWN = 50
KINDS = {
    "delivery": "Webhook", "pull": "Reading orders", "check": "Check", "send": "Sending",
    "subscribe": "Setting webhooks up", "unsubscribe": "Taking webhooks back",
    "disconnected": "Disconnected",
    "reports": "Reading what came back",
}  # fmt: skip
OUTCOMES = {
    "waiting": "Waiting", "done": "Done", "ok": "Done", "rejected": "Rejected", "failed": "Failed",
    "repeat": "Came again", "forged": "Wrong signature", "replayed": "Too old",
    "too_large": "Too large", "unreadable": "Not understood", "broken": "Connector failed",
    "retry": "Later again", "unauthorized": "Not let in", "unknown": "Unknown", "lost": "Lost",
    "error": "Failed", "invalid": "Not possible",
}  # fmt: skip
"""What the log's outcomes are called."""
COLOURS = {
    "ok": "done", "repeat": "off", "forged": "rejected", "replayed": "rejected",
    "too_large": "rejected", "unreadable": "rejected", "broken": "failed", "retry": "late",
    "unauthorized": "action_needed", "lost": "unknown", "error": "failed", "invalid": "failed",
}  # fmt: skip
"""Outcomes whose chip looks like that of another state."""


@blueprint.get("/<id>/activity")
@allow(*KEEPERS)
def page(id: str) -> str:
    """Show the log, newest first; of one kind or outcome where that is asked."""
    what, outcome = request.args.get("what", ""), request.args.get("outcome", "")
    number = max(1, request.args.get("page", 1, type=int))
    with read() as session:
        row = get(session, ConnectionRow, id)
        found = entries(session, row, what, outcome, number)
        failed = failures(session, row)
    return render_tab(
        "admin/connection/activity.html",
        row,
        entries=found[:SHOWN],
        more=len(found) > SHOWN,
        number=number,
        what=what,
        outcome=outcome,
        failed=failed,
        **words(),
    )


@blueprint.get("/<id>/activity/<entry>")
@allow(*KEEPERS)
def show(id: str, entry: str) -> str:
    """Show one exchange with all that is kept of it and may be shown."""
    with read() as session:
        row = get(session, ConnectionRow, id)
        found = get(session, ActivityRow, entry)
        if found.connection != row.id:
            raise Missing(f"there is no activity {entry[:60]} of this connection")
        kept = session.get(InboxRow, found.about) if found.what == DELIVERY else None
    shown = found.excerpt
    if kept is not None:
        try:
            shown = excerpt(incoming.unseal(hub().keys, bytes(kept.body)))
        except HubError as error:
            shown = str(error)
    return render_tab(
        "admin/connection/exchange.html",
        row,
        found=found,
        shown=shown,
        kept=kept is not None,
        **words(),
    )


@blueprint.post("/<id>/deliveries/<delivery>/replay")
@allow(*KEEPERS)
def replay(id: str, delivery: str) -> Response:
    """Have a delivery taken in once more; what was taken already is not taken twice."""
    with write() as session:
        row = get(session, ConnectionRow, id)
        rejects.replay(session, row.id, delivery)
    flash("It is being taken in again. What was taken already is not taken twice.", "good")
    return redirect(url_for("activity.page", id=id))


@blueprint.post("/<id>/deliveries/replay-failed")
@allow(*KEEPERS)
def replay_failed(id: str) -> Response:
    """Have every delivery that failed taken in once more."""
    with write() as session:
        row = get(session, ConnectionRow, id)
        count = rejects.replay_failed(session, row.id)
    word = "1 delivery is" if count == 1 else f"{count} deliveries are"
    flash(f"{word} being taken in again." if count else "Nothing has failed.", "good")
    return redirect(url_for("activity.page", id=id))


def entries(
    session: Session, row: ConnectionRow, what: str, outcome: str, number: int
) -> list[ActivityRow]:
    """Return one page of the log, and one row more where there is another page."""
    query = scoped(session, ActivityRow).where(ActivityRow.connection == row.id)
    if what:
        query = query.where(ActivityRow.what == what)
    if outcome:
        alike = [name for name, word in OUTCOMES.items() if word == OUTCOMES.get(outcome)]
        query = query.where(col(ActivityRow.outcome).in_(alike))
    query = query.order_by(col(ActivityRow.at).desc(), col(ActivityRow.id).desc())
    return list(session.exec(query.offset((number - 1) * SHOWN).limit(SHOWN + 1)))


def failures(session: Session, row: ConnectionRow) -> int:
    """Return how many deliveries failed and are kept."""
    query = select(func.count()).select_from(InboxRow)
    return session.exec(
        query.where(
            InboxRow.source == row.id,
            InboxRow.kind == DELIVERY,
            InboxRow.status == incoming.FAILED,
        )
    ).one()


def words() -> dict[str, dict[str, str]]:
    """Return what the pages call kinds and outcomes."""
    choices = {word: name for name, word in reversed(OUTCOMES.items())}
    return {"kinds": KINDS, "outcomes": OUTCOMES, "colours": COLOURS, "choices": choices}
