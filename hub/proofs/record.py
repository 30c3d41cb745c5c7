"""The canonical record of one attempt, chained to the merchant's record before it.

Its form is written down in docs/proof-record.md: RFC 8785 JSON in which every number is an
integer, so that anybody's canonicaliser makes the same bytes.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785
from sqlmodel import col, select

from hub.driving.words import Moment
from hub.hub import Hub
from hub.nouns import Json
from hub.proofs.uploads import Upload
from hub.store import (
    AttemptLineRow,
    AttemptRow,
    MerchantRow,
    OrderLineRow,
    OrderRow,
    ProofFileRow,
    ProofRow,
    Session,
    StopRow,
)
from hub.tracking.geometry import metres

VERSION = 1


@dataclass(frozen=True)
class Capture:
    """What came from the phone with an ending: its report, its clock and its pictures."""

    report: str
    sha256: str
    """Of the report's JSON as it was sent."""
    when: Moment
    device: str
    """Something that stays the same for one phone, such as its token's hash."""
    files: tuple[Upload, ...] = ()


def make(hub: Hub, session: Session, attempt: AttemptRow, capture: Capture) -> ProofRow:
    """Write the record of `attempt`, in the attempt's own transaction.

    The merchant's row is held meanwhile: two records never get the same number.
    """
    merchant = hold(session, attempt.merchant)
    last = latest(session, merchant.id)
    salt = secrets.token_hex(16)
    fields = {
        "version": VERSION,
        "merchant": merchant.id,
        "number": last.number + 1 if last else 1,
        "prev": last.sha256 if last else "",
        **visit_fields(session, attempt),
        **capture_fields(hub, session, attempt, capture),
        "received_by": salted(salt, "received_by", attempt.received_by),
        "note": salted(salt, "note", attempt.note),
    }
    keep_files(session, attempt, capture)
    text = canonical(fields)
    row = ProofRow(
        merchant=merchant.id,
        stop=attempt.stop,
        attempt=attempt.id,
        number=int(fields["number"]),
        prev=str(fields["prev"]),
        salt=salt,
        sha256=hashlib.sha256(text).hexdigest(),
        record=text.decode(),
        captured_at=capture.when.at,
        created_at=capture.when.received,
    )
    session.add(row)
    session.flush()
    return row


def hold(session: Session, merchant: str) -> MerchantRow:
    """Return the merchant's row, held until the transaction ends.

    It is held without its key, because every new row that names the merchant holds the key: two
    that wait for each other's key would never end.
    """
    query = select(MerchantRow).where(MerchantRow.id == merchant)
    return session.exec(query.with_for_update(key_share=True)).one()


def latest(session: Session, merchant: str) -> ProofRow | None:
    """Return the last record of a merchant's chain."""
    query = select(ProofRow).where(ProofRow.merchant == merchant)
    return session.exec(query.order_by(col(ProofRow.number).desc()).limit(1)).first()


def canonical(fields: Json) -> bytes:
    """Return RFC 8785 JSON: the same bytes for the same fields, whoever writes them."""
    return rfc8785.dumps(fields)


def visit_fields(session: Session, attempt: AttemptRow) -> dict[str, Any]:
    """Return what was tried and what came of it."""
    stop = session.get_one(StopRow, attempt.stop)
    order = session.get_one(OrderRow, stop.order)
    return {
        "order": {
            "id": order.id,
            "source": order.source,
            "ref": order.ref,
            "invoice": order.invoice,
        },
        "stop": {"id": stop.id, "kind": stop.kind},
        "attempt": {"id": attempt.id, "number": attempt.number},
        "outcome": attempt.outcome,
        "reason": attempt.reason,
        "lines": line_fields(session, attempt),
        "cash": cash_fields(order, attempt),
        "arrived_at": rfc3339(attempt.arrived_at),
        "occurred_at": rfc3339(attempt.occurred_at),
        "place": place_fields(stop, attempt),
    }


def capture_fields(
    hub: Hub, session: Session, attempt: AttemptRow, capture: Capture
) -> dict[str, Any]:
    """Return who said so, when, with which phone and which pictures."""
    secret = hub.keys.pseudonym
    return {
        "captured_at": rfc3339(capture.when.said),
        "received_at": rfc3339(capture.when.received),
        "driver": pseudonym(secret, attempt.merchant, "driver", attempt.driver),
        "device": pseudonym(secret, attempt.merchant, "device", capture.device),
        "capture": {"report": capture.report, "sha256": capture.sha256},
        "files": [
            {
                "kind": file.kind,
                "sha256": file.sha256,
                "size": file.size,
                "media_type": file.media_type,
            }
            for file in capture.files
        ],
    }


def line_fields(session: Session, attempt: AttemptRow) -> list[dict[str, Any]]:
    """Return every line with what was ordered and what was handed over."""
    rows = session.exec(
        select(OrderLineRow, AttemptLineRow)
        .where(AttemptLineRow.attempt == attempt.id, OrderLineRow.id == AttemptLineRow.line)
        .order_by(col(OrderLineRow.number))
    )
    return [
        {
            "number": line.number,
            "sku": line.sku,
            "name": line.name,
            "ordered": line.quantity,
            "handed_over": given.quantity,
        }
        for line, given in rows
    ]


def cash_fields(order: OrderRow, attempt: AttemptRow) -> dict[str, Any] | None:
    """Return what was to be collected and what was, or nothing where no cash was involved."""
    if order.cash_due is None and attempt.cash_taken is None:
        return None
    return {
        "due": None if order.cash_due is None else f"{order.cash_due:.2f}",
        "taken": None if attempt.cash_taken is None else f"{attempt.cash_taken:.2f}",
        "currency": order.currency,
    }


def place_fields(stop: StopRow, attempt: AttemptRow) -> dict[str, Any] | None:
    """Return where the phone was and how far from the address, or nothing if it did not say."""
    if attempt.lat is None or attempt.lon is None:
        return None
    away = metres(attempt.lat, attempt.lon, stop.lat, stop.lon)
    return {
        "lat": f"{attempt.lat:.6f}",
        "lon": f"{attempt.lon:.6f}",
        "accuracy_m": None if attempt.accuracy is None else round(attempt.accuracy),
        "distance_m": round(away),
    }


def keep_files(session: Session, attempt: AttemptRow, capture: Capture) -> None:
    """Write which pictures belong to the attempt."""
    for file in capture.files:
        session.add(ProofFileRow(attempt=attempt.id, **file.model_dump()))


def rfc3339(at: datetime | None) -> str | None:
    """Return an instant in UTC with milliseconds, as every record writes it."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def pseudonym(secret: str, merchant: str, kind: str, value: str) -> str:
    """Return a name that only this hub can trace, different for every merchant."""
    if not value:
        return ""
    text = f"{kind}\0{merchant}\0{value}"
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex()[:32]


def salted(salt: str, field: str, text: str) -> str:
    """Return a hash that proves `text` to whoever holds the salt, and tells nothing without it."""
    if not text:
        return ""
    value = f"{field}\0{unicodedata.normalize('NFC', text)}"
    return hmac.digest(bytes.fromhex(salt), value.encode(), "sha256").hex()
