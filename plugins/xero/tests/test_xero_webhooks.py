"""Xero's webhooks: what is believed, and what they tell."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hub_xero import Xero

from hub import Cancelled, Incoming, Order, RefusedRow, Rejected, Unauthorized
from hub.testing.peers.log import entries
from hub.testing.peers.xero import XeroPeer

Build = Callable[..., Xero]
KEY = "whk-canary-1"
SILENT: dict[str, Any] = {
    "events": [], "firstEventSequence": 0, "lastEventSequence": 0, "entropy": "S0m3R4nd0mt3xt",
}  # fmt: skip


def signed(body: bytes, key: str = KEY) -> dict[str, str]:
    made = hmac.digest(key.encode(), body, "sha256")
    return {"x-xero-signature": base64.b64encode(made).decode(), "Content-Type": "application/json"}


def event(id: str, **told: Any) -> dict[str, Any]:
    named = {"eventCategory": "INVOICE", "eventType": "UPDATE", "tenantId": "TENANT-1"}
    return {"resourceId": id, **named, **told}


def told(*events: dict[str, Any]) -> Incoming:
    body = json.dumps({**SILENT, "events": events}).encode()
    return Incoming(body=body, headers=signed(body), at=datetime.now(UTC))


def test_events_become_orders_cancellations_and_refusals(accounts: XeroPeer, build: Build) -> None:
    told_ = {"Type": "ACCREC", "Status": "AUTHORISED"}
    good = accounts.books.put("Invoices", told_)
    gone = accounts.books.put("Invoices", {**told_, "Status": "VOIDED"})
    draft = accounts.books.put("Invoices", {**told_, "Status": "DRAFT"})
    bad = accounts.books.put("Invoices", told_)
    bad["CurrencyCode"] = 7
    ids = [one["InvoiceID"] for one in (good, gone, draft, bad, good)]
    found = list(build(orders="invoices").unpack(told(*map(event, ids))))
    assert {type(one): one.ref for one in found} == {
        Order: ids[0], Cancelled: ids[1], RefusedRow: ids[3],
    }  # fmt: skip
    assert len(found) == 3


@pytest.mark.parametrize(
    "events",
    [
        [event("c-1", eventCategory="CONTACT")],
        [event("s-1", eventCategory="SUBSCRIPTION")],
        [event("i-1", tenantId="another")],
        [],
    ],
)
def test_what_is_not_about_this_organisations_invoices_makes_no_call(
    accounts: XeroPeer, build: Build, events: list[dict[str, Any]]
) -> None:
    assert list(build(orders="invoices").unpack(told(*events))) == []
    assert list(entries(accounts.log.path)) == []


@pytest.mark.parametrize("orders", ["none", "quotes", "purchase_orders"])
def test_where_orders_come_from_elsewhere_invoices_tell_nothing(
    accounts: XeroPeer, build: Build, orders: str
) -> None:
    assert list(build(orders=orders).unpack(told(event("i-1")))) == []
    assert list(entries(accounts.log.path)) == []


def test_without_a_key_nothing_is_believed(build: Build) -> None:
    with pytest.raises(Unauthorized, match="no webhook key under Settings"):
        build().receive(told())


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"events": 7}', b"\xff"])
def test_a_signed_body_that_is_no_list_of_events_is_rejected(build: Build, body: bytes) -> None:
    request = Incoming(body=body, headers=signed(body), at=datetime.now(UTC))
    with pytest.raises(Rejected, match="no list of Xero's events"):
        build(webhook_key=KEY).receive(request)


def test_what_the_hub_drafted_itself_comes_back_as_no_order(
    accounts: XeroPeer, build: Build
) -> None:
    made = {"Type": "ACCREC", "Status": "AUTHORISED", "Reference": "1001 POD:stp_1 #cdcdcd"}
    known = accounts.books.put("Invoices", made)
    assert list(build(orders="invoices").unpack(told(event(known["InvoiceID"])))) == []
