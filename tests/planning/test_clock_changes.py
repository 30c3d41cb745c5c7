"""Nights in which the clocks change: the same instants and the same words as in any other night."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import delete, select

from hub.cli.explain import told
from hub.dispatch.explanation import explained
from hub.fleet.abilities import Rest
from hub.fleet.breaks import breaks_on, set_breaks
from hub.hub import Hub
from hub.planning.day import midnight, seconds_since, survey, wall
from hub.planning.plans import Wish, plan_now
from hub.planning.words import clock
from hub.store import DepotRow, DriverRow, PlanRow, RouteRow, ShiftRow, StopRow, System
from hub.testing.fixtures import set_time
from hub.testing.town import Town

ZONE = ZoneInfo("Europe/Vaduz")
BACK, AHEAD, PLAIN = date(2026, 10, 25), date(2027, 3, 28), date(2026, 11, 22)
NIGHTS = pytest.mark.parametrize("day", [BACK, AHEAD, PLAIN])


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(day, time(hour, minute), ZONE).astimezone(UTC)


@pytest.fixture
def night(hub: Hub, town: Town) -> str:
    """Let one driver alone work, from midnight to eight; return who."""
    with hub.store.write(System()) as session:
        session.exec(delete(ShiftRow))
    return town.driver("Nia Beck", starts="00:00", ends="08:00")


@NIGHTS
@pytest.mark.parametrize("engine", ["pyvrp", "ortools"])
def test_a_night_is_planned_by_the_clock_on_the_wall(
    hub: Hub, town: Town, night: str, day: date, engine: str
) -> None:
    set_time(hub, at(day - timedelta(days=1), 12))
    values = {"service_date": day}
    before = town.stop(0.01, window_end=at(day, 0, 50), **values)
    early = town.stop(0.02, window_start=at(day, 0, 10), window_end=at(day, 0, 20), **values)
    later = town.stop(0.03, window_start=at(day, 4), window_end=at(day, 4, 10), **values)
    far = town.stop(0.2, window_start=at(day, 0), window_end=at(day, 0, 3), **values)
    row = plan_now(hub, town.world.depot, day, 0.3, "test", Wish(engine=engine))
    assert [one["stop"] for one in row.unserved] == [far]
    assert "its window 00:00-00:03 cannot be reached: 00:40 is the" in row.unserved[0]["reason"]
    with hub.store.read(System()) as session:
        planned = {id: session.get_one(StopRow, id).planned_at for id in (before, early, later)}
        (route,) = session.exec(select(RouteRow))
        assert planned[before] is not None
        assert planned[before] <= at(day, 0, 50)
        assert (planned[early], planned[later]) == (at(day, 0, 20), at(day, 4))
        lines = told(explained(session, session.get_one(PlanRow, row.id))).splitlines()
    starts, ends = (one.astimezone(ZONE) for one in (route.starts_at, route.ends_at))
    assert f"Nia Beck  {starts:%H:%M}-{ends:%H:%M}" in lines[1]
    assert [line.split()[0] for line in lines[2:5]] == ["00:20", "00:27", "04:00"]


@NIGHTS
def test_a_shift_lasts_as_long_as_its_hours_do(hub: Hub, town: Town, night: str, day: date) -> None:
    set_time(hub, at(day - timedelta(days=1), 12))
    with hub.store.read(System()) as session:
        found = survey(session, session.get_one(DepotRow, town.world.depot), day)
    (vehicle,) = found.vehicles
    assert [found.at(second) for second in vehicle.shift] == [at(day, 0), at(day, 8)]
    hours = {BACK: 9, AHEAD: 7, PLAIN: 8}[day]
    assert vehicle.shift[1] - vehicle.shift[0] == hours * 3600


@pytest.mark.parametrize(
    ("day", "zone"),
    [
        *[(day + timedelta(days=n), "Europe/Vaduz") for day in (BACK, AHEAD) for n in (-1, 0, 1)],
        (date(2026, 11, 1), "America/New_York"),
        (date(2026, 10, 4), "Australia/Lord_Howe"),  # by half an hour
        (date(2026, 9, 6), "America/Santiago"),  # at midnight, which there is not
    ],
)
def test_every_quarter_of_a_day_and_of_the_night_after_it_reads_as_the_wall(
    day: date, zone: str
) -> None:
    zero, said = midnight(day, zone), wall(day, zone)
    first = datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)
    for quarter in range(36 * 4):
        instant = first + timedelta(minutes=15 * quarter)
        shown = instant.astimezone(ZoneInfo(zone))
        assert clock(seconds_since(zero, instant), said)[:5] == f"{shown:%H:%M}"


def test_a_plain_day_reads_as_it_counts() -> None:
    assert wall(PLAIN, "Europe/Vaduz") == ()
    assert wall(BACK - timedelta(days=1), "Europe/Vaduz") != ()  # its nights end on the other side


@NIGHTS
def test_a_break_over_the_change_is_over_when_it_has_to_be(
    hub: Hub, town: Town, night: str, day: date
) -> None:
    with hub.store.write(System()) as session:
        set_breaks(session, night, day.weekday(), [Rest(start="01:30", end="03:30", minutes=60)])
        session.flush()
        ((opens, latest, seconds),) = breaks_on(session, session.get_one(DriverRow, night), day)
    assert (opens, seconds) == (at(day, 1, 30), 3600)
    assert latest + timedelta(hours=1) == at(day, 3, 30)
