"""Breaks of a shift: only such as somebody can take."""

from __future__ import annotations

import pytest
from sqlmodel import select

from hub.errors import Refused
from hub.fleet import roster
from hub.fleet.breaks import read_rests, set_breaks
from hub.hub import Hub
from hub.store import DriverRow, ShiftRow
from hub.testing.fixtures import World


def rest(hub: Hub, world: World, hours: tuple[str, str], text: str, overtime: int = 0) -> str:
    """Set breaks on a Monday with these hours; return those that are kept."""
    with hub.store.write() as session:
        session.get_one(DriverRow, world.driver).overtime_minutes = overtime
        roster.set_shift(session, world.driver, 0, *hours)
        session.flush()
        set_breaks(session, world.driver, 0, read_rests(text))
    with hub.store.read() as session:
        row = session.exec(select(ShiftRow).where(ShiftRow.weekday == 0)).one()
    return ", ".join(f"{one['start']}-{one['end']}" for one in row.breaks)


@pytest.mark.parametrize(
    ("hours", "text", "said"),
    [
        (("08:00", "17:00"), "18:00-19:00 30", "does not fit into the hours 08:00-17:00"),
        (("08:00", "17:00"), "5:00-6:00 30", "does not fit into the hours 08:00-17:00"),
        (("08:00", "17:00"), "16:45-18:00 30", "does not fit into the hours 08:00-17:00"),
        (("08:00", "17:00"), "13:30-12:00 30", "13:30-12:00 30 ends before it begins"),
        (("22:00", "06:00"), "12:00-13:00 30", "does not fit into the hours 22:00-06:00"),
        (
            ("08:00", "17:00"),
            "12:10-12:50 30, 12:00-12:40 30",
            "there is no time for the break 12:10-12:50 30 after 12:00-12:40 30",
        ),
    ],
)
def test_a_break_that_nobody_could_take_is_refused(
    hub: Hub, world: World, hours: tuple[str, str], text: str, said: str
) -> None:
    with pytest.raises(Refused, match=said) as refused:
        rest(hub, world, hours, text)
    assert refused.value.field == "breaks"


@pytest.mark.parametrize(
    ("hours", "text", "overtime"),
    [
        (("08:00", "17:00"), "9:30-10:30 15, 12:00-13:30 30", 0),
        (("08:00", "17:00"), "12:00-12:30 30", 0),
        (("08:00", "17:00"), "17:00-18:00 30", 60),
        (("22:00", "06:00"), "23:30-00:30 30, 03:00-04:00 15", 0),
        (("06:00", "06:00"), "05:00-06:00 30", 0),
        (("22:00", "06:00"), "21:30-22:30 30", 0),
    ],
)
def test_breaks_within_the_hours_are_kept(
    hub: Hub, world: World, hours: tuple[str, str], text: str, overtime: int
) -> None:
    kept = rest(hub, world, hours, text, overtime)
    assert kept.count("-") == text.count("-")


@pytest.mark.parametrize("hours", [("08:00", ""), ("", "17:00")])
def test_half_of_the_hours_are_asked_for_the_other_half(
    hub: Hub, world: World, hours: tuple[str, str]
) -> None:
    with hub.store.write() as session, pytest.raises(Refused, match="both when the day begins"):
        roster.set_shift(session, world.driver, 0, *hours)
