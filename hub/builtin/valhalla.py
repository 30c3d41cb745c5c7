"""Travel times and directions from a Valhalla server over HTTP, with the hour's usual traffic.

Written after https://valhalla.github.io/valhalla/api/ (matrix and turn-by-turn).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import isqrt
from typing import Any, ClassVar
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from hub.builtin.polyline import unpack
from hub.builtin.tables import Block, Table, blocks, pieces
from hub.connector import Connector
from hub.errors import Rejected
from hub.hookspecs import hookimpl
from hub.http import Http, Url
from hub.nouns import Legs, Location, Maneuver, Matrix, Profile, Trip, Way, WayLeg
from hub.nouns.ways import Heading, Turn

COSTING: dict[Profile, str] = {"car": "auto", "van": "auto", "truck": "truck", "bike": "bicycle"}
NO_EDGES, NO_WAY = 171, (154, 170, 171, 442)
"""Its error codes: no road near a place; and too far apart, on unconnected roads, no path."""
MANEUVERS: dict[int, tuple[Turn, Heading]] = {
    1: ("depart", ""), 2: ("depart", ""), 3: ("depart", ""),
    4: ("arrive", ""), 5: ("arrive", "right"), 6: ("arrive", "left"),
    7: ("continue", "straight"), 8: ("continue", "straight"),
    9: ("turn", "slight_right"), 10: ("turn", "right"), 11: ("turn", "sharp_right"),
    12: ("turn", "back"), 13: ("turn", "back"),
    14: ("turn", "sharp_left"), 15: ("turn", "left"), 16: ("turn", "slight_left"),
    17: ("on_ramp", "straight"), 18: ("on_ramp", "right"), 19: ("on_ramp", "left"),
    20: ("off_ramp", "right"), 21: ("off_ramp", "left"),
    22: ("fork", "straight"), 23: ("fork", "slight_right"), 24: ("fork", "slight_left"),
    25: ("merge", ""), 26: ("roundabout", ""), 27: ("exit_roundabout", ""),
    28: ("ferry", ""), 29: ("continue", ""), 37: ("merge", "right"), 38: ("merge", "left"),
}  # fmt: skip
"""Its types of maneuvers; any other is a way to go on."""


class ValhallaConfig(BaseModel):
    """Where the server is, how much it answers at a time, and what a truck measures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Url = Field(default="http://localhost:8002", title="Address", description="Of the server")
    api_key: SecretStr = Field(
        default=SecretStr(""), title="API key", description="Where a hosted service asks for one"
    )
    pairs: int = Field(
        default=2500,
        ge=4,
        le=1_000_000,
        title="Pairs in one matrix",
        description="The server's max_matrix_location_pairs; larger ones are asked for in blocks",
    )
    side: int = Field(
        default=50,
        ge=2,
        le=10_000,
        title="Places in one row of a matrix",
        description="The server's max_locations for matrices",
    )
    places: int = Field(
        default=20,
        ge=2,
        le=1000,
        title="Places in one route",
        description="The server's max_locations for routes",
    )
    timezone: str = Field(
        default="UTC", title="Time zone", description="Of the places, such as Europe/Vaduz"
    )
    truck_height: float | None = Field(
        default=None, gt=0, le=10, title="Height of trucks in metres", description="Empty: 4.11"
    )
    truck_weight: float | None = Field(
        default=None, gt=0, le=100, title="Weight of trucks in tonnes", description="Empty: 21.77"
    )

    @field_validator("timezone")
    @classmethod
    def is_zone(cls, name: str) -> str:
        """Refuse what is no time zone."""
        if name not in available_timezones():
            raise ValueError("write a time zone such as Europe/Vaduz")
        return name


class Valhalla(Connector[ValhallaConfig]):
    """Asks `/sources_to_targets` and `/route`; speeds depend on the hour where the map has them."""

    name: ClassVar[str] = "valhalla"
    title: ClassVar[str] = "Valhalla"
    Config = ValhallaConfig

    def check(self) -> None:
        """Ask for the server's status."""
        found = self.answer(self._http().get("/status", params=self._key()))
        if not isinstance(found, dict) or "version" not in found:
            raise Rejected(f"{self.config.url} does not answer like Valhalla")

    def matrix(self, legs: Legs) -> Matrix:
        """Return the table, asked for in blocks; places without a road near get negative cells."""
        size = len(legs.points)
        table = Table(size)
        if size < 2:
            return table.matrix()
        far: set[int] = set()
        for block in blocks(size, self.config.pairs, self.config.side, legs.touching):
            self.fill(legs, block, table, far)
        return table.matrix()

    def fill(self, legs: Legs, block: Block, table: Table, far: set[int]) -> None:
        """Ask for one block; where it is refused for a place or a pair, for the rest of it."""
        rows, columns = ([at for at in side if at not in far] for side in block)
        if not rows or not columns or rows == columns == rows[:1]:
            return
        wide = columns
        if legs.departs and len(rows) > len(columns):
            # With an hour there have to be as many targets as sources: some are asked for twice.
            most = isqrt(self.config.pairs)
            if len(rows) > max(most, len(columns)):
                for first in range(0, len(rows), most):
                    self.fill(legs, (rows[first : first + most], columns), table, far)
                return
            wide = (columns * -(-len(rows) // len(columns)))[: len(rows)]
        question = {
            "sources": [place(legs.points[at]) for at in rows],
            "targets": [place(legs.points[at]) for at in wide],
            **self.costing(legs.profile, legs.departs),
        }
        found = self.ask("/sources_to_targets", question)
        if found.get("error_code") in NO_WAY:
            self.part(legs, (rows, columns), table, far, found["error_code"])
            return
        demand(found)
        try:
            cells = [row[: len(columns)] for row in found["sources_to_targets"]]
            seconds = [[cell["time"] for cell in row] for row in cells]
            metres = [[thousandfold(cell["distance"]) for cell in row] for row in cells]
            table.put((rows, columns), seconds, metres)
        except (LookupError, TypeError, ValueError) as error:
            raise Rejected(f"{self.config.url} answered without a usable matrix") from error

    def part(self, legs: Legs, block: Block, table: Table, far: set[int], code: int) -> None:
        """Ask for what is left of a block without the places that have no road, else in halves."""
        rows, columns = block
        if code == NO_EDGES:
            without = self.roadless(legs, sorted({*rows, *columns} - far))
            far.update(without)
            if without:
                self.fill(legs, block, table, far)
                return
        if len(rows) == len(columns) == 1:
            return
        if len(rows) >= len(columns):
            half = len(rows) // 2
            parts = [(rows[:half], columns), (rows[half:], columns)]
        else:
            half = len(columns) // 2
            parts = [(rows, columns[:half]), (rows, columns[half:])]
        for one in parts:
            self.fill(legs, one, table, far)

    def roadless(self, legs: Legs, points: Sequence[int]) -> list[int]:
        """Return the points near which there is no road for the vehicle."""
        question = {
            "locations": [place(legs.points[at]) for at in points],
            "costing": COSTING[legs.profile],
            "verbose": False,
        }
        reply = self._http().read("/locate", json=question, params=self._key(), accepts=(400,))
        found = self.answer(reply)
        if not isinstance(found, list) or len(found) != len(points):
            return []  # it does not tell: the halves will
        return [
            at
            for at, told in zip(points, found, strict=True)
            if isinstance(told, dict) and not told.get("edges")
        ]

    def directions(self, trip: Trip) -> Way:
        """Return the way, leg by leg; raise `Rejected` where there is none."""
        legs: list[WayLeg] = []
        for points in pieces(trip.points, self.config.places):
            question = {
                "locations": [place(point) for point in points],
                "units": "kilometers",
                **self.costing(trip.profile, trip.departs),
            }
            found = self.ask("/route", question)
            demand(found)
            try:
                legs += [read_leg(leg) for leg in found["trip"]["legs"]]
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                raise Rejected(f"{self.config.url} answered without a usable route") from error
        return Way(legs=tuple(legs), credit="© OpenStreetMap contributors")

    def costing(self, profile: Profile, departs: datetime | None) -> dict[str, Any]:
        """Return the part of a question that says what drives, and when."""
        config = self.config
        told: dict[str, Any] = {"costing": COSTING[profile]}
        size = {"height": config.truck_height, "weight": config.truck_weight}
        given = {name: value for name, value in size.items() if value is not None}
        if profile == "truck" and given:
            told["costing_options"] = {"truck": given}
        if departs is not None:
            local = departs.astimezone(ZoneInfo(config.timezone))
            told["date_time"] = {"type": 1, "value": f"{local:%Y-%m-%dT%H:%M}"}
        return told

    def ask(self, path: str, question: dict[str, Any]) -> dict[str, Any]:
        """POST a question; 400 tells by a code what is wrong with it."""
        reply = self._http().read(path, json=question, params=self._key(), accepts=(400,))
        found = self.answer(reply)
        if not isinstance(found, dict):
            raise Rejected(f"{self.config.url} does not answer like Valhalla")
        return found

    def answer(self, reply: Any) -> Any:
        """Return an answer's JSON."""
        try:
            return reply.json()
        except ValueError as error:
            raise Rejected(f"{self.config.url} did not answer with JSON") from error

    def _key(self) -> dict[str, str]:
        key = self.config.api_key.get_secret_value()
        return {"api_key": key} if key else {}

    def _http(self) -> Http:
        return Http(self.config.url)


def place(point: Location) -> dict[str, float]:
    """Return a point as Valhalla takes it."""
    return {"lat": round(point.lat, 6), "lon": round(point.lon, 6)}


def thousandfold(kilometres: float | None) -> float | None:
    """Return kilometres in metres; none where there is no way."""
    return None if kilometres is None else float(kilometres) * 1000


def demand(found: dict[str, Any]) -> None:
    """Raise `Rejected` for an answer that says what is wrong."""
    if "error_code" in found or "error" in found:
        code, said = found.get("error_code"), str(found.get("error", "it does not say why"))[:200]
        more = "; lower the sizes in its settings" if code in (150, 153, 168) else ""
        raise Rejected(f"Valhalla refused it: {said} ({code}){more}")


def read_leg(leg: dict[str, Any]) -> WayLeg:
    """Return one leg; a roundabout's exit goes with its entry."""
    line = unpack(leg["shape"])
    maneuvers: list[Maneuver] = []
    for told in leg["maneuvers"]:
        made = read_maneuver(told, line)
        if made.kind == "exit_roundabout" and maneuvers and maneuvers[-1].kind == "roundabout":
            last = maneuvers[-1]
            maneuvers[-1] = last.model_copy(
                update={
                    "street": made.street or last.street,
                    "toward": made.toward or last.toward,
                    "metres": last.metres + made.metres,
                    "seconds": last.seconds + made.seconds,
                }
            )
        else:
            maneuvers.append(made)
    return WayLeg(
        seconds=round(leg["summary"]["time"]),
        metres=round(leg["summary"]["length"] * 1000),
        line=tuple(line),
        maneuvers=tuple(maneuvers),
    )


def read_maneuver(told: dict[str, Any], line: list[tuple[float, float]]) -> Maneuver:
    """Return one maneuver."""
    kind, heading = MANEUVERS.get(told["type"], ("continue", ""))
    streets = told.get("begin_street_names") or told.get("street_names") or [""]
    sign = told.get("sign") or {}
    toward = sign.get("exit_toward_elements") or sign.get("exit_branch_elements") or []
    lat, lon = line[told["begin_shape_index"]]
    return Maneuver(
        kind=kind,
        heading=heading,
        street=str(streets[0]),
        exit=told.get("roundabout_exit_count"),
        toward=", ".join(str(element["text"]) for element in toward),
        lat=lat,
        lon=lon,
        metres=round(told["length"] * 1000),
        seconds=round(told["time"]),
    )


@hookimpl
def travel_times() -> list[type[Connector[Any]]]:
    """Bring the travel times of Valhalla."""
    return [Valhalla]
