"""The stores that a loop is driven through: a peer, how it is connected to, and what it then shows.

Another store is one class with these methods; those of plugins are in `shops.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol
from urllib.parse import quote

from pydantic import BaseModel, SecretStr

from hub.connector import Connector
from hub.errors import Rejected
from hub.http import Http, Url
from hub.nouns import Cursor, DeliveryStatus, Order, Receipt
from hub.plugins import Plugin, Plugins
from hub.testing.peers.log import Entry
from hub.testing.peers.server import Peer, Reply, Request

INVOICE = "INV-1001"
"""Number of the invoice that the order of every loop names, in the books."""


@dataclass(frozen=True)
class Shown:
    """What a store shows its customer of one order."""

    fulfilled: bool
    tracking_url: str
    proof: str
    """Where it says that the proof is."""
    times: int
    """How many fulfilments it has; more than one is one too many."""


class Store(Protocol):
    """One kind of store with a peer that stands in for it."""

    connector: ClassVar[str]
    record: ClassVar[str]
    """What the books are to hold: `note` on the invoice that an order names, else
    `draft_invoice`."""
    peer: Peer

    def __init__(self, directory: Path) -> None:
        """Start the peer, with an empty store in it."""
        ...

    @classmethod
    def install(cls, plugins: Plugins) -> None:
        """Add the connector where no installed plugin brings it."""
        ...

    def settings(self) -> dict[str, Any]:
        """Return the settings of a connection to the peer."""
        ...

    def put_order(self, name: str, lat: float, lon: float) -> str:
        """Put one paid order of two pieces into the store; return its `ref` at the hub."""
        ...

    def shown(self, ref: str) -> Shown:
        """Return what the store shows of an order."""
        ...

    def stop(self) -> None:
        """End the peer."""
        ...


class TillPeer(Peer):
    """A store without idempotency keys: what is posted twice is there twice."""

    service = "till"
    token = "till-token"

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.orders: list[dict[str, Any]] = []
        self.fulfilments: dict[str, list[dict[str, Any]]] = {}
        super().__init__(directory, port)

    def answer(self, request: Request) -> Reply:
        """List orders, tell one order's fulfilments, add or change one."""
        if request.path == "/orders":
            after = int(request.query.get("after") or 0)
            return Reply(200, {"orders": self.orders[after : after + 50]})
        ref = request.path.rpartition("/")[2]
        if request.method == "GET":
            return Reply(200, {"fulfilments": self.fulfilments.get(ref, [])})
        if request.method not in ("POST", "PUT"):
            return Reply(405, {"error": "no"})
        sent = {**request.json(), "order": ref, "method": request.method}
        return Reply(200, {"ok": True}, kind=str(sent["status"]), stop=ref, sent=sent)

    def remember(self, entry: Entry) -> None:
        """Keep what was sent."""
        known = self.fulfilments.setdefault(entry.sent["order"], [])
        if entry.sent["method"] == "POST":
            known.append(dict(entry.sent))
        else:
            known[0].update(entry.sent)


class TillConfig(BaseModel):
    """Where the till is."""

    url: Url
    token: SecretStr


class Till(Connector[TillConfig]):
    """Reads orders, and keeps one fulfilment for each: it looks before it makes one."""

    name = "till"
    title = "Till"
    Config = TillConfig

    def check(self) -> None:
        """Ask for the first orders."""
        self.http.get("/orders")

    def pull(self, cursor: Cursor) -> Iterator[Order | Cursor]:
        """Yield orders by their place in the list."""
        found = self.http.get("/orders", params={"after": cursor.value}).json()["orders"]
        for one in found:
            yield Order.model_validate(one)
        yield Cursor(value=str(int(cursor.value or 0) + len(found)))

    def tell(self, status: DeliveryStatus) -> Receipt:
        """Make the fulfilment, or bring the one that is there up to date."""
        path = f"/fulfilments/{quote(status.order, safe='')}"
        known = self.http.get(path).json()["fulfilments"]
        told = {
            "status": status.status, "tracking_url": status.tracking_url, "proof": status.proof_url,
        }  # fmt: skip
        if not known:
            self.http.post(path, json=told)
            return Receipt(ref=status.order, detail="made")
        if known[0]["status"] == "delivered":
            return Receipt(ref=status.order, detail="was there")
        if not isinstance(known[0], dict):
            raise Rejected("the till's answer is no fulfilment")
        self.http.put(path, json=told)
        return Receipt(ref=status.order, detail="changed")

    @property
    def http(self) -> Http:
        """Return a session that the till lets in."""
        token = self.config.token.get_secret_value()
        return Http(self.config.url, Authorization=f"Bearer {token}")


class TillStore:
    """The tests' own store, which shows that the scaffold holds."""

    connector = "till"
    record = "note"

    def __init__(self, directory: Path) -> None:
        self.peer = TillPeer(directory)
        self.peer.start()

    @classmethod
    def install(cls, plugins: Plugins) -> None:
        """Add the till as if it was installed."""
        plugin = Plugin(name="till", distribution="", version="")
        plugin.connectors["till"], plugin.kinds["till"] = Till, {"order_sources"}
        plugins.plugins["till"] = plugin

    def settings(self) -> dict[str, Any]:
        """Return what opens the peer."""
        return {"url": self.peer.url, "token": TillPeer.token}

    def put_order(self, name: str, lat: float, lon: float) -> str:
        """Put one order into the till."""
        ref = str(7001 + len(self.peer.orders))
        self.peer.orders.append(
            {
                "ref": ref, "number": f"#{ref}", "parent": ref, "invoice": INVOICE,
                "recipient": {"name": name},
                "address": {"line1": "Städtle 37", "postcode": "9490", "city": "Vaduz"},
                "location": {"lat": lat, "lon": lon},
                "lines": [{"name": "Pine oil", "quantity": 2, "sku": "OIL", "ref": "l1"}],
            }
        )  # fmt: skip
        return ref

    def shown(self, ref: str) -> Shown:
        """Return what the till shows."""
        known = self.peer.fulfilments.get(ref, [])
        last = known[0] if known else {}
        return Shown(
            fulfilled=last.get("status") == "delivered",
            tracking_url=last.get("tracking_url", ""),
            proof=last.get("proof", ""),
            times=len(known),
        )

    def stop(self) -> None:
        """End the peer."""
        self.peer.stop()
