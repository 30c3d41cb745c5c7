"""Orders in: once each, changed while that is still possible, placed or waiting with a reason."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlmodel import select

from hub.errors import Refused
from hub.events.catalogue import catalogue
from hub.hub import Hub
from hub.nouns import Address, Location, Money, Order, OrderLine, Recipient, TimeWindow
from hub.orders.actions import OrderInput, make_stop
from hub.orders.cancellation import cancel
from hub.orders.intake import Taken, take, take_all
from hub.orders.places import set_pin
from hub.orders.stops import create_stop
from hub.store import (
    DepotRow,
    EventRow,
    MerchantRow,
    OrderLineRow,
    OrderRow,
    PersonRow,
    StopRow,
    System,
)
from hub.testing.fixtures import World, set_time

ADDRESS = Address(line1="Aeulestrasse 1", postcode="9490", city="Vaduz", country="LI")
ORDER = Order(
    ref="A1",
    recipient=Recipient(name="Anna Beck", phone="+4232321111", email="anna@example.li"),
    address=ADDRESS,
    location=Location(lat=47.14, lon=9.52),
    lines=(OrderLine(name="Käse", quantity=2, load=3), OrderLine(name="Honig")),
)


def hand_in(hub: Hub, world: World, order: Order, source: str = "api") -> Taken:
    with hub.store.write(System()) as session:
        return take(hub, session, world.merchant, source, order)


def changed(**values: object) -> Order:
    return ORDER.model_copy(update=values)


def row(hub: Hub, id: str) -> OrderRow:
    with hub.store.read(System()) as session:
        return session.get_one(OrderRow, id)


def events(hub: Hub) -> list[str]:
    with hub.store.read(System()) as session:
        return list(session.exec(select(EventRow.type).order_by(EventRow.id)))


def stop_of(hub: Hub, order: str, state: str = "unassigned") -> StopRow:
    """Make the order's stop and put it into `state`, as later steps would."""
    with hub.store.write(System()) as session:
        stop = create_stop(session, order)
        assert stop is not None
        stop.state = state
        return stop


def test_a_new_order_is_kept_with_its_lines_and_told(hub: Hub, world: World) -> None:
    taken = hand_in(hub, world, ORDER)
    assert taken.news == "created"
    found = row(hub, taken.id)
    assert (found.state, found.depot, found.service_time) == ("ready", world.depot, 180)
    with hub.store.read(System()) as session:
        lines = session.exec(select(OrderLineRow).where(OrderLineRow.order == taken.id)).all()
        event = session.exec(select(EventRow)).one()
        person = session.get_one(PersonRow, event.id)
    assert [(line.number, line.name, line.quantity) for line in lines] == [
        (1, "Käse", 2),
        (2, "Honig", 1),
    ]
    assert (event.type, event.data["order"]["lines"]) == ("order.received", 2)
    assert "Anna" not in str(event.data)
    assert person.data["customer"]["name"] == "Anna Beck"


def test_an_order_keeps_how_the_shop_calls_it_and_what_a_piece_costs(
    hub: Hub, world: World
) -> None:
    line = OrderLine(
        name="Käse", ref="li-7", price=Money(amount=Decimal("4.33333"), currency="CHF")
    )
    rebate = OrderLine(name="Rebate", price=Money(amount=Decimal("-2"), currency="CHF"))
    taken = hand_in(hub, world, changed(number="#1001", parent="gid/1", lines=(line, rebate)))
    found = row(hub, taken.id)
    assert (found.number, found.parent) == ("#1001", "gid/1")
    with hub.store.read(System()) as session:
        query = select(OrderLineRow).where(OrderLineRow.order == taken.id)
        lines = session.exec(query.order_by(OrderLineRow.number)).all()
    assert [(one.ref, one.price) for one in lines] == [("li-7", Decimal("4.3333")), ("", None)]


def test_the_same_order_again_changes_nothing_and_tells_nothing(hub: Hub, world: World) -> None:
    first = hand_in(hub, world, ORDER)
    again = hand_in(hub, world, ORDER)
    assert (again.news, again.id) == ("unchanged", first.id)
    assert events(hub) == ["order.received"]


def test_the_same_order_handed_in_at_the_same_time_is_one_order(hub: Hub, world: World) -> None:
    def again(_: int) -> str:
        return hand_in(hub, world, ORDER).news

    with ThreadPoolExecutor(6) as pool:
        news = list(pool.map(again, range(12)))
    assert sorted(news) == ["created"] + ["unchanged"] * 11
    assert events(hub) == ["order.received"]


def test_the_same_ref_from_another_source_is_another_order(hub: Hub, world: World) -> None:
    assert hand_in(hub, world, ORDER, "api").id != hand_in(hub, world, ORDER, "csv").id


def test_changed_words_are_applied_to_order_lines_and_stop(hub: Hub, world: World) -> None:
    taken = hand_in(hub, world, ORDER)
    stop_of(hub, taken.id)
    lines = (OrderLine(name="Brot", quantity=5),)
    moved = changed(lines=lines, service_date=date(2026, 11, 25))
    assert hand_in(hub, world, moved).news == "updated"
    with hub.store.read(System()) as session:
        stop = session.exec(select(StopRow)).one()
        names = session.exec(select(OrderLineRow.name)).all()
    assert (stop.load, stop.service_date) == (5, date(2026, 11, 25))
    assert names == ["Brot"]
    assert events(hub) == ["order.received", "stop.created", "order.updated"]


def test_on_a_route_the_phone_may_change_but_not_the_day(hub: Hub, world: World) -> None:
    taken = hand_in(hub, world, ORDER)
    stop_of(hub, taken.id, "dispatched")
    recipient = Recipient(name="Anna Beck", phone="+4237771111")
    assert hand_in(hub, world, changed(recipient=recipient)).news == "updated"
    with pytest.raises(Refused, match="on a route already"):
        hand_in(hub, world, changed(recipient=recipient, service_date=date(2026, 11, 25)))
    assert row(hub, taken.id).service_date == date(2026, 11, 23)


@pytest.mark.parametrize("state", ["en_route", "arrived", "completed", "failed"])
def test_once_the_driver_is_on_the_way_nothing_changes(hub: Hub, world: World, state: str) -> None:
    taken = hand_in(hub, world, ORDER)
    stop_of(hub, taken.id, state)
    with pytest.raises(Refused, match="not applied"):
        hand_in(hub, world, changed(notes="Ring"))
    assert row(hub, taken.id).notes == ""
    assert hand_in(hub, world, ORDER).news == "unchanged"


def test_one_refused_order_stops_no_other(hub: Hub, world: World) -> None:
    bad = changed(ref="A2", depot="Nowhere")
    with hub.store.write(System()) as session:
        results = take_all(hub, session, world.merchant, "api", [ORDER, bad, changed(ref="A3")])
    assert [type(result).__name__ for result in results] == ["Taken", "Refused", "Taken"]
    with hub.store.read(System()) as session:
        assert sorted(session.exec(select(OrderRow.ref))) == ["A1", "A3"]


def test_an_order_without_a_known_place_waits_and_says_why(hub: Hub, world: World) -> None:
    taken = hand_in(hub, world, changed(location=None))
    found = row(hub, taken.id)
    assert (found.state, found.lat) == ("needs_address", None)
    assert "set the pin" in found.reason
    assert events(hub) == ["order.needs_address"]
    with hub.store.write(System()) as session, pytest.raises(Refused, match="no place yet"):
        create_stop(session, taken.id)


def test_a_pin_places_the_order_and_teaches_the_door(hub: Hub, world: World) -> None:
    waiting = hand_in(hub, world, changed(location=None))
    with hub.store.write(System()) as session:
        set_pin(hub, session, waiting.id, 47.15, 9.53, "usr_1")
    found = row(hub, waiting.id)
    assert (found.state, found.lat, found.reason) == ("ready", 47.15, "")
    assert events(hub)[-1] == "order.address_fixed"
    upper = ADDRESS.model_copy(update={"line1": "AEULESTRASSE  1", "line2": "3rd floor"})
    next_one = hand_in(hub, world, changed(ref="A2", location=None, address=upper))
    assert (row(hub, next_one.id).state, row(hub, next_one.id).lat) == ("ready", 47.15)


def test_a_pin_is_kept_when_the_source_changes_something_else(hub: Hub, world: World) -> None:
    nowhere = changed(location=None, address=Address(city="Vaduz"))
    waiting = hand_in(hub, world, nowhere)
    with hub.store.write(System()) as session:
        set_pin(hub, session, waiting.id, 47.15, 9.53)
    hand_in(hub, world, nowhere.model_copy(update={"notes": "Ring"}))
    assert row(hub, waiting.id).lat == 47.15


def test_a_pin_off_the_map_is_refused(hub: Hub, world: World) -> None:
    waiting = hand_in(hub, world, changed(location=None))
    with hub.store.write(System()) as session, pytest.raises(Refused, match="lat"):
        set_pin(hub, session, waiting.id, 1000, 9.53)


def test_the_nearest_depot_delivers_unless_one_is_named(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        session.add(DepotRow(name="Eschen", lat=47.2110, lon=9.5220))
    near = changed(location=Location(lat=47.20, lon=9.52))
    depots = {"near": hand_in(hub, world, near), "named": hand_in(
        hub, world, near.model_copy(update={"ref": "A2", "depot": "Vaduz"}))}  # fmt: skip
    assert row(hub, depots["near"].id).depot != world.depot
    assert row(hub, depots["named"].id).depot == world.depot


def test_of_two_depots_that_differ_by_case_alone_the_exact_one_delivers(
    hub: Hub, world: World
) -> None:
    with hub.store.write(System()) as session:
        session.add(DepotRow(name="VADUZ", lat=47.2110, lon=9.5220))
    taken = hand_in(hub, world, changed(depot=" Vaduz "))
    assert row(hub, taken.id).depot == world.depot
    with pytest.raises(Refused, match="there is no depot 'vaduz'; there are Vaduz, VADUZ"):
        hand_in(hub, world, changed(ref="A2", depot="vaduz"))


def test_without_a_date_the_next_shift_that_still_begins_takes_the_order(
    hub: Hub, world: World
) -> None:
    set_time(hub, datetime(2026, 11, 23, 7, 0, tzinfo=UTC))
    assert row(hub, hand_in(hub, world, ORDER).id).service_date == date(2026, 11, 23)
    set_time(hub, datetime(2026, 11, 23, 7, 1, tzinfo=UTC))
    late = hand_in(hub, world, changed(ref="A2"))
    assert row(hub, late.id).service_date == date(2026, 11, 24)


def test_times_of_day_are_the_depots(hub: Hub, world: World) -> None:
    day = date(2026, 11, 24)
    timed = changed(window_start_local="10:00", window_end_local="12:00", service_date=day)
    found = row(hub, hand_in(hub, world, timed).id)
    assert found.window_start == datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    assert found.window_end == datetime(2026, 11, 24, 11, 0, tzinfo=UTC)


IMPOSSIBLE: list[tuple[dict[str, object], str]] = [
    ({"service_date": date(2026, 11, 1)}, "service_date"),
    ({"service_date": date(2126, 11, 1)}, "service_date"),
    ({"depot": "Nowhere"}, "depot"),
    ({"window_start_local": "12:00", "window_end_local": "10:00"}, "window_end_local"),
    ({"notes": "x" * 5001}, "notes"),
    ({"recipient": Recipient(name="a\x00b")}, "recipient.name"),
    ({"lines": (OrderLine(name="Käse"), OrderLine(name="Fass", quantity=2000, load=1000))},
     "lines.1"),
    ({"lines": (OrderLine(name="Fass", quantity=999, load=1000), OrderLine(name="a", load=1001))},
     "lines.1"),
    ({"cash_due": Money(amount=Decimal("-1"), currency="CHF")}, "cash_due"),
    ({"cash_due": Money(amount=Decimal("1e9999"), currency="CHF")}, "cash_due"),
    ({"cash_due": Money(amount=Decimal("1"), currency="CHF"),
      "total": Money(amount=Decimal("1"), currency="EUR")}, "cash_due"),
    ({"window": TimeWindow(start=datetime(2026, 11, 24, 9, tzinfo=UTC),
                           end=datetime(2026, 11, 24, 8, tzinfo=UTC))}, "window"),
    ({"window": TimeWindow(start=datetime(1, 1, 1, tzinfo=UTC),
                           end=datetime(9999, 1, 1, tzinfo=UTC))}, "window"),
]  # fmt: skip


def test_what_cannot_be_is_refused_by_field(hub: Hub, world: World) -> None:
    for values, field in IMPOSSIBLE:
        with pytest.raises(Refused) as refusal:
            hand_in(hub, world, changed(**values))
        assert refusal.value.field == field


def test_the_largest_load_is_taken_and_kept_by_the_stop(hub: Hub, world: World) -> None:
    lines = (OrderLine(name="Fass", quantity=1000, load=999), OrderLine(name="Kiste", load=1000))
    assert stop_of(hub, hand_in(hub, world, changed(lines=lines)).id).load == 1_000_000


def test_a_load_that_is_too_large_is_refused_with_the_line_by_its_name(
    hub: Hub, world: World
) -> None:
    lines = (OrderLine(name="Käse"), OrderLine(name="Fass", quantity=1_000_000, load=1_000_000))
    with pytest.raises(Refused, match=r"line 2 \(Fass\): 1,000,000 pieces of load 1,000,000"):
        hand_in(hub, world, changed(lines=lines))


def test_without_a_currency_the_merchants_own_is_meant(hub: Hub, world: World) -> None:
    with hub.store.write(System()) as session:
        session.get_one(MerchantRow, world.merchant).currency = "EUR"
    due = Money(amount=Decimal("5.00"), currency="XXX")
    found = row(hub, hand_in(hub, world, changed(cash_due=due)).id)
    assert (found.cash_due, found.currency) == (Decimal("5.00"), "EUR")


def test_a_stop_is_made_once(hub: Hub, world: World) -> None:
    taken = hand_in(hub, world, ORDER)
    first, again = stop_of(hub, taken.id), stop_of(hub, taken.id)
    assert first.id == again.id
    assert first.load == 7
    assert events(hub) == ["order.received", "stop.created"]


def test_cancelling_calls_off_order_and_stop_once(hub: Hub, world: World) -> None:
    taken = hand_in(hub, world, ORDER)
    stop_of(hub, taken.id)
    for _ in range(2):
        with hub.store.write(System()) as session:
            cancel(session, taken.id)
    assert events(hub)[-2:] == ["order.cancelled", "stop.cancelled"]
    with hub.store.read(System()) as session:
        assert session.exec(select(StopRow.state)).one() == "cancelled"


def test_an_order_that_was_called_off_before_it_had_a_stop_gets_none(
    hub: Hub, world: World
) -> None:
    taken = hand_in(hub, world, ORDER)
    with hub.store.write(System()) as session:
        cancel(session, taken.id)
    with hub.store.write(System()) as session:
        made = make_stop(hub, session, OrderInput(order=taken.id))
    assert made.id == ""
    with hub.store.read(System()) as session:
        assert session.exec(select(StopRow)).all() == []
    assert events(hub) == ["order.received", "order.cancelled"]


def test_what_is_at_the_door_cannot_be_cancelled(hub: Hub, world: World) -> None:
    taken = hand_in(hub, world, ORDER)
    stop_of(hub, taken.id, "arrived")
    with hub.store.write(System()) as session, pytest.raises(Refused, match="arrived already"):
        cancel(session, taken.id)


def test_a_stop_whose_order_loses_its_place_is_held_until_the_pin_is_set(
    hub: Hub, world: World
) -> None:
    taken = hand_in(hub, world, ORDER)
    stop_of(hub, taken.id)
    hand_in(hub, world, changed(location=None, address=Address(city="Schaan")))
    with hub.store.read(System()) as session:
        assert session.exec(select(StopRow.state)).one() == "on_hold"
    with hub.store.write(System()) as session:
        set_pin(hub, session, taken.id, 47.16, 9.50)
    with hub.store.read(System()) as session:
        stop = session.exec(select(StopRow)).one()
    assert (stop.state, stop.lat) == ("unassigned", 47.16)


def test_every_event_told_here_is_in_the_catalogue() -> None:
    told = {"order.received", "order.updated", "order.needs_address", "order.address_fixed",
            "order.cancelled", "stop.created", "stop.cancelled", "import.finished"}  # fmt: skip
    assert told <= set(catalogue())


def test_exchanged_coordinates_are_refused(hub: Hub, world: World) -> None:
    with pytest.raises(Refused, match="seem to be exchanged") as refused:
        hand_in(hub, world, changed(location=Location(lat=9.52, lon=47.14)))
    assert refused.value.field == "location"


def test_zero_degrees_are_no_place(hub: Hub, world: World) -> None:
    taken = hand_in(hub, world, changed(location=Location(lat=0, lon=0)))
    assert row(hub, taken.id).state == "needs_address"


def test_a_clock_that_is_none_names_its_field(hub: Hub, world: World) -> None:
    with pytest.raises(Refused) as refused:
        hand_in(hub, world, changed(window_start_local="25:00"))
    assert refused.value.field == "window_start_local"
