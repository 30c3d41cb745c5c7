"""Plans of a day: asked for, made, stored as drafts, made again."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from sqlmodel import select

from hub.dispatch.publish import unpublish
from hub.errors import Missing, Refused, Retry, Unauthorized
from hub.hub import Hub
from hub.nouns import Plan, Problem, Unserved
from hub.planning import plans, register
from hub.planning.day import Day
from hub.queue.work import LeaseLost, claim
from hub.store import Merchant, PlanRow, Session, System, WorkRow
from hub.testing.fixtures import MORNING, World, set_time
from hub.testing.town import DAY, Town, at


def work(hub: Hub) -> None:
    """Do the next piece of heavy work as a worker would."""
    register(hub)
    (held,) = claim(hub.store, "heavy", "test")
    hub.handlers[held.kind](hub, held)


def state_of_work(hub: Hub) -> WorkRow:
    with hub.store.read(System()) as session:
        return session.exec(select(WorkRow)).one()


def test_a_plan_that_is_asked_for_is_made_by_a_worker(hub: Hub, town: Town) -> None:
    ids = town.stops(6)
    with hub.store.write(System()) as session:
        asked = plans.request(session, "Vaduz", DAY, by="test", seconds=1)
    work(hub)
    with hub.store.read(System()) as session:
        row = session.get_one(PlanRow, asked.id)
    assert (row.state, row.engine, row.approximate, row.unserved) == ("done", "pyvrp", True, [])
    (route,) = town.routes()
    assert (route.plan, route.state, route.driver) == (row.id, "draft", town.world.driver)
    stops = town.on(route.id)
    assert sorted(stop.id for stop in stops) == sorted(ids)
    assert [stop.position for stop in stops] == [1, 2, 3, 4, 5, 6]
    times = [stop.planned_at for stop in stops]
    assert times == sorted(times, key=str)
    assert {stop.state for stop in stops} == {"planned"}
    assert state_of_work(hub).state == "done"


def test_planning_tells_every_stop_and_its_end(town: Town) -> None:
    ids = town.stops(3)
    plan = town.plan()
    assert {event.subject for event in town.events("stop.planned")} == set(ids)
    (told,) = town.events("plan.finished")
    assert told.data["plan"]["id"] == plan.id
    assert (told.data["plan"]["routes"], told.data["plan"]["unserved"]) == (1, 0)


def test_a_window_is_kept_in_the_depots_zone(town: Town) -> None:
    late = town.stop(window_start=at(14), window_end=at(15))
    soon = town.stop(0.02, window_start=at(9), window_end=at(10))
    town.plan()
    assert at(14) <= (town.read(late).planned_at or MORNING) <= at(15)
    assert at(9) <= (town.read(soon).planned_at or MORNING) <= at(10)


def test_what_is_left_out_is_listed_with_its_reason(town: Town) -> None:
    heavy = town.stop(load=1000)
    night = town.stop(window_start=at(22), window_end=at(23))
    fits = town.stop()
    plan = town.plan()
    said = {left["stop"]: left["reason"] for left in plan.unserved}
    assert "more than any vehicle takes" in said[heavy]
    assert "22:00-23:00 lies outside every shift (08:00-17:00)" in said[night]
    assert town.read(fits).state == "planned"
    assert town.read(heavy).state == "unassigned"


def test_planning_again_replaces_the_drafts(town: Town) -> None:
    first = town.stop()
    town.plan()
    old = town.routes()[0].id
    second = town.stop(0.02)
    town.plan()
    (route,) = town.routes()
    assert route.id != old
    assert {stop.id for stop in town.on(route.id)} == {first, second}


def test_planning_again_leaves_published_routes_alone(town: Town) -> None:
    first = town.stop()
    (published,) = town.published()
    second = town.stop(0.02)
    plan = town.plan()
    assert [stop.id for stop in town.on(published)] == [first]
    assert town.read(second).state == "unassigned"
    assert "no driver is free that day" in plan.unserved[0]["reason"]


def test_a_plan_made_at_noon_sends_nobody_out_in_the_morning(hub: Hub, town: Town) -> None:
    stop = town.stop()
    set_time(hub, at(12))
    town.plan()
    assert town.routes()[0].starts_at >= at(12)
    assert (town.read(stop).planned_at or MORNING) > at(12)


def test_a_day_that_is_over_has_no_drivers(hub: Hub, town: Town) -> None:
    town.stop()
    set_time(hub, at(18))
    assert "no driver is free" in town.plan().unserved[0]["reason"]


def test_a_day_without_stops_is_an_empty_plan(town: Town) -> None:
    plan = town.plan()
    assert (plan.state, plan.unserved, town.routes()) == ("done", [], [])


def test_asking_twice_before_a_worker_begins_is_one_plan(hub: Hub, town: Town) -> None:
    with hub.store.write(System()) as session:
        one = plans.request(session, "Vaduz", DAY)
        other = plans.request(session, town.world.depot, DAY)
    assert one.id == other.id


def test_asked_again_a_plan_begins_with_the_drafts_and_takes_the_longer_time(
    hub: Hub, town: Town
) -> None:
    with hub.store.write(System()) as session:
        one = plans.request(session, "Vaduz", DAY, seconds=5)
        other = plans.request(session, "Vaduz", DAY, seconds=60, improve=True)
        assert (one.id, other.seconds, other.improve) == (other.id, 60, True)
        with pytest.raises(Refused, match="seconds must lie between"):
            plans.request(session, "Vaduz", DAY, seconds=100_000)


def test_an_unknown_depot_is_named_with_those_there_are(hub: Hub, town: Town) -> None:
    with pytest.raises(Missing, match="'Chur'; there are: Vaduz"):
        plans.plan_now(hub, "Chur", DAY)


def test_more_seconds_than_a_search_may_last_are_refused(hub: Hub, town: Town) -> None:
    with (
        hub.store.write(System()) as session,
        pytest.raises(Refused, match=r"between 0\.1 and 300"),
    ):
        plans.request(session, "Vaduz", DAY, seconds=900)


def test_a_merchant_cannot_plan(hub: Hub, world: World) -> None:
    with hub.store.write(Merchant(world.merchant)) as session, pytest.raises(Missing):
        plans.request(session, "Vaduz", DAY)


def test_a_day_that_changes_while_it_is_planned_is_planned_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, stays = town.stop(), town.stop(0.02)
    real, calls = plans.solve, []

    def solve(hub: Hub, problem: Problem, *given: Any, **named: Any) -> Plan:
        made = real(hub, problem, *given, **named)
        calls.append(len(problem.stops))
        if len(calls) == 1:
            town.change(gone, state="cancelled")
        return made

    monkeypatch.setattr(plans, "solve", solve)
    assert town.plan().state == "done"
    assert calls == [2, 1]
    assert [stop.id for stop in town.on(town.routes()[0].id)] == [stays]


def test_a_stop_that_moves_between_two_writes_is_not_planned_at_its_old_place(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = town.stop()
    real, moved = plans.still, []

    def still(*given: Any) -> None:
        real(*given)
        if not moved:
            moved.append(True)
            town.change(stop, lat=47.2)

    monkeypatch.setattr(plans, "still", still)
    town.plan()
    (route,) = town.routes()
    assert town.read(stop).route == route.id
    assert route.metres > 15_000


def test_a_draft_that_is_taken_back_while_it_is_filled_is_planned_again(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = town.stop()
    real, taken_back = plans.put, []

    def put(session: Session, day: Day, route: str, *given: Any) -> None:
        if not taken_back:
            taken_back.append(route)
            unpublish(session, route)
            session.commit()
        real(session, day, route, *given)

    monkeypatch.setattr(plans, "put", put)
    assert town.plan().state == "done"
    (found,) = [route for route in town.routes() if route.state == "draft"]
    assert [stop.id for stop in town.on(found.id)] == [stop]
    assert town.on(taken_back[0]) == []


def test_a_plan_overtaken_by_a_newer_one_is_not_stored(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stop()
    real = plans.solve

    def solve(given: Hub, problem: Problem, *more: Any, **named: Any) -> Plan:
        made = real(given, problem, *more, **named)
        monkeypatch.setattr(plans, "solve", real)
        town.plan()
        return made

    monkeypatch.setattr(plans, "solve", solve)
    older = town.plan()
    assert (older.state, "took its place" in older.reason) == ("failed", True)
    (route,) = town.routes()
    assert route.plan != older.id


def test_an_engine_that_breaks_a_rule_fails_the_plan_and_changes_nothing(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = town.stop()
    for engine in hub.plugins.of_kind("routing_engines").values():
        for name in {"plan", "search"} & set(dir(engine)):
            monkeypatch.setattr(engine, name, lambda *_: Plan(engine="liar", routes=()))
    plan = town.plan(60)
    assert plan.state == "failed"
    assert f"liar made a plan that is wrong: {stop} is missing" in plan.reason
    assert town.read(stop).state == "unassigned"


def test_an_engine_that_crashes_fails_the_plan_by_name(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stop()

    def crash(*_: Any) -> Plan:
        raise ZeroDivisionError("division by zero")

    for engine in hub.plugins.of_kind("routing_engines").values():
        for name in {"plan", "search"} & set(dir(engine)):
            monkeypatch.setattr(engine, name, crash)
    reason = town.plan(60).reason
    assert "OR-Tools failed: ZeroDivisionError: division by zero" in reason
    assert reason.startswith("PyVRP failed: ")


def test_what_may_pass_is_tried_again_and_then_given_up(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stop()

    def offline(*_: Any) -> Any:
        raise Retry("the map cannot be reached", after=0)

    monkeypatch.setattr(plans, "tables", offline)
    with hub.store.write(System()) as session:
        asked = plans.request(session, "Vaduz", DAY)
    for expected in ("ready", "ready", "done"):
        work(hub)
        assert state_of_work(hub).state == expected
    with hub.store.read(System()) as session:
        row = session.get_one(PlanRow, asked.id)
    assert (row.state, row.reason) == ("failed", "the map cannot be reached")


def test_a_worker_that_lost_its_lease_writes_nothing(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = town.stop()
    with hub.store.write(System()) as session:
        asked = plans.request(session, "Vaduz", DAY)
    real = plans.solve

    def slow(given: Hub, problem: Problem, *more: Any, **named: Any) -> Plan:
        with hub.store.write(System()) as session:
            session.exec(select(WorkRow)).one().lease_token = "another"
        return real(given, problem, *more, **named)

    monkeypatch.setattr(plans, "solve", slow)
    with pytest.raises(LeaseLost):
        work(hub)
    with hub.store.read(System()) as session:
        assert session.get_one(PlanRow, asked.id).state == "running"
    assert (town.read(stop).state, town.routes()) == ("unassigned", [])


def test_a_plan_that_kills_its_workers_is_given_up(hub: Hub, town: Town) -> None:
    town.stop()
    with hub.store.write(System()) as session:
        asked = plans.request(session, "Vaduz", DAY)
    for _ in range(3):
        claim(hub.store, "heavy", "dies")
        with hub.store.write(System()) as session:
            row = session.exec(select(WorkRow)).one()
            row.lease_until = session.wall - timedelta(seconds=1)
    work(hub)
    with hub.store.read(System()) as session:
        plan = session.get_one(PlanRow, asked.id)
    assert (plan.state, "broke off 3 times" in plan.reason) == ("failed", True)


def test_the_operators_own_engine_is_used_before_the_built_in_one(hub: Hub, town: Town) -> None:
    town.driver()
    town.stops(12)
    with hub.store.write(System()) as session:
        hub.connections.save(session, "ortools", {})
        hub.connections.save(session, "straight", {"kmh": 200, "safety": 1})
    assert town.plan().engine == "ortools"
    assert town.routes()[0].ends_at - town.routes()[0].starts_at < at(9) - at(8)


def test_travel_times_whose_login_ended_are_passed_over_and_their_owner_is_told(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stop()
    with hub.store.write(System()) as session:
        connection = hub.connections.save(session, "straight", {"kmh": 50}).id
    kind = hub.plugins.connector("straight")
    real: Any = kind.matrix  # type: ignore[attr-defined]

    def locked(self: Any, legs: Any) -> Any:
        if self.config.kmh is not None:
            raise Unauthorized("the key is not known any more")
        return real(self, legs)

    monkeypatch.setattr(kind, "matrix", locked)
    assert town.plan().state == "done"
    (told,) = town.events("connection.expired")
    assert told.data["connection"]["id"] == connection


def test_a_long_route_is_stored_some_stops_at_a_time(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = town.stops(40, service_time=60)
    real, sizes = plans.put, []

    def put(*given: Any) -> None:
        sizes.append(len(given[3]))
        real(*given)

    monkeypatch.setattr(plans, "put", put)
    town.plan()
    assert sizes == [15, 15, 10]
    (route,) = town.routes()
    assert [stop.position for stop in town.on(route.id)] == list(range(1, len(ids) + 1))


def test_unserved_reasons_from_an_engine_are_kept(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = town.stop()
    left = Plan(engine="own", routes=(), unserved=(Unserved(stop=stop, reason="too steep"),))
    for name in ("plan", "search"):
        monkeypatch.setattr(hub.plugins.connector("pyvrp"), name, lambda *_: left)
    (kept,) = town.plan().unserved
    assert (kept["stop"], kept["reason"], kept["rule"]) == (stop, "too steep", "")


def test_stops_of_another_day_are_left_alone(town: Town) -> None:
    other = town.stop(service_date=date(2026, 11, 24))
    town.plan()
    assert town.read(other).state == "unassigned"
