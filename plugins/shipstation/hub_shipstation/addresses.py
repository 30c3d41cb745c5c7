"""Which addresses that a webhook names may be fetched with the account's keys."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hub import Delivery, Incoming, Rejected

OWN = {
    "v1": re.compile(r"ssapi\d{0,3}\.shipstation\.com"),
    "v2": re.compile(r"api\.shipstation\.com"),
}
PATHS = {"v1": re.compile(r"/orders(/\d+)?"), "v2": re.compile(r"/v2/shipments(/[\w-]+)?")}
LONGEST = 2_000
"""Letters of an address; ShipStation's own have 200 at most."""


def thin(request: Incoming) -> tuple[str, str]:
    """Return the address and the event of a webhook; raise `Rejected` for what is none."""
    try:
        found = json.loads(request.body)
    except ValueError as error:
        raise Rejected("it is no JSON, so it is no webhook of ShipStation") from error
    url = found.get("resource_url") if isinstance(found, dict) else None
    event = found.get("resource_type") if isinstance(found, dict) else None
    if not isinstance(url, str) or not isinstance(event, str):
        raise Rejected("it has no resource_url and resource_type", "resource_url")
    if not event.isascii() or not event.isprintable() or not 0 < len(event) <= 100:
        raise Rejected("its resource_type is no event", "resource_type")
    return url, event


def delivery(request: Incoming) -> Delivery:
    """Return an unsigned webhook as a delivery; what it says counts for nothing before the fetch.

    It has no id: the hub knows the same bytes again.
    """
    return Delivery(topic=thin(request)[1])


def checked(url: str, api: str, root: str) -> tuple[str, dict[str, str]]:
    """Return an address that may be fetched, without its query, and the query.

    Raise `Rejected` unless it leads to the list of orders on ShipStation's own host over https,
    or on exactly the host that the connection's settings name: whoever knows the address of the
    webhook could else have the account's keys sent anywhere.
    """
    refused = Rejected("its resource_url does not lead to ShipStation's orders", "resource_url")
    if len(url) > LONGEST or not url.isascii() or not url.isprintable() or "\\" in url:
        raise refused
    try:
        parts, own = urlsplit(url), urlsplit(root)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise refused from None
    if "@" in parts.netloc or parts.fragment:
        raise refused
    official = parts.scheme == "https" and port in (None, 443) and OWN[api].fullmatch(host)
    configured = (parts.scheme, parts.netloc) == (own.scheme, own.netloc)
    path = parts.path.removeprefix(own.path) if configured else parts.path
    if not (official or configured) or not PATHS[api].fullmatch(path):
        raise refused
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return f"{parts.scheme}://{parts.netloc}{parts.path}", query


def listed(answer: Any, name: str) -> tuple[list[Any], int]:
    """Return the records of an answer and how many pages there are; raise `Rejected` for others.

    An address may name a single record as well.
    """
    if isinstance(answer, dict) and isinstance(answer.get(name), list):
        pages = answer.get("pages")
        return answer[name], pages if isinstance(pages, int) and pages > 0 else 1
    key = {"orders": "orderId", "shipments": "shipment_id"}[name]
    if isinstance(answer, dict) and key in answer:
        return [answer], 1
    raise Rejected(f"ShipStation's answer has no {name}; check the address", "url")
