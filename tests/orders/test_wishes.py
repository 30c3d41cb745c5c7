"""What an order asks of who brings it, from the source's words to its stop."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlmodel import select

from hub.errors import Refused
from hub.fleet.measures import Measure, Measures, set_measures
from hub.hub import Hub
from hub.nouns import Location, Order, OrderLine, TimeWindow
from hub.orders.intake import Taken, take
from hub.orders.sheets import order_sheets
from hub.orders.stops import create_stop
from hub.store import DriverRow, OrderRow, StopRow, System
from hub.testing.fixtures import World
from hub.testing.town import at


def order(**values: Any) -> Order:
    given = {"ref": "A1", "location": Location(lat=47.14, lon=9.52), **values}
    return Order.model_validate(given)


def hand_in(hub: Hub, world: World, **values: Any) -> Taken:
    with hub.store.write(System()) as session:
        return take(hub, session, world.merchant, "api", order(**values))


def stop_of(hub: Hub, taken: Taken) -> StopRow:
    with hub.store.write(System()) as session:
        stop = create_stop(session, taken.id)
        assert stop is not None
        return stop


@pytest.fixture
def weighed(hub: Hub) -> None:
    """Let the operator count kilograms and pallets too."""
    counted = tuple(Measure(name=name) for name in ("units", "kg", "pallets"))
    with hub.store.write(System()) as session:
        set_measures(session, Measures(loads=counted))


def test_a_stop_asks_what_its_order_asks(hub: Hub, world: World) -> None:
    taken = hand_in(
        hub, world, skills=["Lift", "cold chain", "lift"], priority="high", driver="Lea Frick",
        turn="last", on_board=5400, pair="P7",
    )  # fmt: skip
    stop = stop_of(hub, taken)
    assert (stop.skills, stop.priority) == (["cold-chain", "lift"], 20)
    assert (stop.driver, stop.turn, stop.on_board) == (world.driver, "last", 5400)
    assert stop.pair == "api:P7"


def test_a_driver_is_found_in_any_case(hub: Hub, world: World) -> None:
    assert stop_of(hub, hand_in(hub, world, driver=" lea FRICK ")).driver == world.driver


def test_an_order_that_asks_nothing_is_as_it_always_was(hub: Hub, world: World) -> None:
    stop = stop_of(hub, hand_in(hub, world))
    assert (stop.windows, stop.loads, stop.skills, stop.load) == ([], {}, [], 1)
    assert (stop.priority, stop.driver, stop.turn, stop.pair) == (1, None, "", "")


def test_several_windows_are_kept_in_order_with_their_outer_edges(hub: Hub, world: World) -> None:
    exact = TimeWindow(start=at(9), end=at(10))
    stop = stop_of(hub, hand_in(hub, world, windows=["14:00-16:00", exact]))
    assert stop.windows == [
        [at(9).isoformat(), at(10).isoformat()],
        [at(14).isoformat(), at(16).isoformat()],
    ]
    assert (stop.window_start, stop.window_end) == (at(9), at(16))


def test_one_window_of_several_is_a_plain_window(hub: Hub, world: World) -> None:
    stop = stop_of(hub, hand_in(hub, world, windows=["14:00-16:00"]))
    assert (stop.windows, stop.window_start, stop.window_end) == ([], at(14), at(16))


def test_loads_are_added_up_by_measure(hub: Hub, world: World, weighed: None) -> None:
    lines = (
        OrderLine(name="Sack", quantity=3, load=2, loads={"kg": 12.4}),
        OrderLine(name="Box", loads={"units": 5, "kg": 0.3}),
    )
    stop = stop_of(hub, hand_in(hub, world, lines=lines, loads={"pallets": 2}))
    assert stop.load == 11
    assert stop.loads == {"kg": 38, "pallets": 2}


def test_what_the_order_says_goes_before_its_lines(hub: Hub, world: World, weighed: None) -> None:
    lines = (OrderLine(name="Sack", quantity=3, load=2, loads={"kg": 12}),)
    stop = stop_of(hub, hand_in(hub, world, lines=lines, loads={"units": 1, "kg": 30}))
    assert (stop.load, stop.loads) == (1, {"kg": 30})


def test_changed_wishes_reach_the_stop(hub: Hub, world: World, weighed: None) -> None:
    taken = hand_in(hub, world, skills=["lift"])
    stop_of(hub, taken)
    assert hand_in(hub, world, skills=["fridge"], loads={"kg": 9}).news == "updated"
    stop = stop_of(hub, taken)
    assert (stop.skills, stop.loads) == (["fridge"], {"kg": 9})


def test_on_a_route_the_load_follows_and_the_rest_stays(
    hub: Hub, world: World, weighed: None
) -> None:
    taken = hand_in(hub, world)
    with hub.store.write(System()) as session:
        create_stop(session, taken.id)
        stop = session.exec(select(StopRow)).one()
        stop.state = "dispatched"
    hand_in(hub, world, loads={"kg": 40})
    with hub.store.read(System()) as session:
        assert session.exec(select(StopRow.loads)).one() == {"kg": 40}
    with pytest.raises(Refused, match="its skills stays"):
        hand_in(hub, world, loads={"kg": 40}, skills=["lift"])


@pytest.mark.parametrize(
    ("values", "field", "said"),
    [
        ({"loads": {"stones": 3}}, "loads.stones", "there is no measure 'stones'; there are units"),
        ({"driver": "Nobody"}, "driver", "there is no driver 'Nobody'"),
        ({"windows": ["10:00-09:00"]}, "windows", "ends at 09:00, before it starts at 10:00"),
        ({"windows": ["8:00-9:00"], "window_start_local": "10:00"}, "windows", "not both"),
        ({"kind": "service", "pair": "P"}, "pair", "a pair is a collection and a delivery"),
        ({"loads": {"units": 1_000_000}, "lines": ()}, "", ""),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(
    hub: Hub, world: World, values: dict[str, Any], field: str, said: str
) -> None:
    if not said:
        assert hand_in(hub, world, **values).news == "created"
        return
    with pytest.raises(Refused, match=said) as refusal:
        hand_in(hub, world, **values)
    assert refusal.value.field == field


def test_a_name_that_two_drivers_have_needs_the_id(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        session.add(DriverRow(name="Lea Frick", depot=world.depot, vehicle=world.vehicle))
    with pytest.raises(Refused, match="2 drivers are named 'Lea Frick'; write the id"):
        hand_in(hub, world, driver="Lea Frick")
    assert stop_of(hub, hand_in(hub, world, driver=world.driver)).driver == world.driver


def test_a_day_is_that_of_the_first_exact_window(hub: Hub, world: World) -> None:
    tomorrow = [TimeWindow(start=at(hour).replace(day=24), end=at(hour + 1).replace(day=24))
                for hour in (9, 14)]  # fmt: skip
    with hub.store.read(System()) as session:
        assert session.now.date() == date(2026, 11, 23)
    assert stop_of(hub, hand_in(hub, world, windows=tomorrow)).service_date == date(2026, 11, 24)


def test_a_sheet_says_all_that_is_asked(hub: Hub, world: World) -> None:
    taken = hand_in(hub, world, windows=["9:00-10:00", "14:00-15:00"], skills=["lift"], priority=50)
    with hub.store.read(System()) as session:
        (sheet,) = order_sheets(session, [session.get_one(OrderRow, taken.id)])
    assert sheet.windows == ((at(9), at(10)), (at(14), at(15)))
    assert (sheet.skills, sheet.priority, sheet.driver) == (("lift",), 50, None)
