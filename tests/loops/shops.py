"""The stores that plugins connect to, each stood in for by its peer."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from hub.plugins import Plugins
from hub.testing.peers.shipstation import ShipStationPeer
from hub.testing.peers.shopify import ShopifyPeer
from hub.testing.peers.woocommerce import WooCommercePeer
from tests.loops.stores import Shown, Store, TillStore

PROOF = re.compile(r"proof (\S+)")
LINK = re.compile(r"https?://\S+/t/[\w-]+")


class Shop:
    """What the three have in common: a plugin brings them, and their orders name no invoice."""

    connector: str
    record = "draft_invoice"

    @classmethod
    def install(cls, plugins: Plugins) -> None:
        """Leave it to the plugin that is installed."""
        assert plugins.connector(cls.connector)


class ShopifyStore(Shop):
    """A shop with one app in it."""

    connector = "shopify"

    def __init__(self, directory: Path) -> None:
        self.peer = ShopifyPeer(directory)
        self.peer.rate = self.peer.maximum = self.peer.points = 1e9
        self.peer.start()

    def settings(self) -> dict[str, Any]:
        """Return what opens the shop."""
        return {"url": self.peer.url, "token": ShopifyPeer.token}

    def put_order(self, name: str, lat: float, lon: float) -> str:
        """Let somebody buy two pieces with local delivery; the hub's order is the part."""
        place = {
            "name": name, "company": None, "address1": "Städtle 37", "address2": None,
            "zip": "9490", "city": "Vaduz", "province": None, "countryCodeV2": "LI",
            "phone": None, "latitude": lat, "longitude": lon,
        }  # fmt: skip
        order = self.peer.add_order(shippingAddress=place)
        return str(order["_parts"][0]["id"])

    def shown(self, ref: str) -> Shown:
        """Return what the order's page shows."""
        part = self.peer.shop.parts[ref]
        made = part["_fulfillments"]
        events = [event["status"] for one in made for event in one["_events"]]
        told = made[0]["trackingInfo"][0] if made else {}
        proof = part["_order"]["_metafields"].get("pod_url", {})
        return Shown(
            fulfilled=events.count("DELIVERED") == 1,
            tracking_url=told.get("url", ""),
            proof=proof.get("value", ""),
            times=len(made),
        )

    def stop(self) -> None:
        """End the peer."""
        self.peer.stop()


class WooCommerceStore(Shop):
    """A shop on WordPress, which signs no keys: what is posted twice is there twice."""

    connector = "woocommerce"

    def __init__(self, directory: Path) -> None:
        self.peer = WooCommercePeer(directory)
        self.peer.start()

    def settings(self) -> dict[str, Any]:
        """Return what opens the shop."""
        return {"url": self.peer.url, "key": self.peer.key, "secret": self.peer.secret}

    def put_order(self, name: str, lat: float, lon: float) -> str:
        """Let somebody buy two pieces; the shop knows no place on the map."""
        first, last = name.split()
        place = {
            "first_name": first, "last_name": last, "address_1": "Städtle 37", "city": "Vaduz",
            "postcode": "9490", "country": "LI",
        }  # fmt: skip
        line = {"name": "Pine oil", "quantity": 2, "total": "25.00", "sku": "OIL"}
        order = self.peer.sell(currency="CHF", line_items=[line], shipping=place, billing=place)
        return str(order["id"])

    def shown(self, ref: str) -> Shown:
        """Return what the order shows: its status, its meta data and its notes."""
        order = self.peer.orders[int(ref)]
        meta = {one["key"]: one["value"] for one in order["meta_data"]}
        notes = [str(one["note"]) for one in self.peer.notes.get(int(ref), [])]
        return Shown(
            fulfilled=order["status"] == "completed",
            tracking_url=meta.get("_hub_tracking_url", ""),
            proof=meta.get("_hub_pod_url", ""),
            times=sum(note.startswith("Delivered") for note in notes),
        )

    def stop(self) -> None:
        """End the peer."""
        self.peer.stop()


class ShipStationStore(Shop):
    """An account whose orders are marked as shipped once they are delivered."""

    connector = "shipstation"

    def __init__(self, directory: Path) -> None:
        self.peer = ShipStationPeer(directory, allowance=10_000)
        self.peer.start()

    def settings(self) -> dict[str, Any]:
        """Return what opens the account."""
        told = {"url": self.peer.url, "key": self.peer.key, "secret": self.peer.secret}
        return {**told, "currency": "CHF"}

    def put_order(self, name: str, lat: float, lon: float) -> str:
        """Put an order in; it knows no place on the map."""
        place = {
            "name": name, "company": None, "street1": "Städtle 37", "street2": None,
            "street3": None, "city": "Vaduz", "state": None, "postalCode": "9490",
            "country": "LI", "phone": None, "residential": True, "addressVerified": None,
        }  # fmt: skip
        return str(self.peer.add(shipTo=place))

    def shown(self, ref: str) -> Shown:
        """Return what the order shows: whether it is shipped, and its internal notes."""
        order = self.peer.orders[int(ref)]
        notes = str(order["internalNotes"])
        link, proof = LINK.search(notes), PROOF.search(notes)
        return Shown(
            fulfilled=order["orderStatus"] == "shipped",
            tracking_url=link[0] if link else "",
            proof=proof[1] if proof else "",
            times=notes.count("delivered]"),
        )

    def stop(self) -> None:
        """End the peer."""
        self.peer.stop()


STORES: dict[str, type[Store]] = {
    "shipstation": ShipStationStore,
    "shopify": ShopifyStore,
    "till": TillStore,
    "woocommerce": WooCommerceStore,
}
"""Name -> the store; `worker.py` is given the name."""
