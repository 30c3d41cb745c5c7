"""Reasons in the right words: which load, whose goods, which hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hub.hub import Hub
from hub.nouns import Matrix, Problem, ProblemStop, ProblemVehicle, Shipment
from hub.planning import plans
from hub.planning.quotes import Fleet
from hub.planning.reasons import explained
from hub.planning.settle import settle
from hub.testing.fixtures import set_time
from hub.testing.town import Town

CELLS = [[0, 100, 200], [100, 0, 100], [200, 100, 0]]
MATRIX = Matrix(seconds=CELLS, metres=CELLS)


def van(**values: Any) -> ProblemVehicle:
    given = {"id": "v", "start": 0, "end": 0, "shift": (0, 9000), "capacity": (5, 10)}
    return ProblemVehicle(**{**given, **values})


def reasons(
    stops: list[ProblemStop], *vehicles: ProblemVehicle, pair: tuple[str, str, int] | None = None
) -> dict[str, str]:
    """Return why stops are left out by the plan that puts in what fits."""
    goods = (Shipment(pickup=pair[0], delivery=pair[1], load=(pair[2],)),) if pair else ()
    problem = Problem(
        stops=tuple(stops), vehicles=vehicles or (van(),), matrix=MATRIX, shipments=goods
    )
    return {one.stop: one.reason for one in settle(problem, "test", {}).unserved}


def test_the_load_that_is_too_much_is_named() -> None:
    said = reasons([ProblemStop(id="a", point=1, deliver=(1, 30))])["a"]
    assert said == (
        "its load of 30 (of load 2) is more than any vehicle takes (at most 10); "
        "it fits if a driver's vehicle takes 20 more (of load 2)"
    )


def test_the_load_that_there_is_no_room_for_is_named() -> None:
    stops = [ProblemStop(id=id, point=1, deliver=(1, 8)) for id in "ab"]
    (said,) = reasons(stops).values()
    assert "no vehicle has room for its load of 8 (of load 2); it fits if" in said
    assert said.endswith("takes 6 more (of load 2)")


def test_loads_that_no_vehicle_takes_together_are_told_so() -> None:
    flat, tall = van(id="flat", capacity=(1, 90)), van(id="tall", capacity=(90, 1))
    said = reasons([ProblemStop(id="a", point=1, deliver=(9, 9))], flat, tall)["a"]
    assert said.startswith("no vehicle takes all of its loads together (9, 9); it fits if")


def test_a_pair_that_is_too_heavy_says_so_at_both_ends() -> None:
    stops = [ProblemStop(id="p", point=1), ProblemStop(id="d", point=2)]
    said = reasons(stops, pair=("p", "d", 7))
    assert said.keys() == {"p", "d"}
    for text in said.values():
        assert text == (
            "its load of 7 is more than any vehicle takes (at most 5); "
            "it fits if a driver's vehicle takes 2 more"
        )


def test_what_the_other_end_of_a_pair_needs_is_told_at_both() -> None:
    stops = [
        ProblemStop(id="p", point=1),
        ProblemStop(id="d", point=2, skills=frozenset({"fridge"})),
    ]
    said = reasons(stops, pair=("p", "d", 1))
    assert all(text.startswith("nobody has what it needs: fridge") for text in said.values())


def test_of_goods_that_ride_too_long_each_end_speaks_for_itself() -> None:
    stops = [ProblemStop(id="p", point=1, service=60), ProblemStop(id="d", point=2, on_board=10)]
    said = reasons(stops, pair=("p", "d", 1))
    assert said["d"] == (
        "it does not fit even alone: goods would ride longer than they may; "
        "it fits if its goods ride 2 min longer"
    )
    assert said["p"].endswith("it fits if its other half's goods ride 2 min longer")


def test_several_windows_are_told_from_the_first_to_the_last_in_any_order() -> None:
    stop = ProblemStop(id="a", point=1, windows=((50_000, 51_000), (20_000, 21_000)))
    said = reasons([stop])["a"]
    assert "its window 05:33-14:10 lies outside every shift" in said


def test_a_window_that_leaves_no_time_to_come_back_is_named() -> None:
    stop = ProblemStop(id="a", point=1, service=600, windows=((8400, 8900),))
    said = reasons([stop])["a"]
    assert said.startswith(
        "its window 02:20-02:28 leaves no time to serve it and come back in any shift (00:00-02:30)"
    )


def test_goods_taken_back_are_not_said_to_lack_room_where_goods_go_out() -> None:
    out = ProblemStop(id="x", point=1, deliver=(5,), windows=((1000, 1100),))
    back = ProblemStop(id="y", point=2, collect=(5,), windows=((1000, 1050),))
    problem = Problem(stops=(out, back), vehicles=(van(capacity=(5,)),), matrix=MATRIX)
    (told,) = explained(problem, Fleet(problem, {"v": [out]}), [back])
    assert "nobody has time for it in 00:16-00:17" in told.reason


def test_a_reason_of_a_plan_tells_the_hours_of_a_day_when_the_clocks_change(
    hub: Hub, town: Town
) -> None:
    sunday = date(2026, 10, 25)
    set_time(hub, datetime(2026, 10, 24, 12, tzinfo=UTC))
    opens = datetime(2026, 10, 25, 21, tzinfo=UTC)  # 22:00 in Vaduz
    town.stop(
        0.01, service_date=sunday, window_start=opens, window_end=opens + timedelta(minutes=30)
    )
    plan = plans.plan_now(hub, "Vaduz", sunday, 0.1)
    assert (
        "its window 22:00-22:30 lies outside every shift (08:00-17:00)"
        in (plan.unserved[0]["reason"])
    )
