"""Xero's webhooks through the web application: its own test, signatures, and what is kept."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from hub import orders, workflow
from hub.capabilities import Receiver
from hub.hub import Hub
from hub.store import ActivityRow, InboxRow, System
from hub.testing.fixtures import World
from hub.testing.peers.log import entries
from hub.testing.peers.xero import ROOT, XeroPeer
from hub.web import create_app
from hub.workflow import incoming
from tests import needs

pytestmark = needs.plugins("xero")
KEY = "whk-canary-1"
SILENT: dict[str, Any] = {
    "events": [], "firstEventSequence": 0, "lastEventSequence": 0, "entropy": "S0m3R4nd0mt3xt",
}  # fmt: skip


def signed(body: bytes, key: str = KEY) -> dict[str, str]:
    made = hmac.digest(key.encode(), body, "sha256")
    return {"x-xero-signature": base64.b64encode(made).decode(), "Content-Type": "application/json"}


@pytest.fixture
def accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[XeroPeer]:
    made = XeroPeer(tmp_path / "accounts")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


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
    named = {"eventCategory": "INVOICE", "eventType": "UPDATE", "tenantId": "tenant-1"}
    body = json.dumps({**SILENT, "events": [{"resourceId": known["InvoiceID"], **named}]}).encode()
    assert door.post(body, signed(body)).status_code == 200
    assert list(entries(accounts.log.path)) == []
    (kept,) = door.rows(InboxRow)
    assert kept.answer == {"topic": "INVOICE"}
    with door.hub.store.read(System()) as session:
        connector = door.hub.connections.usable(session, door.id)
    back = incoming.unseal(door.hub.keys, kept.body)
    assert isinstance(connector, Receiver)
    (found,) = door.hub.connections.drawn(connector, lambda: connector.unpack(back))
    assert (found.ref, found.invoice) == (known["InvoiceID"], "INV-7")
    assert door.hub.redis.exists("budget:{xero:tenant-1}:minute")
