"""A webhook of an own system is believed by its secret or signature, and its orders are mapped."""

from __future__ import annotations

import base64
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from hub import Cancelled, Incoming, Order, RefusedRow, Rejected, Unauthorized
from hub.builtin.generic import Generic
from hub.builtin.generic.settings import Config
from tests.builtin.generic.erp import FIELDS, order

SECRET = "a-secret-of-the-erp"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def connection(**changed: Any) -> Generic:
    told = {"fields": FIELDS, "hook_auth": "hmac", "hook_secret": SECRET, **changed}
    return Generic(Config.model_validate(told))


def sent(body: Any, **headers: str) -> Incoming:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return Incoming(body=content, headers=named, at=NOW)


def test_the_secret_itself_may_stand_in_a_header_of_ones_own() -> None:
    made = connection(hook_auth="secret", hook_header="X-Erp", hook_id_header="X-Id")
    assert made.receive(sent({}, X_Erp=SECRET, X_Id="evt-1")).id == "evt-1"
    bearer = connection(hook_auth="secret", hook_header="Authorization", hook_prefix="Bearer")
    bearer.receive(sent({}, Authorization=f"Bearer {SECRET}"))
    for wrong in ("", SECRET[:-1], f"{SECRET}x", "é"):
        with pytest.raises(Unauthorized):
            made.receive(sent({}, X_Erp=wrong))


@pytest.mark.parametrize("algorithm", ["sha256", "sha1", "sha512"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
@pytest.mark.parametrize("prefix", ["", "sha256=", "v1,"])
def test_a_signature_holds_however_it_is_made_and_written(
    algorithm: str, encoding: str, prefix: str
) -> None:
    made = connection(hook_algorithm=algorithm, hook_encoding=encoding, hook_prefix=prefix)
    digest = hmac.digest(SECRET.encode(), b"{}", algorithm)
    told = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    made.receive(sent(b"{}", X_Signature=prefix + told))
    for wrong in (told[:-2], f"{prefix}{told[1:]}", f"{prefix}x{told}", ""):
        with pytest.raises(Unauthorized):
            made.receive(sent(b"{}", X_Signature=wrong))
    with pytest.raises(Unauthorized):
        made.receive(sent(b"{} ", X_Signature=prefix + told))


@pytest.mark.parametrize("scale", [1, 1000], ids=["seconds", "milliseconds"])
def test_the_time_is_signed_with_the_body(scale: int) -> None:
    made = connection(hook_time_header="X-Time", hook_time_mark=":")
    told = str(int(NOW.timestamp()) * scale)
    signature = hmac.digest(SECRET.encode(), f"{told}:{{}}".encode(), "sha256").hex()
    assert made.receive(sent(b"{}", X_Signature=signature, X_Time=told)).signed_at == NOW
    for wrong in (str(int(told) + 1), "", "now", "9" * 30):
        with pytest.raises(Unauthorized):
            made.receive(sent(b"{}", X_Signature=signature, X_Time=wrong))


def test_nothing_is_taken_before_somebody_said_how_the_sender_is_proved() -> None:
    with pytest.raises(Unauthorized, match="takes no webhooks"):
        Generic(Config()).receive(sent(b"{}"))


def test_one_order_or_many_are_mapped_and_a_bad_one_stops_no_other() -> None:
    [one] = connection().unpack(sent(order(1)))
    assert isinstance(one, Order)
    body = {"event": {"orders": [order(1), order(2, customer={}), order(3, status="void")]}}
    found = list(connection(hook_records="event.orders").unpack(sent(body)))
    assert [type(one) for one in found] == [Order, RefusedRow, Cancelled]


@pytest.mark.parametrize(("body", "said"), [
    (b"", "nothing came"), (b"\xff\xfe", "not valid JSON"), (b"7", "has no order"),
    (b"[" * 50_000, "not valid JSON"), (json.dumps([{}] * 1001).encode(), "at most 1,000 orders"),
    (b" " * 1_000_001, "at most 1,000,000 bytes"),
])  # fmt: skip
def test_what_is_no_order_is_said_in_words(body: bytes, said: str) -> None:
    with pytest.raises(Rejected, match=said):
        list(connection().unpack(sent(body)))


def test_a_webhook_before_the_mapping_says_what_to_do() -> None:
    made = connection(fields={})
    with pytest.raises(Rejected, match="no fields are mapped yet"):
        list(made.unpack(sent(order(1))))
    assert made.told(sent(order(1)))[0]["orderNo"] == "A-00001"
