"""What a system of one's own sends by itself: believed by its secret or signature, then read."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from hub import Cancelled, Delivery, Incoming, Order, RefusedRow, Rejected, Unauthorized
from hub.builtin.generic import tables
from hub.builtin.generic.building import order_of
from hub.builtin.generic.records import MISSING, find
from hub.builtin.generic.settings import Config
from hub.errors import Refused

LARGEST = 1_000_000
"""Bytes of one request."""
MOST = 1_000
"""Orders in one request."""


def delivery(request: Incoming, config: Config) -> Delivery:
    """Return what a request says about itself; raise `Unauthorized` unless the sender is proved."""
    if config.hook_auth == "none":
        raise Unauthorized("this connection takes no webhooks; choose how the sender is proved")
    secret = config.hook_secret.get_secret_value().encode()
    given = request.headers.get(config.hook_header.lower(), "").strip()
    if config.hook_auth == "secret":
        given = given.removeprefix(config.hook_prefix.strip()).strip()
        if not hmac.compare_digest(given.encode(), secret):
            raise Unauthorized(f"{config.hook_header} does not hold the secret of this connection")
        return Delivery(id=named(request, config))
    at = signed_at(request, config)
    signed = request.body
    if config.hook_time_header:
        told = request.headers.get(config.hook_time_header.lower(), "")
        signed = told.encode() + config.hook_time_mark.encode() + signed
    made = hmac.digest(secret, signed, config.hook_algorithm)
    if not hmac.compare_digest(signature(given, config), made):
        raise Unauthorized(f"{config.hook_header} is not the signature that the secret makes")
    return Delivery(id=named(request, config), signed_at=at)


def signature(given: str, config: Config) -> bytes:
    """Return the bytes of a signature, none where it is written in another way."""
    prefix = config.hook_prefix.strip()
    if prefix and not given.startswith(prefix):
        return b""
    text = given.removeprefix(prefix).strip()
    try:
        if config.hook_encoding == "hex":
            return bytes.fromhex(text)
        return base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return b""


def signed_at(request: Incoming, config: Config) -> datetime | None:
    """Return when a request was signed; the hub refuses one that is older than five minutes."""
    if not config.hook_time_header:
        return None
    told = request.headers.get(config.hook_time_header.lower(), "").strip()
    if not told.isascii() or not told.isdecimal() or len(told) > 13:
        raise Unauthorized(f"{config.hook_time_header} is no time in seconds since 1970")
    number = int(told) // (1000 if len(told) > 11 else 1)
    return datetime.fromtimestamp(number, UTC)


def named(request: Incoming, config: Config) -> str:
    """Return the id that the sender gave a delivery, nothing for none: its bytes then name it."""
    told = request.headers.get(config.hook_id_header.lower(), "") if config.hook_id_header else ""
    return told if told.isprintable() and len(told) <= 200 else ""


def unpacked(request: Incoming, config: Config) -> Iterator[Order | Cancelled | RefusedRow]:
    """Yield what the orders in a request become; raise `Rejected` for a body of another shape."""
    if not config.fields.are_set:
        raise Rejected(tables.UNMAPPED, "fields")
    for line, record in enumerate(records(request, config), 1):
        made = order_of(record, config.fields, line)
        if made is not None:
            yield made


def records(request: Incoming, config: Config) -> list[Any]:
    """Return the records in a request's body."""
    if len(request.body) > LARGEST:
        raise Rejected(f"a webhook has at most {LARGEST:,} bytes; send fewer orders at once")
    try:
        document = tables.document(request.body)
    except Refused as error:
        raise Rejected(str(error)) from None
    found = find(document, config.hook_records)
    if found is MISSING or not isinstance(found, dict | list):
        where = f"at {config.hook_records}" if config.hook_records else "in its body"
        raise Rejected(f"the webhook has no order {where}", "hook_records")
    told = found if isinstance(found, list) else [found]
    if len(told) > MOST:
        raise Rejected(f"a webhook has at most {MOST:,} orders; send fewer at once")
    return told
