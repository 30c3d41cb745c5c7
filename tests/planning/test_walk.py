"""One vehicle on its way: waiting, breaks, reloads, and how late it may leave."""

from typing import Any

import pytest

from hub.nouns import Break, Matrix, Pause, Problem, ProblemStop, ProblemVehicle, Reloads
from hub.planning.check_route import route_faults
from hub.planning.rules import AtDepot, Item
from hub.planning.schedule import Timetable, drive, planned

HOUR = 3600


def line(places: int, apart: int = 600) -> Matrix:
    cells = [[abs(a - b) * apart for b in range(places)] for a in range(places)]
    return Matrix(seconds=cells, metres=cells)


def van(**changed: Any) -> ProblemVehicle:
    values: dict[str, Any] = {"id": "v", "start": 0, "end": 0, "shift": (8 * HOUR, 17 * HOUR)}
    return ProblemVehicle(**{**values, **changed})


def stop(id: str, point: int, **values: Any) -> ProblemStop:
    return ProblemStop(id=id, point=point, **values)


def go(vehicle: ProblemVehicle, *items: Item, problem: Problem | None = None) -> Timetable:
    """Drive along `items`; what breaks no rule is also accepted by the checker."""
    stops = tuple(item for item in items if isinstance(item, ProblemStop))
    asked = problem or Problem(stops=stops, vehicles=(vehicle,), matrix=line(6))
    found = drive(asked, vehicle, items)
    if not found.broken:
        assert route_faults(asked, vehicle, planned(vehicle, found)) == []
    return found


def test_one_leaves_so_late_that_nobody_waits() -> None:
    found = go(van(), stop("a", 1, windows=((10 * HOUR, 11 * HOUR),)))
    assert found.starts == 10 * HOUR - 600
    assert found.visits[0].arrive == 10 * HOUR


def test_who_is_on_the_road_already_goes_on_at_once() -> None:
    found = go(van(visited=3), stop("a", 1, windows=((10 * HOUR, 11 * HOUR),)))
    assert found.starts == 8 * HOUR


def test_the_second_window_is_taken_when_the_first_is_over() -> None:
    windows = ((8 * HOUR, 8 * HOUR + 300), (13 * HOUR, 14 * HOUR))
    assert go(van(), stop("a", 1, windows=windows)).visits[0].arrive == 13 * HOUR


def test_being_late_for_every_window_is_told_by_how_much() -> None:
    found = go(van(), stop("a", 2, windows=((7 * HOUR, 8 * HOUR), (8 * HOUR, 8 * HOUR + 900))))
    assert [(one.rule, one.amount, one.stop) for one in found.breaches] == [("window", 300, "a")]


def test_a_break_is_taken_in_time_and_makes_the_rest_later() -> None:
    rest = Break(window=(10 * HOUR, 10 * HOUR), seconds=1800)
    stops = [stop(f"s{n}", n, service=3000) for n in range(1, 5)]
    found = go(van(breaks=(Break(window=(9 * HOUR, 10 * HOUR), seconds=1800),)), *stops)
    assert [pause.kind for pause in found.pauses] == ["break"]
    assert 9 * HOUR <= found.pauses[0].begins <= 10 * HOUR
    assert found.ends - found.starts == 8 * 600 + 4 * 3000 + 1800
    strict = go(van(breaks=(rest,)), *stops)
    assert strict.broken or strict.pauses[0].begins == 10 * HOUR


def test_a_break_is_taken_while_one_would_wait_anyway() -> None:
    rest = Break(window=(8 * HOUR, 12 * HOUR), seconds=1800)
    stops = (stop("a", 1), stop("b", 1, windows=((12 * HOUR, 12 * HOUR),)))
    found = go(van(visited=1, breaks=(rest,)), *stops)
    assert (
        found.pauses == (Pause(kind="break", after=0, begins=8 * HOUR, ends=8 * HOUR + 1800),)
        or found.pauses[0].after == 1
    )
    assert found.visits[1].arrive == 12 * HOUR


def test_a_break_is_moved_where_taking_it_late_would_miss_a_window() -> None:
    rest = Break(window=(8 * HOUR, 9 * HOUR), seconds=1800)
    tight = stop("b", 2, windows=((9 * HOUR, 9 * HOUR + 900),))
    assert not go(van(breaks=(rest,)), stop("a", 1, service=600), tight).broken


@pytest.mark.parametrize(
    ("window", "taken"),
    [((12 * HOUR, 13 * HOUR), 0), ((6 * HOUR, 7 * HOUR), 0), ((8 * HOUR, 8 * HOUR + 300), 1)],
    ids=["home before", "began after", "on the road"],
)
def test_a_short_route_needs_no_break_outside_its_time(window: Any, taken: int) -> None:
    rest = Break(window=window, seconds=900)
    found = go(van(visited=1, breaks=(rest,)), stop("a", 1), stop("b", 2))
    assert len(found.pauses) == taken
    assert not found.broken


def test_a_reload_makes_room_for_the_second_half() -> None:
    stops = [stop(f"s{n}", n, deliver=(3,)) for n in (1, 2, 3, 4)]
    small = van(capacity=(6,), reloads=Reloads(points=(0,), seconds=900))
    full = go(small, *stops)
    assert [(one.rule, one.amount) for one in full.breaches] == [("capacity", 6)]
    found = go(small, *stops[:2], AtDepot(0), *stops[2:])
    assert not found.broken
    assert found.pauses[0].ends - found.pauses[0].begins == 900
    assert found.pauses[0].point == 0


def test_goods_that_may_not_ride_long_are_fetched_late() -> None:
    ice = stop("ice", 1, deliver=(1,), on_board=700, windows=((10 * HOUR, 11 * HOUR),))
    found = go(van(capacity=(5,)), ice)
    assert not found.broken
    assert found.visits[0].arrive - found.starts <= 700
    too_far = go(van(), stop("ice", 5, deliver=(1,), on_board=700))
    assert [(one.rule, one.amount) for one in too_far.breaches] == [("on_board", 2300)]


def test_overtime_is_allowed_as_far_as_it_goes() -> None:
    late = stop("a", 5, service=HOUR)
    shift = (8 * HOUR, 9 * HOUR)
    assert [one.amount for one in go(van(shift=shift), late).breaches] == [6000]
    assert not go(van(shift=shift, overtime=6000), late).broken


def test_a_way_that_does_not_exist_is_a_breach() -> None:
    cells = [[0, -1], [600, 0]]
    asked = Problem(
        stops=(stop("a", 1),), vehicles=(van(),), matrix=Matrix(seconds=cells, metres=cells)
    )
    found = go(van(), stop("a", 1), problem=asked)
    assert "unreachable" in [one.rule for one in found.breaches]
