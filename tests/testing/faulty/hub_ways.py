"""Travel times that know the way: one without a fault, then one fault each of times and ways."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, ClassVar

import hub_goods as good
from faulty import Faulty, brought

from hub import (
    Legs,
    Location,
    Maneuver,
    Matrix,
    Rejected,
    Trip,
    Way,
    WayLeg,
    hookimpl,
)


class Guide(good.Times):
    """A hundred seconds from everywhere to everywhere, straight on."""

    name = "good_guide"
    title = "Guide"

    def directions(self, trip: Trip) -> Way:
        legs = [self.leg(here, there) for here, there in pairwise(trip.points)]
        return Way(legs=tuple(legs), approximate=True)

    def leg(self, here: Location, there: Location) -> WayLeg:
        first = Maneuver(kind="depart", lat=here.lat, lon=here.lon)
        last = Maneuver(kind="arrive", lat=there.lat, lon=there.lon)
        line = ((here.lat, here.lon), (there.lat, there.lon))
        return WayLeg(seconds=100, metres=100, line=line, maneuvers=(first, last))


class Far(Faulty, good.Times):
    name = "far"
    sees = ("test_the_matrix_has_a_row_for_every_point", "test_every_vehicle_and_hour_is_taken",
            "test_few_points_are_no_error")  # fmt: skip
    tells = "says that it is far from a point to itself; the diagonal is 0"

    def way(self, start: int, end: int) -> int:
        return 100


class Halfway(Faulty, good.Times):
    name = "halfway"
    sees = ("test_the_matrix_has_a_row_for_every_point", "test_every_vehicle_and_hour_is_taken")
    tells = "make the cells of both negative there"

    def matrix(self, legs: Legs) -> Matrix:
        found = super().matrix(legs)
        if len(legs.points) < 2:
            return found
        seconds = found.seconds.lists()
        seconds[0][1] = -1
        return Matrix(seconds=seconds, metres=found.metres, approximate=True)


class Lost(Faulty, good.Times):
    name = "lost"
    sees = ("test_the_matrix_has_a_row_for_every_point", "test_every_vehicle_and_hour_is_taken")
    tells = "there is no way from any point to any other"

    def way(self, start: int, end: int) -> int:
        return 0 if start == end else -1


class Motorist(Faulty, good.Times):
    name = "motorist"
    sees = ("test_every_vehicle_and_hour_is_taken",)
    tells = "or leave bike out of its class's profiles"

    def matrix(self, legs: Legs) -> Matrix:
        if legs.profile == "bike":
            raise Rejected("there are no cycle paths")
        return super().matrix(legs)


class Driver(Faulty, good.Times):
    name = "driver"
    profiles: ClassVar[frozenset[Any]] = frozenset({"lorry"})
    sees = ("test_every_vehicle_and_hour_is_taken",)
    tells = "name some of bike, car, van, truck"


class Skipping(Faulty, Guide):
    name = "skipping"
    sees = ("test_the_way_has_a_leg_between_each_two_points",)
    tells = "has to return 3 legs for 4 points, not 2"

    def directions(self, trip: Trip) -> Way:
        found = super().directions(trip)
        return found.model_copy(update={"legs": found.legs[1:]})


class Astray(Faulty, Guide):
    name = "astray"
    sees = ("test_the_way_has_a_leg_between_each_two_points",)
    tells = r"far from 47.\d+, 9.\d+; a line is made of \(lat, lon\)"

    def leg(self, here: Location, there: Location) -> WayLeg:
        found = super().leg(here, there)
        line = tuple((lon, lat) for lat, lon in found.line)
        return found.model_copy(update={"line": line})


class Unending(Faulty, Guide):
    name = "unending"
    sees = ("test_the_way_has_a_leg_between_each_two_points",)
    tells = "has to begin with depart and to end with arrive, not depart"

    def leg(self, here: Location, there: Location) -> WayLeg:
        found = super().leg(here, there)
        return found.model_copy(update={"maneuvers": found.maneuvers[:1]})


class Blank(Faulty, Guide):
    name = "blank"
    sees = ("test_the_way_has_a_leg_between_each_two_points",)
    tells = "has to have seconds, metres and a line of two points"

    def leg(self, here: Location, there: Location) -> WayLeg:
        return super().leg(here, there).model_copy(update={"line": ()})


class Wordless(Faulty, Guide):
    name = "wordless"
    sees = ("test_the_way_has_a_leg_between_each_two_points",)
    tells = "has to return a Way along 4 points, but it returned 'None'"

    def directions(self, trip: Trip) -> Way:
        return None  # type: ignore[return-value]


@hookimpl
def travel_times() -> list[type[Any]]:
    return [Guide, *brought(__name__, good.Times)]
