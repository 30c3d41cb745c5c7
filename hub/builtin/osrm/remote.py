"""OSRM on a server, over HTTP (its API version 1, as osrm-backend documents it)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from hub.builtin.osrm.embedded import no_way
from hub.builtin.osrm.steps import read_route
from hub.builtin.tables import Block, Table, blocks, pieces
from hub.errors import Rejected
from hub.http import Http
from hub.nouns import Legs, Location, Matrix, Profile, Trip, Way, WayLeg

LONGEST_TRIP = 100
"""Points of a trip in one request; a server takes 500 unless it was told otherwise."""
WIDEST = 100
"""Rows or columns in one request: the coordinates stand in the address, some 4,000 bytes here."""


class Remote:
    """A server: `called` says what it calls a profile, `most` is its --max-table-size."""

    def __init__(self, url: str, called: Callable[[Profile], str], most: int, snap: float) -> None:
        self.http = Http(url)
        self.called = called
        self.most = most
        self.snap = snap

    def check(self) -> None:
        """Ask for the road nearest to any place; that there is none is an answer, too."""
        found = self.ask(f"/nearest/v1/{self.called('van')}/0.0,0.0", {"number": "1"})
        if found["code"] not in ("Ok", "NoSegment"):
            raise Rejected(f"{self.http.root} does not answer like OSRM: {said(found)}")

    def matrix(self, legs: Legs) -> Matrix:
        """Return the table, asked for in blocks; places without a road near get negative cells."""
        size = len(legs.points)
        table = Table(size)
        if size < 2:
            return table.matrix()
        far: set[int] = set()
        for block in blocks(size, self.most**2, min(self.most, WIDEST), legs.touching):
            self.fill(legs, block, table, far)
        table.cut(sorted(far))
        return table.matrix()

    def fill(self, legs: Legs, block: Block, table: Table, far: set[int]) -> None:
        """Ask for one block, again without each place that has no road near it."""
        while True:
            rows, columns = ([at for at in side if at not in far] for side in block)
            if not rows or not columns:
                return
            asked, indexes = together(rows, columns)
            path = f"/table/v1/{self.called(legs.profile)}/{listed(legs.points, asked)}"
            query = {"annotations": "duration,distance", "generate_hints": "false", **indexes}
            found = self.ask(path, query)
            if found["code"] != "NoSegment":
                break
            far.add(asked[segmentless(found, len(asked))])
        demand(found)
        try:
            table.put((rows, columns), found["durations"], found["distances"])
            far.update(self.distant(rows, found["sources"]))
            far.update(self.distant(columns, found["destinations"]))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise Rejected(f"{self.http.root} answered without a usable table") from error

    def distant(self, points: Sequence[int], waypoints: Sequence[Any]) -> Iterable[int]:
        """Return the points whose nearest road is not near."""
        paired = zip(points, waypoints, strict=True)
        return [at for at, place in paired if float(place.get("distance", 0)) > self.snap]

    def directions(self, trip: Trip) -> Way:
        """Return the way, leg by leg; raise `Rejected` where there is none."""
        legs: list[WayLeg] = []
        for points in pieces(trip.points, LONGEST_TRIP):
            every = range(len(points))
            found = self.ask(
                f"/route/v1/{self.called(trip.profile)}/{listed(points, every)}",
                {
                    "steps": "true",
                    "geometries": "geojson",
                    "overview": "false",
                    "generate_hints": "false",
                    "radiuses": ";".join(str(self.snap) for _ in every),
                },
            )
            demand(found, len(legs))
            legs += read_route(found)
        return Way(legs=tuple(legs), credit="© OpenStreetMap contributors")

    def ask(self, path: str, query: dict[str, str]) -> dict[str, Any]:
        """GET an answer with a code; 400 tells by it what is wrong with the question."""
        reply = self.http.get(path, params=query, accepts=(400,))
        try:
            found = reply.json()
        except ValueError as error:
            raise Rejected(f"{self.http.root} did not answer with JSON") from error
        if not isinstance(found, dict) or not isinstance(found.get("code"), str):
            raise Rejected(f"{self.http.root} does not answer like OSRM")
        return found


def together(rows: list[int], columns: list[int]) -> tuple[list[int], dict[str, str]]:
    """Return the points to name once each, and which of them are rows and columns."""
    if rows == columns:
        return rows, {}
    asked = [*rows, *(at for at in columns if at not in set(rows))]
    number = {at: index for index, at in enumerate(asked)}
    return asked, {
        "sources": ";".join(str(number[at]) for at in rows),
        "destinations": ";".join(str(number[at]) for at in columns),
    }


def listed(points: Sequence[Location], asked: Iterable[int]) -> str:
    """Return points as they stand in an address."""
    return ";".join(f"{points[at].lon:.6f},{points[at].lat:.6f}" for at in asked)


def segmentless(found: dict[str, Any], count: int) -> int:
    """Return which coordinate of a question has no road; raise `Rejected` where it is not said."""
    number = re.search(r"coordinate (\d+)", str(found.get("message", "")))
    if number is None or int(number[1]) >= count:
        raise Rejected(f"OSRM finds no road near a place, but does not say which: {said(found)}")
    return int(number[1])


def demand(found: dict[str, Any], before: int = 0) -> None:
    """Raise `Rejected` for any answer but a good one; `before` points of a trip were asked."""
    code = found["code"]
    if code == "TooBig":
        raise Rejected(f"OSRM refused the size: {said(found)}; lower `most` in its settings")
    if code in ("NoSegment", "NoRoute"):
        raise Rejected(no_way(f"{code} - {found.get('message', '')}", before))
    if code != "Ok":
        raise Rejected(f"OSRM refused it: {said(found)}")


def said(found: dict[str, Any]) -> str:
    """Return what an answer says to people."""
    return str(found.get("message") or found["code"])[:200]
