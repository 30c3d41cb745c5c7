"""Publish routes: from now on drivers see them and recipients have a promise."""

from __future__ import annotations

from sqlmodel import col, select

from hub.access import get, scoped
from hub.dispatch.flags import have_route
from hub.dispatch.held import hold
from hub.dispatch.promises import issue, open_pages, promise
from hub.dispatch.rows import route_event, tell_route
from hub.errors import Refused
from hub.events.catalogue import RouteChanged, RoutePublished, StopDispatched
from hub.events.log import append_all
from hub.hub import Hub
from hub.orders.happenings import stop_events
from hub.planning.day import TAKEN
from hub.planning.drafts import take_out
from hub.store import DriverRow, PlanRow, Principal, RouteRow, Session
from hub.store.states import move_route, move_stop


def publish(hub: Hub, session: Session, route_id: str) -> RouteRow:
    """Make a draft ready and promise its windows; raise `Refused` for a driver who has a route.

    Stores the promised windows and the first ETAs, opens the tracking pages, tells
    `route.published` and `stop.dispatched`.
    """
    held = hold(session, route_id)
    route, stops = held.route, held.stops
    plan = session.get(PlanRow, route.plan) if route.plan else None
    if plan is not None and plan.state in ("waiting", "running"):
        raise Refused(f"plan {plan.id} is not finished yet; try again in a few seconds")
    if not stops:
        raise Refused(f"route {route.id} has no stops; plan the day again")
    check_draft(session, route)
    move_route(route, "ready")
    route.published_at = session.now
    check_free(session, route)
    for stop in stops:
        move_stop(stop, "dispatched")
        promise(stop)
    issue(session, stops)
    have_route(session, stops)
    open_pages(hub, session, stops)
    about = held.facts()
    published = route_event(session, RoutePublished, route, on=about)
    append_all(session, [published, *stop_events(session, StopDispatched, stops, on=[about])])
    return route


def check_draft(session: Session, route: RouteRow) -> None:
    """Raise `Refused`, saying whose it is, for a route that somebody has published before."""
    if route.state in TAKEN:
        name = session.get_one(DriverRow, route.driver).name
        raise Refused(
            f"{name}'s route of {route.service_date} is published already; look at the day again",
            "state",
        )


def check_free(session: Session, route: RouteRow) -> None:
    """Raise `Refused` when the driver is switched off or has another route on that day.

    The driver is held, so that of two routes that are published at once only one is.
    """
    driver = session.get_one(
        DriverRow, route.driver, with_for_update={"key_share": True}, populate_existing=True
    )
    if not driver.active:
        raise Refused(
            f"{driver.name} was switched off since the plan was made; plan the day again, or "
            f"switch the driver on with: hub driver on {driver.id}",
            "driver",
        )
    other = session.exec(
        select(RouteRow.id).where(
            RouteRow.driver == route.driver,
            RouteRow.service_date == route.service_date,
            col(RouteRow.state).in_(TAKEN),
            RouteRow.id != route.id,
        )
    ).first()
    if other is not None:
        raise Refused(f"{driver.name} already has route {other} on {route.service_date}", "driver")


def publish_plan(hub: Hub, principal: Principal, plan_id: str) -> list[str]:
    """Publish every draft of a plan, each in its own transaction; return the routes' ids."""
    with hub.store.read(principal) as session:
        plan = get(session, PlanRow, plan_id)
        drafts = scoped(session, RouteRow).where(
            RouteRow.plan == plan.id, RouteRow.state == "draft"
        )
        ids = [route.id for route in session.exec(drafts.order_by(RouteRow.id))]
        if not ids:
            raise Refused(nothing_to_publish(session, plan))
    for id in ids:
        with hub.store.write(principal) as session:
            publish(hub, session, id)
    return ids


def nothing_to_publish(session: Session, plan: PlanRow) -> str:
    """Return why a plan has no drafts."""
    if plan.state in ("waiting", "running"):
        return f"plan {plan.id} is not finished yet; try again in a few seconds"
    if plan.state == "failed":
        return f"plan {plan.id} failed: {plan.reason}"
    published = session.exec(
        scoped(session, RouteRow).where(
            RouteRow.plan == plan.id, col(RouteRow.state).not_in(["draft", "cancelled"])
        )
    ).first()
    if published is not None:
        return f"the routes of plan {plan.id} are already published"
    return f"plan {plan.id} has no routes, or a later plan replaced them"


def unpublish(session: Session, route_id: str) -> RouteRow:
    """Take a route back that nobody has begun: it is cancelled, its stops can be planned again.

    What was promised to recipients stays promised.
    """
    held = hold(session, route_id)
    move_route(held.route, "cancelled")
    tell_route(session, RouteChanged, held.route, on=held.facts())
    for stop in held.stops:
        if stop.state in ("planned", "dispatched"):
            move_stop(stop, "unassigned")
            take_out(stop)
    return held.route
