"""A WooCommerce shop through the whole hub: what comes in, and the echo of what it is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import update

from hub import orders
from hub.nouns import DeliveryStatus, Incoming
from hub.store import ConnectionRow, EventRow, InboxRow, OrderLineRow, OrderRow, RejectedRow, System
from hub.testing.peers.woocommerce import WooCommercePeer
from hub.workflow import incoming
from tests import needs

from .conftest import Toys

pytestmark = needs.plugins("woocommerce")
PLACE = {
    "first_name": "Anna", "last_name": "Beck", "address_1": "Städtle 49", "city": "Vaduz",
    "postcode": "9490", "country": "LI",
}  # fmt: skip


class Counter:
    """A merchant's shop, connected to the hub."""

    def __init__(self, toys: Toys, peer: WooCommercePeer) -> None:
        self.toys, self.peer, self.sent = toys, peer, list[Incoming]()
        self.at = datetime.now(UTC).replace(microsecond=0)
        peer.now = lambda: self.at
        peer.hooks.taker = self.take
        config = {"url": peer.url, "key": peer.key, "secret": peer.secret,
                  "webhook_secret": "whsec-1"}  # fmt: skip
        with toys.hub.store.write(System()) as session:
            saved = toys.hub.connections.save(
                session, "woocommerce", config, merchant=toys.merchant
            )
            self.id = saved.id

    def sell(self, **values: Any) -> dict[str, Any]:
        """Let somebody buy two teas."""
        lines = [{"name": "Herb tea", "quantity": 2, "total": "25.00"}]
        told = {"shipping": PLACE, "billing": PLACE, "currency": "CHF", "line_items": lines}
        return self.peer.sell(**{**told, **values})

    def read(self) -> None:
        """Read the orders, a quarter of an hour later."""
        self.at += timedelta(minutes=5)
        with self.toys.hub.store.write(System()) as session:
            session.exec(update(ConnectionRow).values(pull_at=session.wall, rests_until=None))
        self.toys.tick()

    @property
    def connector(self) -> Any:
        """The connector, as a worker has it."""
        with self.toys.hub.store.read() as session:
            return self.toys.hub.connections.usable(session, self.id)

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Keep what the shop sends, as the web process does."""
        named = {name.lower(): value for name, value in headers.items()}
        request = Incoming(body=body, headers=named, at=self.toys.hub.store.clock.wall())
        delivery = self.connector.receive(request)
        (row,) = self.toys.rows(ConnectionRow, id=self.id)
        kept = incoming.kept(self.toys.hub.keys, row, request, delivery)
        with self.toys.hub.store.write() as session:
            incoming.write(session, [kept])
        return 200

    def watch(self) -> None:
        """Let the shop send what happens to its orders."""
        for topic in ("order.created", "order.updated", "order.deleted"):
            url = f"https://hub.example.com/hooks/{self.id}/s"
            self.peer.hooks.add({"topic": topic, "delivery_url": url, "secret": "whsec-1"})

    def deliver(self) -> int:
        """Send what waits, and take it in; return how many deliveries there were."""
        sent = self.peer.work_off()
        self.toys.tick()
        return sent


@pytest.fixture
def counter(toys: Toys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter]:
    peer = WooCommercePeer(tmp_path)
    peer.start()
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", f"127.0.0.1:{peer.port}")
    orders.register(toys.hub)
    yield Counter(toys, peer)
    peer.stop()


def told(toys: Toys) -> list[str]:
    """Return the types of all events about orders."""
    return [row.type for row in toys.rows(EventRow) if row.type.startswith("order.")]


def tell(counter: Counter, order: dict[str, Any], status: str) -> None:
    """Tell the shop how a delivery goes, as a worker does."""
    news = {"key": f"{order['id']}-{status}", "order": str(order["id"]), "status": status,
            "at": datetime(2026, 11, 23, 9, tzinfo=UTC), "tracking_url": "https://hub.example/t/1",
            "proof_url": "https://hub.example/p/1"}  # fmt: skip
    counter.connector.tell(DeliveryStatus.model_validate(news))


def test_the_echo_of_what_the_hub_wrote_is_no_news(toys: Toys, counter: Counter) -> None:
    counter.watch()
    order = counter.sell(payment_method="cod")
    counter.read()
    first = told(toys)
    assert len(first) == 1
    for status in ("dispatched", "out_for_delivery", "attempted", "delivered"):
        before = order["date_modified_gmt"]
        tell(counter, order, status)
        assert status == "attempted" or order["date_modified_gmt"] > before
        assert counter.deliver() > 0
        counter.read()
    assert (order["status"], order["date_paid"] is not None) == ("completed", True)
    assert len(toys.rows(InboxRow, source=counter.id)) > 3
    assert {row.status for row in toys.rows(InboxRow, source=counter.id)} == {200}
    assert told(toys) == first
    assert toys.rows(RejectedRow) == []
    (row,) = toys.rows(OrderRow)
    assert row.state != "cancelled"


def test_what_the_shop_does_after_the_delivery_is_its_own(toys: Toys, counter: Counter) -> None:
    counter.watch()
    order = counter.sell()
    counter.read()
    tell(counter, order, "delivered")
    counter.peer.change(order["id"], status="refunded")
    counter.deliver()
    assert toys.rows(RejectedRow) == []
    assert [row.state for row in toys.rows(OrderRow)] != ["cancelled"]


def test_a_change_of_the_customers_is_news(toys: Toys, counter: Counter) -> None:
    order = counter.sell()
    counter.read()
    tell(counter, order, "dispatched")
    counter.peer.change(order["id"], customer_note="Ring twice")
    counter.read()
    (row,) = toys.rows(OrderRow)
    assert row.notes == "Ring twice"
    assert len(told(toys)) == 2


def test_of_a_hundred_orders_one_is_listed_with_its_field_and_the_rest_are_taken(
    toys: Toys, counter: Counter
) -> None:
    for number in range(100):
        counter.sell(number=str(1000 + number))
    bad = next(iter(counter.peer.orders.values()))
    bad["total"] = "free"
    counter.read()
    assert len(toys.rows(OrderRow)) == 99
    (rejected,) = toys.rows(RejectedRow)
    assert (rejected.ref, rejected.field) == (str(bad["id"]), "total")
    row = toys.rows(OrderRow)[0]
    (line,) = toys.rows(OrderLineRow, order=row.id)
    assert (row.number[:1], str(line.price)) == ("1", "12.5000")
    bad["total"] = "25.00"
    counter.peer.change(bad["id"])
    counter.read()
    assert len(toys.rows(OrderRow)) == 100
    assert [one.state for one in toys.rows(RejectedRow)] == ["resolved"]
