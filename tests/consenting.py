"""A connector that is connected by consent, and a hub that has it: in a test or in processes.

Run as `python consenting.py worker QUEUE | dispatcher | once QUEUE`.
"""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import Any, ClassVar

from pydantic import BaseModel, Field, SecretStr
from sqlmodel import select, update

from hub import workflow
from hub.connections import consent
from hub.connections.book import Renewing
from hub.connector import Connector
from hub.http import Http
from hub.hub import Hub, open_hub
from hub.nouns import Callback, Connect, Grant, Message, Receipt
from hub.oauth import Kept, TokenClient
from hub.plugins import Plugin
from hub.queue import entry
from hub.queue.work import Claim, finish, postpone
from hub.settings import Settings
from hub.store import ConnectionRow, ConsentRow, System, WorkRow
from hub.testing.patience import PATIENCE
from hub.testing.peers.consent import ConsentPeer
from hub.workflow import consents

NONE = SecretStr("")


class ShopConfig(BaseModel):
    """Where the shop is, and what a consent fills in."""

    url: str = Field(title="Address")
    note: str = Field(default="", title="Note")
    access_token: Kept = Field(default=NONE, title="Access")
    refresh_token: Kept = Field(default=NONE, title="Renewal")


class Shop(Connector[ShopConfig]):
    """A shop that lets the hub in by consent; it sends a message by asking whose account it is."""

    name = "shop"
    title = "Shop"
    Config = ShopConfig
    scopes = ("orders", "offline")
    sent: ClassVar[list[str]] = []

    def check(self) -> None:
        self.account()

    def send(self, message: Message) -> Receipt:
        self.account()
        type(self).sent.append(message.key)
        return Receipt(ref="shop-1")

    def authorize(self, connect: Connect) -> str:
        return self.client.address(connect)

    def exchange(self, callback: Callback) -> Grant:
        grant = self.client.exchange(callback)
        name = self.account(grant.settings["access_token"])
        return grant.model_copy(update={"account": name})

    def refresh(self) -> Grant:
        return self.client.refresh(self.config.refresh_token)

    def account(self, token: str = "") -> str:
        token = token or self.config.access_token.get_secret_value()
        answer = Http(self.config.url, Authorization=f"Bearer {token}").get("/account")
        return str(answer.json()["name"])

    @property
    def client(self) -> TokenClient:
        url = self.config.url
        return TokenClient(f"{url}/authorize", f"{url}/token", "client-1", scopes=self.scopes)


def add_shop(hub: Hub) -> None:
    """Add the engine and the shop, as an installed plugin would be."""
    if "effect" not in hub.handlers:
        workflow.register(hub)
    hub.handlers["use"] = use
    plugin = Plugin(name="shop", distribution="", version="")
    plugin.connectors["shop"], plugin.kinds["shop"] = Shop, {"notification_channels"}
    hub.plugins.plugins["shop"] = plugin


def use(hub: Hub, claim: Claim) -> None:
    """Make a call through a connection; the subject is `<connection>:<number>`."""
    try:
        with hub.store.read() as session:
            shop: Any = hub.connections.usable(session, claim.subject.partition(":")[0])
        shop.account()
    except Renewing as error:
        with hub.store.write() as session:
            postpone(session, claim, session.wall + timedelta(milliseconds=200), str(error))
        return
    with hub.store.write() as session:
        finish(session, claim)


def open_shop(hub: Hub, peer: ConsentPeer, merchant: str | None = None) -> str:
    """Add a connection to the shop that a peer plays; return its id."""
    with hub.store.write(System()) as session:
        row = hub.connections.save(session, "shop", {"url": peer.url}, merchant=merchant)
        return row.id


def connect(hub: Hub, peer: ConsentPeer, id: str) -> None:
    """Store a grant that the peer has just given, as after a consent."""
    code_of = peer.give()
    with hub.store.read() as session:
        shop: Any = hub.connections.build(session, session.get_one(ConnectionRow, id))
    grant = shop.exchange(code_of)
    with hub.store.write(System()) as session:
        hub.connections.grant(session, id, grant)


def row_of(hub: Hub, id: str) -> ConnectionRow:
    """Return a connection as it is stored now."""
    with hub.store.read(System()) as session:
        return session.get_one(ConnectionRow, id)


def consents_of(hub: Hub) -> list[ConsentRow]:
    """Return all consents, oldest first."""
    with hub.store.read(System()) as session:
        return list(session.exec(select(ConsentRow).order_by(ConsentRow.id)))


def tokens_of(hub: Hub, id: str) -> tuple[str, str]:
    """Return access and refresh token of a connection."""
    settings = hub.connections.settings(row_of(hub, id))
    return settings.get("access_token", ""), settings.get("refresh_token", "")


def age(hub: Hub, id: str, **values: Any) -> None:
    """Change the instants of a connection: `expires_at=timedelta(seconds=30)` counts from now."""
    with hub.store.write(System()) as session:
        told = {
            name: session.wall + value if isinstance(value, timedelta) else value
            for name, value in values.items()
        }
        session.exec(update(ConnectionRow).where(ConnectionRow.id == id).values(**told))


def work_rows(hub: Hub, kind: str) -> list[WorkRow]:
    """Return the work of one kind."""
    with hub.store.read(System()) as session:
        return list(session.exec(select(WorkRow).where(WorkRow.kind == kind)))


def come_back(hub: Hub, peer: ConsentPeer, id: str) -> ConsentRow:
    """Begin a consent and come back from it with a code that no worker has seen yet."""
    with hub.store.write(System()) as session:
        row = session.get_one(ConnectionRow, id)
        made = consents.begin(hub, session, row, user="usr", browser="browser")
        back = peer.give(consents.callback_url(hub))
        carried = consent.opened(hub.keys, made)
        told = {**carried, "verifier": back.verifier, "query": {"code": back.code}}
        consent.seal(hub.keys, made, told)
        made.state = "returned"
        return made


def consent_of(hub: Hub, id: str) -> ConsentRow:
    """Return a consent as it is stored now."""
    with hub.store.read(System()) as session:
        return session.get_one(ConsentRow, id)


def main() -> None:
    """Be one of the hub's processes."""
    if sys.argv[1] == "once":
        hub = open_hub(Settings.read(), patience=PATIENCE)
        add_shop(hub)
        entry.run(hub, sys.argv[2], "once")
    elif sys.argv[1] == "worker":
        from hub.queue.worker import main as work

        work(Settings.read(), sys.argv[2], add_shop)
    else:
        from hub.queue.dispatcher import main as dispatch

        dispatch(Settings.read(), add_shop)


if __name__ == "__main__":
    main()
