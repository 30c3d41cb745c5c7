"""Messages: what was sent to recipients, and what became of it."""

from __future__ import annotations

from flask import Blueprint, render_template
from sqlmodel import col, select

from hub.access import scoped
from hub.store import ConnectionRow, MerchantRow, MessageRow, OrderRow, Session, StopRow
from hub.web.context import read
from hub.web.policy import allow

blueprint = Blueprint("sent", __name__, url_prefix="/admin/sent")
SHOWN = 200


@blueprint.get("")
@allow("owner", "dispatcher", "ops", "accountant")
def page() -> str:
    """Show the newest messages."""
    with read() as session:
        query = scoped(session, MessageRow).order_by(col(MessageRow.created_at).desc())
        rows = list(session.exec(query.limit(SHOWN)))
        refs = order_refs(session, [row.stop for row in rows if row.stop])
        merchants = {row.id: row.name for row in session.exec(scoped(session, MerchantRow))}
        channels = {row.id: row.title for row in session.exec(scoped(session, ConnectionRow))}
    return render_template(
        "admin/sent.html", rows=rows, refs=refs, merchants=merchants, channels=channels
    )


def order_refs(session: Session, stops: list[str]) -> dict[str, str]:
    """Return the order number of each stop."""
    query = (
        select(StopRow.id, OrderRow.ref)
        .join(OrderRow, col(OrderRow.id) == StopRow.order)
        .where(col(StopRow.id).in_(stops))
    )
    return dict(session.exec(query).all())
