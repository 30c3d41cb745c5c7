"""A plan explained to people: names instead of ids, sentences beside the numbers."""

from __future__ import annotations

from datetime import date, datetime

from sqlmodel import col, select

from hub.access import scoped
from hub.dispatch import sheets
from hub.dispatch.sheets import Name
from hub.errors import Refused
from hub.nouns import Noun, Relaxation, Unserved
from hub.orders.happenings import by_id
from hub.planning.day import midnight
from hub.planning.explain import Comparison, Outcome, Timeline, difference
from hub.planning.words import Names, words
from hub.store import DepotRow, DriverRow, OrderRow, PlanRow, Session, StopRow


class RouteTold(Noun):
    """One driver's route along the clock."""

    driver: Name
    timeline: Timeline


class LeftOutTold(Noun):
    """A stop that is in no route: why, and the least that would make it fit."""

    stop: str
    ref: str
    rule: str
    reason: str
    driver: Name | None
    """Whose route would take it."""
    fits: str
    """What would have to give way, in words; empty where nothing helps."""
    relaxations: tuple[Relaxation, ...]
    place: str = ""
    """Its address and pin, where these are what has to be looked at."""


class Explanation(Noun):
    """What a plan came to and why."""

    plan: str
    depot: Name
    service_date: date
    midnight: datetime
    """From when all seconds count."""
    timezone: str
    """Of the depot."""
    cost: int
    metres: int
    seconds: int
    routes: tuple[RouteTold, ...]
    left_out: tuple[LeftOutTold, ...]
    names: dict[str, str]
    """What the stops that are spoken of are called: their orders' numbers."""
    previous: str | None
    """The plan of the same depot and day before this one."""
    changes: Comparison | None
    """What is different from it."""


def explained(session: Session, plan: PlanRow) -> Explanation:
    """Return a plan explained; what was kept of it does not hang on its drafts.

    Raises `Refused` for one that is not done.
    """
    if plan.state != "done":
        why = f": {plan.reason}" if plan.reason else ""
        raise Refused(
            f"plan {plan.id} is {plan.state}; only one that is done can be explained{why}"
        )
    depot = session.get_one(DepotRow, plan.depot)
    kept = Outcome.model_validate(plan.outcome or {})
    left = [Unserved.model_validate(one) for one in plan.unserved]
    before = previous(session, plan)
    was = still_asked(Outcome.model_validate(before.outcome), kept, left) if before else None
    before, changes = (before, difference(was, kept)) if was is not None else (None, None)
    drivers, refs = names(session, kept, left, changes)
    places = {one.stop: one.place for one in sheets.left_out(session, plan)}

    def name_of(id: str) -> str:
        return drivers.get(id) or refs.get(id) or ""

    return Explanation(
        plan=plan.id,
        depot=Name(id=depot.id, name=depot.name),
        service_date=plan.service_date,
        midnight=midnight(plan.service_date, depot.timezone),
        timezone=depot.timezone,
        cost=kept.cost,
        metres=kept.metres,
        seconds=kept.seconds,
        routes=tuple(
            RouteTold(driver=Name(id=one.vehicle, name=name_of(one.vehicle)), timeline=one)
            for one in kept.timelines
        ),
        left_out=tuple(left_out(one, name_of, places.get(one.stop, "")) for one in left),
        names=refs,
        previous=before and before.id,
        changes=changes,
    )


def still_asked(was: Outcome, now: Outcome, left: list[Unserved]) -> Outcome | None:
    """Return an earlier outcome without the routes that the later plan was not about.

    Routes are published between two plans; their stops are not asked for again, and are on the
    road, not left out. None where all of them are.
    """
    asked = {stop for stops in now.routes.values() for stop in stops} | {one.stop for one in left}
    gone = {driver for driver, stops in was.routes.items() if stops and asked.isdisjoint(stops)}
    if not gone:
        return was
    if len(gone) == len(was.routes):
        return None
    lines = [one for one in was.timelines if one.vehicle in gone]
    return was.model_copy(
        update={
            "routes": {who: stops for who, stops in was.routes.items() if who not in gone},
            "timelines": tuple(one for one in was.timelines if one.vehicle not in gone),
            "cost": was.cost - sum(one.cost for one in lines),
            "metres": was.metres - sum(one.metres for one in lines),
            "seconds": was.seconds - sum(one.ends - one.starts for one in lines),
        }
    )


def left_out(one: Unserved, name_of: Names, place: str) -> LeftOutTold:
    """Return a stop that was left out, with names and sentences."""
    return LeftOutTold(
        stop=one.stop,
        ref=name_of(one.stop),
        rule=one.rule,
        reason=one.reason,
        driver=Name(id=one.vehicle, name=name_of(one.vehicle)) if one.vehicle else None,
        fits=words(one, name_of),
        relaxations=one.relaxations,
        place=place,
    )


def previous(session: Session, plan: PlanRow) -> PlanRow | None:
    """Return the last plan of the same depot and day that was made before, if any."""
    earlier = (
        scoped(session, PlanRow)
        .where(
            PlanRow.depot == plan.depot,
            PlanRow.service_date == plan.service_date,
            PlanRow.state == "done",
            col(PlanRow.id) < plan.id,
        )
        .order_by(col(PlanRow.id).desc())
    )
    return next((row for row in session.exec(earlier.limit(5)) if row.outcome), None)


def names(
    session: Session, kept: Outcome, left: list[Unserved], changes: Comparison | None
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the names of the drivers and the orders' numbers of the stops that are spoken of."""
    stops = {stop for route in kept.routes.values() for stop in route}
    stops |= {one.stop for one in left}
    stops |= {asked.stop for one in left for asked in one.relaxations if asked.stop}
    drivers = {*kept.routes, *(one.vehicle for one in left if one.vehicle)}
    if changes is not None:
        stops |= {one.stop for one in changes.moved} | {*changes.left_out}
        drivers |= {one.before for one in changes.moved}
    rows = by_id(session, StopRow, stops)
    orders = by_id(session, OrderRow, {row.order for row in rows.values()})
    known = session.exec(select(DriverRow).where(col(DriverRow.id).in_(drivers)))
    return (
        {row.id: row.name for row in known},
        {id: orders[row.order].ref for id, row in rows.items() if row.order in orders},
    )
