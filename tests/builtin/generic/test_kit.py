"""The kit, run on both connectors for systems of one's own."""

from __future__ import annotations

import hmac
from datetime import UTC, datetime
from typing import Any

from hub.builtin.generic import Generic, GenericFolder
from hub.nouns import Incoming
from hub.testing.conformance import SECRET, ConnectorTests

FIELDS = {
    "rules": {
        "ref": {"path": "id"},
        "status": {"path": "status?"},
        "recipient.name": {"path": "customer.name"},
        "recipient.phone": {"path": "customer.phone?"},
        "address.line1": {"path": "customer.street"},
        "address.postcode": {"path": "customer.zip"},
        "address.city": {"path": "customer.city"},
        "address.country": {"path": "=LI"},
        "service_date": {"path": "day?"},
        "window.start": {"path": "from?"},
        "window.end": {"path": "until?"},
        "cash_due": {"path": "cod?"},
        "currency": {"path": "=CHF"},
        "lines": {"path": "items"},
        "line.name": {"path": "title"},
        "line.quantity": {"path": "qty"},
        "line.price": {"path": "price?"},
    },
    "cancelled": ["void"],
}


def record(number: int, **more: Any) -> dict[str, Any]:
    """Return an order as an own system tells it."""
    return {
        "id": number, "status": "open", "changed": f"2026-11-22T10:00:{number % 60:02}Z",
        "customer": {
            "name": f"Anna Beck {number}", "phone": "+4237920001", "street": f"Städtle {number}",
            "zip": "9490", "city": "Vaduz",
        },
        "day": "2026-11-23", "from": "2026-11-23T09:00:00+01:00",
        "until": "2026-11-23T12:00:00+01:00", "cod": 12.5,
        "items": [{"title": "Herb tea", "qty": 2, "price": 4.35}], **more,
    }  # fmt: skip


class TestGeneric(ConnectorTests):
    connector = Generic
    config = {  # noqa: RUF012
        "url": "https://erp.example/api/orders?since={since}", "records": "data.orders",
        "auth": "header", "token": SECRET, "paging": "page", "changed_path": "changed",
        "fields": FIELDS, "hook_auth": "hmac", "hook_secret": SECRET, "hook_header": "X-Erp-Sign",
        "hook_prefix": "sha256=", "hook_time_header": "X-Erp-Time", "hook_id_header": "X-Erp-Id",
        "news_url": "https://erp.example/news", "news_auth": "bearer", "news_secret": SECRET,
    }  # fmt: skip
    path = "/api/orders?since={since}"
    places = {"news_url": "/news"}  # noqa: RUF012
    answers = {  # noqa: RUF012
        "check": [{"data": {"orders": []}}],
        "pull": [
            {"data": {"orders": [record(1), record(2)]}},
            {"data": {"orders": [record(3)]}},
            {"data": {"orders": []}},
        ],
        "tell": [{"taken": True}],
    }
    event = record(7)

    def signed(self, body: bytes, secret: str = SECRET) -> Incoming:
        """Sign as an own system does that puts the time before the body."""
        at = datetime.now(UTC)
        told = str(int(at.timestamp()))
        made = hmac.digest(secret.encode(), f"{told}.".encode() + body, "sha256").hex()
        headers = {"x-erp-sign": f"sha256={made}", "x-erp-time": told, "x-erp-id": "evt-1"}
        return Incoming(body=body, headers=headers, at=at)


class TestGenericFolder(ConnectorTests):
    connector = GenericFolder
    config = {  # noqa: RUF012
        "path": "{here}/samples/whole", "format": "lines", "ready": "renamed", "fields": FIELDS,
    }  # fmt: skip
    broken = {"path": "{here}/samples/broken"}  # noqa: RUF012
