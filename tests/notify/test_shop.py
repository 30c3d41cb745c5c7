"""The shop that an order came from hears how its delivery goes, once for each piece of news."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import pytest
from pydantic import BaseModel
from sqlmodel import select

from hub.connector import Connector
from hub.errors import Retry
from hub.events.catalogue import StopDispatched, StopEtaChanged, StopFailed
from hub.events.facts import ProofFacts
from hub.events.log import number
from hub.hub import Hub
from hub.nouns import DeliveryStatus, Receipt
from hub.orders.happenings import tell_stop
from hub.plugins import Plugin
from hub.queue import enqueue, entry
from hub.queue.leader import lead
from hub.store import (
    AttemptLineRow,
    AttemptRow,
    EffectRow,
    FlagRow,
    OrderRow,
    RunRow,
    StopRow,
    System,
    WorkRow,
)
from hub.testing.fixtures import MORNING
from hub.testing.road import Road
from hub.workflow.parts import assemble, load_workflows
from hub.workflow.usage import uses


class TillConfig(BaseModel):
    tell_shop: bool = True


class Till(Connector[TillConfig]):
    """A shop that writes down what it is told."""

    name = "till"
    title = "Till"
    Config = TillConfig
    heard: ClassVar[list[DeliveryStatus]] = []
    errors: ClassVar[list[Exception]] = []

    def check(self) -> None:
        """Nothing to ask."""

    def tell(self, status: DeliveryStatus) -> Receipt:
        if type(self).errors:
            raise type(self).errors.pop(0)
        type(self).heard.append(status)
        return Receipt(ref=status.stop)


@pytest.fixture
def shop(hub: Hub, road: Road) -> str:
    """Return a connection from which the three orders of the road came."""
    Till.heard, Till.errors = [], []
    assemble(hub)
    assert load_workflows(hub).refused == ()
    plugin = Plugin(name="till", distribution="", version="")
    plugin.connectors["till"], plugin.kinds["till"] = Till, {"order_sources"}
    hub.plugins.plugins["till"] = plugin
    with hub.store.write(System()) as session:
        for order in session.exec(select(OrderRow)):
            order.source, order.number, order.parent = "till", f"no {order.ref}", "7"
        return hub.connections.save(session, "till", {}, merchant=road.world.merchant).id


def happens(hub: Hub, road: Road, *kinds: type, **more: object) -> None:
    """Let something happen to the first stop, and do all that follows from it."""
    with hub.store.write(System()) as session:
        for kind in kinds:
            tell_stop(session, kind, session.get_one(StopRow, road.stops[0]), **more)
    work(hub)


def work(hub: Hub) -> None:
    token = lead(hub.store, "dispatcher", "test")
    assert token is not None
    with hub.store.write(System()) as session:
        number(session, token)
        enqueue(session, "evaluate", "events")
    while sum(entry.run(hub, queue, "test") for queue in ("fast", "outward")):
        pass


def attempt(hub: Hub, road: Road, outcome: str, reason: str = "") -> None:
    """Let the driver be at the first door."""
    with hub.store.write(System()) as session:
        stop = session.get_one(StopRow, road.stops[0])
        made = AttemptRow(
            merchant=stop.merchant, stop=stop.id, number=stop.attempts + 1, route=road.route,
            driver=road.driver, outcome=outcome, reason=reason, received_by="Rosa Beck",
            lat=47.1417, lon=9.5216, occurred_at=MORNING, recorded_at=MORNING,
        )  # fmt: skip
        session.add(made)
        session.flush()
        for line in road.lines[0]:
            session.add(AttemptLineRow(attempt=made.id, line=line, quantity=1))
        stop.attempts, stop.reason, stop.state = made.number, reason, outcome


def rows(hub: Hub, table: type, **where: object) -> list:
    with hub.store.read(System()) as session:
        return list(session.exec(select(table).filter_by(**where)))


def test_a_dispatched_stop_is_told_with_its_link_and_its_arrival(
    hub: Hub, road: Road, shop: str
) -> None:
    happens(hub, road, StopDispatched)
    (news,) = Till.heard
    assert (news.status, news.order, news.number, news.parent) == (
        "dispatched", "#1001", "no #1001", "7",
    )  # fmt: skip
    assert news.at == MORNING
    assert news.eta == MORNING + timedelta(minutes=20)
    assert "/t/" in news.tracking_url
    assert news.carrier == "Alpenkraut"
    assert (news.proof_url, news.lines, news.location) == ("", (), None)
    (effect,) = rows(hub, EffectRow)
    assert (effect.key, effect.connection) == (news.key, shop)


def test_what_the_driver_brought_back_is_told(hub: Hub, road: Road, shop: str) -> None:
    attempt(hub, road, "failed", "not_home")
    happens(hub, road, StopFailed, proof=ProofFacts(id="prf_1"))
    (news,) = Till.heard
    assert (news.status, news.reason) == ("attempted", "Nobody at home")
    assert news.location is not None
    assert (news.location.lat, news.location.lon) == (47.1417, 9.5216)
    assert [(line.sku, line.ordered, line.handed_over) for line in news.lines] == [
        ("OIL", 2, 1), ("SALT", 1, 1),
    ]  # fmt: skip
    assert (news.proof_url, news.eta) == ("", None)


def test_an_order_from_a_file_starts_no_run(hub: Hub, road: Road, shop: str) -> None:
    with hub.store.write(System()) as session:
        for order in session.exec(select(OrderRow)):
            order.source = "csv"
    happens(hub, road, StopDispatched)
    assert rows(hub, RunRow) == []


def test_a_source_that_nobody_is_connected_to_is_told_nothing(
    hub: Hub, road: Road, shop: str
) -> None:
    with hub.store.write(System()) as session:
        for order in session.exec(select(OrderRow)):
            order.source = "somewhere"
    happens(hub, road, StopDispatched)
    (run,) = rows(hub, RunRow)
    assert (run.state, Till.heard) == ("succeeded", [])


def test_a_shop_that_wants_no_news_gets_none(hub: Hub, road: Road, shop: str) -> None:
    with hub.store.write(System()) as session:
        hub.connections.save(session, "till", {"tell_shop": False}, id=shop)
    happens(hub, road, StopDispatched)
    assert Till.heard == []


def test_news_waits_for_a_shop_that_is_switched_off_and_keeps_its_order(
    hub: Hub, road: Road, shop: str
) -> None:
    from hub.workflow.parking import release

    with hub.store.write(System()) as session:
        hub.connections.set_enabled(session, shop, False)
    happens(hub, road, StopDispatched)
    attempt(hub, road, "failed", "refused")
    happens(hub, road, StopFailed, proof=ProofFacts(id="prf_1"))
    assert Till.heard == []
    with hub.store.write(System()) as session:
        hub.connections.set_enabled(session, shop, True)
        release(session, shop)
    work(hub)
    assert [news.status for news in Till.heard] == ["dispatched", "failed"]
    assert Till.heard[0].at == MORNING


def test_a_delay_is_told_once_for_each_attempt(hub: Hub, road: Road, shop: str) -> None:
    with hub.store.write(System()) as session:
        stop = session.get_one(StopRow, road.stops[0])
        assert stop.promised_end is not None
        stop.eta_at = stop.promised_end + timedelta(minutes=16)
    happens(hub, road, StopEtaChanged, StopEtaChanged)
    assert [news.status for news in Till.heard] == ["delayed"]


def test_a_shop_that_is_away_is_told_again_under_the_same_key(
    hub: Hub, road: Road, shop: str
) -> None:
    Till.errors = [Retry("it is down")]
    happens(hub, road, StopDispatched)
    assert Till.heard == []
    with hub.store.write(System()) as session:
        for work_row in session.exec(select(WorkRow)):
            work_row.not_before = session.wall
    work(hub)
    (news,) = Till.heard
    assert [effect.key for effect in rows(hub, EffectRow)] == [news.key]


def test_a_shop_that_refuses_the_news_is_flagged(hub: Hub, road: Road, shop: str) -> None:
    from hub.errors import Rejected

    Till.errors = [Rejected("the order is gone")]
    happens(hub, road, StopDispatched)
    (flag,) = rows(hub, FlagRow)
    assert flag.kind == "shop_not_told"
    assert "order #1001 (stop.dispatched): " in flag.text
    assert "the order is gone" in flag.text


def test_the_workflow_is_listed_with_the_connections_that_it_goes_through(
    hub: Hub, road: Road, shop: str
) -> None:
    from hub.store import ConnectionRow

    with hub.store.read(System()) as session:
        found = uses(hub, session, session.get_one(ConnectionRow, shop))
    assert "shop-updates" in [one.workflow for one in found]
