"""Sources that are not read: those asked for nothing, and those that leave calls to others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar, Literal

import pytest
from pydantic import BaseModel

from hub import orders
from hub.budget import Budget
from hub.connector import Connector
from hub.nouns import Cursor, Order, Receipt
from hub.plugins import Plugin
from hub.store import ConnectionRow, OrderRow, System
from hub.workflow import pulls

from .conftest import Toys


class BooksConfig(BaseModel):
    """What becomes an order."""

    orders: Literal["none", "invoices"] = "none"


class Books(Connector[BooksConfig]):
    """Hands over one order where it is asked to, and keeps a part of its calls for others."""

    name, title, Config = "books", "Books", BooksConfig
    needs: ClassVar[dict[str, str]] = {"order_sources": "orders"}
    asked: ClassVar[list[str]] = []
    budget: ClassVar[Budget] = Budget("books")

    def pull(self, cursor: Cursor) -> Iterator[Order | Cursor]:
        type(self).asked.append(cursor.value)
        with self.budget.taken():
            yield Order(ref="1001")
        yield Cursor(value="1")

    def send(self, message: object) -> Receipt:
        return Receipt()


@pytest.fixture
def books(toys: Toys) -> type[Books]:
    Books.asked, Books.budget = [], Budget("books")
    plugin = Plugin(name="books", distribution="", version="")
    plugin.connectors["books"] = Books
    plugin.kinds["books"] = {"order_sources", "notification_channels"}
    toys.hub.plugins.plugins["books"] = plugin
    orders.register(toys.hub)
    return Books


def connect(toys: Toys, **settings: str) -> str:
    with toys.hub.store.write(System()) as session:
        return toys.hub.connections.save(session, "books", settings, merchant=toys.merchant).id


def row(toys: Toys, id: str) -> ConnectionRow:
    (found,) = toys.rows(ConnectionRow, id=id)
    return found


def test_a_source_that_is_asked_for_no_orders_is_never_read(toys: Toys, books: type[Books]) -> None:
    id = connect(toys)
    toys.tick()
    assert books.asked == []
    assert row(toys, id).pull_at is None
    assert not pulls.hands_over(toys.hub, row(toys, id))


def test_settings_from_before_there_was_a_choice_ask_for_the_default(
    toys: Toys, books: type[Books]
) -> None:
    found = row(toys, connect(toys))
    assert not pulls.hands_over(toys.hub, found.model_copy(update={"config": {}}))


def test_a_source_that_is_asked_for_orders_is_read(toys: Toys, books: type[Books]) -> None:
    id = connect(toys, orders="invoices")
    toys.tick()
    assert [one.ref for one in toys.rows(OrderRow)] == ["1001"]
    assert pulls.hands_over(toys.hub, row(toys, id))


def test_what_is_kept_for_other_calls_lets_the_source_wait_and_nothing_else(
    toys: Toys, books: type[Books]
) -> None:
    books.budget = Budget("books", per_minute=10, per_day=2, keep=0.5)
    id = connect(toys, orders="invoices")
    toys.tick()
    found = row(toys, id)
    assert (found.state, found.rests_until, found.failures) == ("healthy", None, 0)
    assert found.pull_at is not None
    with toys.hub.store.read() as session:
        assert found.pull_at - session.wall > timedelta(hours=20)
