"""Positions are read every 30 seconds while somebody is on duty, and a failure is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest
from sqlmodel import update

from hub.connector import Connector
from hub.errors import Retry, Unauthorized
from hub.nouns import Cursor, DevicePosition, Fix
from hub.plugins import Plugin
from hub.store import ConnectionRow, DriverRow, System, WorkRow
from hub.tracking import positions
from hub.workflow import trackers

from .conftest import ToyConfig, Toys

Record = DevicePosition | Cursor | Exception


class Box(Connector[ToyConfig]):
    """Hands over what it is told."""

    name = "box"
    title = "Box"
    Config = ToyConfig
    records: ClassVar[list[Record]] = []
    asked: ClassVar[list[str]] = []

    def positions(self, cursor: Cursor) -> Iterator[DevicePosition | Cursor]:
        type(self).asked.append(cursor.value)
        for record in type(self).records:
            if isinstance(record, Exception):
                raise record
            yield record


@pytest.fixture
def box(toys: Toys) -> type[Box]:
    Box.records, Box.asked = [], []
    plugin = Plugin(name="box", distribution="", version="")
    plugin.connectors["box"] = Box
    plugin.kinds["box"] = {"position_sources"}
    toys.hub.plugins.plugins["box"] = plugin
    return Box


def connect(toys: Toys, merchant: str | None = None) -> str:
    with toys.hub.store.write(System()) as session:
        return toys.hub.connections.save(session, "box", {}, merchant=merchant).id


def track(toys: Toys, device: str) -> str:
    """Give the driver a device."""
    (driver,) = toys.rows(DriverRow)
    with toys.hub.store.write(System()) as session:
        session.get_one(DriverRow, driver.id).tracker = device
    return str(driver.id)


def again(toys: Toys) -> None:
    """Let half a minute pass."""
    with toys.hub.store.write(System()) as session:
        session.exec(update(ConnectionRow).values(locate_at=session.wall, rests_until=None))
    toys.tick()


def row(toys: Toys, id: str) -> ConnectionRow:
    (found,) = toys.rows(ConnectionRow, id=id)
    return found


def at(toys: Toys, device: str, lat: float = 47.15) -> DevicePosition:
    return DevicePosition(device=device, fix=Fix(lat=lat, lon=9.52, at=toys.clock))


def test_what_is_new_goes_to_its_driver_and_the_cursor_is_kept(toys: Toys, box: type[Box]) -> None:
    driver = track(toys, "van")
    id = connect(toys)
    box.records = [at(toys, "van"), at(toys, "lost"), Cursor(value="7")]
    toys.tick()
    found = positions.position(toys.hub, driver)
    assert found
    assert found.lat == 47.15
    kept = row(toys, id)
    assert (kept.position_cursor, kept.cursor, kept.located_at) == ("7", "", toys.clock)
    assert kept.state == "healthy"
    toys.tick()
    assert box.asked == [""]
    began = toys.hub.store.clock.wall()
    again(toys)
    assert box.asked == ["", "7"]
    due_at = row(toys, id).locate_at
    assert due_at - toys.hub.store.clock.wall() <= trackers.EVERY <= due_at - began


def test_many_positions_go_in_by_parts_and_those_without_a_cursor_as_well(
    toys: Toys, box: type[Box]
) -> None:
    driver = track(toys, "van")
    connect(toys)
    box.records = [at(toys, "van")] * (trackers.TOGETHER + 3)
    toys.tick()
    assert positions.position(toys.hub, driver)
    assert toys.hub.redis.xlen(positions.stream(0)) == 2


def test_nobody_is_asked_while_nobody_is_on_duty(toys: Toys, box: type[Box]) -> None:
    id = connect(toys)
    toys.later(hours=-6)
    toys.tick()
    assert box.asked == []
    assert row(toys, id).locate_at > toys.hub.store.clock.wall(), "it is not looked at each round"
    toys.later(hours=6)
    again(toys)
    assert box.asked == [""]


def test_a_merchant_s_connection_and_one_that_is_off_are_not_read(
    toys: Toys, box: type[Box]
) -> None:
    connect(toys, toys.merchant)
    id = connect(toys)
    with toys.hub.store.write(System()) as session:
        toys.hub.connections.set_enabled(session, id, False)
    toys.tick()
    assert box.asked == []


def test_expired_credentials_end_the_reading_until_someone_reconnects(
    toys: Toys, box: type[Box]
) -> None:
    box.records = [Unauthorized("revoked")]
    id = connect(toys)
    toys.tick()
    assert (row(toys, id).state, len(toys.events("connection.expired"))) == ("action_needed", 1)
    again(toys)
    assert len(box.asked) == 1


def test_a_server_that_is_down_is_left_alone_after_a_while(toys: Toys, box: type[Box]) -> None:
    box.records = [Retry("it is down")]
    id = connect(toys)
    for _ in range(5):
        again(toys)
    found = row(toys, id)
    assert (found.state, found.failures, found.reason) == ("degraded", 5, "it is down")
    assert found.rests_until
    assert found.locate_at >= found.rests_until
    box.records = []
    again(toys)
    assert (row(toys, id).state, row(toys, id).failures) == ("healthy", 0)


def test_what_breaks_off_is_read_again_from_the_last_cursor(toys: Toys, box: type[Box]) -> None:
    track(toys, "van")
    id = connect(toys)
    box.records = [at(toys, "van"), Cursor(value="1"), KeyError("id")]
    toys.tick()
    found = row(toys, id)
    assert (found.position_cursor, found.state) == ("1", "degraded")
    assert "Its positions could not be read" in found.reason
    again(toys)
    assert box.asked == ["", "1"]


def test_a_long_reading_lets_others_have_their_turn(
    toys: Toys, box: type[Box], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trackers, "TURN", -1.0)
    id = connect(toys)
    box.records = [Cursor(value="1"), Cursor(value="2")]
    toys.hub.rounds[:] = [trackers.go_round]
    for go_round in toys.hub.rounds:
        go_round(toys.hub)
    (work,) = toys.rows(WorkRow, kind=trackers.KIND)
    assert work.state == "ready"
    box.records = [Cursor(value="1")]
    toys.work()
    assert row(toys, id).position_cursor == "1"
    assert box.asked == ["", "1"], "the second turn begins where the first ended"
