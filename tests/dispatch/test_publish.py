"""Publishing: drivers see their route, recipients have a promise."""

from __future__ import annotations

from datetime import timedelta
from threading import Event, Thread

import pytest
from sqlmodel import select

from hub.access import tokens
from hub.dispatch import publish as publishing
from hub.dispatch.publish import publish, publish_plan, unpublish
from hub.driving.links import switch_off
from hub.errors import Missing, Refused
from hub.hub import Hub
from hub.store import EtaRow, Merchant, RouteRow, Session, System
from hub.testing.fixtures import MORNING, World
from hub.testing.patience import PATIENCE
from hub.testing.town import DAY, Town, at


def etas(hub: Hub, stop: str) -> list[EtaRow]:
    with hub.store.read(System()) as session:
        return list(session.exec(select(EtaRow).where(EtaRow.stop == stop)))


def test_publishing_makes_the_route_ready_and_dispatches_its_stops(town: Town) -> None:
    ids = town.stops(4)
    (route,) = town.published()
    (row,) = town.routes()
    assert (row.id, row.state, row.published_at) == (route, "ready", MORNING)
    assert {town.read(id).state for id in ids} == {"dispatched"}
    assert [event.subject for event in town.events("route.published")] == [route]
    assert {event.subject for event in town.events("stop.dispatched")} == set(ids)


def test_the_window_that_was_ordered_is_the_one_promised(town: Town) -> None:
    stop = town.stop(window_start=at(14), window_end=at(16))
    town.published()
    row = town.read(stop)
    assert (row.promised_start, row.promised_end) == (at(14), at(16))


def test_without_an_ordered_window_the_quarter_hours_around_the_plan_are_promised(
    town: Town,
) -> None:
    stop = town.stop()
    town.published()
    row = town.read(stop)
    assert row.planned_at is not None
    assert row.promised_start is not None
    assert row.promised_end is not None
    hour = timedelta(hours=1)
    assert row.promised_start <= row.planned_at - hour
    assert row.promised_end >= row.planned_at + hour
    assert row.promised_end - row.promised_start <= timedelta(hours=2, minutes=30)
    assert {row.promised_start.minute % 15, row.promised_end.minute % 15} == {0}


def test_the_first_eta_of_every_stop_is_stored(hub: Hub, town: Town) -> None:
    stop = town.stop()
    town.published()
    row = town.read(stop)
    (eta,) = etas(hub, stop)
    assert (eta.source, eta.issued_at, eta.eta_at) == ("plan", MORNING, row.planned_at)
    assert (row.eta_at, row.eta_low, row.eta_high) == (eta.eta_at, eta.low, eta.high)
    assert eta.low < eta.eta_at < eta.high
    (told,) = town.events("stop.dispatched")
    assert told.data["stop"]["eta_at"] == eta.eta_at.isoformat()
    assert row.promised_end is not None
    assert told.data["stop"]["window_end"] == row.promised_end.isoformat()


def test_the_tracking_page_opens_with_publishing_and_not_before(hub: Hub, town: Town) -> None:
    stop = town.stop()
    plan = town.plan()
    token = tokens.tracking_token(hub.keys, stop)
    with hub.store.read(System()) as session, pytest.raises(Exception, match="not valid"):
        tokens.check(session, "tracking", token)
    publish_plan(hub, System(), plan.id)
    with hub.store.read(System()) as session:
        assert tokens.check(session, "tracking", token) == stop


def test_a_route_is_published_once(hub: Hub, town: Town) -> None:
    town.stop()
    (route,) = town.published()
    with (
        hub.store.write(System()) as session,
        pytest.raises(Refused, match="Lea Frick's route of 2026-11-23 is published already"),
    ):
        publish(hub, session, route)


def test_a_plan_is_published_once_and_says_so(hub: Hub, town: Town) -> None:
    town.stop()
    plan = town.plan()
    publish_plan(hub, System(), plan.id)
    with pytest.raises(Refused, match="already published"):
        publish_plan(hub, System(), plan.id)


def test_a_replaced_plan_has_nothing_to_publish(hub: Hub, town: Town) -> None:
    town.stop()
    plan = town.plan()
    town.plan()
    with pytest.raises(Refused, match="a later plan replaced them"):
        publish_plan(hub, System(), plan.id)


def test_a_driver_gets_one_route_at_a_time(hub: Hub, town: Town) -> None:
    town.stop()
    plan = town.plan()
    with hub.store.write(System()) as session:
        draft = session.get_one(type(town.routes()[0]), town.routes()[0].id)
        twin = type(draft)(**draft.model_dump(exclude={"id", "state"}), state="in_progress")
        session.add(twin)
    with pytest.raises(Refused, match="Lea Frick already has route"):
        publish_plan(hub, System(), plan.id)
    assert town.routes()[0].state == "draft"


def test_a_draft_of_a_driver_who_was_switched_off_since_is_not_published(
    hub: Hub, town: Town, world: World
) -> None:
    town.stop()
    plan = town.plan()
    with hub.store.write(System()) as session:
        switch_off(session, world.driver)
    with pytest.raises(Refused, match="switched off since the plan was made; plan the day again"):
        publish_plan(hub, System(), plan.id)
    assert town.routes()[0].state == "draft"


def test_a_route_taken_back_leaves_its_stops_to_plan_and_its_promises_standing(
    hub: Hub, town: Town
) -> None:
    stop = town.stop()
    (route,) = town.published()
    promised = town.read(stop).promised_end
    with hub.store.write(System()) as session:
        unpublish(session, route)
    row = town.read(stop)
    assert (row.state, row.route, row.promised_end) == ("unassigned", None, promised)
    town.published()
    assert town.read(stop).promised_end == promised


def test_a_merchant_cannot_publish_a_route_of_others(hub: Hub, town: Town, world: World) -> None:
    town.stop()
    town.plan()
    with hub.store.write(Merchant("mer_other")) as session, pytest.raises(Missing):
        publish(hub, session, town.routes()[0].id)


def test_of_two_routes_of_one_driver_that_are_published_at_once_only_one_is(
    hub: Hub, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts, looked, said = [], Event(), []
    for number in (1, 2):
        stop = town.stop(0.01 * number)
        with hub.store.write(System()) as session:
            row = RouteRow(
                depot=town.world.depot, driver=town.world.driver, vehicle=town.world.vehicle,
                service_date=DAY, starts_at=at(8), ends_at=at(10),
            )  # fmt: skip
            session.add(row)
        town.change(stop, route=row.id, position=1, state="planned", planned_at=at(9))
        drafts.append(row.id)
    real = publishing.check_free

    def check_free(session: Session, route: RouteRow) -> None:
        real(session, route)
        looked.set()

    def other() -> None:
        try:
            with hub.store.write(System()) as session:
                publish(hub, session, drafts[1])
        except Refused as error:
            said.append(str(error))

    thread = Thread(target=other)
    with hub.store.write(System()) as session:
        publish(hub, session, drafts[0])
        session.flush()
        monkeypatch.setattr(publishing, "check_free", check_free)
        thread.start()
        looked.wait(1)  # who does not hold the driver has looked by now
    thread.join(PATIENCE)
    assert len(said) == 1
    assert f"already has route {drafts[0]}" in said[0]
    assert sorted(route.state for route in town.routes()) == ["draft", "ready"]
