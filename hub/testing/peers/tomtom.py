"""TomTom's matrices and routes in a made-up country: keys, limits, and cells without a way."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from hub.testing.peers.roads import Country, Point
from hub.testing.peers.server import Peer, Reply, Request


class TomtomPeer(Peer):
    """Answers `POST /routing/matrix/2` and `GET /routing/1/calculateRoute/...` with a key.

    Every way takes half as long again when it is driven in live traffic.
    """

    service = "tomtom"
    token = "tt-key-4711"  # noqa: S105 - of the peer alone

    def __init__(self, directory: Path, port: int = 0, cells: int = 200) -> None:
        self.country = Country()
        self.cells = cells
        self.over = ""
        """What is said of a limit that is used up; nothing: none is."""
        self.questions: list[dict[str, Any]] = []
        super().__init__(directory, port)

    def admits(self, request: Request) -> bool:
        """Let everybody in: a wrong key is answered in the service's own way."""
        return True

    def answer(self, request: Request) -> Reply:
        """Answer one question."""
        if request.query.get("key") not in self.accepted:
            return told(403, "Forbidden", "You are not allowed to access this resource")
        if self.over:
            return Reply(403, {}, content=f"<h1>{self.over}</h1>".encode())
        if request.path == "/routing/matrix/2" and request.method == "POST":
            return self.matrix(request)
        route = re.fullmatch(r"/routing/1/calculateRoute/([^/]+)/json", request.path)
        if route:
            return self.route(route[1], request.query)
        return told(404, "NotFound", "no such resource")

    def matrix(self, request: Request) -> Reply:
        """Answer a matrix as a flat list of cells."""
        asked = request.json()
        self.questions.append(asked)
        options = asked["options"]
        rows, columns = points(asked["origins"]), points(asked["destinations"])
        if len(rows) * len(columns) > self.cells:
            return told(400, "BAD_INPUT", f"The matrix has more than {self.cells} items")
        if options["travelMode"] not in ("car", "truck"):
            return told(400, "BAD_INPUT", "travelMode is not supported")
        if options["traffic"] == "live" and options["departAt"] == "any":
            return told(400, "BAD_INPUT", "live traffic needs a departure")
        if past(options["departAt"]):
            return told(400, "BAD_INPUT", "departAt lies in the past")
        live = 1.5 if options["traffic"] == "live" else 1.0
        cells = [
            {"originIndex": row, "destinationIndex": column, **self.cell(here, there, live)}
            for row, here in enumerate(rows)
            for column, there in enumerate(columns)
        ]
        return Reply(200, {"data": cells, "statistics": {"totalCount": len(cells)}})

    def cell(self, here: Point, there: Point, live: float) -> dict[str, Any]:
        """Return one cell's summary, or why it has none."""
        metres, seconds = self.country.metres(here, there), self.country.seconds(here, there)
        if metres is None or seconds is None:
            roads = self.country.has_road(here) and self.country.has_road(there)
            code = "NO_ROUTE_FOUND" if roads else "MAP_MATCHING_FAILURE"
            return {"detailedError": {"code": code, "message": "no route"}}
        summary = {
            "lengthInMeters": round(metres),
            "travelTimeInSeconds": round(seconds * live),
            "trafficDelayInSeconds": 0,
        }
        return {"routeSummary": summary}

    def route(self, along: str, query: dict[str, str]) -> Reply:
        """Answer a route: one straight road from each point to the next."""
        if past(query.get("departAt", "")):
            return told(400, "BAD_INPUT", "departAt lies in the past")
        places = [tuple(map(float, part.split(","))) for part in along.split(":")]
        line: list[Point] = [(place[0], place[1]) for place in places]
        legs, told_so_far, offset, passed = [], [], 0.0, 0.0
        for number, (here, there) in enumerate(pairwise(line)):
            metres, seconds = self.country.metres(here, there), self.country.seconds(here, there)
            if metres is None or seconds is None:
                return told(400, "NO_ROUTE_FOUND", "Engine error while executing route request")
            if number == 0:
                told_so_far.append(instruction("DEPART", here, offset, passed))
            offset, passed = offset + metres, passed + seconds
            last = number == len(line) - 2
            kind = "ARRIVE_RIGHT" if last else "WAYPOINT_LEFT"
            told_so_far.append(instruction(kind, there, offset, passed))
            summary = {"lengthInMeters": metres, "travelTimeInSeconds": seconds}
            ends = [{"latitude": lat, "longitude": lon} for lat, lon in (here, there)]
            legs.append({"summary": summary, "points": ends})
        found = {"legs": legs, "guidance": {"instructions": told_so_far}}
        return Reply(200, {"formatVersion": "0.0.12", "routes": [found]})


def instruction(kind: str, point: Point, offset: float, passed: float) -> dict[str, Any]:
    """Return one instruction as it is coded."""
    return {
        "maneuver": kind,
        "routeOffsetInMeters": offset,
        "travelTimeInSeconds": passed,
        "point": {"latitude": point[0], "longitude": point[1]},
        "street": "Long Road",
    }


def points(told: list[dict[str, Any]]) -> list[Point]:
    """Return the places of a question."""
    return [(place["point"]["latitude"], place["point"]["longitude"]) for place in told]


def past(departs: str) -> bool:
    """Say whether a departure is over."""
    if departs in ("", "any", "now"):
        return False
    return datetime.fromisoformat(departs.replace("Z", "+00:00")) < datetime.now(UTC)


def told(status: int, code: str, message: str) -> Reply:
    """Return a refusal."""
    return Reply(status, {"detailedError": {"code": code, "message": message}})
