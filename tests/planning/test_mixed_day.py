"""A day with everything at once: planned by plain insertion, checked, kept and shown."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import pytest

from hub.dispatch.sheets import RouteSheet, plan_sheet
from hub.dispatch.timeline import loading
from hub.driving.sheet import sheet
from hub.fleet.abilities import Rest
from hub.fleet.breaks import set_breaks
from hub.fleet.measures import Measure, Measures, set_measures
from hub.hub import Hub
from hub.nouns import Pause, PlannedRoute, Visit
from hub.planning import plans
from hub.planning.drafts import pause_rows
from hub.store import DepotRow, DriverRow, PlanRow, RouteRow, StopRow, System, VehicleRow
from hub.testing.fixtures import MORNING
from hub.testing.town import DAY, Town, at


@pytest.fixture
def mixed(town: Town) -> Town:
    """Return a town with kilograms, a fridge, a break and prices."""
    town.driver("Jon Marxer")
    with town.hub.store.write(System()) as session:
        set_measures(session, Measures(loads=(Measure(name="units"), Measure(name="kg"))))
        van = session.get_one(VehicleRow, town.world.vehicle)
        van.skills, van.capacities, van.cost_hour = ["fridge"], {"kg": 100}, Decimal(30)
        rest = Rest(start="12:00", end="13:00", minutes=30)
        set_breaks(session, town.world.driver, DAY.weekday(), [rest])
    return town


def sheets(town: Town, plan: PlanRow) -> dict[str, RouteSheet]:
    with town.hub.store.read(System()) as session:
        made = plan_sheet(session, session.get_one(PlanRow, plan.id))
    return {route.driver.id: route for route in made.routes}


def test_a_mixed_day_is_planned_within_every_rule(mixed: Town) -> None:
    lea = mixed.world.driver
    cold = [mixed.stop(0.01 * n, skills=["fridge"], loads={"kg": 40}) for n in (1, 2, 3)]
    noon = mixed.stop(0.02, 0.02, driver=lea, window_start=at(11), window_end=at(11, 30))
    mixed.stop(0.02, 0.01, driver=lea, window_start=at(14), window_end=at(14, 30))
    split = mixed.stop(
        -0.01, window_start=at(9), window_end=at(16), driver=lea,
        windows=[[at(9).isoformat(), at(10).isoformat()], [at(15).isoformat(), at(16).isoformat()]],
    )  # fmt: skip
    plan = mixed.plan()
    assert plan.state == "done", plan.reason
    assert [left["stop"] in cold for left in plan.unserved] == [True]
    route = sheets(mixed, plan)[lea]
    assert {noon, split} <= {line.id for line in route.stops}
    assert (route.loads, route.capacities) == ({"kg": 80}, {"kg": 100})
    assert (route.cost or 0) > 0
    assert route.currency == "CHF"
    (pause,) = route.pauses
    assert (pause.kind, pause.ends_at - pause.begins_at) == ("break", at(9, 30) - at(9))
    assert pause.text.startswith("Break 12:")
    reached = mixed.read(split).planned_at or MORNING
    assert at(9) <= reached <= at(10) or at(15) <= reached <= at(16)


def test_a_small_shop_without_prices_sees_no_cost_and_no_pauses(town: Town) -> None:
    town.stops(3)
    route = sheets(town, town.plan())[town.world.driver]
    assert (route.cost, route.pauses, route.capacities, route.loads) == (None, (), {}, {})


def test_the_engine_that_is_built_in_keeps_what_is_the_same_for_all(town: Town) -> None:
    with town.hub.store.write(System()) as session:
        van = session.get_one(VehicleRow, town.world.vehicle)
        van.skills, van.cost_km = ["lift"], Decimal("0.5")
    ids = [town.stop(0.01, skills=["lift"], priority=50), town.stop(0.02, kind="service")]
    plan = town.plan()
    assert (plan.state, plan.unserved) == ("done", [])
    assert {town.read(id).state for id in ids} == {"planned"}


def test_one_promise_is_made_of_several_windows(mixed: Town) -> None:
    from hub.dispatch.publish import publish

    windows = [[at(8).isoformat(), at(9).isoformat()], [at(15).isoformat(), at(16).isoformat()]]
    stop = mixed.stop(windows=windows, window_start=at(8), window_end=at(16))
    mixed.plan()
    with mixed.hub.store.write(System()) as session:
        publish(mixed.hub, session, mixed.read(stop).route or "")
    made = mixed.read(stop)
    promised = (made.promised_start or MORNING, made.promised_end or MORNING)
    assert promised in [(at(8), at(9)), (at(15), at(16))]
    assert promised[0] <= (made.planned_at or MORNING) <= promised[1]


def stops(*kinds: str) -> list[StopRow]:
    return [
        StopRow(id=f"s{n}", kind=kind, merchant="m", order=f"o{n}", depot="d", service_date=DAY,
                lat=47, lon=9, pair="P" if kind == "paired" else "")
        for n, kind in enumerate(kinds, 1)
    ]  # fmt: skip


def reload_after(*after: str) -> RouteRow:
    pauses = [{"kind": "reload", "after": one, "depot": ""} for one in after]
    return RouteRow(depot="d", driver="d", vehicle="v", service_date=DAY, starts_at=MORNING,
                    ends_at=MORNING, pauses=pauses)  # fmt: skip


def test_the_last_stops_goods_are_loaded_first() -> None:
    found = stops("delivery", "collection", "delivery", "paired", "delivery")
    assert loading(reload_after(), found) == [["s5", "s3", "s1"]]
    assert loading(reload_after("s3"), found) == [["s3", "s1"], ["s5"]]
    assert loading(reload_after(""), found) == [["s5", "s3", "s1"]]


def test_pauses_are_kept_behind_their_stop_with_their_depot() -> None:
    visits = [Visit(stop="a", arrive=0, depart=1), Visit(stop="b", arrive=2, depart=3)]
    pauses = [
        Pause(kind="break", after=0, begins=3600, ends=5400),
        Pause(kind="reload", after=2, begins=7200, ends=7800, point=4),
    ]
    zero = datetime.fromisoformat("2026-11-23T00:00:00+00:00")
    assert pause_rows(visits, pauses, zero, {4: "dep_1"}) == [
        {"kind": "break", "after": "", "begins": "2026-11-23T01:00:00+00:00",
         "ends": "2026-11-23T01:30:00+00:00", "depot": ""},
        {"kind": "reload", "after": "b", "begins": "2026-11-23T02:00:00+00:00",
         "ends": "2026-11-23T02:10:00+00:00", "depot": "dep_1"},
    ]  # fmt: skip


def test_a_driver_sees_reloads_and_the_loading_order(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = town.stops(3)
    (route,) = town.published()
    with hub.store.write(System()) as session:
        row = session.get_one(RouteRow, route)
        row.pauses = [{"kind": "reload", "after": ids[0], "begins": at(10).isoformat(),
                       "ends": at(10, 15).isoformat(), "depot": town.world.depot}]  # fmt: skip
    with hub.store.read(System()) as session:
        assert session.get_one(DepotRow, town.world.depot).name == "Vaduz"
        found = sheet(session, session.get_one(DriverRow, town.world.driver).id).route
    assert found is not None
    (pause,) = found.pauses
    assert (pause.text, pause.after) == ("Reload at Vaduz 10:00-10:15", ids[0])
    assert len(found.loading) in (1, 2)
    assert sorted(id for trip in found.loading for id in trip) == sorted(ids)


def test_a_reload_in_a_planned_route_is_kept(town: Town) -> None:
    from hub.planning.day import survey
    from hub.planning.drafts import keep

    with town.hub.store.write(System()) as session:
        van = session.get_one(VehicleRow, town.world.vehicle)
        van.reload_depots = [town.world.depot]
        session.flush()
        day = survey(session, session.get_one(DepotRow, town.world.depot), DAY)
        plan = plans.add(session, "Vaduz", DAY, "", 1)
        route = PlannedRoute(
            vehicle=town.world.driver, visits=(), starts=28_800, ends=36_000,
            pauses=(Pause(kind="reload", after=0, begins=30_000, ends=30_600, point=0),),
        )  # fmt: skip
        row = session.get_one(RouteRow, keep(session, plan, day, route))
        assert row.pauses[0]["depot"] == town.world.depot
