"""What workflows may do with routes and failed stops."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from hub.access import get
from hub.actions import ActionInput, ActionOutput, Inside
from hub.dispatch.publish import publish
from hub.dispatch.sequence import take_off
from hub.errors import Refused, Retry
from hub.fleet import roster
from hub.store import RouteRow, Session, StopRow
from hub.store.states import move_stop

if TYPE_CHECKING:
    from hub.hub import Hub

UNDER_WAY = ("ready", "loaded", "in_progress")


class RouteInput(ActionInput):
    """A draft route by its id."""

    route: str


class PublishedOutput(ActionOutput):
    """The route that drivers and customers know of now."""

    route: str
    driver: str


class RescheduleInput(ActionInput):
    """A failed stop, and the day of its next attempt."""

    stop: str
    date: date


class StopInput(ActionInput):
    """A stop by its id."""

    stop: str


class StopOutput(ActionOutput):
    """The stop and how often it was tried."""

    id: str
    attempts: int


def publish_route(hub: Hub, session: Session, given: RouteInput) -> PublishedOutput:
    """Make one draft ready and promise its windows; the transaction is that of one route."""
    row = publish(hub, session, given.route)
    return PublishedOutput(route=row.id, driver=row.driver)


def reschedule(hub: Hub, session: Session, given: RescheduleInput) -> StopOutput:
    """Give a failed stop another day; its old promise is void.

    Raise `Retry` while its route is under way, `Refused` for a stop that has not failed.
    """
    stop = failed_stop(session, given.stop)
    today = roster.today(session, stop.depot)
    if given.date < today:
        raise Refused(f"{given.date} is past; name a day from {today} on", "date")
    take_off(stop)
    stop.service_date = given.date
    return StopOutput(id=stop.id, attempts=stop.attempts)


def return_to_depot(hub: Hub, session: Session, given: StopInput) -> StopOutput:
    """Say that the goods of a failed stop go back; raise as `reschedule` does."""
    stop = failed_stop(session, given.stop)
    move_stop(stop, "returning")
    return StopOutput(id=stop.id, attempts=stop.attempts)


def failed_stop(session: Session, id: str) -> StopRow:
    """Return a failed stop whose route has ended, held until the end of the transaction."""
    stop = get(session, StopRow, id)
    route = session.get(RouteRow, stop.route, with_for_update=True) if stop.route else None
    session.refresh(stop, with_for_update={"key_share": True})
    if stop.state != "failed":
        raise Refused(f"stop {stop.id} is {stop.state}; only a failed one is tried again", "stop")
    if route is not None and route.state in UNDER_WAY:
        raise Retry(f"route {route.id} of stop {stop.id} is still under way", after=300)
    return stop


PUBLISH = Inside("dispatch.publish", RouteInput, PublishedOutput, publish_route)
RESCHEDULE = Inside("dispatch.reschedule", RescheduleInput, StopOutput, reschedule)
RETURN = Inside("dispatch.return_to_depot", StopInput, StopOutput, return_to_depot)
ACTIONS = (PUBLISH, RESCHEDULE, RETURN)
