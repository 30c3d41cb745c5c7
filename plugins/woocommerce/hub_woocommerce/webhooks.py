"""What WooCommerce sends by itself: signed deliveries of orders, and unsigned pings."""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Iterator
from decimal import Decimal

from hub import Cancelled, Incoming, Rejected, Unauthorized
from hub_woocommerce.orders import Reader, Taken, ref_of

SIGNATURE = "x-wc-webhook-signature"
PING = re.compile(rb"webhook_id=\d{1,20}")
"""What is sent, unsigned, when a webhook is made; unless it is answered 2xx, nothing follows."""


def is_ping(request: Incoming) -> bool:
    """Say whether a request is only the shop's try at the address; it tells nothing."""
    return SIGNATURE not in request.headers and PING.fullmatch(request.body) is not None


def verify(request: Incoming, secret: str) -> None:
    """Raise `Unauthorized` unless the body carries the signature that the secret makes."""
    if not secret:
        raise Unauthorized("set the webhook secret of this connection first")
    made = hmac.digest(secret.encode(), request.body, "sha256")
    given = request.headers.get(SIGNATURE, "")
    if not hmac.compare_digest(base64.b64encode(made), given.encode()):
        raise Unauthorized("the signature is not the one that the webhook secret makes")


def read(body: bytes, reader: Reader) -> Iterator[Taken]:
    """Yield what becomes of the order in `body`; raise `Rejected` for what is none.

    Of an order that was deleted only the number is left. The signature covers the body alone, so
    that the body decides, not the topic beside it; and it carries the order as it was when it was
    sent, not as it was when it changed.
    """
    try:
        record = json.loads(body, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise Rejected("the delivery is not valid JSON") from error
    if not isinstance(record, dict) or not ref_of(record):
        raise Rejected("the delivery names no order", "id")
    if set(record) == {"id"}:
        yield Cancelled(ref=ref_of(record), reason="it was deleted in the shop")
    elif record.get("status"):
        yield from reader.read_page([record])
