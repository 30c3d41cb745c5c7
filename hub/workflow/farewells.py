"""What another system says about the connection itself: that it has ended, or whom to forget.

A shop that has left still sends what its customers ask for, days later, to a connection whose work
waits by then. So a delivery is looked at once even so, and taken where it says nothing else.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlmodel import select

from hub.connections import activity
from hub.connections.book import Parked, Renewing
from hub.errors import Retry
from hub.nouns import Disconnected, PrivacyRequest
from hub.privacy import requests
from hub.queue.work import Claim, LeaseLost, renew
from hub.store import ConnectionRow, InboxRow
from hub.store.database import Busy
from hub.workflow import rejects
from hub.workflow.incoming import DONE, WAITING, receiver, unseal
from hub.workflow.parking import expire

if TYPE_CHECKING:
    from hub.hub import Hub

LOOKED = "looked"
"""That a delivery was looked at while its connection waits, in its inbox row's `answer`."""
MOST = 20
"""Deliveries that are looked at in one turn."""
TAKEN = "a request about personal data was taken"
GOODBYE = "disconnected"


def take(
    hub: Hub, claim: Claim, row: ConnectionRow, item: Disconnected | PrivacyRequest, came: datetime
) -> None:
    """Act on what a delivery of the wall time `came` says about its connection.

    An end that was said before the connection was connected anew is over.
    """
    with hub.store.write() as session:
        renew(session, claim)
        held = session.get_one(ConnectionRow, row.id, with_for_update=True)
        if isinstance(item, PrivacyRequest):
            requests.ask(hub, session, held, item)
        elif held.renewed_at is None or came >= held.renewed_at:
            expire(hub, session, held.id, item.reason)
            activity.note(session, held, "in", GOODBYE, "unauthorized", text=item.reason)


def came_with(hub: Hub, origin: rejects.Origin) -> datetime:
    """Return when the delivery came that something was told with, wall time."""
    with hub.store.read() as session:
        return session.get_one(InboxRow, origin.inbox).received_at


def listen(hub: Hub, claim: Claim, row: ConnectionRow, why: Exception) -> None:
    """Look once at each delivery of a connection whose work waits for a person."""
    if not isinstance(why, Parked) or isinstance(why, Renewing) or row.removed_at is not None:
        return
    query = select(InboxRow).where(
        InboxRow.source == row.id, InboxRow.kind == activity.DELIVERY, InboxRow.status == WAITING
    )
    with hub.store.read() as session:
        found = list(session.exec(query.order_by(InboxRow.id)))
    for delivery in [one for one in found if LOOKED not in one.answer][:MOST]:
        items = said(hub, row, delivery)
        for item in items:
            take(hub, claim, row, item, delivery.received_at)
        with hub.store.write() as session:
            renew(session, claim)
            kept = session.get_one(InboxRow, delivery.id)
            kept.answer = {**kept.answer, LOOKED: True}
            if items:
                kept.status, kept.answer = DONE, {"topic": kept.answer.get("topic", "")}
                activity.settle(session, kept.id, "done", TAKEN, 0)


def said(hub: Hub, row: ConnectionRow, delivery: InboxRow) -> list[Any]:
    """Return what a delivery says about its connection; nothing where it is about orders as well.

    What fails is left to the time when the connection works again.
    """
    try:
        with hub.store.read() as session:
            connector = hub.connections.build(session, session.get_one(ConnectionRow, row.id))
        request = unseal(hub.keys, bytes(delivery.body))
        begin = receiver(connector).unpack
        items = list(hub.connections.drawn(connector, lambda: begin(request)))
    except (LeaseLost, Busy, Retry):
        raise
    except Exception:
        # A plugin may raise anything; whatever it is comes again with the rest of the delivery.
        return []
    about = [one for one in items if isinstance(one, Disconnected | PrivacyRequest)]
    return about if len(about) == len(items) else []
