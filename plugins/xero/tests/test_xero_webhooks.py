"""Xero's webhooks through the web application: its own test, signatures, and what they tell."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from hub_xero import Xero
from sqlmodel import select

from hub import Cancelled, Incoming, Order, RefusedRow, Rejected, Unauthorized, orders, workflow
from hub.hub import Hub
from hub.store import ActivityRow, ConnectionRow, InboxRow, System
from hub.testing.fixtures import World
from hub.testing.peers.log import entries
from hub.testing.peers.xero import ROOT, XeroPeer
from hub.web import create_app
from hub.workflow import incoming

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


class Door:
    """A connection's address in a hub."""

    def __init__(self, hub: Hub, merchant: str, accounts: XeroPeer) -> None:
        orders.register(hub)
        workflow.register(hub)
        self.hub = hub
        settings = {
            "url": accounts.url + ROOT, "token": accounts.token, "tenant": "tenant-1",
            "orders": "invoices", "webhook_key": KEY,
        }  # fmt: skip
        with hub.store.write(System()) as session:
            row = hub.connections.save(session, "xero", settings, merchant=merchant)
            self.id = row.id
            self.path = urlsplit(incoming.open_address(hub, session, row)).path
        self.client: FlaskClient = create_app(hub).test_client()

    def post(self, body: bytes, headers: dict[str, str]) -> Any:
        return self.client.post(self.path, data=body, headers=headers)

    def rows(self, table: type[Any]) -> list[Any]:
        with self.hub.store.read(System()) as session:
            return list(session.exec(select(table)))


@pytest.fixture
def door(hub: Hub, world: World, accounts: XeroPeer) -> Door:
    return Door(hub, world.merchant, accounts)


def test_the_intent_to_receive_is_answered_200_and_nothing_else(door: Door) -> None:
    body = json.dumps(SILENT).encode()
    answer = door.post(body, signed(body))
    assert (answer.status_code, answer.data) == (200, b"")
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "headers", [signed(b"other"), signed(json.dumps(SILENT).encode(), "no"), {}]
)
def test_a_signature_that_does_not_hold_is_answered_401_without_cookies(
    door: Door, headers: dict[str, str]
) -> None:
    answer = door.post(json.dumps(SILENT).encode(), headers)
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers
    assert door.rows(InboxRow) == []
    (row,) = door.rows(ActivityRow)
    assert row.outcome == "forged"


def test_an_event_is_kept_first_and_fetched_by_a_worker_afterwards(
    door: Door, accounts: XeroPeer
) -> None:
    made = {"Type": "ACCREC", "Status": "AUTHORISED", "InvoiceNumber": "INV-7"}
    known = accounts.books.put("Invoices", made)
    request = told(event(known["InvoiceID"]))
    assert door.post(request.body, request.headers).status_code == 200
    assert list(entries(accounts.log.path)) == []
    (kept,) = door.rows(InboxRow)
    assert kept.answer == {"topic": "INVOICE"}
    with door.hub.store.read(System()) as session:
        connector = door.hub.connections.usable(session, door.id)
        assert session.get_one(ConnectionRow, door.id).state == "healthy"
    back = incoming.unseal(door.hub.keys, kept.body)
    assert isinstance(connector, Xero)
    (found,) = door.hub.connections.drawn(connector, lambda: connector.unpack(back))
    assert (found.ref, found.invoice) == (known["InvoiceID"], "INV-7")
    assert door.hub.redis.exists("budget:{xero:tenant-1}:minute")


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
