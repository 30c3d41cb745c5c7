"""A channel of the tests' own, so that the core's messages need no installed plugin."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr
from sqlmodel import select

from hub.actions import Call
from hub.connector import Connector
from hub.errors import Rejected, Unknown
from hub.http import Http, Url
from hub.hub import Hub
from hub.notify.messages import SEND_SMS, SmsInput, SmsOutput, summed
from hub.nouns import Message, Receipt
from hub.plugins import Plugin
from hub.store import MessageRow, OrderRow, StopRow, System
from hub.testing.fixtures import MORNING, World
from hub.testing.peers.sms import SmsPeer
from hub.testing.road import road

__all__ = ["road"]


class Settings(BaseModel):
    """Where the gateway is."""

    url: Url
    token: SecretStr
    sender: str = ""


class Texts(Connector[Settings]):
    """Sends each text once: the gateway answers a repeated key with its first reply."""

    name = "texts"
    title = "Texts"
    Config = Settings

    def send(self, message: Message) -> Receipt:
        """Send one text, to a number of Liechtenstein where it has no country."""
        digits = message.to.replace(" ", "")
        told = {
            "to": digits if digits.startswith("+") else f"+423{digits}",
            "from": message.sender or self.config.sender,
            "text": message.text,
            "reference": message.reference,
            "kind": message.kind,
        }
        bearer = f"Bearer {self.config.token.get_secret_value()}"
        reply = Http(self.config.url, Authorization=bearer).post(
            "/messages", json=told, headers={"Idempotency-Key": message.key}
        )
        return Receipt(ref=reply.json()["id"])


@pytest.fixture
def gateway(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmsPeer]:
    """Return a recording gateway; `texts` is the connector that reaches it."""
    plugin = Plugin(name="texts", distribution="", version="")
    plugin.connectors["texts"] = Texts
    plugin.kinds["texts"] = {"notification_channels"}
    hub.plugins.plugins["texts"] = plugin
    made = SmsPeer(tmp_path / "peers")
    made.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{made.port}")
    yield made
    made.stop()


@pytest.fixture
def stop(hub: Hub, world: World) -> str:
    """Return the id of a stop of the merchant."""
    with hub.store.write(System()) as session:
        order = OrderRow(
            merchant=world.merchant,
            source="csv",
            ref="1",
            service_date=date(2026, 11, 23),
            received_at=MORNING,
            updated_at=MORNING,
        )
        session.add(order)
        session.flush()
        row = StopRow(
            merchant=world.merchant,
            order=order.id,
            depot=world.depot,
            service_date=order.service_date,
            lat=47.1,
            lon=9.5,
        )
        session.add(row)
        session.flush()
        return row.id


def connect(hub: Hub, gateway: SmsPeer, merchant: str | None, token: str = SmsPeer.token) -> str:
    """Set up the channel, the operator's where no merchant is named; return its id."""
    told = {"url": gateway.url, "token": token, "sender": "Operator"}
    with hub.store.write(System()) as session:
        return hub.connections.save(session, "texts", told, merchant=merchant).id


def wanted(stop: str, **values: str) -> SmsInput:
    """Return what a step asks for."""
    told = {"to": "792 00 01", "text": "Ten minutes", "stop": stop, "kind": "near"}
    return SmsInput.model_validate({**told, **values})


def run(hub: Hub, merchant: str, given: SmsInput, key: str = "run:ste:-") -> SmsOutput:
    """Do what the workflow engine does with an outward action; return its output."""
    with hub.store.write(System(merchant)) as session:
        (connection,) = SEND_SMS.items(hub, session, given)
    call = Call(key, connection, merchant)
    noun = SEND_SMS.prepare(hub, given, call)
    with hub.store.read(System()) as session:
        connector = hub.connections.usable(session, connection)
    try:
        receipt = SEND_SMS.call(connector, noun)
    except (Rejected, Unknown) as error:
        with hub.store.write(System(merchant)) as session:
            SEND_SMS.failed(session, given, call, error)
        raise
    with hub.store.write(System(merchant)) as session:
        SEND_SMS.done(session, given, call, receipt)
    return summed([receipt.model_dump()])


def rows(hub: Hub) -> list[MessageRow]:
    """Return every message."""
    with hub.store.read(System()) as session:
        return list(session.exec(select(MessageRow)))
