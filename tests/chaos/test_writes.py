"""Write transactions are short: nobody holds the database longer than 50 ms."""

from __future__ import annotations

import csv
import gc
import io
from collections import defaultdict
from datetime import timedelta
from statistics import median
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import col, func, select

from hub.dispatch.publish import publish_plan, unpublish
from hub.dispatch.sequence import resequence, unassign
from hub.driving.calloff import call_off
from hub.driving.words import Report
from hub.events.catalogue import Event
from hub.events.log import append
from hub.orders import imports
from hub.planning import plans
from hub.proofs import handover
from hub.queue import enqueue
from hub.store import ImportRow, Operator, PlanRow, RouteRow, StopRow, System
from hub.testing.town import DAY, Town
from hub.workflow.parts import assemble, load_workflows

pytestmark = pytest.mark.chaos

LIMIT = 0.05
PIECES = 150
ORDERS = 300
STOPS = 40
"""Stops on a route: at 13 an hour already more than most drivers have in a day."""
COLUMNS = ("ref", "name", "address", "postcode", "city", "lat", "lon", "item", "quantity", "notes")
HUB = ("-m", "hub")
BY = Operator("dispatcher")


class Toy(Event):
    """An event that says nothing but its subject."""

    type = "toy.happened"


def traced(plant: Any, least: int) -> dict[str, list[float]]:
    """Return the seconds for which transactions were held by their own doing, by their kind.

    Time for which a transaction could have gone on but other processes had the cores does not
    count: it says how busy this machine is. Waiting for the disk does count.
    """
    held: dict[str, list[float]] = defaultdict(list)
    for line in plant.writes_file.read_text().splitlines():
        own, _, name = line.split()
        held[name].append(float(own))
    assert sum(map(len, held.values())) > least
    return held


def check_day(plant: Any, least: int) -> None:
    """Fail where a kind of traced transaction was held for too long by its own doing.

    Out of our sight is how quick the cores are (on a shared host half as quick in one second as in
    the next), so of each kind one in a hundred may take twice as long, and of a rare kind the one
    that came first, whose statements are new. Nor can we see what a database server is kept from;
    there nobody waits for the whole database, and half of each kind have to keep the limit.
    """
    held = traced(plant, least)
    if not plant.hub.store.url.startswith("sqlite"):
        slow = {name: median(all) for name, all in held.items() if median(all) > LIMIT}
        assert slow == {}
        return
    assert {name: all[-1] for name, all in too_long(held, 2 * LIMIT).items()} == {}
    over = too_long(held, LIMIT)
    assert {n: all for n, all in over.items() if len(all) > max(1, len(held[n]) // 100)} == {}


def too_long(held: dict[str, list[float]], limit: float) -> dict[str, list[float]]:
    """Return the seconds above the limit of each kind that has any, in their order."""
    found = {name: sorted(one for one in all if one > limit) for name, all in held.items()}
    return {name: all for name, all in found.items() if all}


def test_no_write_transaction_of_a_mixed_load_holds_the_database_for_50_ms(
    plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests, numbering, claims and results, from four processes at once."""
    for words in (("dispatcher",), ("worker", "fast"), ("worker", "outward")):
        plant.start(*words)
    monkeypatch.setenv("HUB_TRACE_WRITES", str(plant.writes_file))
    for number in range(PIECES):
        with plant.hub.store.write() as session:
            enqueue(session, "inside", f"{number:03}")
            append(session, Toy(subject=f"{number:03}"))
    plant.wait(lambda: len(plant.recorded()) == PIECES)
    held = sorted(one for all in traced(plant, PIECES * 5).values() for one in all)
    # A server of its own is starved out of our sight, so there only nearly all must keep the limit.
    allowed = 0 if plant.hub.store.url.startswith("sqlite") else len(held) // 100
    assert [one for one in held if one > LIMIT][allowed:] == []


def test_no_write_transaction_of_a_whole_day_holds_the_database_for_50_ms(
    plant, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of orders, workflows, a plan, routes driven and changed: by the hub's own handlers."""
    gc.freeze()  # as every process of the hub does at its start
    for number in range(5):
        town.driver(f"Driver {number}", capacity=2 * STOPS)
    assemble(plant.hub)
    load_workflows(plant.hub)
    for words in (("dispatcher",), ("worker", "fast"), ("worker", "heavy")):
        plant.start(*words, program=HUB)
    monkeypatch.setenv("HUB_TRACE_WRITES", str(plant.writes_file))
    bring(plant, town, "first")
    plant.wait(lambda: count(plant, StopRow) == ORDERS)
    plan(plant, town)
    routes = publish_plan(plant.hub, BY, newest_plan(plant))
    bring(plant, town, "changed")
    for route in routes[:2]:
        drive(plant, town, route)
    for route in routes[2:]:
        change(plant, town, route)
    check_day(plant, ORDERS * 3)


def bring(plant: Any, town: Town, notes: str) -> None:
    """Have a file of orders read."""
    id = imports.start(plant.hub, BY, town.world.merchant, "orders.csv", file(notes), DAY)

    def done() -> bool:
        with plant.hub.store.read(System()) as session:
            return session.get_one(ImportRow, id).state == "done"

    plant.wait(done)


def file(notes: str) -> bytes:
    """Return a file of orders with two articles each, spread over the town."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for n in range(ORDERS):
        lat, lon = 47.14 + n % 20 / 1000, 9.51 + n // 20 / 1000
        for item in ("Käse", "Honig"):
            writer.writerow(
                [f"A{n}", "Anna", f"Gasse {n}", "9490", "Vaduz", lat, lon, item, 1, notes]
            )
    return out.getvalue().encode()


def count(plant: Any, table: type) -> int:
    with plant.hub.store.read(System()) as session:
        return session.exec(select(func.count()).select_from(table)).one()


def newest_plan(plant: Any) -> str:
    with plant.hub.store.read(System()) as session:
        return session.exec(select(PlanRow.id).order_by(col(PlanRow.id).desc())).first()


def plan(plant: Any, town: Town) -> None:
    """Have the day planned, after two empty ones: a request alone of its kind is only the first."""
    for later in (2, 1, 0):
        with plant.hub.store.write(BY) as session:
            day = DAY + timedelta(days=later)
            id = plans.request(session, town.world.depot, day, seconds=2).id

    def done() -> bool:
        with plant.hub.store.read(System()) as session:
            return session.get_one(PlanRow, id).state in ("done", "failed")

    plant.wait(done)


def drive(plant: Any, town: Town, route: str) -> None:
    """Report what a driver does at every door of a route."""
    with plant.hub.store.read(System()) as session:
        driver = session.get_one(RouteRow, route).driver
    for stop in town.on(route):
        for kind in ("arrive", "complete", "depart"):
            with plant.hub.store.write() as session:
                said = Report(id=uuid4(), kind=kind, stop=stop.id)
                handover.report(plant.hub, session, driver, said)


def change(plant: Any, town: Town, route: str) -> None:
    """Call an order off, put the rest into another order, take one off, take the route back."""
    ids = [stop.id for stop in town.on(route)]
    with plant.hub.store.write(BY) as session:
        call_off(session, session.get_one(StopRow, ids[0]).order)
    resequence(plant.hub, BY, route, ids[:0:-1])
    unassign(plant.hub, BY, ids[-1])
    with plant.hub.store.write(BY) as session:
        unpublish(session, route)
