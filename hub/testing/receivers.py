"""A connector that takes requests as it is told, for tests of webhooks."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, SecretStr

from hub.connector import Connector
from hub.errors import Rejected, Unauthorized
from hub.hub import Hub
from hub.nouns import (
    Cancelled,
    Cursor,
    Delivery,
    DevicePosition,
    Disconnected,
    Incoming,
    Order,
    PrivacyRequest,
    RefusedRow,
)
from hub.plugins import Plugin

SECRET = "whsec-canary"  # noqa: S105 - of a connector for tests
Item = Order | Cancelled | RefusedRow | DevicePosition | Disconnected | PrivacyRequest
KINDS: Mapping[str, type[BaseModel]] = {
    "order": Order, "cancelled": Cancelled, "refused": RefusedRow, "position": DevicePosition,
    "disconnected": Disconnected, "privacy": PrivacyRequest,
}  # fmt: skip


class BellConfig(BaseModel):
    """What signatures are made with."""

    secret: SecretStr = SecretStr(SECRET)


class Bell(Connector[BellConfig]):
    """Takes lists of `{"order": {...}}` and the like, signed in a header.

    `before` and `during` are called with a request before it is verified and before it is read;
    what they raise is what the connector raises. `pages` is what a pull finds.
    """

    name = "bell"
    title = "Bell"
    Config = BellConfig
    before: ClassVar[Callable[[Incoming], Any] | None] = None
    during: ClassVar[Callable[[Incoming], Any] | None] = None
    pages: ClassVar[list[Order | RefusedRow]] = []

    def receive(self, request: Incoming) -> Delivery:
        """Verify the header `x-signature`; `x-id` and `x-signed-at` are the sender's."""
        look = type(self).before
        answered = look(request) if look is not None else None
        if answered is not None:
            return answered  # type: ignore[no-any-return]
        given = request.headers.get("x-signature", "")
        if not hmac.compare_digest(signature(request.body), given):
            raise Unauthorized("the signature is another")
        if request.body == b"nonsense":
            raise Rejected("that is no list")
        signed = request.headers.get("x-signed-at")
        return Delivery(
            id=request.headers.get("x-id", ""),
            topic=request.headers.get("x-topic", ""),
            signed_at=datetime.fromisoformat(signed) if signed else None,
        )

    def unpack(self, request: Incoming) -> Iterator[Item]:
        """Yield what the list holds."""
        look = type(self).during
        if look is not None:
            look(request)
        for one in json.loads(request.body):
            ((kind, fields),) = one.items()
            yield KINDS[kind].model_validate(fields)  # type: ignore[misc]

    def pull(self, cursor: Cursor) -> Iterator[Order | RefusedRow | Cursor]:
        """Yield everything from `cursor` on, one to a page."""
        number = int(cursor.value or 0)
        yield from self.pages[number : number + 1]
        yield Cursor(value=str(min(number + 1, len(self.pages))))


def install(hub: Hub) -> type[Bell]:
    """Add the connector to a hub as if its plugin was installed."""
    Bell.before = Bell.during = None
    Bell.pages = []
    plugin = Plugin(name="bell", distribution="", version="")
    plugin.connectors["bell"] = Bell
    plugin.kinds["bell"] = {"order_sources"}
    hub.plugins.plugins["bell"] = plugin
    return Bell


def signature(body: bytes) -> str:
    """Return what the header of a body has to be."""
    return hmac.digest(SECRET.encode(), body, "sha256").hex()


def signed(*items: Mapping[str, Any], **headers: str) -> tuple[bytes, dict[str, str]]:
    """Return a body and its headers; `id="7"` stands for `x-id: 7`."""
    body = json.dumps(items).encode()
    said = {f"x-{name.replace('_', '-')}": value for name, value in headers.items()}
    return body, {"x-signature": signature(body), "content-type": "application/json", **said}
