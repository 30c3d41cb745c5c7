"""What a driver's phone says moves stops and routes, once, in whatever order it comes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel import select

from hub.driving import reports
from hub.driving.words import Report
from hub.errors import Missing, PluginError, Refused
from hub.events.facts import ProofFacts
from hub.hub import Hub
from hub.store import AttemptLineRow, AttemptRow, DriverRow, EventRow, RouteRow, StopRow, System
from hub.testing.fixtures import MORNING, set_time
from hub.testing.road import Road


def say(hub: Hub, road: Road, kind: str, stop: str | None = None, **more: Any) -> dict[str, Any]:
    said = Report.model_validate({"id": uuid4(), "kind": kind, "stop": stop, **more})
    return tell(hub, road.driver, said)


def tell(hub: Hub, driver: str, said: Report) -> dict[str, Any]:
    with hub.store.write(System()) as session:
        return reports.report(hub, session, driver, said, prove=lambda made: ProofFacts(id="p"))


def stop_of(hub: Hub, id: str) -> StopRow:
    with hub.store.read(System()) as session:
        return session.get_one(StopRow, id)


def events(hub: Hub) -> list[str]:
    with hub.store.read(System()) as session:
        return [row.type for row in session.exec(select(EventRow).order_by(EventRow.id))]


def test_start_begins_the_route_and_heads_for_the_first_stop(hub: Hub, road: Road) -> None:
    answer = say(hub, road, "start")
    assert answer["route"] == {"id": road.route, "state": "in_progress"}
    assert answer["next"] == road.stops[0]
    assert stop_of(hub, road.stops[0]).state == "en_route"
    assert events(hub) == ["route.started", "stop.en_route"]


def test_starting_twice_changes_nothing(hub: Hub, road: Road) -> None:
    say(hub, road, "start")
    say(hub, road, "start")
    assert events(hub) == ["route.started", "stop.en_route"]


def test_a_day_goes_from_start_to_closed(hub: Hub, road: Road) -> None:
    say(hub, road, "start")
    for stop in road.stops:
        say(hub, road, "arrive", stop)
        say(hub, road, "complete", stop)
        answer = say(hub, road, "depart", stop)
    assert answer["route"]["state"] == "closed"
    assert answer["next"] is None
    assert events(hub).count("stop.completed") == 3
    assert events(hub).count("stop.en_route") == 3
    assert events(hub).count("stop.departed") == 3
    assert events(hub).count("route.closed") == 1


def test_complete_implies_start_and_arrival(hub: Hub, road: Road) -> None:
    say(hub, road, "complete", road.stops[0])
    assert events(hub) == ["route.started", "stop.arrived", "stop.completed"]
    stop = stop_of(hub, road.stops[0])
    assert (stop.state, stop.arrived_at, stop.ended_at) == ("completed", MORNING, MORNING)


def test_the_driver_may_take_another_stop_first(hub: Hub, road: Road) -> None:
    say(hub, road, "start")
    say(hub, road, "arrive", road.stops[2])
    assert stop_of(hub, road.stops[0]).state == "dispatched"
    assert stop_of(hub, road.stops[2]).state == "arrived"
    say(hub, road, "complete", road.stops[2])
    assert say(hub, road, "depart", road.stops[2])["next"] == road.stops[0]
    assert stop_of(hub, road.stops[0]).state == "en_route"


def test_leaving_without_an_outcome_opens_the_stop_again_and_puts_it_last(
    hub: Hub, road: Road
) -> None:
    say(hub, road, "arrive", road.stops[0])
    assert say(hub, road, "depart", road.stops[0])["next"] == road.stops[1]
    assert stop_of(hub, road.stops[0]).state == "dispatched"


def test_completing_after_driving_off_keeps_the_time_at_the_door(hub: Hub, road: Road) -> None:
    say(hub, road, "arrive", road.stops[0])
    set_time(hub, MORNING + timedelta(minutes=5))
    say(hub, road, "depart", road.stops[0])
    set_time(hub, MORNING + timedelta(minutes=9))
    say(hub, road, "complete", road.stops[0])
    stop = stop_of(hub, road.stops[0])
    assert stop.arrived_at == MORNING
    assert stop.ended_at == MORNING + timedelta(minutes=9)


def test_a_report_sent_twice_is_one_report_with_one_answer(hub: Hub, road: Road) -> None:
    said = Report.model_validate({"id": uuid4(), "kind": "complete", "stop": road.stops[0]})
    first = tell(hub, road.driver, said)
    assert tell(hub, road.driver, said) == first
    with hub.store.read(System()) as session:
        assert len(session.exec(select(AttemptRow)).all()) == 1
    assert events(hub).count("stop.completed") == 1


def test_one_id_for_two_reports_is_refused(hub: Hub, road: Road) -> None:
    id = UUID(int=7)
    tell(hub, road.driver, Report(id=id, kind="arrive", stop=road.stops[0]))
    with pytest.raises(Refused):
        tell(hub, road.driver, Report(id=id, kind="arrive", stop=road.stops[1]))


def test_ending_a_stop_twice_is_refused(hub: Hub, road: Road) -> None:
    say(hub, road, "complete", road.stops[0])
    with pytest.raises(Refused, match="already completed"):
        say(hub, road, "fail", road.stops[0], reason="not_home")
    assert stop_of(hub, road.stops[0]).state == "completed"


def test_a_late_arrival_report_after_the_end_changes_nothing(hub: Hub, road: Road) -> None:
    say(hub, road, "complete", road.stops[0])
    assert say(hub, road, "arrive", road.stops[0])["stop"]["state"] == "completed"
    assert events(hub).count("stop.arrived") == 1


def test_another_drivers_stop_is_not_there(hub: Hub, road: Road) -> None:
    with hub.store.write(System()) as session:
        other = DriverRow(name="Nino Wille", depot=road.world.depot, vehicle=road.world.vehicle)
        session.add(other)
        session.flush()
        stranger = other.id
    said = Report(id=uuid4(), kind="complete", stop=road.stops[0])
    with pytest.raises(Missing):
        tell(hub, stranger, said)
    assert stop_of(hub, road.stops[0]).state == "dispatched"


def test_a_stop_of_a_route_that_is_not_published_is_not_there(hub: Hub, road: Road) -> None:
    with hub.store.write(System()) as session:
        session.get_one(RouteRow, road.route).state = "draft"
    with pytest.raises(Missing):
        say(hub, road, "arrive", road.stops[0])


def test_a_stop_that_the_dispatcher_took_off_is_refused(hub: Hub, road: Road) -> None:
    with hub.store.write(System()) as session:
        session.get_one(StopRow, road.stops[0]).state = "cancelled"
    with pytest.raises(Refused, match="cancelled"):
        say(hub, road, "complete", road.stops[0])


def test_an_ending_without_a_proof_is_a_mistake_of_the_caller(hub: Hub, road: Road) -> None:
    said = Report(id=uuid4(), kind="complete", stop=road.stops[0])
    with pytest.raises(PluginError, match="handover"), hub.store.write(System()) as session:
        reports.report(hub, session, road.driver, said)


def test_arrival_needs_a_stop(hub: Hub, road: Road) -> None:
    with pytest.raises(Refused, match="needs the stop"):
        say(hub, road, "arrive")


@pytest.mark.parametrize(
    ("kind", "given", "outcome", "handed_over"),
    [
        ("complete", None, "completed", [2, 1]),
        ("partial", [1, 0], "partial", [1, 0]),
        ("partial", [2, 1], "completed", [2, 1]),
        ("fail", None, "failed", [0, 0]),
    ],
)
def test_quantities_follow_the_outcome(
    hub: Hub, road: Road, kind: str, given: list[int] | None, outcome: str, handed_over: list[int]
) -> None:
    lines = road.lines[0]
    quantities = dict(zip(lines, given, strict=True)) if given else {}
    reason = {"reason": "damaged"} if kind != "complete" else {}
    say(hub, road, kind, road.stops[0], quantities=quantities, **reason)
    assert stop_of(hub, road.stops[0]).state == outcome
    with hub.store.read(System()) as session:
        rows = {row.line: row.quantity for row in session.exec(select(AttemptLineRow))}
    assert [rows[line] for line in lines] == handed_over


@pytest.mark.parametrize(
    ("kind", "more", "field"),
    [
        ("partial", {}, "quantities"),
        ("partial", {"first": 3}, "quantities."),
        ("complete", {"first": 1}, "quantities."),
        ("fail", {"first": 1, "reason": "not_home"}, "quantities."),
        ("fail", {}, "reason"),
        ("fail", {"reason": "bored"}, "reason"),
        ("fail", {"reason": "other"}, "note"),
        ("complete", {"unknown": 1}, "quantities."),
    ],
)
def test_nonsense_is_refused_and_names_the_field(
    hub: Hub, road: Road, kind: str, more: dict[str, Any], field: str
) -> None:
    quantities = {}
    if "first" in more:
        quantities[road.lines[0][0]] = more.pop("first")
    if "unknown" in more:
        quantities[road.lines[1][0]] = more.pop("unknown")
    with pytest.raises(Refused) as caught:
        say(hub, road, kind, road.stops[0], quantities=quantities, **more)
    assert (caught.value.field or "").startswith(field)
    assert stop_of(hub, road.stops[0]).state == "dispatched"
    assert events(hub) == []


def test_the_attempt_keeps_what_the_phone_said(hub: Hub, road: Road) -> None:
    at = MORNING - timedelta(minutes=3)
    say(
        hub, road, "complete", road.stops[0], at=at, lat=47.14161, lon=9.52151, accuracy=8.4,
        received_by=" Rosa Beck ", note="left at the desk", cash_taken="12.50",
    )  # fmt: skip
    with hub.store.read(System()) as session:
        row = session.exec(select(AttemptRow)).one()
    assert (row.occurred_at, row.recorded_at) == (at, MORNING)
    assert (row.received_by, row.note, str(row.cash_taken)) == (
        "Rosa Beck", "left at the desk", "12.50",
    )  # fmt: skip
    assert (row.lat, row.lon, row.accuracy) == (47.14161, 9.52151, 8.4)


def test_a_phone_clock_that_is_far_off_is_noted_and_not_used(hub: Hub, road: Road) -> None:
    answer = say(hub, road, "complete", road.stops[0], at=MORNING - timedelta(hours=13))
    assert "13 h behind" in answer["notes"][0]
    assert stop_of(hub, road.stops[0]).ended_at == MORNING


def test_a_phone_clock_that_runs_ahead_never_makes_the_future(hub: Hub, road: Road) -> None:
    answer = say(hub, road, "complete", road.stops[0], at=MORNING + timedelta(hours=1))
    assert answer["notes"] == []
    assert stop_of(hub, road.stops[0]).ended_at == MORNING


def test_an_order_without_lines_can_be_partly_done(hub: Hub, road: Road) -> None:
    from hub.store import OrderLineRow

    with hub.store.write(System()) as session:
        for line in road.lines[0]:
            session.delete(session.get_one(OrderLineRow, line))
    say(hub, road, "partial", road.stops[0], reason="no_time")
    assert stop_of(hub, road.stops[0]).state == "partial"


def test_cancelled_stops_do_not_keep_a_route_open(hub: Hub, road: Road) -> None:
    with hub.store.write(System()) as session:
        session.get_one(StopRow, road.stops[2]).state = "cancelled"
    say(hub, road, "complete", road.stops[0])
    assert say(hub, road, "complete", road.stops[1])["route"]["state"] == "closed"
