"""The arithmetic of ETAs."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from hub.nouns import Location
from hub.store import DepotRow, RouteRow, StopRow
from hub.testing.fixtures import MORNING
from hub.tracking import forecast
from hub.tracking.forecast import Start
from hub.tracking.positions import Position


def minutes(number: float) -> datetime:
    return MORNING + timedelta(minutes=number)


def stop(position: int, **more: object) -> StopRow:
    values = {"state": "dispatched", "service_time": 300, **more}
    return StopRow(
        id=f"stp_{position}",
        merchant="m",
        order=f"o{position}",
        depot="d",
        service_date=date(2026, 11, 23),
        lat=47 + position / 100,
        lon=9.5,
        position=position,
        **values,
    )


def route(**more: object) -> RouteRow:
    return RouteRow(
        depot="d", driver="x", vehicle="v", service_date=date(2026, 11, 23), state="in_progress",
        starts_at=MORNING, ends_at=minutes(300), **more,
    )  # fmt: skip


DEPOT = DepotRow(id="d", name="D", lat=47.0, lon=9.5)


def ten_minutes(_here: Location, _there: Location) -> int:
    return 600


def etas(begin: Start, stops: list[StopRow], now: datetime) -> list[float]:
    made = forecast.forecast(begin, stops, now, ten_minutes)
    return [(eta - MORNING).total_seconds() / 60 for _stop, eta in made]


def test_it_rolls_forward_through_driving_and_service() -> None:
    begin = Start(Location(lat=47, lon=9.5), MORNING)
    assert etas(begin, [stop(1), stop(2), stop(3)], MORNING) == [10, 25, 40]


def test_a_driver_who_is_early_waits_for_the_window_and_the_rest_moves_with_it() -> None:
    begin = Start(Location(lat=47, lon=9.5), MORNING)
    assert etas(begin, [stop(1), stop(2, window_start=minutes(60)), stop(3)], MORNING) == [
        10, 60, 75,
    ]  # fmt: skip


def test_breaks_and_reloads_delay_what_comes_behind_them() -> None:
    begin = Start(Location(lat=47, lon=9.5), MORNING)
    halts = {
        "": [forecast.Halt(60)],
        "stp_1": [forecast.Halt(1800)],
        "stp_2": [forecast.Halt(300, Location(lat=47, lon=9.5))],
    }
    made = forecast.forecast(begin, [stop(1), stop(2), stop(3)], MORNING, ten_minutes, halts)
    assert [eta for _, eta in made] == [minutes(11), minutes(56), minutes(86)]


def test_nobody_arrives_in_the_past() -> None:
    begin = Start(Location(lat=47, lon=9.5), MORNING)
    assert etas(begin, [stop(1), stop(2)], minutes(30)) == [30, 45]


def test_it_begins_at_the_live_position_while_that_is_fresh() -> None:
    here = Position(lat=47.5, lon=9.6, at=minutes(29))
    begin = forecast.start(route(started_at=MORNING), DEPOT, [stop(1)], minutes(30), here)
    assert begin == Start(Location(lat=47.5, lon=9.6), minutes(29))


def test_an_old_position_gives_way_to_the_door_last_left() -> None:
    here = Position(lat=47.5, lon=9.6, at=minutes(20))
    left = stop(1, state="completed", arrived_at=minutes(10), ended_at=minutes(14))
    begin = forecast.start(route(started_at=MORNING), DEPOT, [left, stop(2)], minutes(30), here)
    assert begin == Start(Location(lat=47.01, lon=9.5), minutes(14))


def test_at_a_door_it_begins_when_the_service_there_is_over() -> None:
    at_door = stop(1, state="arrived", arrived_at=minutes(10))
    before = forecast.start(route(), DEPOT, [at_door], minutes(12), None)
    overdue = forecast.start(route(), DEPOT, [at_door], minutes(40), None)
    assert (before.at, overdue.at) == (minutes(15), minutes(40))


def test_a_route_that_is_late_to_start_begins_now_at_the_depot() -> None:
    begin = forecast.start(route(), DEPOT, [stop(1)], minutes(25), None)
    assert begin == Start(Location(lat=47.0, lon=9.5), minutes(25))


def test_the_stop_under_way_comes_first_whatever_its_number() -> None:
    stops = [stop(1), stop(2), stop(3, state="en_route"), stop(4, state="completed")]
    assert [s.position for s in forecast.remaining(stops)] == [3, 1, 2]


def test_the_interval_is_three_minutes_each_way_or_fifteen_percent_and_never_in_the_past() -> None:
    assert forecast.interval(minutes(10), MORNING) == (minutes(7), minutes(13))
    assert forecast.interval(minutes(100), MORNING) == (minutes(85), minutes(115))
    assert forecast.interval(minutes(1), MORNING) == (MORNING, minutes(4))


def test_near_by_a_minute_is_news_and_far_away_five_percent() -> None:
    assert forecast.moved(minutes(10), minutes(11), MORNING)
    assert not forecast.moved(minutes(10), minutes(10.9), MORNING)
    assert not forecast.moved(minutes(100), minutes(104), MORNING)
    assert forecast.moved(minutes(100), minutes(106), MORNING)
