"""Positions of devices reach their drivers; those of nobody are counted and named."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from hub.errors import Missing, Rejected
from hub.hub import Hub
from hub.nouns import DevicePosition, Fix
from hub.store import DriverRow
from hub.testing.fixtures import MORNING, World
from hub.tracking import devices, duty, positions
from hub.tracking.devices import Handed, hand_in, strangers


@pytest.fixture
def connection(hub: Hub, world: World) -> str:
    """Return a connection of the operator; the driver's device is `van`."""
    with hub.store.write() as session:
        session.get_one(DriverRow, world.driver).tracker = "van"
        given = {"url": "https://tracking.example.com", "token": "t"}
        return hub.connections.save(session, "traccar", given).id


def at(device: str, when: datetime = MORNING, lat: float = 47.15) -> DevicePosition:
    return DevicePosition(device=device, fix=Fix(lat=lat, lon=9.52, at=when))


def test_a_device_s_position_is_its_driver_s(hub: Hub, world: World, connection: str) -> None:
    assert hand_in(hub, connection, [at("van")]) == Handed(kept=1)
    found = positions.position(hub, world.driver)
    assert found
    assert (found.lat, found.at) == (47.15, MORNING)


def test_a_position_from_outside_working_time_is_dropped(
    hub: Hub, world: World, connection: str
) -> None:
    night = MORNING - timedelta(hours=6)
    assert hand_in(hub, connection, [at("van", night)]) == Handed(dropped=1)
    assert positions.position(hub, world.driver) is None


def test_a_driver_who_is_switched_off_is_not_tracked(
    hub: Hub, world: World, connection: str
) -> None:
    with hub.store.write() as session:
        session.get_one(DriverRow, world.driver).active = False
    assert hand_in(hub, connection, [at("van")]) == Handed(dropped=1)
    assert positions.position(hub, world.driver) is None


def test_devices_of_nobody_are_counted_and_named_until_they_are_somebody_s(
    hub: Hub, world: World, connection: str
) -> None:
    given = [at("van"), at("b"), at("a"), at("a"), at("nul\x00")]
    assert hand_in(hub, connection, given) == Handed(kept=1, unknown=4)
    assert strangers(hub, connection) == ["a", "b", "nul\x00"]
    assert strangers(hub, "con_other") == []
    with hub.store.write() as session:
        session.get_one(DriverRow, world.driver).tracker = "a"
    hand_in(hub, connection, [at("a")])
    assert strangers(hub, connection) == ["b", "nul\x00"]


def test_a_flood_of_names_is_not_kept(hub: Hub, connection: str) -> None:
    hand_in(hub, connection, [at(f"made up {number}") for number in range(3 * devices.NAMED)])
    assert len(strangers(hub, connection)) == devices.NAMED


def test_more_than_a_batch_goes_in_by_batches(hub: Hub, connection: str) -> None:
    count = positions.LARGEST_BATCH + 10
    many = [at("van", MORNING + timedelta(seconds=number)) for number in range(count)]
    assert hand_in(hub, connection, reversed(many)) == Handed(kept=count)
    assert hub.redis.xlen(positions.stream(0)) == 2


def test_nothing_is_nothing(hub: Hub, connection: str) -> None:
    assert hand_in(hub, connection, []) == Handed()


def test_a_merchant_cannot_move_the_operator_s_drivers(hub: Hub, world: World) -> None:
    with hub.store.write() as session:
        session.get_one(DriverRow, world.driver).tracker = "van"
        given = {"url": "https://tracking.example.com", "token": "t"}
        id = hub.connections.save(session, "traccar", given, merchant=world.merchant).id
    with pytest.raises(Rejected, match="connections of the operator only"):
        hand_in(hub, id, [at("van")])
    assert positions.position(hub, world.driver) is None


def test_a_connection_that_is_gone_is_told(hub: Hub) -> None:
    with pytest.raises(Missing):
        hand_in(hub, "con_gone", [at("van")])


@pytest.mark.parametrize(("hour", "weekday_off", "on"), [
    (0, False, True), (-0.4, False, True), (-0.6, False, False), (9.4, False, True),
    (9.6, False, False), (0, True, False),
])  # fmt: skip
def test_somebody_is_on_duty_during_shifts_and_half_an_hour_around(
    hub: Hub, world: World, hour: float, weekday_off: bool, on: bool
) -> None:
    with hub.store.write() as session:
        session.get_one(DriverRow, world.driver).active = not weekday_off
    with hub.store.read() as session:
        assert duty.anybody(session, MORNING + timedelta(hours=hour)) is on
