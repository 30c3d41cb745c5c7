"""Take in what other systems send to connections: verified over bytes, kept, then answered.

This is the web process's half. What a delivery means is found out by a worker; see
hub.workflow.deliveries.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, insert
from sqlalchemy.dialects import postgresql, sqlite

from hub.access import tokens
from hub.capabilities import Receiver
from hub.connections import activity
from hub.connections.pulse import is_in_use
from hub.errors import Forbidden, Missing, PluginError, Refused
from hub.nouns import Delivery, Incoming
from hub.queue import enqueue
from hub.store import ActivityRow, ConnectionRow, InboxRow, Session, TokenRow, new_id

if TYPE_CHECKING:
    from hub.access.keys import Keys
    from hub.connector import Connector
    from hub.hub import Hub

KIND = "deliveries"
"""The work of taking in what waits of one connection; its subject is the connection's id."""
PURPOSE: tokens.Purpose = "incoming"
OVERLAP = timedelta(hours=24)
"""How long the address before still works after a new one was made."""
WINDOW = timedelta(minutes=5)
"""How far the sender's signed time may lie from ours."""
NOWHERE = "nothing is sent here; look the address up on the connection's page"
WAITING, DONE, FAILED = 0, 200, 422
"""States of a delivery, as the `status` of its row in the inbox."""


class Replayed(Forbidden):
    """Say that a request was signed too long ago, or too far ahead."""


@dataclass(frozen=True)
class Kept:
    """A delivery that was verified and is to be stored."""

    row: ConnectionRow
    key: str
    sealed: bytes
    digest: str
    topic: str
    at: datetime


@dataclass(frozen=True)
class TurnedAway:
    """A request that was refused and is counted."""

    row: ConnectionRow
    outcome: str
    text: str
    excerpt: str = ""


def open_address(hub: Hub, session: Session, row: ConnectionRow) -> str:
    """Make the address to which a connection's other system sends, and return it.

    It cannot be read again. The one before works for another 24 hours. Raise `Refused` where the
    connector takes no requests.
    """
    if not takes_requests(hub, row):
        raise Refused(f"{row.title} takes no webhooks; its connector reads by itself")
    if not is_in_use(row):
        raise Refused(f"{row.title} is not set up yet; finish that first")
    tokens.retire(session, PURPOSE, row.id, OVERLAP)
    secret = tokens.issue(session, PURPOSE, row.id)
    return f"{hub.settings.public_url.rstrip('/')}/hooks/{row.id}/{secret}"


def close_address(session: Session, row: ConnectionRow) -> None:
    """Take nothing more from a connection's other system, at no address that it ever had."""
    tokens.revoke(session, PURPOSE, row.id)


def addresses(session: Session, row: ConnectionRow) -> list[TokenRow]:
    """Return the addresses that are open now, newest first: their times, never their secrets."""
    return tokens.open_now(session, PURPOSE, row.id)


def takes_requests(hub: Hub, row: ConnectionRow) -> bool:
    """Say whether a connection's connector has the `Receiver` trait."""
    plugin = hub.plugins.owner(row.connector)
    return plugin is not None and hasattr(plugin.connectors[row.connector], "receive")


def find(session: Session, connection: str, secret: str) -> ConnectionRow:
    """Return the connection that an address belongs to; raise `Missing` in the same words always.

    The secret is looked up by its hash, whatever the connection, so that neither the answer nor
    its time tells whether there is such a connection. One that is switched off is found: what
    comes meanwhile is kept.
    """
    try:
        subject = tokens.check(session, PURPOSE, secret)
    except Forbidden:
        raise Missing(NOWHERE) from None
    row = session.get(ConnectionRow, subject)
    if row is None or subject != connection or not is_in_use(row):
        raise Missing(NOWHERE)
    return row


def verified(connector: Connector[Any], request: Incoming, said: Any) -> Delivery:
    """Return what `receive` said; raise `PluginError` for nonsense, `Replayed` for an old one."""
    if not isinstance(said, Delivery):
        kind = type(said).__name__
        raise PluginError(f"{connector!r}.receive returned a {kind}, which is no Delivery")
    if said.signed_at is not None and abs(request.at - said.signed_at) > WINDOW:
        raise Replayed("it was signed more than five minutes ago or ahead; check the clocks")
    return said


def receiver(connector: Connector[Any]) -> Receiver:
    """Return a connector as one that takes requests; raise `Missing` where it takes none."""
    if not isinstance(connector, Receiver):
        raise Missing(NOWHERE)
    return connector


def kept(keys: Keys, row: ConnectionRow, request: Incoming, delivery: Delivery) -> Kept:
    """Return a delivery as it is stored: whole and encrypted, since it is full of persons.

    Without an id of the sender's the same bytes are the same delivery.
    """
    digest = hashlib.sha256(request.body).hexdigest()
    named = bool(delivery.id) and delivery.id.isprintable()
    return Kept(
        row=row,
        key=f"id:{delivery.id}" if named else f"sha256:{digest}",
        sealed=seal(keys, request),
        digest=digest,
        topic=delivery.topic if delivery.topic.isprintable() else "",
        at=request.at,
    )


def seal(keys: Keys, request: Incoming) -> bytes:
    """Return a request encrypted: one line of JSON, then its body as it came."""
    head = {"headers": request.headers, "query": request.query, "at": request.at.isoformat()}
    return keys.shut(json.dumps(head).encode() + b"\n" + request.body)


def unseal(keys: Keys, sealed: bytes) -> Incoming:
    """Return the request that `seal` made unreadable."""
    head, _, body = keys.opened(sealed).partition(b"\n")
    return Incoming(body=body, **json.loads(head))


_INBOX: Table = InboxRow.__table__  # type: ignore[attr-defined]
_ACTIVITY: Table = ActivityRow.__table__  # type: ignore[attr-defined]


def write(session: Session, items: list[Kept | TurnedAway]) -> None:
    """Store what several requests brought, make its work due and write it all down.

    What is there already is only counted.
    """
    brought = {new_id("inb"): item for item in items if isinstance(item, Kept)}
    new = insert_new(session, brought)
    for connection in sorted({item.row.id for item in new.values()}):
        enqueue(session, KIND, connection, queue="outward")
    if new:
        session.connection().execute(
            insert(_ACTIVITY), [entry(session, id, item) for id, item in new.items()]
        )
    for id, item in brought.items():
        if id not in new:
            about = f"{item.topic or 'a delivery'} came again and was taken once"
            activity.count(session, item.row.id, item.row.merchant, "repeat", about)
    for turned in items:
        if isinstance(turned, TurnedAway):
            row = turned.row
            said = (turned.outcome, turned.text, turned.excerpt)
            activity.count(session, row.id, row.merchant, *said)


def insert_new(session: Session, brought: dict[str, Kept]) -> dict[str, Kept]:
    """Insert deliveries whose keys are new; return those."""
    if not brought:
        return {}
    kind = postgresql if session.get_bind().dialect.name == "postgresql" else sqlite
    statement = kind.insert(_INBOX).on_conflict_do_nothing().returning(_INBOX.c.id)
    found = session.connection().execute(
        statement,
        [
            {
                "id": id,
                "source": item.row.id,
                "key": item.key,
                "kind": activity.DELIVERY,
                "body": item.sealed,
                "digest": item.digest,
                "answer": {"topic": item.topic},
                "status": WAITING,
                "received_at": item.at,
            }
            for id, item in brought.items()
        ],
    )
    return {id: brought[id] for (id,) in found}


def entry(session: Session, id: str, item: Kept) -> dict[str, Any]:
    """Return the log's row of a delivery that was taken in."""
    return {
        "id": new_id("act"),
        "connection": item.row.id,
        "merchant": item.row.merchant,
        "at": session.now,
        "direction": "in",
        "what": activity.DELIVERY,
        "outcome": "waiting",
        "ms": max(0, int((session.wall - item.at).total_seconds() * 1000)),
        "about": id,
        "text": item.topic,
        "excerpt": "",
        "times": 1,
    }
