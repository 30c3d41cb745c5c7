"""The API of changes on the road, as a dispatcher's page or script uses it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from hub.dispatch import register, sequence
from hub.hub import Hub
from hub.queue.work import claim
from hub.testing.town import Town, at, town

__all__ = ["town"]

API = "/api/v1"


@pytest.fixture
def staff(sign_in: Callable[..., Any]) -> Any:
    """Return a dispatcher's client."""
    return sign_in("dispatcher")


def test_a_stop_goes_exactly_where_it_was_offered(town: Town, staff: Any) -> None:
    town.stops(3)
    (route,) = town.published()
    new = town.stop(0.004)
    told = staff.post(f"{API}/stops/{new}/insert", json={"dry": True}).json
    assert (told["route"], told["fetch"], told["others"]) == (route, False, [])
    assert town.read(new).state == "unassigned"
    done = staff.post(f"{API}/stops/{new}/insert", json={"offer": told["offer"]})
    assert (done.status_code, done.json["position"]) == (200, told["position"])
    assert town.read(new).position == told["position"]


def test_an_offer_that_is_no_more_is_a_conflict(town: Town, staff: Any) -> None:
    town.stops(3)
    town.published()
    one, other = town.stop(0.004), town.stop(0.005)
    told = staff.post(f"{API}/stops/{one}/insert", json={"dry": True}).json
    staff.post(f"{API}/stops/{other}/insert", json={})
    done = staff.post(f"{API}/stops/{one}/insert", json={"offer": told["offer"]})
    assert (done.status_code, "ask for it again" in done.json["detail"]) == (409, True)
    assert town.read(one).state == "unassigned"


def test_where_it_fits_nowhere_the_price_of_being_late_can_be_accepted(
    town: Town, staff: Any
) -> None:
    tight = town.stop(0.03)
    town.published()
    reached = town.read(tight).planned_at or at(8)
    town.change(tight, promised_end=reached + timedelta(seconds=30))
    new = town.stop(0.01, service_time=1800, window_start=at(8), window_end=at(8, 10))
    told = staff.post(f"{API}/stops/{new}/insert", json={"dry": True})
    assert (told.status_code, "to take that, say even_late" in told.json["detail"]) == (422, True)
    least = told.json["least_late"]
    assert least["own_late"] or any(one["late"] for one in least["later"])
    assert town.read(new).state == "unassigned"
    wish = {"offer": least["offer"], "even_late": True}
    assert staff.post(f"{API}/stops/{new}/insert", json=wish).status_code == 200
    assert town.read(new).position == least["position"]


def test_better_routes_are_asked_for_and_read(hub: Hub, town: Town, staff: Any) -> None:
    town.stops(4)
    town.published()
    wish = {"depot": "Vaduz", "service_date": "2026-11-23", "seconds": 0.5}
    asked = staff.post(f"{API}/routes/reoptimise", json=wish)
    assert (asked.status_code, asked.json["state"]) == (202, "waiting")
    register(hub)
    (held,) = claim(hub.store, "heavy", "test")
    hub.handlers[held.kind](hub, held)
    done = staff.get(asked.headers["Location"]).json
    assert done["state"] == "done"
    assert done["undoable"] == (done["routes"] > 0)
    ended = staff.post(f"{asked.headers['Location']}/cancel", json={})
    assert (ended.status_code, "is done already" in ended.json["detail"]) == (422, True)


def test_one_that_waits_is_cancelled(town: Town, staff: Any) -> None:
    wish = {"depot": "Vaduz", "service_date": "2026-11-23"}
    where = staff.post(f"{API}/routes/reoptimise", json=wish).headers["Location"]
    assert staff.post(f"{where}/cancel", json={}).json["state"] == "cancelled"
    undone = staff.post(f"{where}/undo", json={})
    assert (undone.status_code, "changed no route" in undone.json["detail"]) == (422, True)


def test_a_worker_takes_up_the_stops_of_a_lost_driver(hub: Hub, town: Town, staff: Any) -> None:
    ids = town.stops(2)
    (route,) = town.published()
    said = staff.post(f"{API}/routes/{route}/redistribute", json={"reason": "ill"})
    assert (said.status_code, said.json["left"]) == (202, [])
    register(hub)
    (held,) = claim(hub.store, "heavy", "test")
    hub.handlers[held.kind](hub, held)
    done = staff.get(said.headers["Location"]).json
    assert {one["stop"] for one in done["unserved"]} == set(ids)
    flags = staff.get(f"{API}/flags").json["flags"]
    assert set(ids) <= {flag["subject"] for flag in flags}
    again = staff.post(f"{API}/routes/{route}/lost", json={"reason": "ill"})
    assert (again.status_code, "is cancelled" in again.json["detail"]) == (422, True)


def test_lost_goods_are_told_at_once(town: Town, staff: Any) -> None:
    ids = town.stops(2)
    (route,) = town.published()
    wish = {"reason": "burnt", "goods": "lost"}
    said = staff.post(f"{API}/routes/{route}/redistribute", json=wish)
    assert (said.status_code, said.json["reoptimisation"]) == (200, "")
    assert {left["stop"] for left in said.json["left"]} == set(ids)


def test_the_best_order_begins_with_the_locks(town: Town, staff: Any) -> None:
    ids = town.stops(4)
    (route,) = town.published()
    wish = {"optimise": True, "locks": [ids[3]], "dry": True}
    told = staff.post(f"{API}/routes/{route}/sequence", json=wish).json
    assert told["stops"][0] == ids[3]
    assert sorted(told["stops"]) == sorted(ids)


def test_a_driver_who_goes_on_meanwhile_is_a_conflict(
    town: Town, staff: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    town.stops(3)
    (route,) = town.published()
    ids = [stop.id for stop in town.on(route)]
    real = sequence.matrix

    def matrix(*given: Any) -> Any:
        town.change(ids[0], state="en_route")
        return real(*given)

    monkeypatch.setattr(sequence, "matrix", matrix)
    said = staff.post(f"{API}/routes/{route}/sequence", json={"stops": ids[::-1]})
    assert (said.status_code, "changed meanwhile" in said.json["detail"]) == (409, True)
