"""Call off what a source has called off; what comes too late for that is put on its list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.driving.calloff import call_off
from hub.errors import Refused, Retry
from hub.nouns import Cancelled, RefusedRow
from hub.queue.work import Claim, renew
from hub.store import ConnectionRow, OrderRow, RejectedRow, Session, System
from hub.workflow import rejects

if TYPE_CHECKING:
    from hub.hub import Hub

FIELD = "cancelled"
"""What is said to be at fault with one that came too late."""
TRIES = 3
"""How often it is tried at once where a route is being changed at that moment."""


def cancel(hub: Hub, claim: Claim, row: ConnectionRow, item: Cancelled) -> RefusedRow | None:
    """Call an order off; return what to put on the list where it came too late.

    One that nobody knows was never to be delivered. Raise `Retry` where its route is being changed
    again and again.
    """
    for more in reversed(range(TRIES)):
        try:
            with hub.store.write(System(row.merchant)) as session:
                renew(session, claim)
                if ids := known(session, row, [item.ref]):
                    call_off(session, ids[plain(item.ref)])
                    rejects.resolve(session, row.id, col(RejectedRow.key) == key_of(item.ref))
            return None
        except Refused as refusal:
            because = f" (called off: {item.reason})" if item.reason else ""
            return RefusedRow(line=0, reason=f"{refusal}{because}", field=FIELD, ref=item.ref)
        except Retry:
            if not more:
                raise
    return None


def known(session: Session, row: ConnectionRow, refs: Iterable[str]) -> dict[str, str]:
    """Return the ids of a connection's orders that are not called off yet, by ref."""
    query = select(OrderRow.ref, OrderRow.id).where(
        OrderRow.merchant == row.merchant,
        OrderRow.source == row.order_source,
        OrderRow.state != "cancelled",
        col(OrderRow.ref).in_({plain(ref) for ref in refs}),
    )
    return dict(session.exec(query).all())


def cancel_all(
    hub: Hub, claim: Claim, row: ConnectionRow, items: list[Cancelled], origin: rejects.Origin
) -> tuple[int, int]:
    """Call off what was read of a source; return how many were, and how many came too late.

    The same is read again and again, so what has been listed as too late is not listed anew.
    """
    with hub.store.read(System(row.merchant)) as session:
        found = known(session, row, [item.ref for item in items])
        keys = [key_of(item.ref) for item in items]
        query = select(RejectedRow.key).where(
            RejectedRow.connection == row.id,
            RejectedRow.field == FIELD,
            col(RejectedRow.key).in_(keys),
        )
        listed = set(session.exec(query))
    done = late = 0
    for item in {plain(item.ref): item for item in items}.values():
        if plain(item.ref) not in found:
            continue
        refused = cancel(hub, claim, row, item)
        done += refused is None
        if refused is not None and key_of(item.ref) not in listed:
            late += 1
            with hub.store.write(System(row.merchant)) as session:
                renew(session, claim)
                rejects.refuse(session, row, origin, refused)
    return done, late


def plain(ref: str) -> str:
    """Return a ref without NUL, which no database takes."""
    return ref.replace("\x00", "")


def key_of(ref: str) -> str:
    """Return under which key an order stands on its connection's list."""
    return rejects.key_of(RefusedRow(line=0, reason="", ref=ref))
