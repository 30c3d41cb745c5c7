"""What Shopify sends by itself: signed, thin, and believed only for what its body shows."""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Iterator
from typing import Any

from hub import Delivery, Disconnected, Incoming, PrivacyRequest, Rejected, Unauthorized
from hub_shopify.sign_in import Config, shop_of

SIGNATURE = "x-shopify-hmac-sha256"
TOPIC = "x-shopify-topic"
EVENT = "x-shopify-event-id"
SHOP = "x-shopify-shop-domain"
PART = re.compile(r"gid://shopify/FulfillmentOrder/\d{1,20}")
ORDER = re.compile(r"gid://shopify/Order/\d{1,20}")
DEEPEST = 4
"""Levels of a body that are searched for the fulfilment order that it is about."""


def secret_of(config: Config) -> bytes:
    """Return what this shop's webhooks are signed with, empty where nobody has said."""
    own = config.webhook_secret.get_secret_value() or config.client_secret.get_secret_value()
    return own.encode()


def received(config: Config, request: Incoming) -> Delivery:
    """Verify the signature and the shop; name the delivery by its event and topic.

    One event tells several topics, each of them once; a repetition has the same event.
    """
    secret = secret_of(config)
    if not secret:
        raise Unauthorized("give the client secret of the app (or a webhook secret) first")
    made = base64.b64encode(hmac.digest(secret, request.body, "sha256"))
    if not hmac.compare_digest(made, request.headers.get(SIGNATURE, "").encode()):
        raise Unauthorized("the signature is not the one that the client secret makes")
    shop = request.headers.get(SHOP, "").lower()
    if shop != shop_of(config.url):
        raise Rejected(f"this is of the shop {shop[:100] or '(not named)'}, which is another one")
    topic, event = request.headers.get(TOPIC, "")[:80], request.headers.get(EVENT, "")[:100]
    return Delivery(id=f"{event} {topic}" if event else "", topic=topic)


def parsed(body: bytes) -> dict[str, Any]:
    """Return the object in a body; raise `Rejected` for what is none."""
    try:
        record = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Rejected("the delivery is not valid JSON") from error
    if not isinstance(record, dict):
        raise Rejected("the delivery is no object")
    return record


def ending(config: Config, topic: str, record: dict[str, Any]) -> Iterator[Any]:
    """Yield what a delivery says about the connection itself or about somebody's privacy.

    The signature covers the body alone. So that no body can be sent again under a worse topic,
    each of these has to look like what its topic promises, and to name this very shop.
    """
    shop = shop_of(config.url)
    if topic == "app/uninstalled":
        demand(record, "myshopify_domain" in record, str(record.get("myshopify_domain")), shop)
        yield Disconnected(reason="the app was removed from the shop; install it again, reconnect")
    elif topic == "shop/redact":
        lone = not {"customer", "admin_graphql_api_id", "orders_to_redact"} & set(record)
        demand(record, "shop_id" in record and lone, str(record.get("shop_domain")), shop)
        yield PrivacyRequest(kind="erase_all", ref=str(record["shop_id"]))
    elif topic in ("customers/redact", "customers/data_request"):
        erases = topic == "customers/redact"
        name = "orders_to_redact" if erases else "orders_requested"
        demand(record, name in record, str(record.get("shop_domain")), shop)
        yield privacy(record, name, erases=erases)


def demand(record: dict[str, Any], fits: bool, told: str, shop: str) -> None:
    """Raise `Rejected` unless a body is what its topic says, and about this shop."""
    if not fits:
        raise Rejected("the delivery is not what its topic says")
    if told.lower() != shop:
        raise Rejected(f"the delivery is about the shop {told[:100]}, which is another one")


def privacy(record: dict[str, Any], name: str, *, erases: bool) -> PrivacyRequest:
    """Return a customer's wish; orders are named by Shopify's id of the whole purchase."""
    customer = record.get("customer")
    customer = customer if isinstance(customer, dict) else {}
    numbers = record[name] if isinstance(record[name], list) else []
    asked = record.get("data_request")
    own = asked.get("id") if isinstance(asked, dict) else customer.get("id")
    return PrivacyRequest(
        kind="erase" if erases else "export",
        orders=tuple(f"gid://shopify/Order/{int(number)}" for number in numbers if is_id(number)),
        email=str(customer.get("email") or ""),
        phone=str(customer.get("phone") or ""),
        ref=str(own or ""),
    )


def is_id(value: Any) -> bool:
    """Say whether a value can be one of Shopify's numbers."""
    return isinstance(value, int | str) and str(value).isdecimal()


def order_named(record: dict[str, Any]) -> str:
    """Return the order that a delivery is about, nothing where it names none."""
    told = record.get("admin_graphql_api_id")
    if isinstance(told, str) and ORDER.fullmatch(told):
        return told
    changed = record.get("order_edit")
    number = changed.get("order_id") if isinstance(changed, dict) else None
    return f"gid://shopify/Order/{number}" if number and is_id(number) else ""


def part_named(record: Any, level: int = 0) -> str:
    """Return the first fulfilment order that a delivery names, however deep it lies."""
    if isinstance(record, str):
        return record if PART.fullmatch(record) else ""
    if level >= DEEPEST or not isinstance(record, dict | list):
        return ""
    inner = record.values() if isinstance(record, dict) else record
    return next((found for one in inner if (found := part_named(one, level + 1))), "")
