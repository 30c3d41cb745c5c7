"""Better routes on the road: never worse, no promise broken, little moved, taken back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from random import Random

import pytest

from hub.dispatch import live_actions, register, reoptimisations, reoptimise, reworking
from hub.dispatch.changes import Overtaken, apply_together
from hub.dispatch.churn import Judge, moved
from hub.dispatch.reoptimise import improve, survey
from hub.dispatch.undoing import undo
from hub.errors import PluginError, Refused
from hub.hub import Hub
from hub.nouns import Plan, Problem
from hub.planning.schedule import planned, run
from hub.queue.work import claim
from hub.store import ReoptimisationRow, RouteRow, System, WorkRow
from hub.testing.town import DAY, Town, at
from tests.dispatch.crossed import orders, two_routes

STAFF = System()


def plan_of(problem: Problem, wanted: dict[str, list[str]]) -> Plan:
    """Return a plan of stops in an order, whatever it breaks."""
    routes = []
    for vehicle in problem.vehicles:
        stops = [problem.stop_of[id] for id in wanted[vehicle.id]]
        routes.append(planned(vehicle, run(problem, vehicle, stops, vehicle.shift[0])))
    return Plan(engine="test", routes=tuple(routes))


def shuffled(seed: int) -> Callable[[Problem], Plan]:
    """Return an engine that deals the stops out at random."""

    def search(problem: Problem) -> Plan:
        random = Random(seed)
        ids = [stop.id for stop in problem.stops]
        random.shuffle(ids)
        routes = [vehicle.id for vehicle in problem.vehicles]
        dealt: dict[str, list[str]] = {id: [] for id in routes}
        for id in ids:
            dealt[random.choice(routes)].append(id)
        return plan_of(problem, dealt)

    return search


def ask(hub: Hub, town: Town, **more: object) -> str:
    with hub.store.write(System()) as session:
        row = reoptimisations.request(session, town.world.depot, DAY, "test", **more)  # type: ignore[arg-type]
        return row.id


def read(hub: Hub, id: str) -> ReoptimisationRow:
    with hub.store.read(System()) as session:
        return session.get_one(ReoptimisationRow, id)


def test_stops_go_to_whom_they_cost_less_and_it_is_told(hub: Hub, town: Town) -> None:
    one, two = two_routes(hub, town)
    before = orders(town, one, two)
    done = reworking.now(hub, ask(hub, town, most_moved=4, seconds=1))
    assert (done.state, done.routes, done.late_after) == ("done", 2, 0), done.reason
    assert 0 < done.moved <= 4
    assert done.gain_seconds > 0
    after = orders(town, one, two)
    assert sorted([*after[0], *after[1]]) == sorted([*before[0], *before[1]])
    assert after != before
    for route in (one, two):
        stops = town.on(route)
        assert [stop.position for stop in stops] == list(range(1, len(stops) + 1))
        times = [stop.planned_at or at(0) for stop in stops]
        assert times == sorted(times)
    assert {event.subject for event in town.events("route.changed")} >= {one, two}
    (told,) = town.events("route.reoptimised")
    assert told.data["reoptimisation"]["moved"] == done.moved


def test_it_is_taken_back_while_nobody_has_driven_on(hub: Hub, town: Town) -> None:
    one, two = two_routes(hub, town)
    before = orders(town, one, two)
    done = reworking.now(hub, ask(hub, town, most_moved=4, seconds=1))
    assert orders(town, one, two) != before
    assert undo(hub, STAFF, done.id).state == "undone"
    assert orders(town, one, two) == before
    with pytest.raises(Refused, match="taken back already"):
        undo(hub, STAFF, done.id)


def test_it_is_not_taken_back_once_somebody_has_driven_on(hub: Hub, town: Town) -> None:
    one, two = two_routes(hub, town)
    done = reworking.now(hub, ask(hub, town, most_moved=4, seconds=1))
    town.change(town.on(one)[0].id, state="en_route")
    after = orders(town, one, two)
    with pytest.raises(Refused, match="gone on"):
        undo(hub, STAFF, done.id)
    assert orders(town, one, two) == after


@pytest.mark.parametrize("seed", range(12))
def test_whatever_an_engine_says_it_is_never_worse_and_breaks_no_promise_that_was_kept(
    hub: Hub, town: Town, seed: int
) -> None:
    one, two = two_routes(hub, town)
    first = town.on(one)[0]
    with hub.store.write(System()) as session:
        row = session.get_one(RouteRow, two)
        row.state, row.started_at = "in_progress", row.starts_at
    under_way = town.on(two)[0].id
    town.change(under_way, state="en_route", eta_at=at(8, 20))
    town.change(first.id, promised_end=at(8, 15))
    scene = survey(hub, STAFF, town.world.depot, DAY)
    judge = Judge(scene.problem, scene.promised)
    was = judge.worth(scene.before, scene.before)
    kept = {
        visit.stop
        for route, order in scene.before.items()
        for visit in judge.look(route, order)[0].visits
        if visit.arrive <= scene.promised[visit.stop]
    }
    found = improve(scene, shuffled(seed), 3, 5)
    assert found.moved == moved(scene.before, found.after) <= 3
    assert judge.worth(found.after, found.after) <= was
    assert found.after[two][0] == under_way
    on_board = set(scene.before[two])
    assert on_board <= set(found.after[two]), "goods that are on board changed the van"
    for route, order in found.after.items():
        for visit in judge.look(route, order)[0].visits:
            assert visit.stop not in kept or visit.arrive <= scene.promised[visit.stop]


def test_an_engine_that_fails_takes_nothing_away_from_what_is_found_without_it(
    hub: Hub, town: Town
) -> None:
    two_routes(hub, town)
    scene = survey(hub, STAFF, town.world.depot, DAY)

    def broken(problem: Problem) -> Plan:
        raise PluginError("the engine broke")

    found = improve(scene, broken, 3, 1)
    assert found.trouble == "the engine broke"
    assert (found.becomes < found.was, found.moved <= 3) == (True, True)


def test_a_driver_who_arrives_meanwhile_overtakes_it_and_nothing_is_half_written(
    hub: Hub, town: Town
) -> None:
    one, two = two_routes(hub, town)
    scene = survey(hub, STAFF, town.world.depot, DAY)
    exchanged = {one: orders(town, two)[0], two: orders(town, one)[0]}
    judge = Judge(scene.problem, scene.promised)
    changes = [
        reoptimise.change_of(scene, judge, route, tuple(exchanged[route])) for route in (one, two)
    ]
    town.change(town.on(two)[0].id, state="arrived", arrived_at=at(8, 30))
    before = orders(town, one, two)
    with pytest.raises(Overtaken), hub.store.write(System()) as session:
        apply_together(session, changes)
    assert orders(town, one, two) == before


def test_two_searches_at_once_lose_no_stop_and_write_no_half_change(hub: Hub, town: Town) -> None:
    one, two = two_routes(hub, town)
    before = sorted(id for order in orders(town, one, two) for id in order)
    with hub.store.write(System()) as session:
        rows = [
            reoptimisations.begun(
                session, town.world.depot, DAY, "test", most_moved=4, seconds=1
            ).id
            for _ in range(2)
        ]
    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(lambda id: reworking.now(hub, id), rows))
    assert [row.state for row in ended] == ["done", "done"], [row.reason for row in ended]
    assert sorted(id for order in orders(town, one, two) for id in order) == before
    for route in (one, two):
        assert [stop.position for stop in town.on(route)] == [*range(1, len(town.on(route)) + 1)]
    last = max(ended, key=lambda row: len(row.before))
    assert last.routes == 2


def test_the_work_of_a_worker_that_died_is_done_again(hub: Hub, town: Town) -> None:
    one, two = two_routes(hub, town)
    register(hub)
    id = ask(hub, town, most_moved=4, seconds=1)
    (dead,) = claim(hub.store, "heavy", "dies")
    reworking.begin(hub, dead.subject, lambda session: None)
    with hub.store.write(System()) as session:
        row = session.get_one(WorkRow, dead.id)
        row.lease_until = session.wall - timedelta(seconds=1)
    (held,) = claim(hub.store, "heavy", "lives")
    hub.handlers[held.kind](hub, held)
    done = read(hub, id)
    assert (done.state, done.routes) == ("done", 2)
    assert len(town.events("route.reoptimised")) == 1
    assert orders(town, one, two)


def test_one_that_was_cancelled_changes_nothing(hub: Hub, town: Town) -> None:
    one, two = two_routes(hub, town)
    before = orders(town, one, two)
    id = ask(hub, town)
    with hub.store.write(System()) as session:
        reoptimisations.cancel(session, id)
    assert reworking.now(hub, id).state == "cancelled"
    assert orders(town, one, two) == before


def test_asked_twice_before_it_has_begun_it_is_one_search(hub: Hub, town: Town) -> None:
    two_routes(hub, town)
    assert ask(hub, town) == ask(hub, town, insert=True)


def test_asked_twice_it_is_the_longer_search_and_never_moves_more_than_was_said(
    hub: Hub, town: Town
) -> None:
    two_routes(hub, town)
    first = ask(hub, town, seconds=1)
    assert ask(hub, town, seconds=9) == first
    assert ask(hub, town, most_moved=0.5) != first
    with hub.store.read(System()) as session:
        kept = session.get_one(ReoptimisationRow, first)
    assert (kept.seconds, kept.most_moved) == (9, reoptimise.MOST_MOVED)


def test_goods_at_the_depot_and_those_handed_over_are_two_searches(hub: Hub, town: Town) -> None:
    two_routes(hub, town)
    first = ask(hub, town, insert=True)
    assert ask(hub, town, insert=True, waiting=True) != first
    assert ask(hub, town) == first


def test_an_event_of_a_merchant_may_ask_for_better_routes(hub: Hub, town: Town) -> None:
    town.stops(2)
    (route,) = town.published()
    wish = live_actions.ReoptimiseInput(route=route)
    with hub.store.write(System(town.world.merchant)) as session:
        made = live_actions.reoptimise(hub, session, wish)
    assert reworking.now(hub, made.reoptimisation).state == "done"


def test_a_stop_is_not_put_into_a_draft_and_the_day_can_be_planned_again(
    hub: Hub, town: Town
) -> None:
    town.stops(3)
    town.plan()
    (draft,) = town.routes()
    new = town.stop(0.02)
    with hub.store.write(STAFF) as session, pytest.raises(Refused, match="only a published one"):
        reoptimisations.request_insert(session, new, draft.id)
    with hub.store.write(STAFF) as session:
        past = ReoptimisationRow(
            depot=draft.depot, service_date=DAY, stop=new, route=draft.id, state="failed",
            created_at=session.now,
        )  # fmt: skip
        session.add(past)
    assert town.plan().state == "done"
    with hub.store.read(System()) as session:
        assert session.get_one(ReoptimisationRow, past.id).route is None


def test_without_routes_on_the_road_it_says_so(hub: Hub, town: Town) -> None:
    done = reworking.now(hub, ask(hub, town))
    assert (done.state, "is on the road" in done.reason) == ("failed", True)


def test_numbers_that_make_no_sense_are_refused(hub: Hub, town: Town) -> None:
    with pytest.raises(Refused, match="seconds"):
        ask(hub, town, seconds=900)
    with pytest.raises(Refused, match="most_moved"):
        ask(hub, town, most_moved=-1)


def test_a_stop_that_a_workflow_puts_in_is_put_in_by_a_worker(hub: Hub, town: Town) -> None:
    town.stops(3)
    (route,) = town.published()
    new = town.stop(0.004)
    with hub.store.write(System()) as session:
        asked = reoptimisations.request_insert(session, new, None, "test")
    assert town.read(new).state == "unassigned"
    done = reworking.now(hub, asked.id)
    assert (done.state, done.inserted) == ("done", [{"stop": new, "route": route}])
    assert town.read(new).route == route


def test_a_stop_that_fits_nowhere_is_flagged_with_the_reason(hub: Hub, town: Town) -> None:
    town.stops(3)
    town.published()
    new = town.stop(load=900)
    with hub.store.write(System()) as session:
        asked = reoptimisations.request_insert(session, new, None, "test")
    done = reworking.now(hub, asked.id)
    assert (done.state, "load of 900" in done.reason) == ("failed", True)
    assert [event.type for event in town.events("flag.raised")] == ["flag.raised"]
