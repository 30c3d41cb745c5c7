"""A driver who cannot go on: stops go to others, or stay open with the reason."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import select

from hub.dispatch import insertion, reoptimisations, reworking
from hub.dispatch.changes import Overtaken
from hub.dispatch.dropout import drop, hand_on, redistribute
from hub.dispatch.flags import open_flags
from hub.dispatch.publish import publish_plan
from hub.errors import Refused, Retry
from hub.hub import Hub
from hub.nouns import Matrix
from hub.store import FlagRow, RouteRow, System
from hub.testing.town import DAY, Town, at

STAFF = System()


def another(hub: Hub, town: Town, **values: object) -> str:
    """Publish an empty-handed second driver's route with one stop of its own."""
    first = town.routes()[0]
    stop, driver = town.stop(0.05), town.driver()
    with hub.store.write(System()) as session:
        row = RouteRow(
            depot=first.depot, driver=driver, vehicle=first.vehicle, service_date=DAY,
            state="ready", starts_at=first.starts_at, ends_at=at(9), published_at=at(7),
        )  # fmt: skip
        session.add(row)
    town.change(stop, route=row.id, position=1, state="dispatched", planned_at=at(8, 30), **values)
    return row.id


def leave(hub: Hub, town: Town, route: str) -> str:
    """Let a driver be on the way to the first stop, and return it."""
    with hub.store.write(System()) as session:
        row = session.get_one(RouteRow, route)
        row.state, row.started_at = "in_progress", row.starts_at
    first = town.on(route)[0].id
    town.change(first, state="en_route")
    return first


def flags(hub: Hub) -> dict[str, str]:
    with hub.store.read(System()) as session:
        return {row.kind: row.subject for row in session.exec(select(FlagRow))}


def state(town: Town, route: str) -> str:
    return next(row.state for row in town.routes() if row.id == route)


def test_before_the_start_all_stops_go_to_who_is_still_there(hub: Hub, town: Town) -> None:
    ids = town.stops(3)
    (route,) = town.published()
    other = another(hub, town)
    promised = town.read(ids[0]).promised_end
    made = redistribute(hub, STAFF, route, "the van broke down")
    assert (made.goods, {one.stop for one in made.placed}) == ("at_depot", set(ids))
    assert {town.read(id).route for id in ids} == {other}
    assert town.read(ids[0]).promised_end == promised
    assert state(town, route) == "cancelled"
    (told,) = town.events("driver.lost")
    assert told.data["loss"] == {
        "goods": "at_depot", "reason": "the van broke down", "stops": 3,
    }  # fmt: skip
    assert reworking.now(hub, made.reoptimisation).state == "done"


def test_goods_at_the_depot_do_not_go_to_who_has_left(hub: Hub, town: Town) -> None:
    (stop,) = town.stops(1)
    (route,) = town.published()
    leave(hub, town, another(hub, town))
    made = redistribute(hub, STAFF, route)
    assert (made.placed, made.reoptimisation) == ((), "")
    assert "has not left" in made.left[0].reason
    assert flags(hub)["not_redistributed"] == stop


def test_a_flag_names_its_order_and_goes_once_the_stop_has_a_route_again(
    hub: Hub, town: Town
) -> None:
    (stop,) = town.stops(1)
    (route,) = town.published()
    redistribute(hub, STAFF, route)
    with hub.store.read(System()) as session:
        (flag,) = [one for one in open_flags(session) if one.subject == stop]
        assert flag.text.startswith("Order #1001 has no route: ")
    town.driver()
    publish_plan(hub, STAFF, town.plan().id)
    with hub.store.read(System()) as session:
        assert not [one for one in open_flags(session) if one.subject == stop]
    (again,) = {town.read(stop).route or ""}
    redistribute(hub, STAFF, again)
    with hub.store.read(System()) as session:
        assert [one.kind for one in open_flags(session) if one.subject == stop] == [flag.kind]


def test_after_the_start_somebody_has_to_say_where_the_goods_are(hub: Hub, town: Town) -> None:
    town.stops(2)
    (route,) = town.published()
    leave(hub, town, route)
    with pytest.raises(Refused, match="say where they are"):
        redistribute(hub, STAFF, route)
    with pytest.raises(Refused, match="goods is one of"):
        redistribute(hub, STAFF, route, goods="gone")
    assert state(town, route) == "in_progress"


def test_goods_that_are_handed_over_go_to_drivers_on_the_road(hub: Hub, town: Town) -> None:
    ids = town.stops(2)
    (route,) = town.published()
    other = another(hub, town)
    leave(hub, town, other)
    first = leave(hub, town, route)
    town.change(first, state="arrived", arrived_at=at(8, 10))
    made = redistribute(hub, STAFF, route, goods="handed_over")
    assert {one.stop for one in made.placed} == set(ids)
    assert state(town, route) == "closed"
    assert [event.subject for event in town.events("route.closed")] == [route]


def test_lost_goods_leave_stops_that_nothing_puts_in_by_itself(hub: Hub, town: Town) -> None:
    (stop,) = town.stops(1)
    (route,) = town.published()
    another(hub, town)
    leave(hub, town, route)
    made = redistribute(hub, STAFF, route, goods="lost")
    assert (made.placed, made.left[0].stop) == ((), stop)
    assert flags(hub)["goods_lost"] == stop
    with hub.store.read(System()) as session:
        texts = [one.text for one in open_flags(session)]
    assert any(text.startswith("The goods of order #1001 were in the van of") for text in texts)
    with hub.store.write(System()) as session:
        asked = reoptimisations.request(session, town.world.depot, DAY, insert=True)
    assert reworking.now(hub, asked.id).inserted == []
    assert town.read(stop).state == "unassigned"


def test_what_is_visited_stays_with_the_driver(hub: Hub, town: Town) -> None:
    town.stops(3)
    (route,) = town.published()
    another(hub, town)
    first = leave(hub, town, route)
    town.change(first, state="completed", arrived_at=at(8), departed_at=at(9), ended_at=at(9))
    redistribute(hub, STAFF, route, goods="handed_over")
    assert [stop.id for stop in town.on(route)] == [first]


def test_a_workflow_can_take_the_stops_up_later(hub: Hub, town: Town) -> None:
    ids = town.stops(2)
    (route,) = town.published()
    other = another(hub, town)
    with hub.store.write(System()) as session:
        assert set(drop(session, route, "ill").stops) == set(ids)
    with hub.store.write(System()) as session:
        asked = reoptimisations.request(session, town.world.depot, DAY, insert=True, waiting=True)
    done = reworking.now(hub, asked.id)
    assert {one["stop"] for one in done.inserted} == set(ids)
    assert {town.read(id).route for id in ids} == {other}


def away(hub: Hub, monkeypatch: pytest.MonkeyPatch, first: int, last: int) -> None:
    """Let the travel times be busy from the `first` to the `last` time that they are asked."""
    real, asked = insertion.matrix, [0]

    def matrix(hub: Hub, points: Any, profile: Any = "van", departs: Any = None) -> Matrix:
        asked[0] += 1
        if first <= asked[0] <= last:
            raise Retry("the server of travel times is busy", after=0)
        return real(hub, points, profile, departs)

    monkeypatch.setattr(insertion, "matrix", matrix)


def test_a_worker_takes_up_what_could_not_be_found_out(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = town.stops(3)
    (route,) = town.published()
    other = another(hub, town)
    away(hub, monkeypatch, 2, 3)
    made = redistribute(hub, STAFF, route, "broke down")
    assert [one.reason for one in made.left] == [
        "the server of travel times is busy; a worker tries again"
    ] * 2
    done = reworking.now(hub, made.reoptimisation)
    assert (done.state, len(done.inserted)) == ("done", 2)
    assert {town.read(id).route for id in ids} == {other}
    assert "not_redistributed" not in flags(hub)


def test_what_a_worker_cannot_find_out_either_is_flagged(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = town.stops(2)
    (route,) = town.published()
    another(hub, town)
    away(hub, monkeypatch, 1, 1000)
    with hub.store.write(STAFF) as session:
        search = hand_on(session, route, "broke down").reoptimisation
    done = reworking.now(hub, search)
    assert (done.state, {one["stop"] for one in done.unserved}) == ("failed", set(ids))
    assert "server of travel times is busy" in done.reason
    assert {one["reason"] for one in done.unserved} == {done.reason}
    with hub.store.read(System()) as session:
        flagged = select(FlagRow.subject).where(FlagRow.kind == "not_redistributed")
        assert set(session.exec(flagged)) == set(ids)


def test_goods_of_two_lost_drivers_are_not_mixed_up(hub: Hub, town: Town) -> None:
    """Those at the depot stay there although a later search may go to who is on the road."""
    (here, *_) = town.stops(1)
    (first,) = town.published()
    leave(hub, town, another(hub, town))
    with hub.store.write(STAFF) as session:
        one = hand_on(session, first, "ill").reoptimisation
        given = reoptimisations.request(session, town.world.depot, DAY, insert=True)
        assert given.id != one
    for search in (one, given.id):
        assert reworking.now(hub, search).inserted == []
        assert town.read(here).state == "unassigned"


def test_a_stop_that_fits_nowhere_is_noted_once_however_often_it_is_tried(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stops(2)
    town.published()
    town.stop(0.02, load=1000, promised_start=at(9), promised_end=at(10))
    real, tried = reworking.better, [0]

    def better(*given: Any) -> Any:
        tried[0] += 1
        if tried[0] < 3:
            raise Overtaken("moved", after=0)
        return real(*given)

    monkeypatch.setattr(reworking, "better", better)
    with hub.store.write(STAFF) as session:
        row = reoptimisations.request(session, town.world.depot, DAY, insert=True)
    done = reworking.now(hub, row.id)
    assert (tried[0], done.state, len(done.unserved)) == (3, "done", 1)
