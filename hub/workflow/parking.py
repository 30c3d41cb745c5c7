"""Work that waits for its connection: laid by until a person reconnects it, and let go on then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.events import append
from hub.events.catalogue import ConnectionExpired
from hub.events.facts import ConnectionFacts
from hub.orders import geocoding
from hub.queue import unpark
from hub.store import ConnectionRow, EffectRow, Session
from hub.workflow.incoming import KIND as DELIVERIES

if TYPE_CHECKING:
    from hub.hub import Hub


def expire(hub: Hub, session: Session, id: str, reason: str) -> None:
    """Mark a connection as needing its owner, and tell about it once."""
    row = session.get_one(ConnectionRow, id, with_for_update=True)
    if row.state == "action_needed":
        return
    hub.connections.expire(session, id, reason)
    append(
        session,
        ConnectionExpired(
            subject=row.id,
            merchant_id=row.merchant,
            connection=ConnectionFacts(
                id=row.id, connector=row.connector, title=row.title, reason=reason[:300]
            ),
        ),
    )


def release(session: Session, connection_id: str) -> int:
    """Let the work go on that waits for a connection, look-ups of places too; return how much.

    What was delivered to it meanwhile is taken in as well, and not counted.

    To be called in the transaction that enables, reconnects or changes the connection.
    """
    parked = session.exec(
        select(EffectRow).where(
            EffectRow.connection == connection_id, col(EffectRow.state) == "parked"
        )
    ).all()
    for effect in parked:
        effect.state = "pending"
    looked_up = geocoding.resume(session)
    unpark(session, DELIVERIES, [connection_id])
    return looked_up + unpark(session, "effect", [effect.id for effect in parked])
