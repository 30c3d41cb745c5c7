"""A driver who cannot go on: the stops that were not done lose their route and find others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from hub.dispatch.flags import flag_unserved, raise_flag
from hub.dispatch.held import hold
from hub.dispatch.insertion import place
from hub.dispatch.reoptimisations import LOST, request
from hub.dispatch.road import check_published
from hub.dispatch.sequence import take_off
from hub.errors import HubError, Refused
from hub.events import append
from hub.events.catalogue import DriverLost, RouteChanged, RouteClosed
from hub.events.facts import DriverFacts, LossFacts
from hub.hub import Hub
from hub.nouns import Noun
from hub.orders.happenings import routes_facts
from hub.store import DepotRow, DriverRow, OrderRow, Principal, RouteRow, Session, StopRow
from hub.store.states import OPEN, move_route, move_stop

GONE = "its goods are lost"
Goods = Literal["at_depot", "handed_over", "lost"]
"""Where the goods of the stops that were not done are: at the depot, so that only who has not left
can take them; with somebody who hands them to the other drivers; or gone with the van."""


class Dropped(Noun):
    """What a driver who cannot go on leaves behind."""

    route: str
    driver: str
    goods: str
    stops: tuple[str, ...]


class Placed(Noun):
    """A stop that another driver takes."""

    stop: str
    route: str
    driver: str
    extra_seconds: int
    extra_metres: int


class Left(Noun):
    """A stop that nobody takes, and why."""

    stop: str
    reason: str


class Redistributed(Noun):
    """What became of the stops of a driver who cannot go on."""

    route: str
    goods: str
    placed: tuple[Placed, ...]
    left: tuple[Left, ...]
    reoptimisation: str
    """The search that takes up what is left and betters the routes; empty where there is none."""


def drop(session: Session, route_id: str, reason: str, goods: str = "") -> Dropped:
    """Take all that was not done off a route, end it, tell `driver.lost` and raise a flag.

    Before the driver has left the goods are at the depot. After that the caller has to say where
    they are, or `Refused` is raised. The promises to the recipients stay. Stops whose goods are
    lost are flagged one by one, and nothing puts them into a route by itself.
    """
    held = hold(session, route_id)
    route = held.route
    check_published(route)
    where = whereabouts(route, goods)
    driver = session.get_one(DriverRow, route.driver)
    undone = [stop for stop in held.stops if stop.state in OPEN]
    for stop in undone:
        if stop.state == "arrived":
            move_stop(stop, "dispatched")
        take_off(stop)
        if where == "lost":
            flag_lost(session, stop, driver)
    end(session, route)
    session.flush()
    tell(session, route, driver, LossFacts(goods=where, reason=reason, stops=len(undone)))
    text = f"{driver.name} cannot go on ({reason or 'no reason given'}): {len(undone)} stops open"
    raise_flag(session, f"driver_lost:{route.id}", "driver_lost", text, subject=route.id)
    return Dropped(
        route=route.id, driver=driver.id, goods=where, stops=tuple(stop.id for stop in undone)
    )


def whereabouts(route: RouteRow, goods: str) -> str:
    """Return where the goods are; raise `Refused` where only a person can know and has not said."""
    if goods not in ("", *get_args(Goods)):
        raise Refused(f"goods is one of {', '.join(get_args(Goods))}, not {goods!r:.40}", "goods")
    if route.state == "ready":
        return goods or "at_depot"
    if not goods:
        raise Refused(
            "the driver has left with the goods: say where they are now, "
            "at_depot, handed_over (to the other drivers) or lost",
            "goods",
        )
    return goods


def flag_lost(session: Session, stop: StopRow, driver: DriverRow) -> None:
    """Say that the goods of a stop are gone; once per attempt."""
    ref = session.get_one(OrderRow, stop.order).ref
    text = f"The goods of order {ref} were in the van of {driver.name}, who cannot go on"
    key = f"{LOST}:{stop.id}:{stop.attempts}"
    raise_flag(session, key, LOST, text, subject=stop.id, merchant=stop.merchant)


def end(session: Session, route: RouteRow) -> None:
    """End a route: closed where it was under way, else cancelled."""
    if route.state == "in_progress":
        move_route(route, "closed")
        route.closed_at = session.now
    else:
        move_route(route, "cancelled")


def tell(session: Session, route: RouteRow, driver: DriverRow, loss: LossFacts) -> None:
    """Append what became of the route, and that its driver is lost."""
    about = {
        "subject": route.id,
        "route": routes_facts(session, [route])[0],
        "driver": DriverFacts(id=driver.id),
        "driver_name": driver.name,
    }
    append(session, (RouteClosed if route.state == "closed" else RouteChanged)(**about))
    append(session, DriverLost(**about, loss=loss))


def hand_on(
    session: Session, route_id: str, reason: str = "", goods: str = "", by: str = ""
) -> Redistributed:
    """Take the undone stops off a route and ask a worker to give them to others, all in one go.

    `reoptimisation` says what becomes of them: the worker puts each where it costs least, flags
    what fits nowhere, and betters the routes after that. Raises as `drop` does.
    """
    dropped = drop(session, route_id, reason, goods)
    lost = dropped.stops if dropped.goods == "lost" else ()
    search = take_up(session, dropped, by, dropped.stops) if dropped.stops and not lost else ""
    return Redistributed(
        route=route_id,
        goods=dropped.goods,
        placed=(),
        left=tuple(Left(stop=stop, reason=GONE) for stop in lost),
        reoptimisation=search,
    )


def take_up(session: Session, dropped: Dropped, by: str, stops: Sequence[str]) -> str:
    """Ask a worker to put `stops` into other routes and to better the day; return the search."""
    route = session.get_one(RouteRow, dropped.route)
    depot, day = session.get_one(DepotRow, route.depot), route.service_date
    waiting = bool(stops) and dropped.goods == "at_depot"
    found = request(session, depot, day, by, insert=bool(stops), waiting=waiting, stops=stops)
    return found.id


def redistribute(
    hub: Hub,
    principal: Principal,
    route_id: str,
    reason: str = "",
    goods: str = "",
    by: str = "",
) -> Redistributed:
    """Take the undone stops off a route and give each to whom it costs least, in this process.

    Then a worker betters the routes of the day; where the travel times did not answer, it also puts
    in what is left. Stops that fit nowhere stay without a route and are flagged with the reason.
    Raises `Refused` where it is not known where the goods are.
    """
    with hub.store.write(principal) as session:
        dropped = drop(session, route_id, reason, goods)
    placed: list[Placed] = []
    left: list[Left] = []
    again: list[str] = []
    for stop in dropped.stops:
        if dropped.goods == "lost":
            left.append(Left(stop=stop, reason=GONE))
        elif give(hub, principal, stop, dropped, placed, left):
            again.append(stop)
    search = ""
    if placed or again:
        with hub.store.write(principal) as session:
            search = take_up(session, dropped, by, again)
    return Redistributed(
        route=route_id,
        goods=dropped.goods,
        placed=tuple(placed),
        left=tuple(left),
        reoptimisation=search,
    )


def give(
    hub: Hub,
    principal: Principal,
    stop: str,
    dropped: Dropped,
    placed: list[Placed],
    left: list[Left],
) -> bool:
    """Put one stop into its best place, or flag it with the reason why there is none.

    Return whether a worker has to try again, because that could not be found out now.
    """
    try:
        offer = place(hub, principal, stop, waiting=dropped.goods == "at_depot")
    except Refused as error:
        left.append(Left(stop=stop, reason=str(error)))
        with hub.store.write(principal) as session:
            flag_unserved(session, stop, str(error))
        return False
    except HubError as error:
        left.append(Left(stop=stop, reason=f"{error}; a worker tries again"))
        return True
    placed.append(
        Placed(
            stop=stop,
            route=offer.route,
            driver=offer.driver,
            extra_seconds=offer.extra_seconds,
            extra_metres=offer.extra_metres,
        )
    )
    return False
