"""A Valhalla server of a made-up country: matrices, routes, its limits and its error codes."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

from hub.testing.peers.roads import Country, Point
from hub.testing.peers.server import Peer, Reply, Request


class ValhallaPeer(Peer):
    """Answers `/sources_to_targets`, `/locate`, `/route` and `/status`, errors as 400 with a code.

    With a departure it takes no matrix of more sources than targets, as its documentation says.
    """

    service = "valhalla"

    def __init__(
        self, directory: Path, port: int = 0, pairs: int = 2500, side: int = 50, places: int = 20
    ) -> None:
        self.country = Country()
        self.pairs, self.side = pairs, side
        self.places = places
        self.questions: list[tuple[str, dict[str, Any]]] = []
        """Path and body of each question."""
        super().__init__(directory, port)

    def answer(self, request: Request) -> Reply:
        """Answer one question."""
        if request.path == "/status":
            return Reply(200, {"version": "3.9.1", "tileset_last_modified": 0})
        try:
            asked = request.json()
        except ValueError:
            return told(100, "Failed to parse json request")
        self.questions.append((request.path, asked))
        if asked.get("costing") not in ("auto", "truck", "bicycle"):
            return told(125, f"No costing method found for '{asked.get('costing')}'")
        if request.path == "/sources_to_targets":
            return self.matrix(asked)
        if request.path == "/locate":
            return self.locate(asked)
        if request.path == "/route":
            return self.route(asked)
        return told(106, "Try any of: '/locate' '/route' '/sources_to_targets' '/status'", 404)

    def matrix(self, asked: dict[str, Any]) -> Reply:
        """Answer a matrix."""
        rows, columns = points(asked["sources"]), points(asked["targets"])
        if len(rows) * len(columns) > self.pairs:
            return told(150, f"Exceeded max locations: {self.pairs}")
        if max(len(rows), len(columns)) > self.side:
            return told(150, f"Exceeded max locations: {self.side}")
        if "date_time" in asked and len(rows) > len(columns):
            return told(142, "Time-dependence is not supported with more sources than targets")
        if not all(self.country.has_road(point) for point in (*rows, *columns)):
            return told(171, "No suitable edges near location")
        table = [
            [
                {
                    "from_index": row,
                    "to_index": column,
                    "time": self.country.seconds(here, there),
                    "distance": kilometres(self.country.metres(here, there)),
                }
                for column, there in enumerate(columns)
            ]
            for row, here in enumerate(rows)
        ]
        return Reply(200, {"sources_to_targets": table, "units": "kilometers"})

    def locate(self, asked: dict[str, Any]) -> Reply:
        """Tell the edges near places."""
        found = [
            {
                "input_lat": point[0],
                "input_lon": point[1],
                "edges": [{"way_id": 1}] if self.country.has_road(point) else None,
            }
            for point in points(asked["locations"])
        ]
        return Reply(200, content=json.dumps(found).encode())

    def route(self, asked: dict[str, Any]) -> Reply:
        """Answer a route: one straight road from each point to the next."""
        along = points(asked["locations"])
        if len(along) > self.places:
            return told(150, f"Exceeded max locations: {self.places}")
        legs = []
        for here, there in pairwise(along):
            metres, seconds = self.country.metres(here, there), self.country.seconds(here, there)
            if metres is None or seconds is None:
                return told(442, "No path could be found for input")
            legs.append(leg(here, there, metres, seconds))
        return Reply(200, {"trip": {"status": 0, "units": "kilometers", "legs": legs}})


def leg(here: Point, there: Point, metres: float, seconds: float) -> dict[str, Any]:
    """Return one leg: a start, a roundabout in the middle, an arrival on the left."""
    middle = ((here[0] + there[0]) / 2, (here[1] + there[1]) / 2)
    half = {"time": seconds / 2, "length": metres / 2000}
    nothing = {"time": 0, "length": 0}
    street = {"street_names": ["Long Road"]}
    sign = {"exit_toward_elements": [{"text": "North"}]}
    return {
        "summary": {"time": seconds, "length": metres / 1000},
        "shape": pack([here, middle, there]),
        "maneuvers": [
            {"type": 1, "begin_shape_index": 0, **street, **half},
            {
                "type": 26,
                "begin_shape_index": 1,
                "roundabout_exit_count": 2,
                "time": 0,
                "length": 0,
            },
            {"type": 27, "begin_shape_index": 1, "sign": sign, **street, **half},
            {"type": 6, "begin_shape_index": 2, **nothing},
        ],
    }


def pack(line: list[Point]) -> str:
    """Return a line as an encoded polyline of six digits."""
    text, last = "", (0, 0)
    for point in line:
        now = (round(point[0] * 1e6), round(point[1] * 1e6))
        for difference in (now[0] - last[0], now[1] - last[1]):
            value = ~(difference << 1) if difference < 0 else difference << 1
            while value >= 32:
                text += chr((value & 31 | 32) + 63)
                value >>= 5
            text += chr(value + 63)
        last = now
    return text


def kilometres(metres: float | None) -> float | None:
    """Return metres as it tells them."""
    return None if metres is None else round(metres / 1000, 4)


def points(told: list[dict[str, float]]) -> list[Point]:
    """Return the places of a question."""
    return [(float(place["lat"]), float(place["lon"])) for place in told]


def told(code: int, message: str, status: int = 400) -> Reply:
    """Return a refusal."""
    words = {"error_code": code, "error": message, "status_code": status}
    return Reply(status, {**words, "status": "Bad Request" if status == 400 else "Not Found"})
