"""The kit, run on the plugin of the previous version."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime
from typing import Any

from hub_previous import Previous

from hub import Incoming
from hub.testing.conformance import SECRET, ConnectorTests


def order(id: int) -> dict[str, Any]:
    told = {"name": "Anna Beck", "street": f"Gasse {id}", "total": "19.90"}
    return {"id": id, "from": "2026-11-23T08:00:00", **told}


class TestPrevious(ConnectorTests):
    connector = Previous
    config = {"token": SECRET}
    saved = [{"token": "kept"}]
    event = order(9)
    answers = {
        "pull": [{"items": [order(1), order(2)]}, {"items": [order(3)]}, {"items": []}],
        "locate": [{"items": [{"lat": 47.1, "lon": 9.5}]}],
        "unknown": [{"items": []}],
    }

    def signed(self, body: bytes, secret: str = SECRET) -> Incoming:
        mac = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return Incoming(body=body, headers={"x-signature": mac}, at=datetime.now(UTC))
