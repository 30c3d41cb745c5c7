"""Shifts as instants in the depot's zone, and the next day that delivers."""

from datetime import UTC, date, datetime

import pytest
from sqlmodel import select

from hub.errors import Refused
from hub.fleet import roster
from hub.fleet.shifts import Hours, next_day, read_hours, shift_on, write_hours
from hub.hub import Hub
from hub.store import DepotRow, ShiftRow
from hub.testing.fixtures import World


def days_off(hub: Hub, world: World, *weekdays: int) -> None:
    with hub.store.write() as session:
        for weekday in weekdays:
            roster.set_shift(session, world.driver, weekday)


def test_a_shift_is_in_the_depots_zone_also_when_clocks_change(hub: Hub, world: World) -> None:
    with hub.store.read() as session:
        summer = shift_on(session, world.driver, date(2026, 7, 6))
        winter = shift_on(session, world.driver, date(2026, 11, 23))
    assert summer is not None
    assert winter is not None
    assert summer[0].astimezone(UTC) == datetime(2026, 7, 6, 6, 0, tzinfo=UTC)
    assert winter[0].astimezone(UTC) == datetime(2026, 11, 23, 7, 0, tzinfo=UTC)


def test_a_day_off_has_no_shift(hub: Hub, world: World) -> None:
    days_off(hub, world, 0)
    with hub.store.read() as session:
        assert shift_on(session, world.driver, date(2026, 11, 23)) is None


def test_a_shift_over_midnight_ends_on_the_next_day(hub: Hub, world: World) -> None:
    with hub.store.write() as session:
        roster.set_shift(session, world.driver, 0, "22:00", "06:00")
    with hub.store.read() as session:
        found = shift_on(session, world.driver, date(2026, 11, 23))
    assert found is not None
    assert (found[1] - found[0]).total_seconds() == 8 * 3600


def test_the_next_day_skips_days_without_a_shift(hub: Hub, world: World) -> None:
    days_off(hub, world, 1, 2)
    with hub.store.read() as session:
        depot = session.get_one(DepotRow, world.depot)
        after = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
        assert next_day(session, depot, after) == date(2026, 11, 26)


def test_the_last_shift_of_the_day_decides_whether_today_still_counts(
    hub: Hub, world: World
) -> None:
    with hub.store.write() as session:
        late = roster.add_driver(session, "Late", world.depot, world.vehicle)
        roster.set_shift(session, late.id, 0, "14:00", "20:00")
    with hub.store.read() as session:
        depot = session.get_one(DepotRow, world.depot)
        noon = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)
        assert next_day(session, depot, noon) == date(2026, 11, 23)
        session.expunge_all()
    with hub.store.write() as session:
        session.get_one(type(late), late.id).active = False
    with hub.store.read() as session:
        assert next_day(session, depot, noon) == date(2026, 11, 24)


def test_hours_are_set_once_per_weekday_and_checked(hub: Hub, world: World) -> None:
    with hub.store.write() as session:
        roster.set_shift(session, world.driver, 0, "9:00", "12:00")
        with pytest.raises(Refused, match="14:30"):
            roster.set_shift(session, world.driver, 0, "9 o'clock", "12:00")
        with pytest.raises(Refused, match="Monday"):
            roster.set_shift(session, world.driver, 7, "09:00", "12:00")
    with hub.store.read() as session:
        rows = session.exec(select(ShiftRow).where(ShiftRow.weekday == 0)).all()
    assert [(row.starts, row.ends) for row in rows] == [("09:00", "12:00")]


WEEK = [(day, "08:00", "17:00") for day in range(5)]


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("mon-fri 08:00-17:00", WEEK),
        (" Sat,SUN 22:00 - 06:00 ", [(5, "22:00", "06:00"), (6, "22:00", "06:00")]),
        ("sun-mon 8:00-9:00", [(6, "8:00", "9:00"), (0, "8:00", "9:00")]),
        ("wed off", [(2, "", "")]),
    ],
)
def test_working_hours_are_read_as_people_write_them(text: str, hours: list[Hours]) -> None:
    assert read_hours(text) == hours


@pytest.mark.parametrize(
    "text", ["", "mon", "mon-", "mon 08:00", "mon 08:00-", "mon 8-17", "mon- 08:00-17:00",
             "monday 08:00-17:00", "mon,,tue off", "mon off-duty", "08:00-17:00"]
)  # fmt: skip
def test_working_hours_that_say_something_else_are_refused(text: str) -> None:
    with pytest.raises(Refused, match="write it like"):
        read_hours(text)


def test_working_hours_are_written_with_equal_days_drawn_together() -> None:
    assert write_hours(WEEK) == "mon-fri 08:00-17:00"
    mixed = [(6, "10:00", "12:00"), (0, "08:00", "17:00"), (1, "08:00", "17:00"), *WEEK[3:]]
    assert write_hours(mixed) == "mon-tue 08:00-17:00, thu-fri 08:00-17:00, sun 10:00-12:00"
    assert write_hours([]) == ""
