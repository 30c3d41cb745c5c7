"""Take requests of persons and shops, answer them, and keep the record of that."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, select

from hub.access import audit, scoped
from hub.dispatch.flags import raise_flag
from hub.errors import Missing, Refused
from hub.nouns import PrivacyRequest
from hub.privacy import bodies, erasure, holding, subjects
from hub.queue.work import Claim, defer, enqueue, finish
from hub.store import ConnectionRow, MerchantRow, OrderRow, PrivacyRow, Session, System, new_id
from hub.store.once import insert_once

if TYPE_CHECKING:
    from hub.hub import Hub

KIND = "privacy"
"""The work of answering one request; its subject is the row's id."""
DUE = timedelta(days=30)
"""How long the law gives (GDPR, article 12)."""
BEFORE = timedelta(days=2)
"""How long before that nothing is waited for any more but a route that is being driven."""
AGAIN = timedelta(hours=1)
"""When it is looked again whether what waits has been delivered."""
KEPT = timedelta(days=30)
"""How long an export can be fetched."""
FLAG = "privacy_export"


def ask(hub: Hub, session: Session, connection: ConnectionRow, asked: PrivacyRequest) -> None:
    """Take a request that came through a connection; the same again is taken once."""
    said = asked.model_dump_json()
    digest = hashlib.sha256(said.encode()).hexdigest()[:32]
    add(
        hub, session, asked, key=f"{connection.id}:{asked.kind}:{asked.ref or digest}",
        merchant=connection.merchant, connection=connection.id, by=connection.title,
    )  # fmt: skip


def ask_here(
    hub: Hub, session: Session, asked: PrivacyRequest, merchant: str | None, by: str
) -> PrivacyRow:
    """Take a request that was made at the hub itself; raise `Refused` where it names nobody."""
    if not (asked.orders or asked.email.strip() or asked.phone.strip()):
        raise Refused("name the person: an e-mail address, a phone number or an order")
    key = new_id("ask")
    add(hub, session, asked, key=key, merchant=merchant, connection=None, by=by)
    return session.exec(select(PrivacyRow).where(PrivacyRow.key == key)).one()


def add(
    hub: Hub,
    session: Session,
    asked: PrivacyRequest,
    *,
    key: str,
    merchant: str | None,
    connection: str | None,
    by: str,
) -> None:
    """Write a request down and have it answered, unless it is known."""
    row = PrivacyRow(
        key=key, merchant=merchant, connection=connection, kind=asked.kind, ref=asked.ref[:200],
        asked=hub.keys.seal(asked.model_dump_json()), asked_by=by[:100],
        asked_at=session.now, due_at=session.now + DUE,
    )  # fmt: skip
    if not insert_once(session, row):
        return
    audit.note(session, "privacy.asked", row.id, f"took a request: {WHAT[asked.kind]}",
               merchant=merchant)  # fmt: skip
    enqueue(session, KIND, row.id)


WHAT = {
    "export": "a copy of what is held about a person",
    "erase": "a person is to be erased",
    "erase_all": "everybody who came through a connection is to be erased",
}


def work(hub: Hub, claim: Claim) -> None:
    """Answer one request, as far as that can be done by now."""
    with hub.store.read() as session:
        row = session.get(PrivacyRow, claim.subject)
    if row is not None and row.state != "done":
        row = carry_out(hub, row.id)
    over = row is None or expire(hub, row)
    with hub.store.write() as session:
        if row is not None and row.state == "partly":
            defer(session, claim, session.wall + AGAIN)
        elif not over:
            defer(session, claim, session.wall + timedelta(days=1))
        else:
            finish(session, claim)


def carry_out(hub: Hub, id: str) -> PrivacyRow:
    """Answer a request as far as that can be done by now; return its row."""
    with hub.store.read() as session:
        row = session.get_one(PrivacyRow, id)
        asked = PrivacyRequest.model_validate_json(hub.keys.unseal(row.asked))
        orders = subjects.orders_of(session, row, asked)
    return export(hub, row, orders) if row.kind == "export" else erase(hub, row, asked, orders)


def export(hub: Hub, row: PrivacyRow, orders: list[str]) -> PrivacyRow:
    """Write down what is held, encrypted, and say that it can be fetched."""
    with hub.store.read() as session:
        content = holding.document(session, orders)
    file = hub.files.put(hub.keys.shut(content))
    with hub.store.write() as session:
        kept = session.get_one(PrivacyRow, row.id, with_for_update=True)
        kept.file, kept.orders = file, len(orders)
        end(session, kept, f"{counted(len(orders))} written down; fetch the file and pass it on.")
        name = session.get_one(MerchantRow, kept.merchant).name if kept.merchant else "The hub"
        raise_flag(
            session, f"privacy:{row.id}", FLAG,
            f"{name}: a customer asked for a copy of what is held about them. Fetch it under "
            f"Settings, Privacy, and pass it on by {kept.due_at:%d.%m.%Y}.",
            subject=kept.id, merchant=kept.merchant,
        )  # fmt: skip
        return kept


def erase(hub: Hub, row: PrivacyRow, asked: PrivacyRequest, orders: list[str]) -> PrivacyRow:
    """Erase who can be erased; who still waits for a delivery is erased after it."""
    with hub.store.read() as session:
        words = frozenset(
            () if row.kind == "erase_all" else subjects.words_of(session, orders, asked)
        )
        late = session.now >= row.due_at - BEFORE
    left = 0
    for id in orders:
        if is_ready(hub, id, late):
            erasure.erase_order(hub, id)
        else:
            left += 1
    if row.kind == "erase_all" and row.connection is not None:
        erasure.erase_connection(hub, row.connection)
    waiting = sweep(hub, row, words, late) if words else False
    with hub.store.write() as session:
        kept = session.get_one(PrivacyRow, row.id, with_for_update=True)
        kept.orders += len(orders) - left
        if left or waiting:
            kept.state = "partly"
            kept.text = f"{counted(kept.orders)} erased. {remain(left)}"
        else:
            end(session, kept, f"{counted(kept.orders)} erased.")
        return kept


def sweep(hub: Hub, row: PrivacyRow, words: frozenset[str], late: bool) -> bool:
    """Take words out of all that is kept as it came; return whether some waits to be taken in."""
    erasure.erase_texts(hub, row.merchant, words)
    waiting = bodies.drop(hub, row, words, late)
    if row.connection is None:
        bodies.drop_files(hub, row.merchant, words)
    drop_exports(hub, row, words)
    return waiting


def is_ready(hub: Hub, id: str, late: bool) -> bool:
    """Say whether an order can be erased now; one on no route is called off when it gets late."""
    with hub.store.read() as session:
        order = session.get_one(OrderRow, id)
        if not erasure.waits(session, order):
            return True
    if not late:
        return False
    with hub.store.write(System(order.merchant)) as session:
        return erasure.call_off(session, session.get_one(OrderRow, id))


def drop_exports(hub: Hub, row: PrivacyRow, words: frozenset[str]) -> None:
    """Delete copies that were made for a person who is erased now."""
    query = select(PrivacyRow).where(PrivacyRow.file != "")
    if row.merchant is not None:
        query = query.where(PrivacyRow.merchant == row.merchant)
    with hub.store.read() as session:
        found = list(session.exec(query))
    for one in found:
        if subjects.holds(content(hub, one), words):
            forget(hub, one)


def content(hub: Hub, row: PrivacyRow) -> bytes:
    """Return the JSON of an export; raise `Missing` where it is not kept any more."""
    if not row.file:
        raise Missing("this copy is not kept any more; ask for a new one")
    return hub.keys.opened(hub.files.get(row.file))


def expire(hub: Hub, row: PrivacyRow) -> bool:
    """Delete an export that is older than is kept; return whether it is gone."""
    with hub.store.read() as session:
        old = row.ended_at is not None and row.ended_at + KEPT <= session.now
    if old and row.file:
        forget(hub, row)
    return old or not row.file


def forget(hub: Hub, row: PrivacyRow) -> None:
    """Delete the file of an export."""
    with hub.store.write() as session:
        kept = session.get_one(PrivacyRow, row.id)
        kept.file, kept.text = (
            "",
            f"{counted(row.orders)} written down; the file was deleted since.",
        )
    hub.files.drop(row.file)


def end(session: Session, row: PrivacyRow, text: str) -> None:
    """Mark a request as answered; whom it was about is forgotten."""
    row.state, row.text, row.asked, row.ended_at = "done", text, "", session.now
    audit.note(session, "privacy.answered", row.id, f"answered a request: {text}",
               merchant=row.merchant)  # fmt: skip


def counted(number: int) -> str:
    """Return a number of orders in words."""
    return f"{number} order{'' if number == 1 else 's'}"


def remain(left: int) -> str:
    """Return what is still to be done, in words."""
    if not left:
        return "What was sent meanwhile is erased once it has been taken in."
    verb = "is" if left == 1 else "are"
    return f"{counted(left)} {verb} still to be delivered and erased after that."


def listed(session: Session, limit: int = 200) -> list[PrivacyRow]:
    """Return the requests that the session's principal may see, newest first."""
    rows = scoped(session, PrivacyRow).order_by(col(PrivacyRow.asked_at).desc())
    return list(session.exec(rows.limit(limit)))
