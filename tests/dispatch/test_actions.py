"""What workflows may do with failed stops, and when they may not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hub.dispatch.actions import RescheduleInput, StopInput, reschedule, return_to_depot
from hub.errors import Refused, Retry
from hub.hub import Hub
from hub.store import RouteRow, System
from hub.testing.fixtures import set_time
from hub.testing.town import DAY, Town


def failed(hub: Hub, town: Town, route_state: str = "closed") -> str:
    """Return a failed stop of a route in that state."""
    (id,) = town.stops(1)
    (route,) = town.published()
    town.change(id, state="failed", reason="not_home", attempts=1)
    with hub.store.write(System()) as session:
        session.get_one(RouteRow, route).state = route_state
    return id


def test_a_failed_stop_gets_another_day_and_its_old_promise_is_void(hub: Hub, town: Town) -> None:
    id = failed(hub, town)
    with hub.store.write(System()) as session:
        told = reschedule(hub, session, RescheduleInput(stop=id, date=DAY + timedelta(days=1)))
    row = town.read(id)
    assert (row.state, row.service_date, row.promised_end, told.attempts) == (
        "unassigned", DAY + timedelta(days=1), None, 1,
    )  # fmt: skip


def test_while_its_route_is_under_way_it_is_tried_again_later(hub: Hub, town: Town) -> None:
    id = failed(hub, town, "in_progress")
    with hub.store.write(System()) as session, pytest.raises(Retry, match="still under way"):
        reschedule(hub, session, RescheduleInput(stop=id, date=DAY))


def test_a_day_that_is_past_is_refused(hub: Hub, town: Town) -> None:
    id = failed(hub, town)
    with hub.store.write(System()) as session, pytest.raises(Refused, match="is past"):
        reschedule(hub, session, RescheduleInput(stop=id, date=DAY - timedelta(days=1)))


def test_a_stop_that_did_not_fail_is_refused(hub: Hub, town: Town) -> None:
    (id,) = town.stops(1)
    with hub.store.write(System()) as session, pytest.raises(Refused, match="is unassigned"):
        return_to_depot(hub, session, StopInput(stop=id))


def test_the_goods_of_a_failed_stop_go_back(hub: Hub, town: Town) -> None:
    id = failed(hub, town)
    with hub.store.write(System()) as session:
        return_to_depot(hub, session, StopInput(stop=id))
    assert town.read(id).state == "returning"


def test_a_day_is_past_by_the_clock_of_the_stop_s_depot(hub: Hub, town: Town) -> None:
    """At 23:30 UTC it is the next day in Vaduz."""
    id = failed(hub, town)
    set_time(hub, datetime(DAY.year, DAY.month, DAY.day, 23, 30, tzinfo=UTC))
    with hub.store.write(System()) as session, pytest.raises(Refused, match="is past"):
        reschedule(hub, session, RescheduleInput(stop=id, date=DAY))
