"""An OSRM server of a made-up country: tables, routes, its limit and its refusals."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from hub.testing.peers.roads import Country, Point
from hub.testing.peers.server import Peer, Reply, Request


class OsrmPeer(Peer):
    """Answers `/table`, `/route` and `/nearest` as osrm-routed does, errors as 400 with a code.

    A table of more than `most` x `most` cells is `TooBig`, a place off the roads `NoSegment`.
    """

    service = "osrm"

    def __init__(self, directory: Path, port: int = 0, most: int = 100) -> None:
        self.country = Country()
        self.most = most
        self.tables: list[tuple[str, int, int]] = []
        """Profile, rows and columns of each table that was given."""
        super().__init__(directory, port)

    def answer(self, request: Request) -> Reply:
        """Answer one question; its path is /<service>/v1/<profile>/<coordinates>."""
        parts = request.path.strip("/").split("/")
        if len(parts) != 4 or parts[1] != "v1":
            return told("InvalidUrl", "URL string malformed close to position 1")
        try:
            pairs = [one.split(",") for one in parts[3].split(";")]
            points = [(float(lat), float(lon)) for lon, lat in pairs]
        except ValueError:
            return told("InvalidQuery", "Query string malformed close to position 1")
        for number, point in enumerate(points):
            if not self.country.has_road(point):
                said = f"Could not find a matching segment for coordinate {number}"
                return told("NoSegment", said)
        if parts[0] == "table":
            return self.table(parts[2], points, request.query)
        if parts[0] == "route":
            return self.route(points)
        if parts[0] == "nearest":
            return Reply(200, {"code": "Ok", "waypoints": [waypoint(points[0])]})
        return told("InvalidService", f"Service {parts[0]} not found!")

    def table(self, profile: str, points: list[Point], query: dict[str, str]) -> Reply:
        """Answer a table."""
        every = range(len(points))
        rows = [int(at) for at in query.get("sources", "").split(";") if at] or list(every)
        columns = [int(at) for at in query.get("destinations", "").split(";") if at] or list(every)
        if len(rows) * len(columns) > self.most**2:
            return told("TooBig", "Too many table coordinates")
        self.tables.append((profile, len(rows), len(columns)))
        ways = [[(points[row], points[column]) for column in columns] for row in rows]
        found: dict[str, Any] = {
            "code": "Ok",
            "sources": [waypoint(points[row]) for row in rows],
            "destinations": [waypoint(points[column]) for column in columns],
        }
        wanted = query.get("annotations", "duration").split(",")
        if "duration" in wanted:
            found["durations"] = [[self.country.seconds(*way) for way in row] for row in ways]
        if "distance" in wanted:
            found["distances"] = [[self.country.metres(*way) for way in row] for row in ways]
        return Reply(200, content=json.dumps(found).encode())

    def route(self, points: list[Point]) -> Reply:
        """Answer a route: one straight road from each point to the next."""
        legs = []
        for here, there in pairwise(points):
            metres, seconds = self.country.metres(here, there), self.country.seconds(here, there)
            if metres is None:
                return told("NoRoute", "Impossible route between points")
            line = {"type": "LineString", "coordinates": [here[::-1], there[::-1]]}
            end = {"type": "LineString", "coordinates": [there[::-1], there[::-1]]}
            steps = [
                {
                    "maneuver": {"type": "depart", "modifier": "left", "location": here[::-1]},
                    "geometry": line, "name": "Long Road", "mode": "driving",
                    "destinations": "A1: North", "distance": metres, "duration": seconds,
                },
                {
                    "maneuver": {"type": "arrive", "modifier": "right", "location": there[::-1]},
                    "geometry": end, "name": "Long Road", "mode": "driving",
                    "distance": 0, "duration": 0,
                },
            ]  # fmt: skip
            legs.append({"distance": metres, "duration": seconds, "steps": steps})
        return Reply(200, {"code": "Ok", "routes": [{"legs": legs}], "waypoints": []})


def waypoint(point: Point) -> dict[str, Any]:
    """Return the road that is nearest to a point: it lies there."""
    return {"location": [point[1], point[0]], "distance": 0.5, "name": "Long Road"}


def told(code: str, message: str) -> Reply:
    """Return a refusal."""
    return Reply(400, {"code": code, "message": message})
