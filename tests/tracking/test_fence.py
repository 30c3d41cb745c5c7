"""Doors reached and left, on made-up tracks."""

from __future__ import annotations

from datetime import timedelta

from hub.nouns import Fix
from hub.testing.fixtures import MORNING
from hub.tracking.fence import Crossing, Door, Fence

METRE = 1 / 111_195
"""Degrees of latitude."""


def at(seconds: float, north: float, accuracy: float | None = 5.0) -> Fix:
    """A fix so many metres north of 47 N 9 E."""
    return Fix(
        lat=47 + north * METRE,
        lon=9.0,
        at=MORNING + timedelta(seconds=seconds),
        accuracy=accuracy,
    )


def door(id: str, north: float, position: int, **more: object) -> Door:
    return Door(id=id, lat=47 + north * METRE, lon=9.0, position=position, **more)  # type: ignore[arg-type]


def drive(fence: Fence, doors: list[Door], fixes: list[Fix]) -> list[Crossing]:
    return [crossing for fix in fixes for crossing in fence.feed(fix, doors)]


def seconds(crossing: Crossing) -> float:
    return (crossing.at - MORNING).total_seconds()


def test_two_fixes_in_a_row_within_a_hundred_metres_are_an_arrival() -> None:
    doors = [door("a", 1000, 1, en_route=True)]
    found = drive(Fence(), doors, [at(0, 700), at(5, 850), at(10, 910), at(15, 990)])
    assert [(c.kind, c.stop, seconds(c)) for c in found] == [("arrive", "a", 15)]


def test_one_stray_fix_inside_is_no_arrival() -> None:
    doors = [door("a", 1000, 1)]
    assert drive(Fence(), doors, [at(0, 880), at(5, 920), at(10, 880), at(15, 870)]) == []


def test_a_position_that_trembles_between_the_circles_makes_one_arrival_and_no_departure() -> None:
    doors = [door("a", 1000, 1)]
    track = [at(5 * i, 950 if i % 2 else 890) for i in range(4)]
    track += [at(20, 950), at(25, 960)]
    track += [at(30 + 5 * i, 860 if i % 2 else 960) for i in range(20)]
    assert [c.kind for c in drive(Fence(), doors, track)] == ["arrive"]


def test_leaving_needs_two_fixes_beyond_a_hundred_and_fifty_metres_and_counts_from_the_first() -> (
    None
):
    doors = [door("a", 0, 1, ahead=False, over=True, arrived_at=MORNING)]
    found = drive(Fence(), doors, [at(5, 160), at(10, 140), at(15, 155), at(20, 220), at(25, 300)])
    assert [(c.kind, c.stop, seconds(c)) for c in found] == [("depart", "a", 15)]


def test_the_next_door_is_not_reached_while_the_driver_is_still_at_the_last_one() -> None:
    last = door("a", 0, 1, ahead=False, over=True, arrived_at=MORNING)
    following = door("b", 80, 2, en_route=True)
    fence = Fence()
    assert drive(fence, [last, following], [at(5, 3), at(10, 8), at(15, 5)]) == []
    found = drive(fence, [last, following], [at(20, 60), at(25, 78)])
    assert [(c.kind, c.stop) for c in found] == [("arrive", "b")]


def test_nobody_arrives_elsewhere_before_the_stop_at_hand_has_an_outcome_or_is_left() -> None:
    at_hand = door("a", 0, 1, ahead=False, arrived_at=MORNING)
    other = door("b", 10, 2)
    assert drive(Fence(), [at_hand, other], [at(5 * i, 4) for i in range(1, 30)]) == []


def test_standing_a_minute_at_a_later_door_is_an_arrival_there_since_the_first_fix() -> None:
    doors = [door("a", 5000, 1, en_route=True), door("b", 1000, 2)]
    found = drive(Fence(), doors, [at(10 * i, 990) for i in range(10)])
    assert [(c.kind, c.stop, seconds(c)) for c in found] == [("arrive", "b", 0)]


def test_driving_past_a_later_door_is_no_arrival() -> None:
    doors = [door("a", 5000, 1, en_route=True), door("b", 1000, 2)]
    assert drive(Fence(), doors, [at(5 * i, 700 + 60 * i) for i in range(12)]) == []


def test_late_repeated_and_blurred_fixes_say_nothing() -> None:
    fence = Fence()
    doors = [door("a", 1000, 1)]
    assert drive(fence, doors, [at(10, 500), at(10, 990), at(5, 990), at(4, 995)]) == []
    assert drive(fence, doors, [at(40, 990, accuracy=150), at(45, 991, accuracy=300)]) == []
    assert fence.last == at(10, 500)


def test_a_jump_that_no_vehicle_can_make_is_left_out() -> None:
    fence = Fence()
    doors = [door("a", 5000, 1)]
    assert drive(fence, doors, [at(0, 0), at(5, 5000), at(10, 100)]) == []
    assert fence.last == at(10, 100)


def test_two_fixes_that_agree_outvote_one_wild_first_fix() -> None:
    fence = Fence()
    drive(fence, [], [at(0, 900_000), at(5, 0), at(10, 40)])
    assert fence.last == at(10, 40)


def test_a_phone_that_falls_silent_at_the_door_has_arrived_after_ten_seconds() -> None:
    fence = Fence()
    doors = [door("a", 1000, 1, en_route=True)]
    assert drive(fence, doors, [at(0, 700), at(10, 990)]) == []
    assert fence.settle(MORNING + timedelta(seconds=15), doors) == []
    found = fence.settle(MORNING + timedelta(seconds=21), doors)
    assert [(c.kind, c.stop, seconds(c)) for c in found] == [("arrive", "a", 20)]
    assert fence.settle(MORNING + timedelta(seconds=31), doors) == []
