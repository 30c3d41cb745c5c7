"""A pin far off does not spoil the day of all the others."""

from __future__ import annotations

from hub.dispatch.explanation import explained
from hub.dispatch.sheets import plan_sheet
from hub.hub import Hub
from hub.store import PlanRow, System
from hub.testing.town import Town


def test_a_pin_on_another_continent_is_left_out_and_the_rest_is_planned(town: Town) -> None:
    town.stops(5)
    far = town.stop(-77.171, -60.7509)
    row = town.plan(1)
    assert (row.state, row.engine) == ("done", "pyvrp")
    assert [(left["stop"], left["rule"]) for left in row.unserved] == [(far, "unreachable")]
    assert "there is no way to its place" in row.unserved[0]["reason"]


def test_a_stop_in_the_ocean_is_told_with_its_pin_and_not_with_a_longer_shift(
    hub: Hub, town: Town
) -> None:
    town.stops(2)
    town.stop(-20, -30)
    row = town.plan(1)
    assert "more than a day of work; check its address" in row.unserved[0]["reason"]
    assert "it fits if" not in row.unserved[0]["reason"]
    with hub.store.read(System()) as session:
        plan = session.get_one(PlanRow, row.id)
        told = plan_sheet(session, plan).unserved[0].place, explained(session, plan).left_out[0]
    assert told[0] == told[1].place == "pin at 27.14100, -20.47910"
    assert told[1].fits == ""


def test_a_stop_that_fits_with_more_time_is_told_without_its_pin(hub: Hub, town: Town) -> None:
    town.stop(3, 3)
    row = town.plan(1)
    assert "it fits if" in row.unserved[0]["reason"]
    with hub.store.read(System()) as session:
        assert plan_sheet(session, session.get_one(PlanRow, row.id)).unserved[0].place == ""
