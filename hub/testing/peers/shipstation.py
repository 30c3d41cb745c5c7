"""ShipStation as far as orders, their shipping and webhooks go: both versions of its API.

Version 1 asks for a pair of keys, gives 40 requests a minute and tells how many are left, writes
Pacific times, closes shipped orders to changes, and sends thin webhooks without a signature.
Version 2 asks for one key, fulfils in bulk with errors inside a 200, and signs its webhooks.
"""

from __future__ import annotations

import base64
import copy
import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from hub.testing.peers.log import Entry
from hub.testing.peers.server import Peer, Reply, Request

PACIFIC = ZoneInfo("America/Los_Angeles")
ORDER = re.compile(r"^/orders/(\d+)$")
HOOK = re.compile(r"^(?:/v2/environment)?/webhooks/([\w-]+)$")
SHIPMENT = re.compile(r"^/v2/shipments/([\w-]+)$")
LOCKED = ("shipped", "cancelled")
MOST = 500
"""Records of one page of version 1."""


class ShipStationPeer(Peer):
    """Keeps orders (version 1) and shipments (version 2), what was shipped, and webhooks."""

    service = "shipstation"

    def __init__(self, directory: Path, port: int = 0, *, allowance: int = 40) -> None:
        self.key, self.secret = "ship-key-1", "ship-secret-1"
        self.allowance = allowance
        self.window = time.monotonic()
        self.used = 0
        self.orders: dict[int, dict[str, Any]] = {}
        self.shipments: dict[str, dict[str, Any]] = {}
        self.fulfilled: list[dict[str, Any]] = []
        self.hooks: dict[str, dict[str, Any]] = {}
        self.made = 500
        """The number of the last webhook."""
        self.requests: list[Request] = []
        self.clock = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
        """When the next change happens; each one a second later."""
        self.signer: Any = None
        super().__init__(directory, port)

    def add(self, **values: Any) -> int:
        """Put an order in; return its `orderId`."""
        id = int(values.pop("orderId", 1000 + len(self.orders)))
        self.orders[id] = {**an_order(id), "modifyDate": self.now(), **values}
        return id

    def ship(self, **values: Any) -> str:
        """Put a shipment of version 2 in; return its id."""
        id = str(values.pop("shipment_id", f"se-{1000 + len(self.shipments)}"))
        self.shipments[id] = {**a_shipment(id), "modified_at": self.utc(), **values}
        return id

    def change(self, id: int | str, **values: Any) -> None:
        """Change an order or a shipment, as somebody does in ShipStation."""
        if isinstance(id, int):
            self.orders[id] |= {"modifyDate": self.now(), **values}
        else:
            self.shipments[id] |= {"modified_at": self.utc(), **values}

    def now(self) -> str:
        """Return the time of a change as version 1 writes it: Pacific, without an offset."""
        self.clock += timedelta(seconds=1)
        return f"{self.clock.astimezone(PACIFIC):%Y-%m-%dT%H:%M:%S}.0000000"

    def utc(self) -> str:
        """Return the time of a change as version 2 writes it."""
        self.clock += timedelta(seconds=1)
        return f"{self.clock:%Y-%m-%dT%H:%M:%S}.000Z"

    def hook(self, event: str, path: str) -> bytes:
        """Return the body of a thin webhook that leads to a path of this peer."""
        return json.dumps({"resource_url": f"{self.url}{path}", "resource_type": event}).encode()

    def signed(self, body: bytes, at: datetime) -> dict[str, str]:
        """Return the headers with which version 2 signs a webhook."""
        from cryptography.hazmat.primitives.asymmetric import padding
        from cryptography.hazmat.primitives.hashes import SHA256

        stamp = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        made = self._key().sign(f"{stamp}.".encode() + body, padding.PKCS1v15(), SHA256())
        return {
            "x-shipengine-rsa-sha256-key-id": "peer-1",
            "x-shipengine-rsa-sha256-signature": base64.b64encode(made).decode(),
            "x-shipengine-timestamp": stamp,
        }

    def jwks(self) -> dict[str, Any]:
        """Return the keys that it publishes."""
        numbers = self._key().public_key().public_numbers()
        return {
            "keys": [
                {"kty": "RSA", "use": "sig", "kid": "peer-1", "alg": "RS256",
                 "n": base64url(numbers.n), "e": base64url(numbers.e)}
            ]
        }  # fmt: skip

    def _key(self) -> Any:
        from cryptography.hazmat.primitives.asymmetric import rsa

        self.signer = self.signer or rsa.generate_private_key(65537, 2048)
        return self.signer

    def admits(self, request: Request) -> bool:
        """Take the pair of keys in version 1, the key alone in version 2; the signing keys are
        public."""
        if request.path == "/jwks":
            return True
        if request.path.startswith("/v2/"):
            return (request.headers.get("api-key") or "") == self.key
        pair = base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()
        return (request.headers.get("Authorization") or "") == f"Basic {pair}"

    def _decide(self, request: Request) -> tuple[Reply, bool]:
        self.requests.append(request)
        if request.path.startswith("/v2/") or request.path == "/jwks":
            return super()._decide(request)
        left, reset = self._allow()
        told = {"X-Rate-Limit-Limit": str(self.allowance), "X-Rate-Limit-Reset": str(reset)}
        if left < 0:
            return Reply(429, {"message": "Too Many Requests"}, told), False
        reply, repeat = super()._decide(request)
        headers = {**reply.headers, **told, "X-Rate-Limit-Remaining": str(left)}
        return Reply(
            reply.status, reply.data, headers, reply.stop, reply.kind, reply.sent, reply.content
        ), repeat

    def _allow(self) -> tuple[int, int]:
        """Return how many requests are left after this one, and the seconds until a new start."""
        if time.monotonic() - self.window >= 60:
            self.window, self.used = time.monotonic(), 0
        self.used += 1
        return self.allowance - self.used, max(1, 60 - int(time.monotonic() - self.window))

    def answer(self, request: Request) -> Reply:
        """Answer one request of either version."""
        if request.path == "/jwks":
            return Reply(200, self.jwks())
        if request.path.startswith("/v2/"):
            return self._version2(request)
        asked = (request.method, request.path)
        if asked == ("GET", "/accounts/listtags"):
            return listed([])
        if asked == ("GET", "/orders"):
            return self._orders(request)
        if found := ORDER.match(request.path):
            return self._order(int(found[1]))
        if asked == ("POST", "/orders/createorder"):
            return self._upsert(request.json())
        if asked == ("POST", "/orders/markasshipped"):
            return self._mark(request.json())
        if "/webhooks" in request.path:
            return self._hooks(request)
        return Reply(404, {"Message": "No HTTP resource was found"})

    def _order(self, id: int) -> Reply:
        found = self.orders.get(id)
        return Reply(200, found) if found else Reply(404, {"Message": "Order not found"})

    def _orders(self, request: Request) -> Reply:
        asked = request.query
        since = (asked.get("modifyDateStart") or "").replace(" ", "T")
        wanted = asked.get("orderStatus")
        found = [
            order
            for order in self.orders.values()
            if wanted in (None, "", order["orderStatus"]) and order["modifyDate"] >= since
        ]
        by = {"ModifyDate": "modifyDate", "OrderDate": "orderDate"}.get(asked.get("sortBy", ""))
        found.sort(key=lambda order: (order[by] if by else "", order["orderId"]))
        return paged(found, asked, "orders", min(int(asked.get("pageSize") or 100), MOST))

    def _upsert(self, told: dict[str, Any]) -> Reply:
        key = told.get("orderKey")
        known = next((o for o in self.orders.values() if key and o["orderKey"] == key), None)
        if known is not None and known["orderStatus"] in LOCKED:
            return Reply(400, {"Message": f"Order is {known['orderStatus']} and cannot be changed"})
        id = known["orderId"] if known else max(self.orders, default=999) + 1
        made = {**told, "orderId": id, "orderKey": key or f"manual-{id}", "modifyDate": self.now()}
        return Reply(200, made, kind="createorder", stop=str(id), sent={"order": made})

    def _mark(self, told: dict[str, Any]) -> Reply:
        order = self.orders.get(told.get("orderId", 0))
        if order is None:
            return Reply(404, {"Message": "Order not found"})
        if order["orderStatus"] in LOCKED:
            return Reply(400, {"Message": f"Order is {order['orderStatus']}"})
        answer = {"orderId": order["orderId"], "orderNumber": order["orderNumber"]}
        return Reply(200, answer, stop=str(order["orderId"]), kind="markasshipped", sent=told)

    def _hooks(self, request: Request) -> Reply:
        second = request.path.startswith("/v2/")
        found = HOOK.match(request.path)
        if request.method == "DELETE" and found:
            if found[1] not in self.hooks:
                return Reply(404, {"Message": "Webhook not found"})
            return Reply(204 if second else 200, kind="unsubscribe", sent={"id": found[1]})
        if request.method == "POST":
            self.made += 1
            id = f"se-{self.made}" if second else str(self.made)
            told = request.json()
            answer = {"webhook_id": id, **told} if second else {"id": int(id)}
            return Reply(200, answer, kind="subscribe", sent={"id": id, **told})
        if second:
            return listed(list(self.hooks.values()))
        return Reply(200, {"webhooks": [shown(id, told) for id, told in self.hooks.items()]})

    def _version2(self, request: Request) -> Reply:
        asked = (request.method, request.path)
        if asked == ("GET", "/v2/tags"):
            return Reply(200, {"tags": []})
        if asked == ("GET", "/v2/shipments"):
            return self._shipments(request)
        if found := SHIPMENT.match(request.path):
            one = self.shipments.get(found[1])
            return Reply(200, one) if one else Reply(404, {"errors": [{"message": "not found"}]})
        if asked == ("GET", "/v2/fulfillments"):
            of = request.query.get("shipment_id")
            found2 = [one for one in self.fulfilled if one["shipment_id"] == of]
            return paged(found2, request.query, "fulfillments", 25)
        if asked == ("POST", "/v2/fulfillments"):
            return self._fulfil(request.json()["fulfillments"])
        if "/webhooks" in request.path:
            return self._hooks(request)
        return Reply(404, {"errors": [{"message": "no such address"}]})

    def _shipments(self, request: Request) -> Reply:
        asked = request.query
        since, wanted = asked.get("modified_at_start", ""), asked.get("shipment_status")
        found = [
            one
            for one in self.shipments.values()
            if wanted in (None, "", one["shipment_status"]) and one["modified_at"] >= since
        ]
        found.sort(key=lambda one: (one["modified_at"], one["shipment_id"]))
        return paged(found, asked, "shipments", int(asked.get("page_size") or 25))

    def _fulfil(self, told: list[dict[str, Any]]) -> Reply:
        done = []
        for one in told:
            shipment = self.shipments.get(one["shipment_id"])
            wrong = "" if shipment else "the shipment is not known"
            if shipment and shipment["shipment_status"] != "pending":
                wrong = f"the shipment is {shipment['shipment_status']}"
            done.append({"shipment_id": one["shipment_id"], "error_message": wrong or None})
        good = [o for o, d in zip(told, done, strict=True) if not d["error_message"]]
        answer = {"has_errors": len(good) < len(told), "fulfillments": done}
        stop = good[0]["shipment_id"] if good else ""
        return Reply(200, answer, stop=stop, kind="fulfil" if good else "", sent={"made": good})

    def remember(self, entry: Entry) -> None:
        """Take over what a request changed."""
        told = entry.sent
        if entry.kind == "createorder":
            self.orders[told["order"]["orderId"]] = copy.deepcopy(told["order"])
        elif entry.kind == "markasshipped" and told["orderId"] in self.orders:
            self.orders[told["orderId"]] |= {
                "orderStatus": "shipped", "modifyDate": self.now(), "shipDate": told["shipDate"],
                "carrierCode": told["carrierCode"],
            }  # fmt: skip
        elif entry.kind == "fulfil":
            self.fulfilled += told["made"]
            for one in told["made"]:
                self.change(one["shipment_id"], shipment_status="label_purchased")
        elif entry.kind == "subscribe":
            self.hooks[told["id"]] = {"webhook_id": told["id"], **told}
        elif entry.kind == "unsubscribe":
            self.hooks.pop(told["id"], None)


def paged(found: list[Any], asked: dict[str, str], name: str, size: int) -> Reply:
    """Return one page of a list."""
    number, pages = int(asked.get("page") or 1), max(1, -(-len(found) // size))
    part = found[(number - 1) * size : number * size]
    return Reply(200, {name: part, "total": len(found), "page": number, "pages": pages})


def listed(found: list[Any]) -> Reply:
    """Return a bare list."""
    return Reply(200, content=json.dumps(found).encode())


def shown(id: str, told: dict[str, Any]) -> dict[str, Any]:
    """Return a webhook as version 1 lists it."""
    return {
        "IsLabelAPIHook": False, "WebHookID": int(id), "SellerID": 1, "StoreID": None,
        "HookType": told["event"], "MessageFormat": "Json", "Url": told["target_url"],
        "Name": told.get("friendly_name"), "Active": told.get("active", True), "WebhookLogs": [],
    }  # fmt: skip


def base64url(number: int) -> str:
    """Return a number as a key set writes it (RFC 7518, 6.3.1)."""
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def an_order(id: int) -> dict[str, Any]:
    """Return an order as version 1 tells it."""
    place = {
        "name": "Anna Beck", "company": None, "street1": "Main Street 1", "street2": "Apt 2",
        "street3": None, "city": "Austin", "state": "TX", "postalCode": "78701", "country": "US",
        "phone": "512-555-0101", "residential": True, "addressVerified": "Address validated",
    }  # fmt: skip
    return {
        "orderId": id, "orderNumber": f"N-{id}", "orderKey": f"key-{id}",
        "orderDate": "2026-11-22T08:00:00.0000000", "createDate": "2026-11-22T08:00:00.0000000",
        "modifyDate": "2026-11-22T08:00:00.0000000", "paymentDate": "2026-11-22T08:00:00.0000000",
        "shipByDate": "2026-11-24T00:00:00.0000000", "orderStatus": "awaiting_shipment",
        "customerId": 7, "customerUsername": "anna", "customerEmail": "anna@example.com",
        "billTo": {**place, "street1": "Bill Street 9"}, "shipTo": place,
        "items": [an_item(1, "Tea", 3, 7.5), an_item(2, "Discount", 1, -2) | {"adjustment": True}],
        "orderTotal": 24.1, "amountPaid": 24.1, "taxAmount": 2, "shippingAmount": 3,
        "customerNotes": "Ring twice", "internalNotes": "Pack with care", "gift": False,
        "giftMessage": "", "paymentMethod": "card", "requestedShippingService": "Local",
        "carrierCode": "other", "serviceCode": "", "packageCode": "package", "confirmation": "none",
        "shipDate": "", "holdUntilDate": None, "weight": {"value": 10, "units": "ounces"},
        "dimensions": {"units": "inches", "length": 7, "width": 5, "height": 6},
        "insuranceOptions": {"provider": "", "insureShipment": False, "insuredValue": 0},
        "internationalOptions": {"contents": None, "customsItems": None},
        "advancedOptions": {
            "warehouseId": 1, "nonMachinable": False, "saturdayDelivery": False,
            "containsAlcohol": False, "mergedOrSplit": False, "mergedIds": [], "parentId": None,
            "storeId": 5, "customField1": "shelf 4", "customField2": "", "customField3": "",
            "source": "shop", "billToParty": None, "billToAccount": None,
            "billToPostalCode": None, "billToCountryCode": None,
        },
        "tagIds": [12], "userId": None, "externallyFulfilled": False, "externallyFulfilledBy": None,
    }  # fmt: skip


def an_item(id: int, name: str, quantity: int, price: float) -> dict[str, Any]:
    """Return an article of an order of version 1."""
    return {
        "orderItemId": id, "lineItemKey": f"line-{id}", "sku": f"SKU-{id}", "name": name,
        "imageUrl": None, "weight": {"value": 3, "units": "ounces"}, "quantity": quantity,
        "unitPrice": price, "taxAmount": 0, "shippingAmount": 0, "warehouseLocation": "A1",
        "options": [], "productId": 40 + id, "fulfillmentSku": None, "adjustment": False,
        "upc": "", "createDate": "2026-11-22T08:00:00", "modifyDate": "2026-11-22T08:00:00",
    }  # fmt: skip


def a_shipment(id: str) -> dict[str, Any]:
    """Return a shipment as version 2 tells it."""
    return {
        "shipment_id": id, "shipment_number": f"N-{id}", "external_shipment_id": None,
        "shipment_status": "pending", "created_at": "2026-11-22T16:00:00.000Z",
        "modified_at": "2026-11-22T16:00:00.000Z",
        "amount_paid": {"currency": "usd", "amount": 24.1},
        "ship_to": {
            "name": "Anna Beck", "phone": "512-555-0101", "email": "anna@example.com",
            "company_name": None, "address_line1": "Main Street 1", "address_line2": "Apt 2",
            "address_line3": None, "city_locality": "Austin", "state_province": "TX",
            "postal_code": "78701", "country_code": "US", "address_residential_indicator": "yes",
        },
        "items": [
            {"name": "Tea", "quantity": 3, "sku": "SKU-1", "unit_price": 7.5,
             "sales_order_id": "so-1", "sales_order_item_id": "soi-1"},
        ],
        "notes_from_buyer": "Ring twice",
    }  # fmt: skip
