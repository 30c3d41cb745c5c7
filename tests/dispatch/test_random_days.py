"""Random days on the road: whatever is changed, promises, the next stop and the churn are kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from random import Random

import pytest
from sqlmodel import col, select

from hub.dispatch import reoptimisations, reworking
from hub.dispatch.churn import Judge, moved
from hub.dispatch.dropout import redistribute
from hub.dispatch.insertion import eased
from hub.dispatch.reoptimise import Scene, survey
from hub.dispatch.road import Road, Ways, problem_of, read_roads, ways
from hub.dispatch.undoing import undo
from hub.errors import Refused
from hub.hub import Hub
from hub.nouns import Plan
from hub.planning.check import faults
from hub.planning.day import TAKEN, Point
from hub.planning.schedule import planned, run
from hub.planning.travel import matrix
from hub.store import FlagRow, RouteRow, System
from hub.testing.fixtures import set_time
from hub.testing.town import DAY, Town, at

STAFF = System()
SEEDS = range(8)
NOW = at(10)


def lay(hub: Hub, town: Town, random: Random) -> list[str]:
    """Publish a day of some drivers, let part of them drive, and return the routes."""
    for number in range(random.randint(2, 4)):
        town.driver(f"Driver {number}", random.choice((25, 40, 60)))
    for _ in range(random.randint(14, 22)):
        opens = random.choice((None, None, 9, 11, 13))
        town.stop(
            random.uniform(-0.05, 0.05),
            random.uniform(-0.05, 0.05),
            load=random.randint(1, 4),
            service_time=random.choice((60, 180, 600)),
            window_start=None if opens is None else at(opens),
            window_end=None if opens is None else at(opens + 3),
            kind=random.choice(("delivery", "delivery", "delivery", "collection")),
        )
    routes = town.published()
    spread(town, routes, random)
    set_time(hub, NOW)
    for route in routes:
        drive(hub, town, route, random)
    return routes


def spread(town: Town, routes: Sequence[str], random: Random) -> None:
    """Exchange some stops between routes, so that there is something to better."""
    for _ in range(4):
        one, two = random.choice(routes), random.choice(routes)
        mine, theirs = random.choice(town.on(one)), random.choice(town.on(two))
        town.change(mine.id, route=two, position=theirs.position)
        town.change(theirs.id, route=one, position=mine.position)


def drive(hub: Hub, town: Town, route: str, random: Random) -> None:
    """Let a driver wait, load, or be somewhere on the way; perhaps with somebody promised less."""
    state = random.choice(("ready", "loaded", "in_progress", "in_progress"))
    stops = town.on(route)
    with hub.store.write(System()) as session:
        row = session.get_one(RouteRow, route)
        row.state = state
        row.ends_at = max(row.ends_at, at(17))
    if state == "in_progress":
        done = random.randint(0, len(stops) - 1)
        for number, stop in enumerate(stops[:done]):
            left = NOW - timedelta(minutes=10 * (done - number))
            how = random.choice(("completed", "completed", "failed"))
            town.change(stop.id, state=how, arrived_at=left, departed_at=left, ended_at=left)
        now = random.choice(("en_route", "arrived"))
        more = {"arrived_at": NOW} if now == "arrived" else {"eta_at": NOW + timedelta(minutes=4)}
        town.change(stops[done].id, state=now, **more)
    for stop in random.sample(stops, min(2, len(stops))):
        town.change(stop.id, promised_end=at(random.choice((10, 11, 12))))


def look(hub: Hub, town: Town) -> tuple[list[Road], Ways]:
    """Return all published routes as they are, also those with nothing ahead."""
    places: dict[Point, int] = {}
    with hub.store.read(System()) as session:
        query = select(RouteRow).where(col(RouteRow.state).in_(TAKEN)).order_by(RouteRow.id)
        roads = read_roads(session, session.exec(query).all(), places)
    return roads, ways(roads, list(places), partial(matrix, hub))


def arrivals(roads: Sequence[Road], times: Ways) -> dict[str, int]:
    """Return when every stop ahead is reached."""
    problem = problem_of(roads, times)
    return {
        visit.stop: visit.arrive
        for road in roads
        for visit in run(problem, road.vehicle, road.items, road.vehicle.shift[0]).visits
    }


def check_promises(before: tuple[list[Road], Ways], after: tuple[list[Road], Ways]) -> None:
    """Fail where who was in time is late now, or who was late is later."""
    was, becomes = arrivals(*before), arrivals(*after)
    promised = {s.id: s.windows[-1][1] for road in before[0] for s in road.stops if s.windows}
    for stop, closes in promised.items():
        if stop in becomes and stop in was:
            assert becomes[stop] <= max(closes, was[stop]), f"{stop} was promised"


def check_sound(roads: Sequence[Road], times: Ways) -> None:
    """Fail where the independent checker finds a broken rule, late stops apart."""
    free = [eased(road, times) for road in roads if road.stops]
    problem = problem_of(free, times)
    routes = tuple(
        planned(road.vehicle, run(problem, road.vehicle, road.items, road.vehicle.shift[0]))
        for road in free
    )
    assert faults(problem, Plan(engine="the road", routes=routes)) == []


def check_fixed(before: Sequence[Road], after: Sequence[Road]) -> None:
    """Fail where something moved that is visited, or to which a driver is on the way."""
    now = {road.route: road for road in after}
    for road in before:
        if road.route not in now:
            continue
        assert now[road.route].behind == road.behind
        assert now[road.route].vehicle.locked == road.vehicle.locked
        if road.frozen:
            assert now[road.route].stops[0].id == road.stops[0].id


def check_written(town: Town, roads: Sequence[Road], times: Ways) -> None:
    """Fail where the database does not say what the routes are."""
    reached = arrivals(roads, times)
    for road in roads:
        stops = town.on(road.route)
        assert [stop.position for stop in stops] == list(range(1, len(stops) + 1))
        for stop in road.stops:
            told = town.read(stop.id).planned_at
            assert told == road.zero + timedelta(seconds=reached[stop.id])


def orders(hub: Hub, town: Town, scene: Scene) -> dict[str, tuple[str, ...]]:
    """Return the stops ahead of the routes of a scene, as they are now."""
    return {
        road.route: tuple(stop.id for stop in road.stops)
        for road in look(hub, town)[0]
        if road.route in scene.before
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_better_routes_keep_promises_the_next_stop_and_the_churn(
    hub: Hub, town: Town, seed: int
) -> None:
    random = Random(seed)
    lay(hub, town, random)
    before, share = look(hub, town), random.choice((0.1, 0.2, 3, 50))
    scene = survey(hub, STAFF, town.world.depot, DAY)
    with hub.store.write(System()) as session:
        row = reoptimisations.begun(
            session, town.world.depot, DAY, "test", seconds=0.8, most_moved=share
        )
    done = reworking.now(hub, row.id)
    assert done.state == "done", done.reason
    after, now = look(hub, town), orders(hub, town, scene)
    ahead = sum(len(order) for order in scene.before.values())
    most = share if share >= 1 else share * ahead
    assert done.moved == moved(scene.before, now) <= most
    judge = Judge(scene.problem, scene.promised)
    worth = judge.worth(now, now)
    assert worth <= judge.worth(scene.before, scene.before)
    assert (worth < judge.worth(scene.before, scene.before)) == (done.moved > 0)
    assert all(judge.keeps(route, order) for route, order in now.items())
    check_fixed(before[0], after[0])
    check_promises(before, after)
    check_sound(*after)
    changed = [road for road in after[0] if now.get(road.route) != scene.before.get(road.route)]
    check_written(town, changed, after[1])
    for road in before[0]:
        if road.loaded:
            aboard = {stop.id for stop in road.stops if any(stop.deliver)}
            assert aboard <= {stop.id for stop in town.on(road.route)}
    if done.moved:
        undo(hub, STAFF, done.id)
        assert orders(hub, town, scene) == scene.before


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("goods", ["at_depot", "handed_over", "lost"])
def test_a_lost_driver_costs_nobody_else_a_promise_or_a_place(
    hub: Hub, town: Town, seed: int, goods: str
) -> None:
    random = Random(100 + seed)
    routes = lay(hub, town, random)
    before = look(hub, town)
    gone = random.choice([road for road in before[0] if road.route in routes])
    waiting = {road.route for road in before[0] if not road.loaded}
    arrived = [stop.id for stop in town.on(gone.route) if stop.state == "arrived"]
    made = redistribute(hub, STAFF, gone.route, "the van broke down", goods)
    others = [road for road in before[0] if road.route != gone.route], before[1]
    after = look(hub, town)
    left = {one.stop for one in made.left}
    placed = {one.stop: one.route for one in made.placed}
    undone = {*arrived, *(stop.id for stop in gone.stops)}
    assert left | placed.keys() == undone
    assert not left & placed.keys()
    assert all(town.read(id).state == "unassigned" for id in left)
    assert all(town.read(id).route == route for id, route in placed.items())
    for road in others[0]:
        now = next(one for one in after[0] if one.route == road.route)
        assert [s.id for s in now.stops if s.id not in placed] == [s.id for s in road.stops]
    check_fixed(others[0], after[0])
    check_promises(others, after)
    check_sound(*after)
    check_written(town, [one for one in after[0] if one.route in placed.values()], after[1])
    if goods == "at_depot":
        assert set(placed.values()) <= waiting
    if goods == "lost":
        assert not placed
    with hub.store.read(System()) as session:
        flagged = set(session.exec(select(FlagRow.subject)))
    assert left <= flagged


@pytest.mark.parametrize("seed", SEEDS)
def test_one_more_stop_costs_nobody_a_promise(hub: Hub, town: Town, seed: int) -> None:
    from hub.dispatch.insertion import place

    random = Random(200 + seed)
    lay(hub, town, random)
    before = look(hub, town)
    taken = 0
    for _ in range(3):
        new = town.stop(random.uniform(-0.05, 0.05), random.uniform(-0.05, 0.05), load=1)
        try:
            offer = place(hub, STAFF, new)
        except Refused:
            assert town.read(new).state == "unassigned"
            continue
        taken += 1
        after = look(hub, town)
        check_fixed(before[0], after[0])
        check_promises(before, after)
        check_sound(*after)
        check_written(town, [one for one in after[0] if one.route == offer.route], after[1])
        assert not any(one.late for one in offer.later if in_time(before, one.stop))
        before = after
    assert taken


def in_time(before: tuple[list[Road], Ways], id: str) -> bool:
    """Say whether a stop was reached in time before."""
    closes = {s.id: s.windows[-1][1] for road in before[0] for s in road.stops if s.windows}
    return id not in closes or arrivals(*before)[id] <= closes[id]
