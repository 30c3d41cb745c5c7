"""The address to which a connection's other system sends: made, exchanged, ended, looked after."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, url_for
from sqlmodel import col, func, select
from werkzeug.wrappers import Response

from hub.access import get
from hub.connections import activity
from hub.errors import Refused
from hub.store import ActivityRow, ConnectionRow, InboxRow, Session
from hub.web.admin.activity import KEEPERS, failures
from hub.web.admin.tabs import render_tab
from hub.web.context import hub, read, write
from hub.web.hooks import forget_addresses
from hub.web.policy import allow
from hub.workflow import incoming, pulls, subscriptions

blueprint = Blueprint("incoming", __name__, url_prefix="/admin/connections")
DAY = timedelta(hours=24)
HERE = ("127.0.0.1", "localhost", "::1")


@blueprint.get("/<id>/webhooks")
@allow(*KEEPERS)
def page(id: str) -> str:
    """Show whether other systems can send, and how that went lately."""
    with read() as session:
        return shown(session, get(session, ConnectionRow, id))


@blueprint.post("/<id>/webhooks/address")
@allow(*KEEPERS)
def make(id: str) -> str | Response:
    """Make an address and show it, once; the one before works for another day.

    Where the connector sets its webhooks up by itself, nobody has to see it.
    """
    with write() as session:
        row = get(session, ConnectionRow, id)
        if subscriptions.is_subscriber(hub(), row.connector):
            subscriptions.renew_address(hub(), session, row)
            subscriptions.again(session, row)
            flash("A new address is being set up. The one before works for another day.", "good")
            return redirect(url_for("incoming.page", id=id))
        address = incoming.open_address(hub(), session, row)
    with read() as session:
        return shown(session, row, address)


@blueprint.post("/<id>/webhooks/subscribe")
@allow(*KEEPERS)
def subscribe(id: str) -> Response:
    """Have a worker set the webhooks up again."""
    with write() as session:
        row = get(session, ConnectionRow, id)
        if not subscriptions.is_subscriber(hub(), row.connector):
            raise Refused(f"{row.title} cannot set webhooks up by itself; make an address instead")
        subscriptions.again(session, row)
    flash("The webhooks are being set up. Load the page again in some seconds.", "good")
    return redirect(url_for("incoming.page", id=id))


@blueprint.post("/<id>/webhooks/end")
@allow(*KEEPERS)
def end(id: str) -> Response:
    """Take nothing more at any address of the connection."""
    with write() as session:
        row = get(session, ConnectionRow, id)
        if subscriptions.is_subscriber(hub(), row.connector):
            subscriptions.end(hub(), session, row)
        incoming.close_address(session, row)
    forget_addresses()
    flash("The address has ended. What comes to it now is refused.", "good")
    return redirect(url_for("incoming.page", id=id))


def shown(session: Session, row: ConnectionRow, address: str = "") -> str:
    """Return the page; with `address` where that was made just now."""
    open_now = incoming.addresses(session, row)
    return render_tab(
        "admin/connection/webhooks.html",
        row,
        takes=incoming.takes_requests(hub(), row),
        reads=pulls.hands_over(hub(), row) and row.merchant is not None,
        by_itself=subscriptions.is_subscriber(hub(), row.connector),
        address=address,
        current=open_now[0] if open_now else None,
        older=[one for one in open_now[1:] if one.expires_at is not None],
        last=last(session, row),
        waiting=waiting(session, row),
        failed=failures(session, row),
        forged=since_yesterday(session, row, "forged") + since_yesterday(session, row, "replayed"),
        broken=since_yesterday(session, row, "broken"),
        public_url=hub().settings.public_url,
        only_here=urlsplit(hub().settings.public_url).hostname in HERE,
    )


def since_yesterday(session: Session, row: ConnectionRow, outcome: str) -> int:
    """Return how many requests ended so within the last day."""
    return activity.counted(session, row.id, outcome, session.now - DAY)


def last(session: Session, row: ConnectionRow) -> ActivityRow | None:
    """Return the delivery that was taken in last."""
    query = select(ActivityRow).where(
        ActivityRow.connection == row.id,
        ActivityRow.what == activity.DELIVERY,
        ActivityRow.about != "",
    )
    return session.exec(query.order_by(col(ActivityRow.at).desc()).limit(1)).first()


def waiting(session: Session, row: ConnectionRow) -> int:
    """Return how many deliveries have not been taken in yet."""
    query = select(func.count()).select_from(InboxRow)
    return session.exec(
        query.where(
            InboxRow.source == row.id,
            InboxRow.kind == activity.DELIVERY,
            InboxRow.status == incoming.WAITING,
        )
    ).one()
