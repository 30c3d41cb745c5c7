"""Connections keep their secrets, and turn on and off without a restart."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from importlib.metadata import EntryPoint
from types import ModuleType

import pytest
from pydantic import BaseModel, Field, SecretStr

from hub.connections.book import Connections, Parked, generation
from hub.connector import Connector
from hub.errors import Refused
from hub.hookspecs import hookimpl
from hub.hub import Hub
from hub.nouns import Message, Receipt
from hub.plugins import Plugins
from hub.store import ConnectionRow
from hub.testing.fixtures import World
from hub.testing.patience import PATIENCE


class Config(BaseModel):
    """A place and a secret."""

    url: str
    token: SecretStr = Field(min_length=4)


class Post(Connector[Config]):
    """Sends nothing."""

    name = "post"
    title = "Post"
    Config = Config

    def send(self, message: Message) -> Receipt:
        """Answer with the token, so that tests see which settings were used."""
        return Receipt(ref=self.config.token.get_secret_value())


@pytest.fixture
def book(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Connections:
    module = ModuleType("made_post")
    module.notification_channels = hookimpl(lambda: [Post])  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "made_post", module)
    plugins = Plugins([EntryPoint(name="post", value="made_post", group="hub")])
    return Connections(hub.store, plugins, hub.keys)


def add(hub: Hub, book: Connections, **more: str | None) -> str:
    """Save a connection and return its id."""
    with hub.store.write() as session:
        settings = {"url": "http://a", "token": "first-secret"}
        return book.save(session, "post", settings, **more).id  # type: ignore[arg-type]


def sent_with(hub: Hub, book: Connections, id: str) -> str:
    """Return the token that the connection sends with now."""
    with hub.store.read() as session:
        connector = book.usable(session, id)
    assert isinstance(connector, Post)
    return connector.send(Message(key="k", to="t", text="x")).ref


def test_a_secret_is_stored_encrypted_and_read_by_the_connector_only(
    hub: Hub, book: Connections
) -> None:
    id = add(hub, book)
    with hub.store.read() as session:
        row = session.get_one(ConnectionRow, id)
    assert "first-secret" not in row.secrets
    assert row.config == {"url": "http://a"}
    assert sent_with(hub, book, id) == "first-secret"


def test_a_secret_left_empty_keeps_the_stored_one(hub: Hub, book: Connections) -> None:
    id = add(hub, book)
    with hub.store.write() as session:
        book.save(session, "post", {"url": "http://b", "token": ""}, id=id)
    assert sent_with(hub, book, id) == "first-secret"


def test_a_wrong_setting_is_refused_by_name_without_showing_it(hub: Hub, book: Connections) -> None:
    with hub.store.write() as session, pytest.raises(Refused, match="token") as caught:
        book.save(session, "post", {"url": "http://a", "token": "abc"})
    assert "abc" not in str(caught.value)


def test_another_process_sees_a_change_at_its_next_piece_of_work(
    hub: Hub, book: Connections
) -> None:
    other = Connections(hub.store, book.plugins, hub.keys)
    id = add(hub, book)
    assert sent_with(hub, other, id) == "first-secret"
    with hub.store.write() as session:
        book.save(session, "post", {"url": "http://a", "token": "second-secret"}, id=id)
    assert sent_with(hub, other, id) == "second-secret"


def meanwhile(work: Callable[[], object]) -> Future[object]:
    """Start `work` in a thread; return when it is done, or stands waiting for a lock."""
    pool = ThreadPoolExecutor(1)
    begun = pool.submit(work)
    pool.shutdown(wait=False)
    wait([begun], 0.3)
    return begun


@pytest.mark.parametrize("first", [True, False], ids=["the very first", "later"])
def test_of_two_changes_at_once_each_raises_the_generation(
    hub: Hub, book: Connections, first: bool
) -> None:
    if not first:
        add(hub, book)
    with hub.store.write() as session:
        before = generation(session)
        book.save(session, "post", {"url": "http://a", "token": "first-secret"})
        other = meanwhile(lambda: add(hub, book))
        assert not other.done()
    other.result(PATIENCE)
    with hub.store.read() as session:
        assert generation(session) == before + 2


def test_a_change_between_reading_a_connection_and_building_it_is_seen_at_the_next_use(
    hub: Hub, book: Connections
) -> None:
    id = add(hub, book)

    def change() -> None:
        with hub.store.write() as session:
            book.save(session, "post", {"url": "http://a", "token": "second-secret"}, id=id)

    with hub.store.write() as session:
        row = session.get_one(ConnectionRow, id)
        changed = meanwhile(change)
        book.build(session, row)
    changed.result(PATIENCE)
    assert sent_with(hub, book, id) == "second-secret"


def test_work_of_a_connection_that_is_off_or_expired_is_parked(hub: Hub, book: Connections) -> None:
    id = add(hub, book)
    with hub.store.write() as session:
        book.set_enabled(session, id, False)
    with pytest.raises(Parked, match="switched off"):
        sent_with(hub, book, id)
    with hub.store.write() as session:
        book.set_enabled(session, id, True)
        book.expire(session, id, "401")
    with pytest.raises(Parked, match="reconnected"):
        sent_with(hub, book, id)


def test_a_merchants_own_connection_goes_before_the_operators(
    hub: Hub, book: Connections, world: World
) -> None:
    operators = add(hub, book)
    own = add(hub, book, merchant=world.merchant)
    with hub.store.read() as session:
        found = book.find(session, "notification_channels", world.merchant)
        others = book.find(session, "notification_channels", "somebody else")
    assert [row.id for row in found] == [own, operators]
    assert [row.id for row in others] == [operators]


def test_warming_imports_what_connections_need_and_survives_what_is_missing(
    hub: Hub, book: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Post, "sdk", ("no_such_module", "colorsys"))
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    book.warm()
    assert "colorsys" not in sys.modules
    add(hub, book)
    book.warm()
    assert "colorsys" in sys.modules
