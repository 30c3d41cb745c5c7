"""The reasons for which a plan had no time: worked out behind it, or when somebody asks."""

from __future__ import annotations

from collections.abc import Sequence

from hub.access import get
from hub.errors import Refused
from hub.hub import Hub
from hub.nouns import PlannedRoute, Problem, Unserved, Visit
from hub.planning.day import Day, survey
from hub.planning.deadline import Deadline
from hub.planning.explain import Outcome, Timeline
from hub.planning.insertion import find
from hub.planning.quotes import Fleet
from hub.planning.reasons import PENDING, explained
from hub.planning.relaxations import proven
from hub.planning.schedule import items_of
from hub.planning.travel import tables
from hub.queue import Claim, finish
from hub.store import DepotRow, PlanRow, Session, System

KIND = "plan_reasons"
SECONDS = 60.0
"""How long it may take."""
FITS = "there is room for it after all; plan again with more seconds, or improve the plan"


def work(hub: Hub, claim: Claim) -> None:
    """Find the reasons of the plan that a worker has claimed."""
    look_again(hub, claim.subject)
    with hub.store.write(System()) as session:
        finish(session, claim)


def awaited(left: Sequence[Unserved]) -> list[Unserved]:
    """Return those stops for which no reason was found yet."""
    return [one for one in left if one.reason == PENDING and not one.rule]


def look_again(hub: Hub, id: str, seconds: float = SECONDS) -> int:
    """Find and keep the reasons that a plan lacks; return how many it still lacks.

    They are those of its routes as they were made; when the day has gone on since, because routes
    were published or planned anew, nothing is found any more.
    """
    until = Deadline.after(seconds)
    with hub.store.read(System()) as session:
        plan = get(session, PlanRow, id)
        waiting = awaited(kept(plan))
        if not waiting or plan.state != "done":
            return len(waiting)
        day = same_day(session, plan)
    if day is None:
        return len(waiting)
    first, *rest = day.profiles
    times = tables(hub, day.points, day.profiles, day.departs)
    problem = day.problem(times[first], SECONDS, profiles={one: times[one] for one in rest})
    found = {one.stop: one for one in looked(problem, kept_routes(plan), waiting, until)}
    with hub.store.write(System()) as session:
        row = session.get_one(PlanRow, id)
        left = [found.get(one.stop, one) for one in kept(row)]
        row.unserved = [one.model_dump(mode="json") for one in left]
    return len(awaited(left))


def kept(plan: PlanRow) -> list[Unserved]:
    """Return what a plan left out."""
    return [Unserved.model_validate(one) for one in plan.unserved]


def kept_routes(plan: PlanRow) -> dict[str, PlannedRoute]:
    """Return the routes of a plan by driver, as they were kept."""
    lines = Outcome.model_validate(plan.outcome or {}).timelines
    return {line.vehicle: route_of(line) for line in lines}


def route_of(line: Timeline) -> PlannedRoute:
    """Return the route that is told along the clock."""
    return PlannedRoute(
        vehicle=line.vehicle,
        visits=tuple(
            Visit(stop=one.stop, arrive=one.begins, depart=one.leaves) for one in line.moments
        ),
        starts=line.starts,
        ends=line.ends,
        metres=line.metres,
        pauses=line.pauses,
    )


def same_day(session: Session, plan: PlanRow) -> Day | None:
    """Return the day of a plan, None where not all of it is open any more, or begun by now."""
    try:
        day = survey(session, session.get_one(DepotRow, plan.depot), plan.service_date)
    except Refused:
        return None
    stops = {stop.id for stop in day.stops}
    routes = kept_routes(plan)
    spoken = {visit.stop for route in routes.values() for visit in route.visits}
    spoken |= {one.stop for one in awaited(kept(plan))}
    begins = {one.id: one.shift[0] for one in day.vehicles}
    gone = any(route.starts < begins.get(id, route.starts + 1) for id, route in routes.items())
    return None if gone or not spoken <= stops else day


def looked(
    problem: Problem,
    routes: dict[str, PlannedRoute],
    waiting: Sequence[Unserved],
    until: Deadline,
) -> list[Unserved]:
    """Return the reasons of stops as far as the time goes; each is tried by the checker."""
    fleet = Fleet(problem, {id: items_of(problem, route) for id, route in routes.items()})
    told = []
    for one in waiting:
        stop = problem.stop_of[one.stop]
        if until.over:
            break
        if find(fleet, stop, 1, until):
            told.append(one.model_copy(update={"reason": FITS}))
            continue
        told += [
            reason
            for reason in explained(problem, fleet, [stop], (), until)
            if reason.rule and proven(problem, routes, reason)
        ]
    return told
