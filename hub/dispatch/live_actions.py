"""What workflows may do with routes on the road: put stops in, look for better ones, spread work.

None of it is worked out in the step's transaction: a worker does, and `route.reoptimised` tells
what came of it.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from pydantic import Field

from hub.access import get
from hub.actions import ActionInput, ActionOutput, Inside
from hub.dispatch.reoptimisations import request, request_insert
from hub.dispatch.reoptimise import MOST_MOVED, SECONDS
from hub.errors import Refused
from hub.store import DepotRow, RouteRow, Session

if TYPE_CHECKING:
    from hub.hub import Hub

BY = "workflow"
HOOKS = ("routing_engines", "travel_times")


class ReoptimiseInput(ActionInput):
    """A depot (id or name) and a day, or a route for its depot and day.

    `insert` puts promised stops that have lost their route into others first; `waiting` says that
    their goods are at the depot. `most_moved` is a share of the stops ahead below 1, else a number.
    """

    depot: str = ""
    date: datetime.date | None = None
    route: str = ""
    seconds: float = Field(default=SECONDS, gt=0)
    most_moved: float = Field(default=MOST_MOVED, gt=0)
    insert: bool = False
    waiting: bool = False


class InsertInput(ActionInput):
    """An unassigned stop, and the route to put it into; without one the cheapest place."""

    stop: str
    route: str = ""


class SearchOutput(ActionOutput):
    """The search that was asked for; `route.reoptimised` tells when it has ended."""

    reoptimisation: str


def reoptimise(hub: Hub, session: Session, given: ReoptimiseInput) -> SearchOutput:
    """Ask for better routes of a day on the road."""
    depot: str | DepotRow = given.depot
    day = given.date
    if given.route:
        route = get(session, RouteRow, given.route)
        # A merchant's event may name a route of its own stops, but sees no depots.
        depot, day = session.get_one(DepotRow, route.depot), route.service_date
    if not depot or day is None:
        raise Refused("name a route, or a depot and a date", "route")
    row = request(
        session,
        depot,
        day,
        BY,
        seconds=given.seconds,
        most_moved=given.most_moved,
        insert=given.insert,
        waiting=given.waiting,
    )
    return SearchOutput(reoptimisation=row.id)


def insert(hub: Hub, session: Session, given: InsertInput) -> SearchOutput:
    """Ask that a stop is put into a route that is on the road."""
    row = request_insert(session, given.stop, given.route, BY)
    return SearchOutput(reoptimisation=row.id)


REOPTIMISE = Inside("planning.reoptimise", ReoptimiseInput, SearchOutput, reoptimise, hooks=HOOKS)
INSERT = Inside("planning.insert", InsertInput, SearchOutput, insert, hooks=HOOKS)
LIVE = (REOPTIMISE, INSERT)
