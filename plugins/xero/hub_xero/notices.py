"""Xero's webhooks: signed lists of ids, and what has become of those documents."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from typing import Any

from pydantic import SecretStr

from hub import Cancelled, Delivery, Incoming, Order, RefusedRow, Rejected, Unauthorized
from hub_xero.accounting import Accounting
from hub_xero.documents import KINDS, contact_ids, read

SIGNATURE = "x-xero-signature"
TOPICS = {"invoices": "INVOICE"}
"""What events tell of, by the setting `orders`; Xero sends none of quotes and purchase orders."""


def verified(request: Incoming, key: SecretStr) -> Delivery:
    """Return the delivery; raise `Unauthorized` where the signature does not hold.

    Xero's own test, the intent to receive, is such a request without events.
    """
    secret = key.get_secret_value()
    if not secret:
        raise Unauthorized("there is no webhook key under Settings to verify requests with")
    made = base64.b64encode(hmac.digest(secret.encode(), request.body, "sha256"))
    given = request.headers.get(SIGNATURE, "").encode("utf-8", "replace")
    if not hmac.compare_digest(made, given):
        raise Unauthorized("the signature does not hold; is the webhook key that of this app?")
    told = events(request.body)
    topics = sorted({str(one.get("eventCategory", ""))[:40] for one in told})
    return Delivery(topic=", ".join(filter(None, topics))[:200] or "intent to receive")


def events(body: bytes) -> list[dict[str, Any]]:
    """Return the events of a request; raise `Rejected` for what is no list of them."""
    try:
        told = json.loads(body)
        found = told["events"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Rejected("this is no list of Xero's events") from None
    if not isinstance(found, list):
        raise Rejected("this is no list of Xero's events")
    return [one for one in found if isinstance(one, dict)]


def unpack(
    accounting: Accounting, orders: str, request: Incoming
) -> Iterator[Order | Cancelled | RefusedRow]:
    """Yield what has become of the documents that a request names; it fetches them."""
    topic = TOPICS.get(orders)
    ids = [
        str(one.get("resourceId"))
        for one in events(request.body)
        if one.get("eventCategory") == topic and is_for(one, accounting.tenant)
    ]
    if topic is None or not ids:
        return
    kind = KINDS[orders]
    found = accounting.invoices(ids)
    wanted = contact_ids(kind, found)
    contacts = {str(one.get("ContactID")): one for one in accounting.contacts(wanted)}
    for line, one in enumerate(found, start=1):
        yield from read(kind, line, one, contacts)


def is_for(event: dict[str, Any], tenant: str) -> bool:
    """Say whether an event is about this organisation; an app has one webhook for all."""
    return str(event.get("tenantId", "")).lower() == tenant.lower()
