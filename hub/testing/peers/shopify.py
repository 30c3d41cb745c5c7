"""A Shopify shop: its Admin API (GraphQL), its token address, its consent page and its webhooks."""

from __future__ import annotations

import base64
import hmac
import json
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode

from hub.nouns import Callback
from hub.testing.patience import PATIENCE
from hub.testing.peers.server import Peer, Reply, Request
from hub.testing.peers.shopify_graph import Shop, now

API = re.compile(r"^/admin/api/(\d{4}-\d{2})/graphql\.json$")
SCOPES = (
    "write_orders", "write_merchant_managed_fulfillment_orders", "write_fulfillments",
    "read_orders", "read_merchant_managed_fulfillment_orders", "read_fulfillments",
)  # fmt: skip
DAY, HOUR = 86_399, 3_600


@dataclass
class Counters:
    """How often what was asked."""

    credentials: int = 0
    exchanges: int = 0
    renewals: int = 0
    throttled: int = 0


class ShopifyPeer(Peer):
    """One shop and one app in it.

    Works: the fixed token, tokens by the app's credentials (24 h), by a code (1 h, with a refresh
    token that rotates; the one before holds until its successor is used). Points come back with
    time as in the service; a query that they do not carry is THROTTLED inside HTTP 200.
    """

    service = "shopify"
    token = "shpat_fixed"  # noqa: S105 - opens nothing but this peer

    def __init__(self, directory: Path, port: int = 0) -> None:
        self.client, self.secret = "client-1", "shpss-of-the-peer"
        self.shop = Shop(scopes=set(SCOPES))
        self.counters = Counters()
        self.installed = True
        """Whether the app's own credentials open this shop."""
        self.lifetime = HOUR
        self.tokens: dict[str, float] = {}
        """Access tokens that were given, each with the time of its end."""
        self.codes: dict[str, str] = {}
        """Codes, each with the address that it was given for."""
        self.renews: dict[str, str] = {}
        """Refresh tokens that hold, each with the access token given beside it."""
        self.replaced: dict[str, str] = {}
        """Access tokens not used yet, each with the refresh token that they make worthless."""
        self.maximum, self.rate = 2_000.0, 100.0
        self.points, self.counted = self.maximum, time.monotonic()
        self.asked: list[dict[str, Any]] = []
        """Variables of every query and change, in order, with `document` and `version`."""
        super().__init__(directory, port)

    @property
    def name(self) -> str:
        """The name of the shop, as it stands in its webhooks."""
        return f"127.0.0.1:{self.port}"

    def admits(self, request: Request) -> bool:
        """Let everybody reach the addresses that look at credentials themselves."""
        if request.path.startswith("/admin/oauth/"):
            return True
        told = request.headers.get("X-Shopify-Access-Token", "") or ""
        if self.tokens.get(told, 0.0) > time.monotonic():
            self._use(told)
            return told not in self.expired
        return told in self.accepted

    def answer(self, request: Request) -> Reply:
        """Answer as the shop does."""
        if request.path == "/admin/oauth/authorize":
            return self._authorize(request.query)
        if request.path == "/admin/oauth/access_token" and request.method == "POST":
            return self._token(form(request))
        found = API.match(request.path)
        if found and request.method == "POST":
            return self._graphql(request.json(), found[1])
        return Reply(404, {"errors": "Not Found"})

    # Orders

    def add_order(self, **values: Any) -> dict[str, Any]:
        """Add an order with one fulfilment order for local delivery, and return it.

        `lines` are (title, quantity, price); `status`, `method`, `window` and `instructions` are
        of the fulfilment order; the rest are fields of the order.
        """
        shop, count = self.shop, len(self.shop.orders) + 1001
        lines = values.pop("lines", [("Herb tea", 2, "12.25")])
        status, method = values.pop("status", "OPEN"), values.pop("method", "LOCAL")
        start, end = values.pop("window", (None, None))
        instructions = values.pop("instructions", None)
        bag = {"shopMoney": {"amount": "24.50", "currencyCode": "CHF"}}
        order: dict[str, Any] = {
            "id": shop.id("Order"), "name": f"#{count}", "note": None, "email": "a@example.com",
            "phone": None, "updatedAt": now(), "cancelledAt": None, "tags": [],
            "paymentGatewayNames": ["shopify_payments"], "currentTotalPriceSet": bag,
            "totalOutstandingSet": bag, "shippingAddress": dict(ADDRESS), "_status": "unfulfilled",
            "_parts": [], "_metafields": {}, "_number": count, **values,
        }  # fmt: skip
        shop.orders[order["id"]] = order
        told = {"instructions": instructions, "phone": None}
        part = self.add_part(order, lines, status)
        part["deliveryMethod"] = {
            "methodType": method, "minDeliveryDateTime": start, "maxDeliveryDateTime": end,
            "additionalInformation": told,
        }  # fmt: skip
        return order

    def add_part(
        self, order: dict[str, Any], lines: list[tuple[str, int, str]], status: str = "OPEN"
    ) -> dict[str, Any]:
        """Add a fulfilment order to an order, and return it."""
        part: dict[str, Any] = {
            "id": self.shop.id("FulfillmentOrder"), "status": status, "_order": order,
            "deliveryMethod": {"methodType": "LOCAL"}, "_fulfillments": [],
            "_lines": [self._line(*one) for one in lines],
        }  # fmt: skip
        order["_parts"].append(part)
        self.shop.parts[part["id"]] = part
        return part

    def _line(self, title: str, quantity: int, price: str) -> dict[str, Any]:
        money = {"shopMoney": {"amount": price, "currencyCode": "CHF"}}
        return {
            "id": self.shop.id("FulfillmentOrderLineItem"), "sku": title[:3].upper(),
            "productTitle": title, "variantTitle": None, "remainingQuantity": quantity,
            "requiresShipping": True,
            "financialSummaries": [
                {"approximateDiscountedUnitPriceSet": money, "quantity": quantity}
            ],
        }  # fmt: skip

    def cancel(self, order: dict[str, Any]) -> None:
        """Cancel an order as somebody in the shop does."""
        order["cancelledAt"] = now()
        for part in order["_parts"]:
            part["status"] = "CANCELLED"
        self.shop.touch(order)

    # The Admin API

    def _graphql(self, told: dict[str, Any], version: str) -> Reply:
        from hub.testing.peers import shopify_schema as schema

        document, wrong = schema.parsed(told["query"])
        if wrong:
            return Reply(200, {"errors": [{"message": text} for text in wrong]})
        variables = told.get("variables") or {}
        root = document.definitions[0]
        self.asked.append({**variables, "document": root.name.value, "version": version})
        price = schema.cost(document, variables)
        if price > schema.MOST:
            return self._refused(price, "MAX_COST_EXCEEDED", f"Query cost is {price}")
        self._refill()
        if price > self.points:
            self.counters.throttled += 1
            return self._refused(price, "THROTTLED", "Throttled")
        self.points -= price
        answer = schema.run(self.shop, document, variables)
        kind, stop = self._effect(root, variables, answer)
        reply = {**answer, "extensions": {"cost": self._cost(price)}}
        return Reply(200, reply, kind=kind, stop=stop)

    def _refill(self) -> None:
        at = time.monotonic()
        self.points = min(self.maximum, self.points + (at - self.counted) * self.rate)
        self.counted = at

    def _cost(self, price: int) -> dict[str, Any]:
        status = {
            "maximumAvailable": self.maximum,
            "currentlyAvailable": int(self.points),
            "restoreRate": self.rate,
        }
        return {"requestedQueryCost": price, "throttleStatus": status}

    def _refused(self, price: int, code: str, said: str) -> Reply:
        error = {"message": said, "extensions": {"code": code}}
        return Reply(200, {"errors": [error], "extensions": {"cost": self._cost(price)}})

    def _effect(self, root: Any, variables: Any, answer: dict[str, Any]) -> tuple[str, str]:
        """Return what a change did and to which fulfilment order or order, for the log."""
        if root.operation.value != "mutation":
            return "", ""
        told = next(iter((answer.get("data") or {}).values()), None)
        if not told or told["userErrors"]:
            return "", ""
        if "fulfillment" in variables:
            own = variables["fulfillment"]["lineItemsByFulfillmentOrder"]
            return "fulfillment", str(own[0]["fulfillmentOrderId"])
        if "event" in variables:
            event = variables["event"]
            return f"{event['status']} {event.get('happenedAt')}", str(event["fulfillmentId"])
        return str(root.name.value), str(variables.get("id") or variables.get("topic") or "")

    # Tokens and consent

    def give(self, redirect: str = "http://127.0.0.1/back") -> Callback:
        """Return what comes back from the consent page after somebody said yes."""
        code = secrets.token_urlsafe(12)
        self.codes[code] = redirect
        query = self._signed({"code": code, "state": "s", "timestamp": str(int(time.time()))})
        return Callback(code=code, verifier="v" * 48, redirect_url=redirect, query=query)

    def end_access(self) -> None:
        """Refuse the access tokens that are out, long before their time."""
        self.tokens.clear()

    def _signed(self, told: dict[str, str]) -> dict[str, str]:
        told = {**told, "shop": self.name}
        text = "&".join(f"{name}={value}" for name, value in sorted(told.items()))
        made = hmac.digest(self.secret.encode(), text.encode(), "sha256").hex()
        return {**told, "hmac": made}

    def _authorize(self, asked: dict[str, str]) -> Reply:
        if asked.get("client_id") != self.client or not asked.get("state"):
            return Reply(400, {"error": "invalid_request"})
        code = secrets.token_urlsafe(12)
        self.codes[code] = asked.get("redirect_uri", "")
        told = {"code": code, "state": asked["state"], "timestamp": str(int(time.time()))}
        query = urlencode(self._signed(told))
        return Reply(302, {}, {"Location": f"{asked.get('redirect_uri')}?{query}"})

    def _token(self, asked: dict[str, str]) -> Reply:
        if (asked.get("client_id"), asked.get("client_secret")) != (self.client, self.secret):
            return Reply(400, {"error": "invalid_client"})
        kind = asked.get("grant_type", "authorization_code")
        if kind == "client_credentials":
            self.counters.credentials += 1
            if not self.installed:
                said = "Client credentials cannot be performed on this shop."
                return Reply(400, {"error": "shop_not_permitted", "error_description": said})
            return Reply(200, self._issued(DAY))
        if kind == "refresh_token":
            self.counters.renewals += 1
            if asked.get("refresh_token") not in self.renews:
                return Reply(400, {"error": "invalid_grant"})
            return Reply(200, self._renewable(asked["refresh_token"]))
        self.counters.exchanges += 1
        if self.codes.pop(asked.get("code", ""), None) is None:
            return Reply(400, {"error": "invalid_request", "error_description": "The code is used"})
        if asked.get("expiring") != "1":
            return Reply(200, {**self._issued(10**9), "expires_in": None})
        return Reply(200, self._renewable())

    def _issued(self, lives: int) -> dict[str, Any]:
        access = f"shpat_{secrets.token_hex(12)}"
        self.tokens[access] = time.monotonic() + lives
        # Shopify leaves out what the right to write implies.
        scope = ",".join(one for one in SCOPES if one.startswith("write_"))
        return {"access_token": access, "scope": scope, "expires_in": lives}

    def _renewable(self, old: str = "") -> dict[str, Any]:
        told = self._issued(int(self.lifetime))
        renews = f"shprt_{secrets.token_hex(12)}"
        self.renews[renews] = told["access_token"]
        self.replaced[told["access_token"]] = old
        return {**told, "refresh_token": renews, "refresh_token_expires_in": 90 * 86_400}

    def _use(self, access: str) -> None:
        """Forget the refresh token whose successor's access is used for the first time."""
        self.renews.pop(self.replaced.pop(access, ""), None)

    # Webhooks

    def signed(self, topic: str, record: Any, event: str = "") -> tuple[bytes, dict[str, str]]:
        """Return a webhook as the shop sends it: body and headers."""
        body = record if isinstance(record, bytes) else json.dumps(record).encode()
        made = base64.b64encode(hmac.digest(self.secret.encode(), body, "sha256")).decode()
        return body, {
            "Content-Type": "application/json", "X-Shopify-Topic": topic,
            "X-Shopify-Hmac-Sha256": made, "X-Shopify-Shop-Domain": self.name,
            "X-Shopify-Event-Id": event or secrets.token_hex(16),
            "X-Shopify-Webhook-Id": secrets.token_hex(16), "X-Shopify-API-Version": "2026-07",
        }  # fmt: skip

    def send(self, url: str, topic: str, record: Any, event: str = "") -> int:
        """Send a webhook to an address; return the status of its answer."""
        import requests

        body, headers = self.signed(topic, record, event)
        return requests.post(url, data=body, headers=headers, timeout=PATIENCE).status_code


ADDRESS = {
    "name": "Anna Beck", "company": None, "address1": "Städtle 49", "address2": "", "zip": "9490",
    "city": "Vaduz", "province": None, "countryCodeV2": "LI", "phone": "+4237920001",
    "latitude": 47.1389, "longitude": 9.5225,
}  # fmt: skip


def form(request: Request) -> dict[str, str]:
    """Return what was sent as a form, or as JSON."""
    if "json" in (request.headers.get("Content-Type") or ""):
        return {name: str(value) for name, value in request.json().items()}
    return {name: values[-1] for name, values in parse_qs(request.body.decode()).items()}
