"""A whole loop: an order out of a store, planned, driven, and told to the store and the books."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import col, select, update

from hub.dispatch.publish import publish_plan
from hub.driving.words import NamedFile, Report
from hub.events.log import number
from hub.hub import Hub
from hub.orders.places import set_pin
from hub.planning.plans import plan_now
from hub.proofs import handover, uploads
from hub.queue import enqueue, entry
from hub.queue.leader import lead
from hub.queue.work import backlog
from hub.simulate import pictures
from hub.store import (
    ConnectionRow,
    EffectRow,
    FlagRow,
    OrderRow,
    RouteRow,
    StopRow,
    System,
    WorkRow,
)
from hub.testing.fixtures import World, set_time
from hub.testing.patience import PATIENCE
from hub.testing.peers.log import effects
from hub.testing.peers.xero import ROOT, XeroPeer
from hub.workflow import pulls
from hub.workflow.parts import assemble, load_workflows
from tests.loops.shops import STORES
from tests.loops.stores import Shown, Store
from tests.needs import plugins

WORKER = Path(__file__).parent / "worker.py"
ROUNDS = 10
DOOR = (47.1416, 9.5215)


class Loop:
    """One hub, one store and the books; each step of an order's way is a method."""

    def __init__(self, hub: Hub, world: World, name: str, store: Store, books: XeroPeer) -> None:
        self.hub, self.world, self.name, self.store, self.books = hub, world, name, store, books
        store.install(hub.plugins)
        assemble(hub)
        assert load_workflows(hub).refused == ()
        with hub.store.write(System()) as session:
            save, owner = hub.connections.save, world.merchant
            self.shop = save(session, store.connector, store.settings(), merchant=owner).id
            told = {"url": books.url + ROOT, "token": XeroPeer.token, "tenant": "tenant-1"}
            told["record"] = store.record
            save(session, "xero", told, merchant=owner)
        self.ref = store.put_order("Rosa Beck", *DOOR)

    def work(self) -> None:
        """Number what is new, and do all that is due."""
        while self.number():
            while sum(entry.run(self.hub, queue, "test") for queue in ("fast", "outward")):
                pass

    def number(self) -> bool:
        """Number what is new and make its evaluation due; say whether anything was, or is due."""
        token = lead(self.hub.store, "dispatcher", "test")
        assert token is not None
        with self.hub.store.write(System()) as session:
            found = bool(number(session, token))
            if found:
                enqueue(session, "evaluate", "events")
            return found or bool(backlog(session).keys() - {"heavy"})

    def later(self) -> None:
        """Let the time pass that deferred and lost work waits for, then do it."""
        with self.hub.store.write(System()) as session:
            session.exec(update(WorkRow).values(not_before=session.wall))
            session.exec(update(ConnectionRow).values(rests_until=None))
            held = col(WorkRow.state) == "leased"
            session.exec(update(WorkRow).where(held).values(lease_until=session.wall))
        self.work()

    def settle(self) -> None:
        """Let time pass until nothing is left to do, a few rounds at most."""
        self.later()
        for _ in range(ROUNDS):
            if self.troubles():
                self.later()

    def die(self, fault: str) -> None:
        """Have another process do all that is due, and see it killed where it shall be."""
        self.number()
        environ = {**os.environ, **self.hub.settings.environ(), "HUB_FAULT": fault}
        environ["HUB_DIRECTORY"] = str(self.hub.settings.directory)
        done = subprocess.run(
            [sys.executable, str(WORKER), self.name], env=environ, timeout=2 * PATIENCE
        )
        assert done.returncode == -signal.SIGKILL, fault

    def order_comes(self) -> None:
        """Read the store's orders; the order becomes a stop."""
        with self.hub.store.write(System()) as session:
            pulls.request(session, self.shop)
        self.work()
        (order,) = self.rows(OrderRow, ref=self.ref)
        if order.state == "needs_address":  # nobody knows where that is before somebody says so
            with self.hub.store.write(System()) as session:
                set_pin(self.hub, session, order.id, *DOOR)
            self.work()
        assert self.stop.state == "unassigned"

    def publish(self) -> None:
        """Plan the day of delivery and publish its route."""
        day = self.stop.service_date
        set_time(self.hub, datetime.combine(day, time(6), UTC))
        plan = plan_now(self.hub, self.world.depot, day, 0.1)
        assert plan.state == "done", plan.reason
        publish_plan(self.hub, System(), plan.id)

    def drive(self) -> None:
        """Let the driver set out and hand everything over, with a photo and a signature."""
        stop, driver = self.stop, self.world.driver
        files = [
            NamedFile(kind=kind, sha256=uploads.upload(self.hub, driver, kind, content).sha256)
            for kind, content in (
                ("photo", pictures.photo("7001", 1)), ("signature", pictures.signature(1)),
            )
        ]  # fmt: skip
        set_time(self.hub, datetime.combine(stop.service_date, time(8), UTC) + timedelta(hours=1))
        at = {"lat": DOOR[0], "lon": DOOR[1], "accuracy": 8.0}
        self.say(kind="start")
        self.say(kind="arrive", stop=stop.id, **at)
        self.say(kind="complete", stop=stop.id, received_by="R. Beck", files=files, **at)

    def say(self, **said: Any) -> None:
        """Take one report of the driver's phone."""
        with self.hub.store.write() as session:
            report = Report(id=uuid4(), **said)
            handover.report(self.hub, session, self.world.driver, report, device="phone")

    @property
    def stop(self) -> StopRow:
        """The stop of the order."""
        with self.hub.store.read(System()) as session:
            query = select(StopRow).join(OrderRow, col(OrderRow.id) == StopRow.order)
            return session.exec(query.where(OrderRow.ref == self.ref)).one()

    @property
    def route(self) -> RouteRow:
        """The route that it is on."""
        with self.hub.store.read(System()) as session:
            return session.exec(select(RouteRow)).one()

    def rows(self, table: type[Any], **where: Any) -> list[Any]:
        """Return the rows of a table."""
        with self.hub.store.read(System()) as session:
            return list(session.exec(select(table).filter_by(**where)))

    def shown(self) -> Shown:
        """Return what the store shows of the order."""
        return self.store.shown(self.ref)

    def booked(self) -> list[str]:
        """Return what the books were given, in order."""
        return [entry.kind for entry in effects(self.books.log.path)]

    def drafts(self) -> int:
        """Return how many invoices the hub drafted in the books."""
        return len(self.books.books.documents["Invoices"])

    def troubles(self) -> list[str]:
        """Return what a person would have to look at."""
        flags = [flag.text for flag in self.rows(FlagRow)]
        return flags + [row.key for row in self.rows(EffectRow) if row.state != "done"]


def installed(name: str) -> Any:
    """Return a store as a parameter, left out where its plugin is not installed."""
    return pytest.param(name, marks=() if name == "till" else plugins(name))


@pytest.fixture(params=[installed(name) for name in STORES])
def loop(
    request: pytest.FixtureRequest,
    hub: Hub,
    world: World,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Loop]:
    """Return a loop through each of the stores."""
    store, books = STORES[request.param](tmp_path / "peers"), XeroPeer(tmp_path / "peers")
    books.start()
    allowed = ",".join(f"127.0.0.1:{peer.port}" for peer in (store.peer, books))
    monkeypatch.setenv("HUB_ALLOW_ADDRESSES", allowed)
    yield Loop(hub, world, request.param, store, books)
    store.stop()
    books.stop()
