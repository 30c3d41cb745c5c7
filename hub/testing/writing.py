"""A day of writes by the hub's own handlers, while its other processes run."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from uuid import uuid4

from sqlmodel import func, select

from hub.dispatch.publish import publish, unpublish
from hub.dispatch.sequence import resequence, unassign
from hub.driving.calloff import call_off
from hub.driving.words import Report
from hub.events.log import unnumbered
from hub.hub import Hub
from hub.orders import imports
from hub.planning import plans
from hub.proofs import handover
from hub.queue.work import backlog
from hub.store import ImportRow, Operator, PlanRow, RouteRow, StopRow, System
from hub.testing.patience import PATIENCE, until
from hub.testing.town import DAY, Town

PROCESSES = (("dispatcher",), ("worker", "fast"), ("worker", "heavy"))
"""Words of the hub's command for each of the processes that have to run."""
ORDERS = 300
STOPS = 40
"""Stops on a route: at 13 an hour already more than most drivers have in a day."""
DRIVERS = 5
COLUMNS = ("ref", "name", "address", "postcode", "city", "lat", "lon", "item", "quantity", "notes")
BY = Operator("dispatcher")


class WritingDay:
    """A file of orders, workflows, plans, routes driven and changed."""

    def __init__(self, town: Town) -> None:
        self.hub: Hub = town.hub
        self.town = town
        for number in range(DRIVERS):
            town.driver(f"Driver {number}", capacity=2 * STOPS)

    def play(self) -> None:
        """Do it all; the processes run already."""
        self.bring("first")
        until(self.all_have_stops, 4 * PATIENCE)
        self.plan()
        routes = self.drafts()
        for route in routes:
            self.send_out(route)
        self.bring("changed")
        for route in routes[:2]:
            self.drive(route)
        for route in routes[2:]:
            self.change(route)

    def bring(self, notes: str) -> None:
        """Have a file of orders read."""
        merchant = self.town.world.merchant
        id = imports.start(self.hub, BY, merchant, "orders.csv", file(notes), DAY)

        def done() -> bool:
            with self.hub.store.read(System()) as session:
                return session.get_one(ImportRow, id).state == "done"

        until(done, 4 * PATIENCE)

    def all_have_stops(self) -> bool:
        """Say whether every order has its stop."""
        with self.hub.store.read(System()) as session:
            return session.exec(select(func.count()).select_from(StopRow)).one() == ORDERS

    def plan(self) -> None:
        """Have the day planned, after two empty ones: a request alone of its kind is the first."""
        for later in (2, 1, 0):
            with self.hub.store.write(BY) as session:
                day = DAY + timedelta(days=later)
                id = plans.request(session, self.town.world.depot, day, seconds=4).id

        def done() -> bool:
            with self.hub.store.read(System()) as session:
                return session.get_one(PlanRow, id).state in ("done", "failed")

        until(done, 4 * PATIENCE)

    def drafts(self) -> list[str]:
        """Return the routes of the plan."""
        with self.hub.store.read(System()) as session:
            found = select(RouteRow.id).where(RouteRow.state == "draft").order_by(RouteRow.id)
            return list(session.exec(found))

    def send_out(self, route: str) -> None:
        """Publish a route once nothing is left to do, as a dispatcher who looks at each before."""
        until(self.is_quiet, 4 * PATIENCE)
        with self.hub.store.write(BY) as session:
            publish(self.hub, session, route)

    def is_quiet(self) -> bool:
        """Say whether nothing is left to do; nobody asks the outside world here."""
        with self.hub.store.read(System()) as session:
            return not unnumbered(session) and not backlog(session).keys() & {"fast", "heavy"}

    def drive(self, route: str) -> None:
        """Report what a driver does at every door of a route."""
        with self.hub.store.read(System()) as session:
            driver = session.get_one(RouteRow, route).driver
        for stop in self.town.on(route):
            for kind in ("arrive", "complete", "depart"):
                said = Report.model_validate({"id": uuid4(), "kind": kind, "stop": stop.id})
                self.report(driver, said)

    def report(self, driver: str, said: Report) -> None:
        """Take one report."""
        with self.hub.store.write() as session:
            handover.report(self.hub, session, driver, said)

    def change(self, route: str) -> None:
        """Call an order off, put the rest into another order, take one off, take the route back."""
        ids = [stop.id for stop in self.town.on(route)]
        with self.hub.store.write(BY) as session:
            call_off(session, session.get_one(StopRow, ids[0]).order)
        resequence(self.hub, BY, route, ids[:0:-1])
        unassign(self.hub, BY, ids[-1])
        with self.hub.store.write(BY) as session:
            unpublish(session, route)


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
