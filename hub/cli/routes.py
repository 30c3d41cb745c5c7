"""`hub routes`: see and change what is on the road from the terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from hub.cli.plans import BY, ready
from hub.hub import Hub
from hub.store import Session

if TYPE_CHECKING:
    from hub.dispatch.dropout import Redistributed
    from hub.dispatch.offers import Offer
    from hub.dispatch.sheets import RouteSheet
    from hub.store import ReoptimisationRow

DAY = click.DateTime(["%Y-%m-%d"])
as_json = click.option("--json", "as_json", is_flag=True, help="For programs.")


@click.group("routes")
def routes_command() -> None:
    """Better the routes on the road, put stops in, spread a lost driver's stops."""


@routes_command.command("list")
@click.option("--depot", default="", help="Name or id of the depot; the only one by default.")
@click.option("--date", "day", type=DAY, help="Day of the routes; today by default.")
@as_json
def list_routes(depot: str, day: datetime | None, as_json: bool) -> None:
    """Show the routes of a day and the stops that have none, with their ids."""
    from hub.dispatch.sheets import open_stops, routes_of
    from hub.fleet.roster import depot_or_only

    hub = ready()
    with hub.store.read(BY) as session:
        found = depot_or_only(session, depot)
        at = day_of(session, found.id, day)
        routes, waiting = routes_of(session, at, found.id), open_stops(session, at, found.id)
    if as_json:
        told = {
            "routes": [one.model_dump(mode="json") for one in routes],
            "open": [one.model_dump(mode="json") for one in waiting],
        }
        click.echo(json.dumps(told))
        return
    for route in routes:
        click.echo(line_of(route, ZoneInfo(found.timezone)))
    if not routes:
        click.echo(f"{found.name} has no routes on {at}; plan them with: hub plan", err=True)
    for stop in waiting:
        click.echo(f"without a route: {stop.ref} {stop.name}  {stop.id}")


@routes_command.command("reoptimise")
@click.option("--depot", default="", help="Name or id of the depot; the only one by default.")
@click.option("--date", "day", type=DAY, help="Day of the routes; today by default.")
@click.option("--seconds", default=1.5, show_default=True, help="How long it may take.")
@click.option(
    "--most-moved",
    default=0.2,
    show_default=True,
    help="Share of the stops ahead that may move, or their number from 1 on.",
)
@click.option("--insert", is_flag=True, help="First put in promised stops without a route.")
@as_json
def reoptimise(depot: str, day: datetime | None, as_json: bool, **wishes: Any) -> None:
    """Look for better routes at once, and keep them if they are."""
    from hub.dispatch import reoptimisations, reworking
    from hub.errors import HubError
    from hub.fleet.roster import depot_or_only

    hub = ready()
    with hub.store.write(BY) as session:
        at = day_of(session, depot_or_only(session, depot).id, day)
        row = reoptimisations.begun(session, depot, at, "cli", **wishes)
    done = reworking.now(hub, row.id)
    if as_json:
        click.echo(json.dumps(done.model_dump(mode="json", exclude={"before", "stamps"})))
    if done.state == "failed":
        raise HubError(done.reason)
    if not as_json:
        click.echo("\n".join(told(hub, done)))


@routes_command.command("undo")
@click.argument("reoptimisation")
@as_json
def undo(reoptimisation: str, as_json: bool) -> None:
    """Take a REOPTIMISATION (its id) back, while nobody has driven on."""
    from hub.dispatch.undoing import undo as take_back

    row = take_back(ready(), BY, reoptimisation)
    if as_json:
        click.echo(json.dumps({"id": row.id, "state": row.state, "routes": sorted(row.before)}))
        return
    click.echo(f"{row.id} is taken back: {len(row.before)} routes are as they were before")


@routes_command.command("insert")
@click.argument("stop")
@click.option("--route", default=None, help="The only one that may take it: its id or driver.")
@click.option("--dry", is_flag=True, help="Only say what it would cost.")
@click.option("--even-late", is_flag=True, help="Also where promises are broken.")
@as_json
def insert(stop: str, route: str | None, dry: bool, even_late: bool, as_json: bool) -> None:
    """Put an unassigned STOP (its id, or its order's number) into the route that it costs least."""
    from hub.dispatch import insertion
    from hub.dispatch.offers import in_words
    from hub.errors import HubError

    hub = ready()
    with hub.store.read(BY) as session:
        stop = find_stop(session, stop)
        only = None if route is None else find_route(session, route)
    do = insertion.price if dry else insertion.place
    try:
        offer = do(hub, BY, stop, only, even_late=even_late)
    except insertion.NoPlace as error:
        least = None if even_late else insertion.least(hub, BY, stop, only)
        if least is None:
            raise
        more = f"late by the least with {in_words(least)}; to take that, add --even-late"
        raise HubError(f"{error}\n{more}") from error
    if as_json:
        click.echo(json.dumps(offer.model_dump(mode="json", exclude={"change"})))
        return
    click.echo("\n".join(priced(offer, zone_of(hub, offer.route), dry)))


@routes_command.command("lost")
@click.argument("route")
@click.option("--reason", default="", help="Why the driver cannot go on.")
@click.option(
    "--goods",
    type=click.Choice(["at_depot", "handed_over", "lost"]),
    default=None,
    help="Where the goods are, once the driver has left.",
)
@click.option("--only-tell", is_flag=True, help="Leave the stops to a workflow.")
@as_json
def lost(route: str, reason: str, goods: str | None, only_tell: bool, as_json: bool) -> None:
    """Say that the driver of ROUTE (its id, or the driver's name) cannot go on.

    The stops that are not done are given to others at once.
    """
    from hub.dispatch.dropout import drop, redistribute

    hub = ready()
    with hub.store.read(BY) as session:
        route = find_route(session, route)
    if only_tell:
        with hub.store.write(BY) as session:
            dropped = drop(session, route, reason, goods or "")
        text = f"{len(dropped.stops)} stops have no route now"
        click.echo(dropped.model_dump_json() if as_json else text)
        return
    made = redistribute(hub, BY, route, reason, goods or "", "cli")
    click.echo(made.model_dump_json() if as_json else "\n".join(spread(hub, made)))


def day_of(session: Session, depot: str, day: datetime | None) -> date:
    """Return the day that was named, else today at a depot (id)."""
    from hub.fleet.roster import today

    return today(session, depot) if day is None else day.date()


def find_stop(session: Session, named: str) -> str:
    """Return the id of a stop by its id or its order's number; raise `Missing` or `Refused`."""
    from sqlmodel import col, or_, select

    from hub.errors import Missing, Refused
    from hub.store import OrderRow, StopRow

    query = select(StopRow.id, StopRow.state).join(OrderRow, col(OrderRow.id) == StopRow.order)
    found = session.exec(query.where(or_(StopRow.id == named, OrderRow.ref == named)))
    stops = {str(id): state for id, state in found}
    if not stops:
        raise Missing(f"there is no stop or order {named}; see the open ones with: hub routes list")
    waiting = [id for id, state in stops.items() if state == "unassigned"] or list(stops)
    if len(waiting) > 1:
        ids = ", ".join(waiting)
        raise Refused(f"{len(waiting)} orders are called {named}; name one by its stop: {ids}")
    return waiting[0]


def find_route(session: Session, named: str) -> str:
    """Return the id of a route by its id or its driver; raise `Missing` or `Refused`."""
    from sqlmodel import col, select

    from hub.errors import Missing, Refused
    from hub.fleet.roster import find_driver
    from hub.planning.day import TAKEN
    from hub.store import RouteRow

    if session.get(RouteRow, named) is not None:
        return named
    try:
        driver = find_driver(session, named)
    except Missing:
        raise Missing(
            f"there is no route or driver {named}; see them with: hub routes list"
        ) from None
    query = select(RouteRow.id, col(RouteRow.service_date)).where(
        RouteRow.driver == driver.id, col(RouteRow.state).in_(TAKEN)
    )
    routes = {str(id): day for id, day in session.exec(query)}
    if not routes:
        raise Missing(f"{driver.name} has no published route; see them with: hub routes list")
    if len(routes) > 1:
        which = ", ".join(f"{id} of {day}" for id, day in routes.items())
        raise Refused(f"{driver.name} has {len(routes)} routes; name one by its id: {which}")
    return next(iter(routes))


def zone_of(hub: Hub, route: str) -> ZoneInfo:
    """Return the time zone of a route's depot."""
    from hub.store import DepotRow, RouteRow

    with hub.store.read(BY) as session:
        depot = session.get_one(RouteRow, route).depot
        return ZoneInfo(session.get_one(DepotRow, depot).timezone)


def line_of(route: RouteSheet, zone: ZoneInfo) -> str:
    """Return a route in a line."""
    from hub.store.states import ENDED

    done = sum(stop.state in ENDED for stop in route.stops)
    hours = f"{route.starts_at.astimezone(zone):%H:%M}-{route.ends_at.astimezone(zone):%H:%M}"
    return (
        f"{route.id}  {route.driver.name:<18} {route.state:<11} {hours}  "
        f"{done:>2} of {len(route.stops):>2} stops done  {route.metres / 1000:.1f} km"
    )


def told(hub: Hub, done: ReoptimisationRow) -> list[str]:
    """Return what came of a re-optimisation, in lines."""
    lines = [f"{len(done.inserted)} stops without a route were put in"] if done.inserted else []
    lines += without(refs_of(hub, [one["stop"] for one in done.unserved]), done.unserved)
    if done.moved:
        lines.append(
            f"{done.moved} stops moved on {done.routes} routes, "
            f"{change(-done.gain_seconds / 60, 'min', 0)}, "
            f"{change(-done.gain_metres / 1000, 'km', 1)}, "
            f"late {done.late_before} -> {done.late_after}"
        )
        lines.append(f"take it back with: hub routes undo {done.id}")
    return [*lines, done.reason] if done.reason else lines or ["nothing was moved"]


def change(amount: float, unit: str, digits: int) -> str:
    """Return a difference in words: `5 min less`, `13.6 km more`."""
    shown = f"{abs(amount):.{digits}f}"
    way = "" if float(shown) == 0 else " less" if amount < 0 else " more"
    return f"{shown} {unit}{way}" if way else f"as many {unit}"


def priced(offer: Offer, zone: ZoneInfo, dry: bool) -> list[str]:
    """Return an offer in lines: who takes it, who is reached later for it, and who else could."""
    takes = "would take" if dry else "takes"
    lines = [
        f"{offer.driver_name} {takes} it as stop {offer.position}, at "
        f"{offer.planned_at.astimezone(zone):%H:%M}: {offer.extra_seconds / 60:.0f} min and "
        f"{offer.extra_metres / 1000:.1f} km more"
        + (" (travel times are approximate)" if offer.approximate else "")
    ]
    if offer.own_late:
        lines.append(f"  the stop itself: {offer.own_late / 60:.0f} min after its window")
    for one in offer.later:
        late = f", {one.late / 60:.0f} min after the promise" if one.late else ""
        lines.append(f"  {one.ref} {one.name}: {one.seconds / 60:.0f} min later{late}")
    if offer.fetch:
        lines.append("  the driver has left: goods that lie at the depot have to be fetched")
    for other in offer.others:
        lines.append(
            f"  or {other.driver_name}: {other.extra_seconds / 60:.0f} min and "
            f"{other.extra_metres / 1000:.1f} km more"
        )
    return lines


def spread(hub: Hub, made: Redistributed) -> list[str]:
    """Return who takes a lost driver's stops, in lines."""
    from hub.orders.happenings import by_id
    from hub.store import DriverRow

    left = [one.model_dump() for one in made.left]
    refs = refs_of(hub, [one.stop for one in made.placed] + [one.stop for one in made.left])
    with hub.store.read(BY) as session:
        drivers = by_id(session, DriverRow, {one.driver for one in made.placed})
    lines = [f"{len(made.placed)} stops were given to others, {len(made.left)} to nobody"]
    lines += [f"  {refs[one.stop]}: {drivers[one.driver].name}" for one in made.placed]
    return [*lines, *without(refs, left)]


def without(refs: Mapping[str, str], left: Sequence[Mapping[str, str]]) -> list[str]:
    """Return in lines why stops have no route; those with the same reason in one."""
    reasons: dict[str, list[str]] = {}
    for one in left:
        reasons.setdefault(one["reason"], []).append(refs[one["stop"]])
    return [f"  {', '.join(stops)}: {reason}" for reason, stops in reasons.items()]


def refs_of(hub: Hub, ids: Sequence[str]) -> dict[str, str]:
    """Return what people call stops (ids): the numbers of their orders."""
    from hub.orders.happenings import by_id
    from hub.store import OrderRow, StopRow

    with hub.store.read(BY) as session:
        stops = by_id(session, StopRow, set(ids))
        orders = by_id(session, OrderRow, {stop.order for stop in stops.values()})
    return {id: orders[stop.order].ref or id for id, stop in stops.items()}
