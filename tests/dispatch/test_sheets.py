"""Routes as people read them, with no more than they may see."""

from __future__ import annotations

from sqlalchemy import event

from hub.access import get
from hub.dispatch.sheets import plan_sheet, routes_of
from hub.hub import Hub
from hub.store import Merchant, MerchantRow, PlanRow, System
from hub.testing.town import DAY, Town


def test_a_merchant_sees_only_own_stops_of_a_shared_route(hub: Hub, town: Town) -> None:
    with hub.store.write(System()) as session:
        other = MerchantRow(name="Weinbau", slug="weinbau")
        session.add(other)
        session.flush()
        other_id = other.id
    own = town.stop()
    theirs = town.stop(0.02, merchant=other_id)
    town.published()
    for merchant, stop in ((town.world.merchant, own), (other_id, theirs)):
        with hub.store.read(Merchant(merchant)) as session:
            (sheet,) = routes_of(session, DAY)
            assert [line.id for line in sheet.stops] == [stop]
    with hub.store.read(Merchant("mer_nobody")) as session:
        assert routes_of(session, DAY) == []


def test_a_plan_shows_its_routes_and_what_it_left_out_by_the_orders_number(
    hub: Hub, town: Town
) -> None:
    town.stop()
    heavy = town.stop(load=1000)
    plan = town.plan()
    with hub.store.read(System()) as session:
        sheet = plan_sheet(session, get(session, PlanRow, plan.id))
    assert sheet.approximate
    assert [route.driver.name for route in sheet.routes] == ["Lea Frick"]
    assert [(left.stop, left.ref) for left in sheet.unserved] == [(heavy, "#1002")]


def test_the_routes_of_a_day_are_read_with_few_queries(hub: Hub, town: Town) -> None:
    town.driver()
    town.stops(20)
    town.published()
    asked: list[str] = []
    with hub.store.read(System()) as session:
        event.listen(hub.store.engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
        found = routes_of(session, DAY)
    assert sum(len(sheet.stops) for sheet in found) == 20
    asked = [one for one in asked if "FROM clock" not in one]  # it is read by the time that passes
    assert len(asked) <= 8
