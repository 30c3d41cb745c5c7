"""Find and drop what arrived and is kept as it came: requests of others, reports, files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.access.keys import WrongKeys
from hub.connections.activity import DELIVERY
from hub.privacy.erasure import NEVER, forget_previews
from hub.privacy.subjects import holds, without
from hub.store import (
    ApiKeyRow,
    AttemptRow,
    ConnectionRow,
    ImportRow,
    InboxRow,
    PrivacyRow,
    Session,
)

if TYPE_CHECKING:
    from hub.hub import Hub

TOGETHER = 200
GONE = "Its file was deleted, because a person in it asked for that."


def sources(session: Session, row: PrivacyRow) -> list[str]:
    """Return who may have sent what a request is about: a connection, or all of a merchant's."""
    if row.connection is not None:
        found = [row.connection]
    else:
        connections, keys = select(ConnectionRow.id), select(ApiKeyRow.id)
        if row.merchant is not None:
            connections = connections.where(ConnectionRow.merchant == row.merchant)
            owned = col(ApiKeyRow.merchant)
            keys = keys.where(owned.is_(None) | (owned == row.merchant))
        found = [*session.exec(connections), *session.exec(keys)]
    drivers = select(AttemptRow.driver).distinct()
    if row.merchant is not None:
        drivers = drivers.where(AttemptRow.merchant == row.merchant)
    return [*found, *session.exec(drivers)]


def drop(hub: Hub, row: PrivacyRow, words: frozenset[str], late: bool) -> bool:
    """Drop every body in which a word stands; return whether some are still to be taken in.

    When it gets `late` these are dropped as well.
    """
    with hub.store.read() as session:
        senders = sources(session, row)
        connections = [one for one in senders if one.startswith("con_")]
    with hub.store.write() as session:
        forget_previews(session, connections)
    waiting = False
    for page in pages(hub, senders):
        found = [one for one in page if holds(opened(hub, one), words)]
        waiting = waiting or (not late and any(is_waiting(one) for one in found))
        with hub.store.write() as session:
            for one in found:
                kept = session.get(InboxRow, one.id, with_for_update=True)
                if kept is not None and (late or not is_waiting(kept)):
                    kept.body, kept.answer = b"", without(kept.answer, words)
                    kept.status = kept.status or NEVER
    return waiting


def is_waiting(row: InboxRow) -> bool:
    """Say whether a delivery has not been taken in yet; it is dropped after that."""
    return row.kind == DELIVERY and row.status == 0


def pages(hub: Hub, senders: list[str]) -> Iterator[list[InboxRow]]:
    """Yield what is kept of what some have sent, some of it at a time."""
    after = ""
    while True:
        query = select(InboxRow).where(
            col(InboxRow.source).in_(senders), InboxRow.id > after, InboxRow.body != b""
        )
        with hub.store.read() as session:
            found = list(session.exec(query.order_by(InboxRow.id).limit(TOGETHER)))
        if not found:
            return
        yield found
        after = found[-1].id


def opened(hub: Hub, row: InboxRow) -> bytes:
    """Return what arrived, as it came; deliveries are kept encrypted."""
    if row.kind != DELIVERY:
        return bytes(row.body)
    try:
        return hub.keys.opened(bytes(row.body))
    except WrongKeys:
        return b""  # nobody can read it any more


def drop_files(hub: Hub, merchant: str | None, words: frozenset[str]) -> int:
    """Delete the imported files in which a word stands; return how many."""
    query = select(ImportRow).where(col(ImportRow.state).in_(("done", "refused")))
    if merchant is not None:
        query = query.where(ImportRow.merchant == merchant)
    with hub.store.read() as session:
        found = list(session.exec(query))
    gone = 0
    for row in found:
        path = hub.files.path(row.sha256)
        if not path.exists() or not holds(path.read_bytes(), words):
            continue
        with hub.store.write() as session:
            session.get_one(ImportRow, row.id).note = GONE
        hub.files.drop(row.sha256)
        gone += 1
    return gone
