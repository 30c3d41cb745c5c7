"""Checks of what knows the map: a geocoder's places and a matrix of travel times."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import get_args

from hub.nouns import Legs, Location, Matrix, Profile, Trip, Way
from hub.testing.conformance.checks import demand, only
from hub.testing.conformance.ground import Ground, calls_a_service
from hub.testing.conformance.scripted import ScriptedPeer
from hub.testing.peers import Reply, Request


class GeocoderTests(Ground):
    """What holds for `locate`."""

    def test_a_known_address_has_a_place(self, peer: ScriptedPeer) -> None:
        """An address that the service finds is a `Location`."""
        url = peer.url if calls_a_service(type(self)) else ""
        found = self.outcome("locate", url=url)
        demand(
            isinstance(found.value, Location),
            f"{self.at('locate')} has to return a Location for {self.address.text()}, but {found}; "
            f'give {type(self).__name__} answers = {{"locate": [FOUND]}}, or an address it knows',
            found.error,
        )
        demand(
            Location.model_validate(found.value.model_dump()) == found.value,
            f"{self.at('locate')} returns a place that is not on earth: {found.value!r}",
        )

    def test_an_unknown_address_has_none(self, peer: ScriptedPeer) -> None:
        """An address that the service does not find is `None`, and no error."""
        url = ""
        if calls_a_service(type(self)):
            url = peer.url
            scripted = "unknown" in self.answers or type(self).serve is not Ground.serve
            demand(
                scripted,
                f'give {type(self).__name__} answers = {{"unknown": [NONE]}}: what the service '
                "answers for an address that it does not find",
            )
            peer.reply = self.as_unknown if type(self).serve is Ground.serve else self.serve
        found = self.outcome("locate", self.nowhere, url=url)
        demand(
            found.error is None and found.value is None,
            f"{self.at('locate')} has to return None for an address that is not found, but "
            f"{found}; the hub then puts it before a person",
            found.error,
        )

    def as_unknown(self, request: Request) -> Reply | None:
        """Answer as for an address that is not known."""
        self.doing = "unknown"
        return self.serve(request)


class TravelTimesTests(Ground):
    """What holds for `matrix`."""

    def test_every_vehicle_and_hour_is_taken(self, peer: ScriptedPeer) -> None:
        """Each profile that its class names, and a departure, is answered with a matrix."""
        url = peer.url if calls_a_service(type(self)) else ""
        known = self.connector.profiles
        demand(
            known and known <= set(get_args(Profile)),
            f"{self.connector.__qualname__}.profiles is {known!r}; name some of "
            f"{', '.join(get_args(Profile))}",
        )
        tomorrow = datetime.now(UTC) + timedelta(days=1)
        for profile in sorted(known):
            for departs in (None, tomorrow):
                legs = Legs(points=self.points, profile=profile, departs=departs)
                found = self.outcome("matrix", legs, url=url)
                demand(
                    isinstance(found.value, Matrix),
                    f"{self.at('matrix')} has to return a Matrix for a {profile} that departs at "
                    f"{departs}, but {found}; or leave {profile} out of its class's profiles",
                    found.error,
                )
                self.demand_sound(found.value, len(self.points))

    def test_the_matrix_has_a_row_for_every_point(self, peer: ScriptedPeer) -> None:
        """Seconds and metres are whole numbers from every point to every other, 0 to itself."""
        url = peer.url if calls_a_service(type(self)) else ""
        found = self.outcome("matrix", url=url)
        demand(
            isinstance(found.value, Matrix),
            f"{self.at('matrix')} has to return a Matrix for {len(self.points)} points, but "
            f'{found}; give {type(self).__name__} answers = {{"matrix": [...]}} for its points',
            found.error,
        )
        self.demand_sound(found.value, len(self.points))

    @only(lambda kit: not calls_a_service(kit))
    def test_few_points_are_no_error(self) -> None:
        """No point and one point make an empty matrix and one of a single 0."""
        for count in (0, 1):
            found = self.outcome("matrix", Legs(points=self.points[:count]))
            demand(
                isinstance(found.value, Matrix),
                f"{self.at('matrix')} has to return a Matrix for {count} points, but {found}",
                found.error,
            )
            self.demand_sound(found.value, count)

    @only(lambda kit: not calls_a_service(kit))
    def test_two_hundred_points_are_quick(self) -> None:
        """A day's matrix of 200 points takes less than ten seconds."""
        line = [Location(lat=47.0 + 0.001 * number, lon=9.5) for number in range(200)]
        began = time.process_time()
        found = self.outcome("matrix", Legs(points=tuple(line)))
        seconds = time.process_time() - began
        demand(
            found.error is None and seconds < 10,
            f"{self.at('matrix')} takes {seconds:.1f} s for 200 points ({str(found)[:100]}); a day "
            "is planned with such a matrix, so make it quicker",
            found.error,
        )

    def demand_sound(self, matrix: Matrix, size: int) -> None:
        """Fail where a matrix is not square, says half of no way, or is far from itself."""
        where = self.at("matrix")
        for name, rows in (("seconds", matrix.seconds), ("metres", matrix.metres)):
            square = len(rows) == size and all(len(row) == size for row in rows)
            demand(
                square,
                f"{where}: {name} has to be {size} x {size} for {size} points; give every point a "
                "row and a column",
            )
            cells = [cell for row in rows for cell in row]
            demand(
                all(type(cell) is int for cell in cells),
                f"{where}: {name} holds what is no whole number; round it with round()",
            )
            demand(
                all(rows[one][one] == 0 for one in range(size)),
                f"{where}: {name} says that it is far from a point to itself; the diagonal is 0",
            )
        ways = zip(matrix.seconds, matrix.metres, strict=True)
        half = [one for row in ways for one in zip(*row, strict=True) if min(one) < 0 <= max(one)]
        demand(
            not half,
            f"{where}: seconds and metres do not agree where there is no way; make the cells of "
            "both negative there",
        )
        demand(
            any(cell >= 0 for at, row in enumerate(matrix.seconds) for cell in others(row, at))
            or size < 2,
            f"{where}: there is no way from any point to any other; give {type(self).__name__} "
            "points = (...) that it can reach",
        )
        demand(
            type(matrix.approximate) is bool,
            f"{where}: approximate is {matrix.approximate!r}; say True or False",
        )


class DirectionsTests(Ground):
    """What holds for `directions`."""

    def test_the_way_has_a_leg_between_each_two_points(self, peer: ScriptedPeer) -> None:
        """A trip comes back as legs in order, each with its line and its maneuvers."""
        url = peer.url if calls_a_service(type(self)) else ""
        trip = Trip(points=self.points)
        found = self.outcome("directions", trip, url=url)
        where = self.at("directions")
        demand(
            isinstance(found.value, Way),
            f"{where} has to return a Way along {len(trip.points)} points, but {found}; give "
            f'{type(self).__name__} answers = {{"directions": [...]}} for its points',
            found.error,
        )
        legs = found.value.legs
        demand(
            len(legs) == len(trip.points) - 1,
            f"{where} has to return {len(trip.points) - 1} legs for {len(trip.points)} points, "
            f"not {len(legs)}",
        )
        for number, leg in enumerate(legs):
            demand(
                leg.seconds >= 0 and leg.metres >= 0 and len(leg.line) >= 2,
                f"{where}: leg {number} has to have seconds, metres and a line of two points or "
                "more",
            )
            kinds = [maneuver.kind for maneuver in leg.maneuvers]
            demand(
                bool(kinds) and kinds[0] == "depart" and kinds[-1] == "arrive",
                f"{where}: leg {number} has to begin with depart and to end with arrive, not "
                f"{', '.join(kinds) or 'nothing'}",
            )
            here = trip.points[number]
            lat, lon = leg.line[0]
            demand(
                abs(lat - here.lat) < 0.1 and abs(lon - here.lon) < 0.2,
                f"{where}: leg {number} begins at {lat}, {lon}, far from {here.lat}, {here.lon}; "
                "a line is made of (lat, lon)",
            )


def others(row: Sequence[int], at: int) -> list[int]:
    """Return the cells of a row but the one of the diagonal."""
    return [cell for column, cell in enumerate(row) if column != at]
