"""The board: what it shows, to whom, and what only it does."""

from datetime import date, timedelta

import pytest
from sqlmodel import select

from hub.hub import Hub
from hub.nouns import Relaxation, Unserved
from hub.store import DepotRow, DriverRow, EventRow, FlagRow, MerchantRow, PlanRow, StopRow
from hub.testing.days import DAY, NOW, BusyDay, fill_day
from hub.testing.fixtures import World, set_time
from hub.web import auth, create_app
from hub.web.board.state import minutes_late


@pytest.fixture
def filled(hub: Hub, world: World) -> BusyDay:
    set_time(hub, NOW)
    return fill_day(hub, world)


@pytest.fixture
def client(sign_in):
    return sign_in("dispatcher")


def test_the_state_holds_the_day_with_routes_in_order(client, filled: BusyDay) -> None:
    state = client.get("/board/state").json
    assert state["day"] == state["today"] == DAY.isoformat()
    first = [s for s in state["stops"] if s["route"] == filled.routes[0]]
    assert [s["position"] for s in first] == list(range(1, 9))
    assert [r["id"] for r in state["routes"]] == filled.routes
    assert [w["id"] for w in state["waiting"]] == [filled.waiting]
    assert [f["id"] for f in state["flags"]] == [filled.flag]
    assert state["orders"] == 18
    assert {f["name"]: f["text"] for f in state["figures"]}["stops_per_driver"] == "4.0"


def test_another_day_shows_its_own_stops_only(client, filled: BusyDay) -> None:
    state = client.get(f"/board/state?date={DAY + timedelta(days=1)}").json
    assert (state["stops"], state["routes"], state["orders"]) == ([], [], 0)
    assert [w["id"] for w in state["waiting"]] == [filled.waiting], "it still waits for its place"


def test_a_day_that_is_no_date_is_refused_in_words(client) -> None:
    response = client.get("/board/state?date=tomorrow")
    assert response.status_code == 422
    assert "2026-11-23" in response.json["detail"]


def test_an_unchanged_state_is_not_sent_twice(client, filled: BusyDay, hub: Hub) -> None:
    tag = client.get("/board/state").headers["ETag"]
    assert client.get("/board/state", headers={"If-None-Match": tag}).status_code == 304
    with hub.store.write() as session:
        session.get_one(StopRow, filled.unassigned).ad_hoc = True
    assert client.get("/board/state", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize("path", ["/board/state", "/board/live", "/board/stops/x"])
def test_a_merchant_cannot_look_at_the_board(sign_in, world: World, path: str) -> None:
    assert sign_in("merchant", world.merchant).get(path).status_code == 403


def test_a_late_stop_counts_whole_minutes_behind_its_promised_window(hub: Hub) -> None:
    stop = StopRow(
        merchant="m", order="o", depot="d", service_date=date(2026, 11, 23), lat=0, lon=0,
        state="dispatched", promised_end=NOW, eta_at=NOW + timedelta(minutes=9, seconds=59),
    )  # fmt: skip
    assert minutes_late(stop, NOW - timedelta(hours=1)) == 9
    assert minutes_late(stop, NOW + timedelta(minutes=30)) == 30, "an ETA in the past is over"
    stop.arrived_at = NOW - timedelta(minutes=1)
    assert minutes_late(stop, NOW + timedelta(minutes=30)) == 0


def test_the_details_of_a_stop_tell_contact_lines_and_tries(client, filled: BusyDay) -> None:
    found = client.get(f"/board/stops/{filled.stops[1]}").json
    assert found["attempts"][0]["outcome"] == "failed"
    assert found["lines"] == [{"name": "Kräutertee", "sku": "TEE-1", "quantity": 2}]
    assert found["phone"].startswith("+423")
    assert "/t/" in found["tracking_url"]


def test_a_cleared_flag_can_be_put_back(client, filled: BusyDay, hub: Hub) -> None:
    with hub.store.write() as session:
        row = session.get_one(FlagRow, filled.flag)
        row.cleared_at, row.cleared_by = NOW, "usr_x"
    assert client.post(f"/board/flags/{filled.flag}/restore").status_code == 200
    with hub.store.read() as session:
        assert session.get_one(FlagRow, filled.flag).cleared_at is None
        assert [row.type for row in session.exec(select(EventRow))] == ["flag.raised"]


def test_the_page_names_its_bundle_and_no_inline_script(client, world: World) -> None:
    page = client.get("/").text
    assert "/assets/board-" in page
    assert "<script>" not in page
    assert "style=" not in page


def test_the_first_start_without_any_depot_shows_an_empty_board(client) -> None:
    state = client.get("/board/state").json
    assert (state["depots"], state["stops"]) == ([], [])


def test_a_plan_says_how_far_it_is_and_what_would_make_a_left_out_stop_fit(
    client, filled: BusyDay, hub: Hub, world: World
) -> None:
    left = Unserved(
        stop=filled.unassigned, reason="no room", rule="capacity", vehicle=world.driver,
        relaxations=(Relaxation(rule="capacity", amount=3),),
    )  # fmt: skip
    with hub.store.write() as session:
        session.add(
            PlanRow(
                depot=world.depot, service_date=DAY, state="running", created_at=session.now,
                why="PyVRP", progress={"cost": 9.0, "seconds": 2.0, "of": 10.0},
                unserved=[left.model_dump(mode="json")],
            )
        )  # fmt: skip
    (depot,) = client.get("/board/state").json["depots"]
    plan = depot["plan"]
    assert (plan["why"], plan["progress"]["of"], plan["stop_asked"]) == ("PyVRP", 10, False)
    (told,) = plan["unserved"]
    assert told["fits"] == "it fits if Lea Frick's vehicle takes 3 more"


def test_a_plan_that_fails_leaves_what_is_known_of_the_one_before(
    client, filled: BusyDay, hub: Hub, world: World
) -> None:
    left = Unserved(stop=filled.unassigned, reason="no room", rule="capacity")
    with hub.store.write() as session:
        made = PlanRow(
            depot=world.depot, service_date=DAY, state="done", created_at=session.now, why="PyVRP",
            unserved=[left.model_dump(mode="json")],
        )  # fmt: skip
        session.add(made)
        id = made.id
    later = {"depot": world.depot, "service_date": DAY, "created_at": NOW + timedelta(hours=1)}
    with hub.store.write() as session:
        session.add(PlanRow(**later, state="failed", reason="there is no engine foo"))
    (depot,) = client.get("/board/state").json["depots"]
    plan = depot["plan"]
    assert (plan["id"], plan["state"], plan["failed"]) == (id, "done", "there is no engine foo")
    assert [one["stop"] for one in plan["unserved"]] == [filled.unassigned]


def test_a_route_begins_where_its_driver_does(
    client, filled: BusyDay, hub: Hub, world: World
) -> None:
    with hub.store.write() as session:
        driver = session.get_one(DriverRow, world.driver)
        driver.start_place, driver.home_lat, driver.home_lon = "home", 47.2, 9.5
        depot = session.get_one(DepotRow, world.depot)
        home = [depot.lat, depot.lon]
    routes = {one["driver"]: one for one in client.get("/board/state").json["routes"]}
    own = routes.pop(world.driver)
    assert (own["start"], own["end"]) == ([47.2, 9.5], home)
    assert {(*one["start"], *one["end"]) for one in routes.values()} == {(*home, *home)}


def test_the_live_address_is_signed(client) -> None:
    assert "token=" in client.get("/board/live").json["url"]


def test_sixty_stops_are_told_by_a_handful_of_queries(hub: Hub, world: World) -> None:
    from sqlalchemy import event

    from hub.store import Operator
    from hub.web.board.state import collect

    set_time(hub, NOW)
    fill_day(hub, world, routes=3, per_route=20)
    seen: list[str] = []
    event.listen(hub.store.engine, "before_cursor_execute", lambda *a: seen.append(a[2]))
    with hub.store.read(Operator("dispatcher")) as session:
        assert len(collect(hub, session, None).stops) == 61
    seen = [one for one in seen if "FROM clock" not in one]  # it is read by the time that passes
    assert len(seen) < 20, "the number of queries must not grow with the stops"


def test_the_names_of_merchants_are_in_the_state(client, filled: BusyDay, hub: Hub) -> None:
    with hub.store.read() as session:
        names = {row.id: row.name for row in session.exec(select(MerchantRow))}
    assert client.get("/board/state").json["merchants"] == names


def test_signing_in_is_asked_for_first(hub: Hub) -> None:
    client = create_app(hub).test_client()
    response = client.get("/?date=2026-11-23", headers={"Accept": "text/html"})
    assert response.status_code == 302
    assert response.location == "/sign-in?next=/?date%3D2026-11-23"
    assert auth.role(None) == "public"
