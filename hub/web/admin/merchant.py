"""A merchant's own page: its orders, and how each delivery stands."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from flask import Blueprint, render_template, request
from sqlmodel import col, select

from hub.access import scoped
from hub.access.scope import visible
from hub.errors import Refused
from hub.store import OrderRow, Session, StopRow
from hub.tracking.links import tracking_url
from hub.web.context import hub, read
from hub.web.frame import zone_name
from hub.web.policy import allow

blueprint = Blueprint("merchant", __name__, url_prefix="/m")
SHOWN = 500


@blueprint.get("")
@allow("merchant")
def orders() -> str:
    """Show the orders of one day, with the state of each stop."""
    with read() as session:
        day = asked_day(session)
        rows = orders_of(session, day)
    links = {
        stop.id: tracking_url(hub(), stop.id) for _, stop in rows if stop and stop.promised_end
    }
    return render_template("admin/orders.html", day=day, rows=rows, links=links)


def asked_day(session: Session) -> date:
    """Return the day in the address, else today."""
    said = request.args.get("date", "")
    try:
        return (
            date.fromisoformat(said)
            if said
            else session.now.astimezone(ZoneInfo(zone_name())).date()
        )
    except ValueError:
        raise Refused(f"{said!r} is no date; write it as 2026-11-23", "date") from None


def orders_of(session: Session, day: date) -> list[tuple[OrderRow, StopRow | None]]:
    """Return the reader's orders of `day`, each with its stop if it has one."""
    rows = session.exec(
        scoped(session, OrderRow)
        .where(OrderRow.service_date == day)
        .order_by(OrderRow.ref, OrderRow.id)
        .limit(SHOWN)
    ).all()
    wanted = select(StopRow).where(
        visible(StopRow, session.principal), col(StopRow.order).in_([row.id for row in rows])
    )
    stops = {stop.order: stop for stop in session.exec(wanted)}
    return [(row, stops.get(row.id)) for row in rows]
