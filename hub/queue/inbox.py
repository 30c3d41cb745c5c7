"""Keep whatever arrives before it is answered, so that a repeated request is done once."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlmodel import select

from hub.errors import Refused
from hub.store import InboxRow, Session
from hub.store.once import insert_once, stored


def receive(
    session: Session, source: str, key: str, kind: str, body: bytes
) -> tuple[InboxRow, bool]:
    """Keep `body` under the sender's `key`; return its row and whether it is new.

    A row that is not new carries the answer given then (`status` and `answer`), unless it is still
    being worked on (`status` 0). Raise `Refused` when the sender used the key for something else.
    Two equal requests at the same instant wait for each other: one is new, the other sees its
    answer.
    """
    digest = hashlib.sha256(body).hexdigest()
    row = InboxRow(
        source=source, key=key, kind=kind, body=body, digest=digest, received_at=session.wall
    )
    if insert_once(session, row):
        return stored(session, row), True
    row = session.exec(select(InboxRow).where(InboxRow.source == source, InboxRow.key == key)).one()
    if (row.kind, row.digest) != (kind, digest):
        raise Refused("Idempotency-Key was used for another request", "Idempotency-Key")
    return row, False


def answer(session: Session, row: InboxRow, status: int, data: dict[str, Any]) -> None:
    """Keep what was answered, in the transaction that did what was asked."""
    row.status, row.answer = status, data
    session.add(row)
