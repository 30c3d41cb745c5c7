"""An own system on loopback: orders by page and by change, for whoever has the token."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from hub.testing.peers import Peer, Reply, Request

TOKEN = "erp-token-1234567890"


class ErpPeer(Peer):
    """Answers `/api/orders` for whoever has the token.

    `?since=` gives what changed from then on, `?page=` and `?size=` a part of it, `?after=` what
    comes behind a mark. An answer has an ETag and names the next page in three ways.
    """

    service = "erp"
    token = TOKEN

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.orders: list[dict[str, Any]] = []
        self.requests: list[Request] = []
        super().__init__(directory, port)

    def answer(self, request: Request) -> Reply:
        """Return a page of orders."""
        self.requests.append(request)
        if request.path != "/api/orders":
            return Reply(404, {"message": "there is no such page"})
        query = request.query
        since, size = query.get("since", ""), int(query.get("size", 100))
        found = [one for one in self.orders if one["changed"] >= since]
        number = int(query.get("page", 1))
        start = int(query["after"]) if query.get("after") else (number - 1) * size
        part, more = found[start : start + size], start + size < len(found)
        link = f"{self.url}/api/orders?{urlencode({**query, 'page': number + 1})}" if more else ""
        told = {"data": part, "next": link, "mark": str(start + size) if more else None}
        content = json.dumps(told, ensure_ascii=False).encode()
        tag = f'"{hash(content) & 0xFFFFFFFF:x}"'
        if request.headers.get("If-None-Match") == tag:
            return Reply(304, headers={"ETag": tag})
        headers = {"ETag": tag, "Content-Type": "application/json"}
        if link:
            headers["Link"] = f'<{link}>; rel="next"'
        return Reply(200, content=content, headers=headers)


def order(number: int, **more: Any) -> dict[str, Any]:
    """Return an order as this system tells it."""
    return {
        "orderNo": f"A-{number:05}", "status": "open",
        "changed": f"2026-11-22T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}Z",
        "customer": {"fullName": f"Anna Beck {number}", "phone": "+4237920001"},
        "delivery": {"street": f"Städtle {number}", "zip": "9490", "city": "Vaduz"},
        "positions": [{"text": "Herb tea", "qty": 2}], **more,
    }  # fmt: skip


FIELDS: dict[str, Any] = {
    "rules": {
        "ref": {"path": "orderNo"}, "status": {"path": "status?"},
        "recipient.name": {"path": "customer.fullName"},
        "recipient.phone": {"path": "customer.phone?"},
        "address.line1": {"path": "delivery.street"}, "address.postcode": {"path": "delivery.zip"},
        "address.city": {"path": "delivery.city"}, "address.country": {"path": "=LI"},
        "lines": {"path": "positions"}, "line.name": {"path": "text"},
        "line.quantity": {"path": "qty"},
    },
    "cancelled": ["void"],
}  # fmt: skip
