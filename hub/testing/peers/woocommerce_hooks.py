"""Webhooks of the WooCommerce peer: unsigned pings, signed deliveries, and their end."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests

from hub.testing.peers import woocommerce_orders as shapes
from hub.testing.peers.server import Reply, Request
from hub.testing.peers.woocommerce_access import Refusal

if TYPE_CHECKING:
    from hub.testing.peers.woocommerce import WooCommercePeer

AGENT = "WooCommerce/10.9.1 Hookshot (WordPress/7.0.4)"
TOPICS = ("order.created", "order.updated", "order.deleted", "order.restored")
STATES = ("active", "paused", "disabled")
PORTS = (80, 443, 8080)
MOST_FAILURES = 5
"""Failures in a row that are forgiven; the seventh delivery that fails switches a webhook off."""
SECONDS = 5
ACTIONS = {
    "order.created": ["woocommerce_new_order"],
    "order.updated": ["woocommerce_update_order", "woocommerce_order_refunded"],
    "order.deleted": ["wp_trash_post", "woocommerce_before_delete_order"],
    "order.restored": ["untrashed_post", "woocommerce_untrash_order"],
}


class Hooks:
    """A shop's webhooks, and what waits to be sent."""

    def __init__(self, shop: WooCommercePeer) -> None:
        self.shop = shop
        self.known: dict[int, dict[str, Any]] = {}
        self.secrets: dict[int, str] = {}
        self.failures: dict[int, int] = {}
        self.waiting: list[tuple[int, int]] = []
        self.pings: list[int] = []
        self.strict = False
        """Whether private hosts and odd ports are refused, as by WordPress."""
        self.taker: Callable[[dict[str, str], bytes], int] | None = None
        """Takes what is sent instead of the address, and returns a status."""

    def queue(self, topic: str, order: int) -> None:
        """Let every active webhook of a topic send an order later on; once, however often asked."""
        for id, webhook in self.known.items():
            wanted = webhook["topic"] == topic and webhook["status"] == "active"
            if wanted and (id, order) not in self.waiting:
                self.waiting.append((id, order))

    def work_off(self) -> int:
        """Send the deliveries that wait; return how many went out.

        What is sent is the order as it is now, not as it was when it was queued.
        """
        waiting, self.waiting = self.waiting, []
        return sum(self.deliver(id, order) for id, order in waiting)

    def ping(self) -> None:
        """Try the addresses of new webhooks, before they are told to be there."""
        pings, self.pings = self.pings, []
        for id in pings:
            self.post(id, f"webhook_id={id}".encode(), {})

    def deliver(self, id: int, order: int) -> bool:
        """Send one delivery; say whether its webhook was still active."""
        webhook = self.known.get(id)
        if webhook is None or webhook["status"] != "active":
            return False
        record = self.shop.orders.get(order)
        gone = record is None or webhook["event"] == "deleted"
        payload: Any = {"id": order} if gone else record
        body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
        if self.post(id, body, self.headers(webhook, body)):
            self.failures[id] = 0
        elif self.failures.get(id, 0) > MOST_FAILURES:
            webhook["status"] = "disabled"
        else:
            self.failures[id] = self.failures.get(id, 0) + 1
        return True

    def headers(self, webhook: dict[str, Any], body: bytes) -> dict[str, str]:
        """Return the headers of a delivery; its id repeats within a second."""
        made = hmac.digest(self.secrets[webhook["id"]].encode(), body, "sha256")
        second = f"{webhook['id']}{int(self.shop.now().timestamp())}"
        return {
            "Content-Type": "application/json",
            "X-WC-Webhook-Source": f"{self.shop.home}/",
            "X-WC-Webhook-Topic": webhook["topic"],
            "X-WC-Webhook-Resource": webhook["resource"],
            "X-WC-Webhook-Event": webhook["event"],
            "X-WC-Webhook-Signature": base64.b64encode(made).decode(),
            "X-WC-Webhook-ID": str(webhook["id"]),
            "X-WC-Webhook-Delivery-ID": hashlib.md5(second.encode()).hexdigest(),  # noqa: S324
        }

    def post(self, id: int, body: bytes, headers: dict[str, str]) -> bool:
        """Send bytes to a webhook's address; say whether they were taken.

        Nothing leaves this machine: to another host it cannot be sent.
        """
        webhook = self.known.get(id)
        if webhook is None or (self.strict and not reachable(webhook["delivery_url"])):
            return False
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        sent = {"User-Agent": AGENT, **(headers or form)}
        if self.taker is not None:
            return 200 <= self.taker(sent, body) < 303
        url = webhook["delivery_url"]
        if urlsplit(url).hostname not in ("127.0.0.1", "localhost"):
            return False
        with requests.Session() as session:
            session.trust_env = False
            try:
                reply = session.post(
                    url, data=body, headers=sent, timeout=SECONDS, allow_redirects=False
                )
            except requests.RequestException:
                return False
        return 200 <= reply.status_code < 303

    def answer(self, request: Request) -> Reply:
        """List webhooks, or add one."""
        if request.method == "GET":
            return self.listed(request)
        made = self.add(body_of(request))
        return Reply(201, made, kind="webhook", sent={"body": body_of(request)})

    def listed(self, request: Request) -> Reply:
        """Return a page of webhooks; their secrets are never shown."""
        told = {n: v for n, v in request.query.items() if n in ("per_page", "page", "order")}
        asked = shapes.Query.of(told, [])
        status = request.query.get("status", "all")
        found = [one for one in self.known.values() if status in ("all", one["status"])]
        found.sort(key=lambda one: int(one["id"]), reverse=asked.order == "desc")
        page = found[asked.start : asked.start + asked.per_page]
        return self.shop.listed(page, len(found), asked)

    def answer_one(self, request: Request, id: int) -> Reply:
        """Return, change or delete one webhook."""
        if request.method == "PUT":
            made = self.change({**body_of(request), "id": id})
            return Reply(200, made, kind="webhook", sent={"body": body_of(request)})
        if request.method == "DELETE":
            if request.query.get("force") != "true":
                said = "Webhooks do not support trashing."
                raise Refusal(501, "woocommerce_rest_trash_not_supported", said)
            return Reply(200, self.delete(id), kind="webhook", sent={"id": id})
        if id not in self.known:
            raise Refusal(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
        return Reply(200, self.known[id])

    def add(self, told: dict[str, Any]) -> dict[str, Any]:
        """Add a webhook and send a ping; done twice it is there twice."""
        check_topic(told.get("topic"))
        url = str(told.get("delivery_url") or "")
        if not url.startswith(("http://", "https://")):
            said = "Webhook delivery URL must be a valid URL starting with http:// or https://."
            raise Refusal(400, "woocommerce_rest_shop_webhook_invalid_delivery_url", said)
        id, topic = self.shop.new_id(), str(told["topic"])
        made: dict[str, Any] = {
            "id": id, "name": str(told.get("name") or f"Webhook {id}"), "status": "active",
            "topic": topic, "resource": "order", "event": topic.partition(".")[2],
            "hooks": ACTIONS[topic], "delivery_url": url,
        }  # fmt: skip
        for name in ("created", "modified"):
            shapes.stamp(made, name, self.shop.now(), self.shop.gmt_offset)
        self.known[id] = made
        self.secrets[id] = str(told.get("secret") or f"made-{id}")
        self.pings.append(id)
        return made

    def change(self, told: dict[str, Any]) -> dict[str, Any]:
        """Change a webhook; raise `Refusal`."""
        webhook = self.known.get(int(told.get("id") or 0))
        if webhook is None:
            raise Refusal(400, "woocommerce_rest_shop_webhook_invalid_id", "ID is invalid.")
        if "topic" in told:
            check_topic(told["topic"])
        if told.get("status", "active") not in STATES:
            said = "Webhook status must be valid."
            raise Refusal(400, "woocommerce_rest_shop_webhook_invalid_status", said)
        names = ("name", "status", "topic", "delivery_url")
        webhook |= {name: told[name] for name in names if told.get(name)}
        if told.get("secret"):
            self.secrets[webhook["id"]] = str(told["secret"])
        shapes.stamp(webhook, "modified", self.shop.now(), self.shop.gmt_offset)
        return webhook

    def delete(self, id: int) -> dict[str, Any]:
        """Delete a webhook; raise `Refusal` where there is none."""
        if int(id) not in self.known:
            raise Refusal(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
        return self.known.pop(int(id))


def check_topic(topic: Any) -> None:
    """Raise `Refusal` for a topic that there is not."""
    if topic not in TOPICS:
        said = "Webhook topic is required and must be valid."
        raise Refusal(400, "woocommerce_rest_shop_webhook_invalid_topic", said)


def body_of(request: Request) -> dict[str, Any]:
    """Return the JSON object of a request, empty where it is none."""
    try:
        found = request.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def reachable(url: str) -> bool:
    """Say whether WordPress would send to an address: a public host, and one of three ports."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        return port in PORTS and ip_address(parts.hostname or "").is_global
    except ValueError:
        return port in PORTS and "." in (parts.hostname or "")
