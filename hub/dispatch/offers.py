"""What one more stop costs: the price of a place in a route, and who is reached later for it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import col, select

from hub.dispatch.changes import Change, as_change
from hub.dispatch.road import Road, Ways, problem_of
from hub.nouns import Noun, ProblemStop
from hub.planning.schedule import Timetable, run
from hub.store import DriverRow, OrderRow, Session, StopRow


class Later(Noun):
    """Somebody who is reached a minute or more later than without the new stop, or too late."""

    stop: str
    ref: str = ""
    """Of the order."""
    name: str = ""
    seconds: int
    """By how much."""
    late: int = 0
    """Seconds after what was promised; 0 for who is still in time."""


class Other(Noun):
    """The price of the best place on another route."""

    route: str
    driver: str
    driver_name: str
    position: int
    planned_at: datetime
    extra_seconds: int
    extra_metres: int
    delayed: int


class Offer(Noun):
    """Where one more stop fits, and its price."""

    stop: str
    route: str
    driver: str
    driver_name: str = ""
    position: int
    """Along the whole route, from 1."""
    planned_at: datetime
    extra_seconds: int
    """By how much later the driver is back."""
    extra_metres: int
    delayed: int
    """How many other stops are reached a minute or more later."""
    later: tuple[Later, ...] = ()
    """Those stops; none breaks its promise, unless that was asked for."""
    own_late: int = 0
    """Seconds after its own window at which the stop is reached, where that was asked for."""
    fetch: bool = False
    """Whether the driver has left: goods that are at the depot have to be fetched."""
    others: tuple[Other, ...] = ()
    """The best places of other drivers, the shortest detour first."""
    approximate: bool
    change: Change

    @property
    def key(self) -> str:
        """What this offer is known by: another place, or another state of the route, has another.

        Times are not in it; they move on while a person thinks.
        """
        told = (self.stop, self.change.stamp, *self.change.stops)
        return hashlib.sha256("\n".join(told).encode()).hexdigest()[:32]

    @property
    def lateness(self) -> int:
        """Seconds that it and others come after what was promised, in all."""
        return self.own_late + sum(one.late for one in self.later)

    def as_other(self) -> Other:
        """Return the offer as one of the others."""
        return Other(**self.model_dump(include=set(Other.model_fields)))


def in_words(offer: Offer) -> str:
    """Return the price of an offer in a sentence: who takes it, and who is too late for it."""
    more = f"{offer.extra_seconds / 60:.0f} min and {offer.extra_metres / 1000:.1f} km more"
    late = [
        f"{one.ref or one.name or one.stop} {minutes(one.late)}" for one in offer.later if one.late
    ]
    if offer.own_late:
        late.insert(0, f"the stop itself {minutes(offer.own_late)}")
    told = f"{offer.driver_name or offer.driver} as stop {offer.position}: {more}"
    return f"{told}; too late: {', '.join(late)}" if late else told


def minutes(seconds: int) -> str:
    """Return seconds in minutes, never none of them."""
    return f"{max(1, round(seconds / 60))} min"


def priced(road: Road, ways: Ways, stop: ProblemStop, made: Timetable) -> Offer:
    """Return a timetable of a route with the stop in it as an offer.

    `road` has its true windows, so that what becomes late is seen.
    """
    before = run(problem_of([road], ways), road.vehicle, road.items, road.vehicle.shift[0])
    known = {visit.stop: visit.arrive for visit in before.visits}
    closes = {one.id: one.windows[-1][1] for one in (*road.stops, stop) if one.windows}
    after = {visit.stop: visit.arrive for visit in made.visits}
    index = list(after).index(stop.id)
    overdue = {id: max(0, at - closes[id]) for id, at in after.items() if id in closes}
    later = tuple(
        Later(stop=id, seconds=at - known[id], late=overdue.get(id, 0))
        for id, at in after.items()
        if id in known and (at - known[id] >= 60 or (overdue.get(id) and at > known[id]))
    )
    change = as_change(road, before, made)
    return Offer(
        stop=stop.id,
        route=road.route,
        driver=road.driver,
        position=len(road.behind) + index + 1,
        planned_at=change.times[index],
        extra_seconds=made.ends - before.ends,
        extra_metres=change.metres,
        delayed=sum(one.seconds >= 60 for one in later),
        later=later,
        own_late=overdue.get(stop.id, 0),
        fetch=road.loaded and bool(stop.deliver),
        approximate=ways.approximate,
        change=change,
    )


def named(session: Session, offers: Sequence[Offer]) -> Offer:
    """Return the first of some offers, with names for people and the rest as its others."""
    names = select(DriverRow.id, DriverRow.name)
    drivers = dict(
        session.exec(names.where(col(DriverRow.id).in_({offer.driver for offer in offers}))).all()
    )
    best, *others = [
        offer.model_copy(update={"driver_name": drivers[offer.driver]}) for offer in offers
    ]
    query = select(StopRow.id, OrderRow.ref, OrderRow.name).join(
        OrderRow, col(OrderRow.id) == StopRow.order
    )
    ids = [one.stop for one in best.later]
    about = {id: more for id, *more in session.exec(query.where(col(StopRow.id).in_(ids)))}
    later = tuple(
        one.model_copy(update=dict(zip(("ref", "name"), about[one.stop], strict=True)))
        for one in best.later
    )
    return best.model_copy(
        update={"later": later, "others": tuple(offer.as_other() for offer in others)}
    )
