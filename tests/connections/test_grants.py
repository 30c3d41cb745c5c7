"""What a consent gave is stored whole or not at all, and says what it holds for."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import BaseModel, SecretStr

from hub.connections import grants
from hub.connector import Connector
from hub.errors import PluginError, Refused
from hub.hub import Hub
from hub.nouns import Grant
from hub.store import ConnectionRow, System
from hub.testing.patience import until
from tests.consenting import Shop, add_shop, row_of, tokens_of

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def shop(hub: Hub) -> str:
    add_shop(hub)
    with hub.store.write(System()) as session:
        id = hub.connections.save(session, "shop", {"url": "https://shop.example"}).id
        pair = {"access_token": "a-0", "refresh_token": SecretStr("r-0")}
        hub.connections.grant(session, id, Grant(settings=pair))
    return id


class Plain(Connector[BaseModel]):
    """Connected by what stands in its settings."""

    name = "plain_toy"


def test_a_connector_with_the_three_methods_is_connected_by_consent() -> None:
    assert grants.by_consent(Shop)
    assert not grants.by_consent(Plain)


def test_scopes_in_the_settings_count_instead_of_the_connectors() -> None:
    assert grants.needed(Shop, {}) == ("orders", "offline")
    assert grants.needed(Shop, {"scopes": ["one"]}) == ("one",)
    assert grants.needed(Shop, {"scopes": "one two"}) == ("one", "two")


def test_a_grant_without_an_end_is_never_renewed_by_the_clock(hub: Hub, shop: str) -> None:
    row = row_of(hub, shop)
    assert (row.expires_at, row.renew_at) == (None, None)
    assert not grants.waits(row, NOON + timedelta(days=9999))


def test_a_refusal_is_doubted_once(hub: Hub, shop: str) -> None:
    row = row_of(hub, shop)
    row.renewed_at = NOON
    early, late = NOON - timedelta(seconds=1), NOON + timedelta(minutes=9)
    assert grants.doubt(row, early, late), "it was refused with what has been renewed meanwhile"
    assert row.doubted_at is None
    assert grants.doubt(row, late, late)
    assert grants.waits(row, late)
    assert row.renew_at == late
    row.renewed_at = late + timedelta(seconds=1)
    assert not grants.waits(row, late)
    after = late + timedelta(seconds=2)
    assert not grants.doubt(row, after, after), "refused with what has just been renewed"


def test_what_never_came_by_consent_is_not_doubted() -> None:
    row = ConnectionRow(connector="shop", title="Shop", created_at=NOON)
    assert not grants.doubt(row, NOON, NOON)
    assert not grants.waits(row, NOON)


def test_a_reader_never_sees_the_tokens_of_two_grants(hub: Hub, shop: str) -> None:
    over, seen, torn = threading.Event(), set(), []

    def look() -> None:
        while not over.is_set():
            with hub.store.read() as session:
                built = hub.connections.build(session, session.get_one(ConnectionRow, shop))
            one, two = (
                getattr(built.config, name).get_secret_value().partition("-")[2]
                for name in ("access_token", "refresh_token")
            )
            seen.add(one)
            if one != two:
                torn.append((one, two))

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(1, 60):
        pair = {"access_token": f"a-{number}", "refresh_token": SecretStr(f"r-{number}")}
        with hub.store.write(System()) as session:
            hub.connections.grant(session, shop, Grant(settings=pair))
        if number % 10 == 0:
            until(lambda known=str(number): known in seen)
    over.set()
    for reader in readers:
        reader.join()
    assert torn == []
    assert len(seen) > 3, "the readers saw grants come and go"


def test_a_refused_grant_raises_and_keeps_what_was_there(hub: Hub, shop: str) -> None:
    before, number = tokens_of(hub, shop), row_of(hub, shop).grants
    for wrong, kind in (({"nothing": 1}, PluginError), ({"note": {}}, Refused)):
        told = {"access_token": "new", **wrong}
        with hub.store.write(System()) as session, pytest.raises(kind):
            hub.connections.grant(session, shop, Grant(settings=told))
    assert tokens_of(hub, shop) == before
    assert row_of(hub, shop).grants == number
