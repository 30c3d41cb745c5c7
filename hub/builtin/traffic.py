"""Travel times in live traffic from TomTom, over HTTP with a key.

Written after its public documentation: Matrix Routing v2, synchronous (limits, question), and
Routing v1, calculateRoute. docs/travel-times.md says what was checked against what.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from hub.builtin.tables import Block, Table, blocks, pieces
from hub.connector import Connector
from hub.errors import Rejected, Retry, Unauthorized
from hub.hookspecs import hookimpl
from hub.http import Http, Url
from hub.nouns import Legs, Location, Maneuver, Matrix, Profile, Trip, Way, WayLeg
from hub.nouns.ways import Heading, Turn

MODES: dict[Profile, str] = {"car": "car", "van": "car", "truck": "truck", "bike": "bicycle"}
NO_WAY = frozenset({"NO_ROUTE_FOUND", "MAP_MATCHING_FAILURE"})
"""What a cell says where nothing drives there."""
WIDEST = 200
"""Origins or destinations in one synchronous matrix of up to 200 cells."""
LONGEST_TRIP = 100
"""Points of a trip in one request; the service takes 150 between both ends."""
SOON = timedelta(minutes=2)
"""A departure that is nearer than this is now: the service takes none in the past."""
TURNS: dict[str, tuple[Turn, Heading]] = {
    "DEPART": ("depart", ""),
    "ARRIVE": ("arrive", ""), "ARRIVE_LEFT": ("arrive", "left"),
    "ARRIVE_RIGHT": ("arrive", "right"), "WAYPOINT_REACHED": ("arrive", ""),
    "WAYPOINT_LEFT": ("arrive", "left"), "WAYPOINT_RIGHT": ("arrive", "right"),
    "STRAIGHT": ("continue", "straight"), "FOLLOW": ("continue", ""),
    "KEEP_LEFT": ("fork", "slight_left"), "KEEP_RIGHT": ("fork", "slight_right"),
    "BEAR_LEFT": ("turn", "slight_left"), "BEAR_RIGHT": ("turn", "slight_right"),
    "TURN_LEFT": ("turn", "left"), "TURN_RIGHT": ("turn", "right"),
    "SHARP_LEFT": ("turn", "sharp_left"), "SHARP_RIGHT": ("turn", "sharp_right"),
    "MAKE_UTURN": ("turn", "back"), "TRY_MAKE_UTURN": ("turn", "back"),
    "ENTER_MOTORWAY": ("on_ramp", ""), "ENTER_FREEWAY": ("on_ramp", ""),
    "ENTER_HIGHWAY": ("on_ramp", ""), "ENTRANCE_RAMP": ("on_ramp", ""),
    "TAKE_EXIT": ("off_ramp", ""), "MOTORWAY_EXIT_LEFT": ("off_ramp", "left"),
    "MOTORWAY_EXIT_RIGHT": ("off_ramp", "right"), "TAKE_FERRY": ("ferry", ""),
    "ROUNDABOUT_CROSS": ("roundabout", "straight"), "ROUNDABOUT_LEFT": ("roundabout", "left"),
    "ROUNDABOUT_RIGHT": ("roundabout", "right"), "ROUNDABOUT_BACK": ("roundabout", "back"),
    "SWITCH_PARALLEL_ROAD": ("continue", ""), "SWITCH_MAIN_ROAD": ("continue", ""),
}  # fmt: skip
"""Its codes of maneuvers; any other is a way to go on."""


class TomtomConfig(BaseModel):
    """The key, and how much one request may ask."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Url = Field(
        default="https://api.tomtom.com", title="Address", description="Of the service"
    )
    key: SecretStr = Field(title="API key", description="From the developer portal of TomTom")
    cells: int = Field(
        default=200,
        ge=4,
        le=200,
        title="Cells in one matrix",
        description="200; 100 where places lie more than 400 km apart",
    )


class Tomtom(Connector[TomtomConfig]):
    """Asks for matrices and routes at the time of departure; each cell of a matrix is billed."""

    name: ClassVar[str] = "tomtom"
    title: ClassVar[str] = "TomTom (live traffic)"
    Config = TomtomConfig
    profiles: ClassVar[frozenset[Profile]] = frozenset({"car", "van", "truck"})

    def check(self) -> None:
        """Ask for the smallest matrix, which needs the key."""
        point = Location(lat=52.3724, lon=4.8941)
        self.ask_matrix([point], [point], "car", None)

    def matrix(self, legs: Legs) -> Matrix:
        """Return the table, asked for in blocks; negative where nothing drives."""
        size = len(legs.points)
        table = Table(size)
        if size < 2:
            return table.matrix()
        for block in blocks(size, self.config.cells, WIDEST, legs.touching):
            self.fill(legs, block, table)
        return table.matrix()

    def fill(self, legs: Legs, block: Block, table: Table) -> None:
        """Ask for one block and fill it in."""
        rows, columns = ([legs.points[at] for at in side] for side in block)
        if len(rows) == len(columns) == 1 and block[0] == block[1]:
            return
        found = self.ask_matrix(rows, columns, legs.profile, legs.departs)
        seconds: list[list[float | None]] = [[None] * len(columns) for _ in rows]
        metres: list[list[float | None]] = [[None] * len(columns) for _ in rows]
        for cell in found:
            try:
                row, column = int(cell["originIndex"]), int(cell["destinationIndex"])
                summary = cell.get("routeSummary")
                if summary is None:
                    demand_way(cell["detailedError"])
                    continue
                if row < 0 or column < 0:
                    raise IndexError
                seconds[row][column] = float(summary["travelTimeInSeconds"])
                metres[row][column] = float(summary["lengthInMeters"])
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                raise Rejected("TomTom answered without a usable matrix") from error
        table.put(block, seconds, metres)

    def ask_matrix(
        self,
        rows: Sequence[Location],
        columns: Sequence[Location],
        profile: Profile,
        departs: datetime | None,
    ) -> list[dict[str, Any]]:
        """Return the cells of one matrix as they come."""
        live = departs is not None
        question = {
            "origins": [{"point": place(point)} for point in rows],
            "destinations": [{"point": place(point)} for point in columns],
            "options": {
                "routeType": "fastest",
                "travelMode": MODES[profile],
                "traffic": "live" if live else "historical",
                "departAt": when(departs) or "now" if live else "any",
            },
        }
        reply = self._http().read(
            "/routing/matrix/2", json=question, params=self._key(), accepts=(403,)
        )
        found = answer(reply)
        cells = found.get("data")
        if not isinstance(cells, list) or not cells:
            raise Rejected("TomTom answered without a usable matrix")
        return cells

    def directions(self, trip: Trip) -> Way:
        """Return the way, leg by leg; raise `Rejected` where there is none."""
        legs: list[WayLeg] = []
        for points in pieces(trip.points, LONGEST_TRIP):
            listed = ":".join(f"{point.lat:.6f},{point.lon:.6f}" for point in points)
            query = {
                **self._key(),
                "traffic": "true",
                "routeType": "fastest",
                "travelMode": MODES[trip.profile],
                "instructionsType": "coded",
            }
            leaves = when(trip.departs)
            if leaves:
                query["departAt"] = leaves
            path = f"/routing/1/calculateRoute/{listed}/json"
            found = answer(self._http().get(path, params=query, accepts=(403,)))
            try:
                legs += read_legs(found["routes"][0])
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                raise Rejected("TomTom answered without a usable route") from error
        return Way(legs=tuple(legs), credit="© TomTom")

    def _key(self) -> dict[str, str]:
        return {"key": self.config.key.get_secret_value()}

    def _http(self) -> Http:
        return Http(self.config.url)


def place(point: Location) -> dict[str, float]:
    """Return a point as TomTom takes it."""
    return {"latitude": round(point.lat, 6), "longitude": round(point.lon, 6)}


def when(departs: datetime | None) -> str:
    """Return a departure as TomTom takes it, or nothing for one that is due or past."""
    if departs is None or departs < datetime.now(UTC) + SOON:
        return ""
    return departs.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def answer(reply: Any) -> dict[str, Any]:
    """Return an answer's JSON; a 403 is a limit where it says so, else a key that is refused."""
    if reply.status_code == 403:
        told = f"{reply.text[:300]} {reply.headers.get('X-Error-Detail-Header', '')}".casefold()
        if "over" in told and any(word in told for word in ("qps", "rate", "queries", "limit")):
            after = reply.headers.get("Retry-After", "")
            raise Retry(
                "TomTom has answered as often as the account may ask; it is tried again",
                after=float(after) if after.isdecimal() else 60.0,
            )
        raise Unauthorized("TomTom does not accept the key for this service (403)")
    try:
        found = reply.json()
    except ValueError as error:
        raise Rejected("TomTom did not answer with JSON") from error
    if not isinstance(found, dict):
        raise Rejected("TomTom answered with something else than an object")
    return found


def demand_way(error: dict[str, Any]) -> None:
    """Raise what it means that a cell has no summary, unless nothing drives there."""
    code = str(error.get("code", ""))
    if code == "OUT_OF_REGION":
        raise Rejected("places lie more than 400 km apart; set `cells` to 100 in the settings")
    if code in ("COMPUTE_TIME_LIMIT_EXCEEDED", "INTERNAL_ERROR"):
        raise Retry(f"TomTom could not work out a part of the matrix ({code})")
    if code not in NO_WAY:
        raise Rejected(f"TomTom refused a part of the matrix: {code or 'it does not say why'}")


def read_legs(route: dict[str, Any]) -> list[WayLeg]:
    """Return the legs of a route, with the maneuvers that lie on each."""
    lines = [
        tuple((float(point["latitude"]), float(point["longitude"])) for point in leg["points"])
        for leg in route["legs"]
    ]
    summaries = [leg["summary"] for leg in route["legs"]]
    told = (route.get("guidance") or {}).get("instructions") or []
    by_leg = shared_out(told, len(lines))
    return [
        WayLeg(
            seconds=round(float(summary["travelTimeInSeconds"])),
            metres=round(float(summary["lengthInMeters"])),
            line=line,
            maneuvers=tuple(by_leg[index]),
        )
        for index, (line, summary) in enumerate(zip(lines, summaries, strict=True))
    ]


def shared_out(told: list[dict[str, Any]], legs: int) -> list[list[Maneuver]]:
    """Return the maneuvers leg by leg: each ends with an arrival, and the next departs there."""
    found: list[list[Maneuver]] = [[] for _ in range(legs)]
    at = 0
    for one, following in zip(told, [*told[1:], None], strict=True):
        made = read_maneuver(one, following)
        if made.kind != "arrive":
            found[at].append(made)
            continue
        found[at].append(made.model_copy(update={"metres": 0, "seconds": 0}))
        if at + 1 < legs:
            at += 1
            found[at].append(made.model_copy(update={"kind": "depart", "heading": ""}))
    return found


def read_maneuver(told: dict[str, Any], following: dict[str, Any] | None) -> Maneuver:
    """Return one maneuver; how far it reaches says the offset of the next."""
    kind, heading = TURNS.get(str(told.get("maneuver")), ("continue", ""))
    behind = following or told
    metres = float(behind["routeOffsetInMeters"]) - float(told["routeOffsetInMeters"])
    seconds = float(behind["travelTimeInSeconds"]) - float(told["travelTimeInSeconds"])
    numbers = told.get("roadNumbers") or [""]
    return Maneuver(
        kind=kind,
        heading=heading,
        street=str(told.get("street") or numbers[0]),
        exit=told.get("roundaboutExitNumber") if kind == "roundabout" else None,
        toward=str(told.get("signpostText") or ""),
        lat=float(told["point"]["latitude"]),
        lon=float(told["point"]["longitude"]),
        metres=max(0, round(metres)),
        seconds=max(0, round(seconds)),
    )


@hookimpl
def travel_times() -> list[type[Connector[Any]]]:
    """Bring the travel times of TomTom."""
    return [Tomtom]
