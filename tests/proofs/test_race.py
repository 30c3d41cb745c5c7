"""Many phones at once: one outcome per stop, one unbroken chain per merchant."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

from sqlmodel import col, select

from hub.driving.words import Report
from hub.errors import Refused
from hub.hub import Hub
from hub.proofs import handover
from hub.store import AttemptRow, DriverRow, ProofRow
from hub.testing.road import Road, lay_route, lay_stop

PHONES = 6


def complete(hub: Hub, driver: str, stop: str) -> bool:
    try:
        with hub.store.write() as session:
            handover.report(hub, session, driver, Report(id=uuid4(), kind="complete", stop=stop))
    except Refused:
        return False
    return True


def more_drivers(hub: Hub, road: Road) -> list[tuple[str, list[str]]]:
    """Add drivers with a route of two stops each; the third order number stays unused."""
    found = []
    with hub.store.write() as session:
        for name in range(PHONES):
            driver = DriverRow(
                name=f"Driver {name}", depot=road.world.depot, vehicle=road.world.vehicle
            )
            session.add(driver)
            session.flush()
            route = lay_route(session, road.world)
            route.driver = driver.id
            stops = []
            for number in (1, 2):
                stop, _ = lay_stop(session, road.world, route, number, source=f"batch{name}")
                stops.append(stop.id)
            found.append((driver.id, stops))
    return found


def test_drivers_of_one_merchant_at_once_make_one_unbroken_chain(hub: Hub, road: Road) -> None:
    crews = more_drivers(hub, road)

    def drive(crew: tuple[str, list[str]]) -> list[bool]:
        return [complete(hub, crew[0], stop) for stop in crew[1]]

    with ThreadPoolExecutor(PHONES) as pool:
        done = list(pool.map(drive, crews))
    assert done == [[True, True]] * PHONES
    with hub.store.read() as session:
        rows = session.exec(select(ProofRow).order_by(col(ProofRow.number))).all()
    assert [row.number for row in rows] == list(range(1, 2 * PHONES + 1))
    assert [row.prev for row in rows] == ["", *(row.sha256 for row in rows[:-1])]


def test_two_phones_that_end_one_stop_make_one_attempt(hub: Hub, road: Road) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: complete(hub, road.driver, road.stops[0]), range(4)))
    assert sorted(done) == [False, False, False, True]
    with hub.store.read() as session:
        assert len(session.exec(select(AttemptRow)).all()) == 1
