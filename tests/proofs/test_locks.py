"""What happens to the same stops at the same moment waits for its turn and never for each other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from uuid import uuid4

import pytest
from sqlmodel import col, select

from hub.dispatch.publish import unpublish
from hub.driving.calloff import call_off
from hub.driving.words import Report
from hub.errors import Refused
from hub.hub import Hub
from hub.nouns import Address, Location, Order, OrderLine
from hub.orders.intake import take_all
from hub.proofs import handover
from hub.store import AttemptRow, OrderRow, RouteRow, StopRow, System
from hub.testing.patience import PATIENCE
from hub.testing.road import DAY, DOORS, Road

Work = Callable[[], object]


def clash(hub: Hub, held: str, works: dict[str, Work], first: str) -> dict[str, str]:
    """Start `works` while a stop is held, one of them first; return how each of them ended.

    Each gets as far as the stop lets it before the next one starts, so it is known who holds what.
    """
    begun: dict[str, Future[object]] = {}
    with ThreadPoolExecutor(len(works)) as pool:
        with hub.store.write(System()) as session:
            session.exec(
                select(StopRow).where(StopRow.id == held).with_for_update(key_share=True)
            ).one()
            for name in sorted(works, key=lambda name: name != first):
                begun[name] = pool.submit(works[name])
                wait([begun[name]], 0.3)
                assert not begun[name].done()
        return {name: ending(one) for name, one in begun.items()}


def ending(work: Future[object]) -> str:
    """Return `done`, or why a work was refused; any other error is one of ours."""
    try:
        work.result(PATIENCE)
    except Refused as refusal:
        return str(refusal)
    return "done"


def calling_off(hub: Hub, order: str) -> Work:
    def work() -> None:
        with hub.store.write(System()) as session:
            call_off(session, order)

    return work


def completing(hub: Hub, road: Road, stop: str) -> Work:
    def work() -> None:
        with hub.store.write() as session:
            said = Report(id=uuid4(), kind="complete", stop=stop)
            handover.report(hub, session, road.driver, said)

    return work


def handing_in(hub: Hub, road: Road, numbers: list[int]) -> Work:
    """Hand the orders of a route in again, with other notes."""
    with hub.store.write(System()) as session:
        for row in session.exec(select(OrderRow)):
            row.depot = road.world.depot
    orders = [
        Order(
            ref=f"#100{number}",
            address=Address(line1=f"Städtle {number}", postcode="9490", city="Vaduz"),
            location=Location(lat=DOORS[number - 1][0], lon=DOORS[number - 1][1]),
            service_date=DAY,
            lines=(OrderLine(name="Pine oil", quantity=2), OrderLine(name="Herb salt")),
            notes="Leave it with the neighbour",
        )
        for number in numbers
    ]

    def work() -> None:
        with hub.store.write(System()) as session:
            for taken in take_all(hub, session, road.world.merchant, "csv", orders):
                if isinstance(taken, Refused):
                    raise taken

    return work


def taking_back(hub: Hub, route: str) -> Work:
    def work() -> None:
        with hub.store.write(System()) as session:
            unpublish(session, route)

    return work


def order_of(hub: Hub, stop: str) -> str:
    with hub.store.read(System()) as session:
        return session.get_one(StopRow, stop).order


@pytest.mark.parametrize("first", ["cancel", "report"])
def test_of_a_cancel_and_a_report_about_one_stop_exactly_one_wins(
    hub: Hub, road: Road, first: str
) -> None:
    stop = road.stops[0]
    order = order_of(hub, stop)
    works = {"cancel": calling_off(hub, order), "report": completing(hub, road, stop)}
    endings = clash(hub, stop, works, first)
    winner = "cancel" if endings["cancel"] == "done" else "report"
    assert endings.pop(winner) == "done"
    assert "cancelled" in endings.popitem()[1]
    with hub.store.read(System()) as session:
        states = session.get_one(OrderRow, order).state, session.get_one(StopRow, stop).state
        attempts = session.exec(select(AttemptRow)).all()
    if winner == "cancel":
        assert (states, len(attempts)) == (("cancelled", "cancelled"), 0)
    else:
        assert (states, len(attempts)) == (("ready", "completed"), 1)


@pytest.mark.parametrize("first", ["intake", "report"])
def test_a_changed_order_and_a_report_about_its_stop_take_turns(
    hub: Hub, road: Road, first: str
) -> None:
    works = {
        "intake": handing_in(hub, road, [1]),
        "report": completing(hub, road, road.stops[0]),
    }
    endings = clash(hub, road.stops[0], works, first)
    assert endings["report"] == "done"
    assert endings["intake"] == "done" or "completed already" in endings["intake"]
    with hub.store.read(System()) as session:
        assert session.get_one(StopRow, road.stops[0]).state == "completed"


def test_an_import_of_a_routes_orders_in_another_order_and_taking_the_route_back_take_turns(
    hub: Hub, road: Road
) -> None:
    works = {"import": handing_in(hub, road, [3, 2, 1]), "back": taking_back(hub, road.route)}
    assert set(clash(hub, road.stops[1], works, "back").values()) == {"done"}
    with hub.store.read(System()) as session:
        assert session.get_one(RouteRow, road.route).state == "cancelled"
        notes = session.exec(select(OrderRow.notes).order_by(col(OrderRow.ref))).all()
        assert notes == ["Leave it with the neighbour"] * 3
