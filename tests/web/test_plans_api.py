"""The API of plans, routes and flags, as a dispatcher's page or script uses it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hub.dispatch.flags import raise_flag
from hub.dispatch.publish import publish, publish_plan
from hub.hub import Hub
from hub.planning import register
from hub.queue.work import claim
from hub.store import Operator
from hub.testing.town import Town, town
from hub.web import create_app

__all__ = ["town"]

API = "/api/v1"


@pytest.fixture
def staff(sign_in: Callable[..., Any]) -> Any:
    """Return a dispatcher's client."""
    return sign_in("dispatcher")


def work(hub: Hub) -> None:
    register(hub)
    (held,) = claim(hub.store, "heavy", "test")
    hub.handlers[held.kind](hub, held)


def test_a_day_is_planned_read_and_published(hub: Hub, town: Town, staff: Any) -> None:
    ids = town.stops(3)
    heavy = town.stop(load=900)
    asked = staff.post(f"{API}/plans", json={"depot": "Vaduz", "service_date": "2026-11-23"})
    assert (asked.status_code, asked.json["state"]) == (202, "waiting")
    where = asked.headers["Location"]
    assert where == f"{API}/plans/{asked.json['id']}"
    work(hub)
    plan = staff.get(where).json
    assert (plan["state"], plan["approximate"], plan["depot"]["name"]) == ("done", True, "Vaduz")
    assert [left["stop"] for left in plan["unserved"]] == [heavy]
    assert "more than any vehicle takes" in plan["unserved"][0]["reason"]
    (route,) = plan["routes"]
    assert {stop["id"] for stop in route["stops"]} == set(ids)
    done = staff.post(f"{where}/publish", json={})
    assert (done.status_code, done.json) == (200, {"routes": [route["id"]]})
    assert staff.get(f"{API}/routes/{route['id']}").json["state"] == "ready"
    again = staff.post(f"{where}/publish", json={})
    assert (again.status_code, "already published" in again.json["detail"]) == (422, True)


def test_a_search_is_asked_to_end_until_it_is_over(hub: Hub, town: Town, staff: Any) -> None:
    town.stop()
    asked = staff.post(f"{API}/plans", json={"depot": "Vaduz", "service_date": "2026-11-23"})
    where = asked.headers["Location"]
    stopped = staff.post(f"{where}/stop", json={})
    assert (stopped.status_code, stopped.json["stopping"]) == (202, True)
    work(hub)
    plan = staff.get(where).json
    assert (plan["state"], plan["why"], plan["progress"]["of"]) == ("done", "PyVRP", 10)
    assert staff.post(f"{where}/stop", json={}).json["stopping"] is False
    assert staff.post(f"{API}/plans/pln_unknown/stop", json={}).status_code == 404


def test_a_plan_is_explained_and_compared_with_the_one_before(
    hub: Hub, town: Town, staff: Any
) -> None:
    ids = town.stops(4)
    first = town.plan()
    heavy = town.stop(load=130)
    second = town.plan()
    told = staff.get(f"{API}/plans/{second.id}/explanation").json
    (route,) = told["routes"]
    line = route["timeline"]
    assert route["driver"]["name"] == "Lea Frick"
    assert {moment["stop"] for moment in line["moments"]} == set(ids)
    assert line["loads"] == [sum(stop.load for stop in town.on(town.routes()[0].id))]
    assert all(moment["slack"] > 0 for moment in line["moments"])
    (left,) = told["left_out"]
    assert (left["stop"], left["rule"], left["driver"]["name"]) == (heavy, "capacity", "Lea Frick")
    assert left["fits"].startswith("it fits if Lea Frick's vehicle takes ")
    assert left["relaxations"][0]["amount"] > 0
    assert (told["previous"], told["changes"]["moved"]) == (first.id, [])
    before = staff.get(f"{API}/plans/{first.id}/explanation").json
    assert (before["previous"], len(before["routes"][0]["timeline"]["moments"])) == (None, 4)


def test_stops_that_were_published_since_are_not_told_as_left_out(
    hub: Hub, town: Town, staff: Any
) -> None:
    town.stops(3)
    heavy = town.stop(load=900)
    first = town.plan()
    publish_plan(hub, Operator("dispatcher"), first.id)
    second = town.plan()
    told = staff.get(f"{API}/plans/{second.id}/explanation").json
    assert [one["stop"] for one in told["left_out"]] == [heavy]
    assert (told["previous"], told["changes"]) == (None, None)


def test_of_the_plan_before_only_what_is_still_asked_for_is_compared(
    hub: Hub, town: Town, staff: Any
) -> None:
    town.driver()
    town.stops(8)
    first = town.plan()
    one, other = town.routes()
    with hub.store.write(Operator("dispatcher")) as session:
        publish(hub, session, one.id)
    second = town.plan()
    told = staff.get(f"{API}/plans/{second.id}/explanation").json
    changes = told["changes"]
    assert (told["previous"], changes["left_out"]) == (first.id, [])
    assert changes["metres"] == told["metres"] - other.metres


def test_a_plan_that_is_not_done_is_not_explained(hub: Hub, town: Town, staff: Any) -> None:
    town.stop()
    asked = staff.post(f"{API}/plans", json={"depot": "Vaduz", "service_date": "2026-11-23"})
    said = staff.get(f"{asked.headers['Location']}/explanation")
    assert (said.status_code, "is waiting; only one that is done" in said.json["detail"]) == (
        422, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wish", "status", "field"),
    [
        ({"depot": "Vaduz"}, 422, "service_date"),
        ({"depot": "Vaduz", "service_date": "tomorrow"}, 422, "service_date"),
        ({"depot": "Vaduz", "service_date": "2026-11-23", "seconds": 999}, 422, "seconds"),
        ({"depot": "Vaduz", "service_date": "2026-11-23", "speed": 1}, 422, "speed"),
        ({"depot": "Chur", "service_date": "2026-11-23"}, 404, ""),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_by_field(
    town: Town, staff: Any, wish: dict[str, Any], status: int, field: str
) -> None:
    said = staff.post(f"{API}/plans", json=wish)
    assert said.status_code == status
    assert said.mimetype == "application/problem+json"
    assert not field or [error["field"] for error in said.json["errors"]] == [field]


def test_routes_are_listed_by_day_and_depot(town: Town, staff: Any) -> None:
    town.stop()
    (route,) = town.published()
    listed = staff.get(f"{API}/routes?service_date=2026-11-23&depot=Vaduz").json["routes"]
    assert [row["id"] for row in listed] == [route]
    assert listed[0]["driver"]["name"] == "Lea Frick"
    assert staff.get(f"{API}/routes?service_date=2026-11-24").json == {"routes": []}
    assert staff.get(f"{API}/routes?service_date=soon").status_code == 422
    assert staff.get(f"{API}/routes?service_date=2026-11-23&depot=Chur").status_code == 404


def test_one_route_is_published_and_taken_back(town: Town, staff: Any) -> None:
    town.stop()
    town.plan()
    id = town.routes()[0].id
    assert staff.post(f"{API}/routes/{id}/publish", json={}).json["state"] == "ready"
    assert staff.post(f"{API}/routes/{id}/publish", json={}).status_code == 422
    assert staff.post(f"{API}/routes/{id}/unpublish", json={}).json["state"] == "cancelled"
    assert staff.get(f"{API}/routes/rte_none").status_code == 404


def test_an_ad_hoc_stop_is_priced_and_put_in(town: Town, staff: Any) -> None:
    town.stops(2)
    (route,) = town.published()
    new = town.stop(0.02)
    price = staff.post(f"{API}/stops/{new}/insert", json={"dry": True}).json
    assert (price["route"], town.read(new).state) == (route, "unassigned")
    done = staff.post(f"{API}/stops/{new}/insert", json={"route": route})
    assert (done.status_code, done.json) == (200, price)
    assert town.read(new).position == price["position"]
    again = staff.post(f"{API}/stops/{new}/insert", json={})
    assert (again.status_code, "is dispatched" in again.json["detail"]) == (422, True)


def test_the_order_is_set_by_hand_and_a_stop_taken_off(town: Town, staff: Any) -> None:
    town.stops(3)
    (route,) = town.published()
    wanted = [stop.id for stop in town.on(route)][::-1]
    done = staff.post(f"{API}/routes/{route}/sequence", json={"stops": wanted}).json
    assert (done["stops"], done["late"]) == (wanted, [])
    assert staff.post(f"{API}/routes/{route}/sequence", json={"stops": []}).status_code == 422
    off = staff.post(f"{API}/stops/{wanted[0]}/unassign", json={})
    assert off.json == {"id": wanted[0], "state": "unassigned"}
    assert [stop.id for stop in town.on(route)] == wanted[1:]


def test_flags_are_read_and_cleared(hub: Hub, town: Town, staff: Any) -> None:
    with hub.store.write() as session:
        id = raise_flag(session, "k", "late", "Lea is late").id
    (flag,) = staff.get(f"{API}/flags").json["flags"]
    assert (flag["id"], flag["text"]) == (id, "Lea is late")
    assert staff.post(f"{API}/flags/{id}/clear", json={}).json["cleared_at"]
    assert staff.get(f"{API}/flags").json == {"flags": []}


def test_merchants_and_strangers_may_not_dispatch(
    hub: Hub, town: Town, sign_in: Callable[..., Any]
) -> None:
    merchant = sign_in("merchant", town.world.merchant).client
    stranger = create_app(hub).test_client()
    for path in (
        "/plans/x",
        "/plans/x/explanation",
        "/routes?service_date=2026-11-23",
        "/routes/x",
        "/flags",
    ):
        assert merchant.get(API + path).status_code == 403
        assert stranger.get(API + path).status_code == 401
