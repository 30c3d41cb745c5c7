"""A message as it goes over the wire: body and headers by Standard Webhooks."""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic_core import to_json

from hub.access.keys import Keys
from hub.events import feed
from hub.store import EndpointRow, EventRow, OutgoingRow

PREFIX = "whsec_"
TEST = "webhook.test"


@dataclass(frozen=True)
class Letter:
    """What one call sends."""

    row: str
    """The outgoing row's id."""
    id: str
    """The same at every try: the event's id, or the row's own for a test."""
    url: str
    body: bytes


def new_secret() -> str:
    """Return a fresh secret of 32 random bytes, as receivers store it."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def letter(endpoint: EndpointRow, row: OutgoingRow, event: EventRow | None) -> Letter:
    """Return a row as it is sent; `event` is None for a test."""
    if event is None:
        sheet = test_sheet(endpoint, row)
    else:
        sheet = feed.sheet(event, mine=endpoint.merchant is not None)
    body = {"type": sheet.type, "timestamp": sheet.occurred_at, "data": sheet}
    return Letter(row.id, sheet.id, endpoint.url, to_json(body))


def test_sheet(endpoint: EndpointRow, row: OutgoingRow) -> feed.EventSheet:
    """Return what a test says: the form of an event, about the endpoint itself."""
    said: dict[str, Any] = {"endpoint": {"id": endpoint.id, "description": endpoint.description}}
    return feed.EventSheet(
        seq=0, id=row.id, type=TEST, subject=endpoint.id, merchant=endpoint.merchant,
        occurred_at=row.created_at, recorded_at=row.created_at, caused_by=None, data=said,
    )  # fmt: skip


def secrets_of(keys: Keys, endpoint: EndpointRow, wall: datetime) -> list[str]:
    """Return the secrets that sign now: the newest, and the one before while both are good."""
    until = endpoint.previous_until
    both = endpoint.previous and until is not None and until > wall
    sealed = [endpoint.secret, endpoint.previous] if both else [endpoint.secret]
    return [keys.unseal(secret) for secret in sealed]


def headers(letter: Letter, secrets: list[str], at: datetime) -> dict[str, str]:
    """Return the headers of one try at wall time `at`, signed with every secret."""
    from standardwebhooks import Webhook

    text = letter.body.decode()
    signatures = [Webhook(secret).sign(letter.id, at, text) for secret in secrets]
    return {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Lastmile-Hub-Webhooks/1",
        "webhook-id": letter.id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
