"""Better routes for those who are on the road: searched from the routes as they are.

A change is kept only if it is better, breaks no promise that was kept, leaves the stop under way
where it is, gives goods that are on board to nobody else, and moves few stops.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from time import monotonic

from sqlmodel import col, select

from hub.dispatch.changes import Change, timed
from hub.dispatch.churn import Judge, Orders, Worth, best_part, exchanges, is_whole, moved
from hub.dispatch.moves import best_moves
from hub.dispatch.road import (
    Road,
    Ways,
    lenient,
    problem_of,
    published,
    read_roads,
    ways,
    with_stops,
)
from hub.errors import PluginError, Refused
from hub.hub import Hub
from hub.nouns import Plan, Problem, ProblemStop
from hub.planning.day import Point
from hub.planning.insertion import cheapest
from hub.planning.rules import Item
from hub.planning.solving import solve
from hub.planning.travel import matrix
from hub.store import DepotRow, Principal, RouteRow, Session

SECONDS = 1.5
"""From the first question to the end of the search, unless another time is asked for."""
MOST_MOVED = 0.2
MOVING = 0.45
"""Part of the time for moving single stops, which is what little churn can bring."""
SEARCHING = 0.6
"""Part of the time that is left after that for the engine; the rest is for choosing."""
SHORTEST = 0.2
"""Seconds below which an engine is not asked."""
MANY, LONG = 400, 2.0
"""Beyond so many stops an engine is asked only where it has so many seconds: it could not end in
time with anything that helps."""
Search = Callable[[Problem], Plan]


@dataclass(frozen=True)
class Scene:
    """The routes of a depot's day on the road, as they are."""

    roads: dict[str, Road]
    """With their true windows."""
    ways: Ways
    problem: Problem
    """What is late is excused by as much as it is late; goods on board are for their vehicle."""
    promised: dict[str, int]
    """Second of the day after which a stop is late."""
    before: Orders
    skipped: tuple[str, ...]
    """Routes that are not looked at."""

    @property
    def why_skipped(self) -> str:
        """Why some are not looked at, in words."""
        return "they reload on the way, or break a rule that only a person can mend"


@dataclass(frozen=True)
class Better:
    """What a search came to: the changes, in groups of routes that stand for themselves."""

    groups: tuple[tuple[Change, ...], ...]
    after: Orders
    moved: int
    was: Worth
    becomes: Worth
    judge: Judge
    engine: str = ""
    trouble: str = ""
    """Why an engine gave no plan that can be used."""


def survey(hub: Hub, principal: Principal, depot: str, day: date) -> Scene:
    """Return a depot's routes on the road; raise `Refused` where there is none to better."""
    places: dict[Point, int] = {}
    with hub.store.read(principal) as session:
        roads = roads_of(session, depot, day, places)
    if not roads:
        name = depot_name(hub, depot)
        raise Refused(f"no route of {name} on {day} is on the road with stops ahead", "depot")
    return scene(roads, ways(roads, list(places), partial(matrix, hub)))


def roads_of(session: Session, depot: str, day: date, places: dict[Point, int]) -> list[Road]:
    """Return the published routes of a day that have stops ahead."""
    ids = published(session, depot, day)
    query = select(RouteRow).where(col(RouteRow.id).in_(ids)).order_by(RouteRow.id)
    routes = list(session.exec(query))
    return [road for road in read_roads(session, routes, places) if road.stops]


def depot_name(hub: Hub, depot: str) -> str:
    """Return what people call a depot."""
    with hub.store.read() as session:
        return session.get_one(DepotRow, depot).name


def scene(roads: Sequence[Road], times: Ways) -> Scene:
    """Return routes as one problem, each stop for those vehicles that can have its goods."""
    waiting = frozenset(road.route for road in roads if not road.loaded)
    drivers = {road.driver: road.route for road in roads}
    kept: list[Road] = []
    skipped: list[Road] = []
    for road in roads:
        eased = lenient(road, times)
        eased = with_stops(eased, [pinned(one, road, waiting, drivers) for one in eased.stops])
        if len(eased.items) > len(eased.stops):  # what it loads on the way is nobody else's
            skipped.append(eased)
            continue
        order = tuple(stop.id for stop in eased.stops)
        judge = Judge(problem_of([eased], times), {})
        (kept if judge.keeps(road.route, order) else skipped).append(eased)
    routes = {road.route for road in kept}
    return Scene(
        roads={road.route: road for road in roads if road.route in routes},
        ways=times,
        problem=problem_of(kept, times),
        promised={
            stop.id: stop.windows[-1][1] for road in roads for stop in road.stops if stop.windows
        },
        before={road.route: tuple(stop.id for stop in road.stops) for road in kept},
        skipped=tuple(road.route for road in skipped),
    )


def pinned(
    stop: ProblemStop, road: Road, waiting: frozenset[str], drivers: Mapping[str, str]
) -> ProblemStop:
    """Return a stop for those routes only that can have its goods.

    What is on board stays there, what is at the depot goes with somebody who is still there, what
    is collected can be anybody's. Who may come at all is named by driver; here it is by route.
    """
    vehicles = frozenset(drivers.get(driver, driver) for driver in stop.vehicles)
    if stop.deliver and any(stop.deliver):
        mine = frozenset({road.route}) if road.loaded else waiting
        vehicles = vehicles & mine or frozenset({road.route}) if vehicles else mine
    if vehicles >= frozenset(drivers.values()):
        vehicles = frozenset()  # anybody's, which more engines know how to plan
    return stop.model_copy(update={"vehicles": vehicles})


def improve(scene: Scene, search: Search, most_moved: float, seconds: float) -> Better:
    """Return the best change that keeps all rules and moves few stops; perhaps none.

    Raises nothing for an engine that fails: the routes stay as they are then.
    """
    until = monotonic() + seconds
    judge = Judge(scene.problem, scene.promised)
    most = allowed(scene.before, most_moved)
    was = judge.worth(scene.before, scene.before)
    best = best_moves(judge, scene.before, most, until - (1 - MOVING) * seconds)
    engine, trouble = "" if best == scene.before else "moves", ""
    full = moved(scene.before, best) >= most  # an engine's plan would move others instead
    for problem in () if full else problems(scene, judge, until):
        try:
            plan = search(problem)
        except PluginError as error:
            trouble = str(error)
            continue
        after = sequences(scene, plan)
        if after is None:
            continue
        part = best_part(judge, scene.before, after, most, until)
        if judge.worth(part, part) < judge.worth(best, best):
            best, engine = part, plan.engine
    return Better(
        groups=tuple(
            tuple(change_of(scene, judge, route, best[route]) for route in sorted(group))
            for group in exchanges(scene.before, best)
        ),
        after=best,
        moved=moved(scene.before, best),
        was=was,
        becomes=judge.worth(best, best),
        judge=judge,
        engine=engine,
        trouble=trouble,
    )


def allowed(before: Orders, most_moved: float) -> int:
    """Return how many stops may move: a share of those ahead below 1, else a number of them."""
    ahead = sum(len(order) for order in before.values())
    return int(most_moved) if most_moved >= 1 else int(ahead * most_moved)


def problems(scene: Scene, judge: Judge, until: float) -> list[Problem]:
    """Return what an engine is asked: how to be in time, where somebody is late, and as things are.

    The first has the true windows of late stops, which are not in the routes that it begins with.
    """
    late = {
        visit.stop
        for route, order in scene.before.items()
        for visit in judge.look(route, order)[0].visits
        if visit.stop in scene.promised and visit.arrive > scene.promised[visit.stop]
    }
    left = (until - monotonic()) * SEARCHING
    share = left / 2 if late else left
    if share < (LONG if len(scene.problem.stops) > MANY else SHORTEST):
        return []
    asis = scene.problem.model_copy(update={"warm": dict(scene.before), "seconds": share})
    if not late:
        return [asis]
    strict = {stop.id: stop for road in scene.roads.values() for stop in road.stops}
    stops = tuple(
        stop.model_copy(update={"windows": strict[stop.id].windows}) if stop.id in late else stop
        for stop in scene.problem.stops
    )
    locked = {id for vehicle in scene.problem.vehicles for id in vehicle.locked}
    warm = {
        route: tuple(id for id in order if id not in late - locked)
        for route, order in scene.before.items()
    }
    if late & locked:  # what is under way comes when it comes
        stops = tuple(
            scene.problem.stop_of[stop.id] if stop.id in locked else stop for stop in stops
        )
    return [asis.model_copy(update={"stops": stops, "warm": warm}), asis]


def sequences(scene: Scene, plan: Plan) -> Orders | None:
    """Return the orders of a plan, with what it left out in its cheapest places; None if it fits
    nowhere, or the plan is none of these stops."""
    known = scene.problem.stop_of
    routes: dict[str, list[Item]] = {route: [] for route in scene.before}
    for route in plan.routes:
        if route.vehicle not in routes or any(visit.stop not in known for visit in route.visits):
            return None
        routes[route.vehicle] = [known[visit.stop] for visit in route.visits]
    served = {visit.stop for route in plan.routes for visit in route.visits}
    frozen = {vehicle.id: len(vehicle.locked) for vehicle in scene.problem.vehicles}
    for stop in scene.problem.stops:
        if stop.id not in served:
            place = cheapest(scene.problem, routes, stop, frozen)
            if place is None:
                return None
            routes[place.vehicle].insert(place.index, stop)
    after = {
        id: tuple(item.id for item in items if isinstance(item, ProblemStop))
        for id, items in routes.items()
    }
    return after if is_whole(scene.before, after) else None


def change_of(scene: Scene, judge: Judge, route: str, order: tuple[str, ...]) -> Change:
    """Return the new order of one route, with its times."""
    return timed(scene.roads[route], scene.ways, judge.look(route, order)[0])


def searching(hub: Hub) -> Search:
    """Return a search by the engine that the hub chooses."""
    return lambda problem: solve(hub, problem)


def late_stops(scene: Scene, judge: Judge, orders: Orders) -> int:
    """Return how many stops are reached after what was promised."""
    return sum(
        visit.arrive > scene.promised[visit.stop]
        for route, order in orders.items()
        for visit in judge.look(route, order)[0].visits
        if visit.stop in scene.promised
    )
