"""Which routes pass near a stop: a first look by straight lines, so that only their ways are asked.

Ranking the routes of a day takes a millisecond or two; the travel times of a thousand places would
take a second. Nothing is decided here: the routes are tried in this order, and all of them before a
stop is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from math import cos, hypot, radians

from sqlmodel import col, select

from hub.dispatch.road import AHEAD, published
from hub.planning.day import Point
from hub.store import DepotRow, Session, StopRow

MOST = 90
"""Places whose travel times are asked for at once; a square of them takes a few milliseconds."""
METRES = 111_195
"""Of one degree of latitude."""


def nearest(
    session: Session, depot: DepotRow, day: date, at: Point, *, waiting: bool = False
) -> Iterator[list[str]]:
    """Yield the published routes of a day, those that a detour to `at` costs least first.

    They come in groups of at most `MOST` places, one route at least. With `waiting` only those
    whose goods are still at the depot.
    """
    ids = published(session, depot.id, day, waiting=waiting)
    ways = lines(session, ids, (depot.lat, depot.lon))
    ranked = sorted(ids, key=lambda id: detour(ways[id], at))
    group: list[str] = []
    size = 0
    for id in ranked:
        if group and size + len(ways[id]) > MOST:
            yield group
            group, size = [], 0
        group.append(id)
        size += len(ways[id])
    if group:
        yield group


def lines(session: Session, routes: Sequence[str], depot: Point) -> dict[str, list[Point]]:
    """Return the places ahead of each route, from the last one behind, or the depot, and home."""
    behind: dict[str, Point] = {}
    ahead: dict[str, list[Point]] = {id: [] for id in routes}
    query = (
        select(StopRow.route, StopRow.state, StopRow.lat, StopRow.lon)
        .where(col(StopRow.route).in_(routes))
        .order_by(col(StopRow.route), col(StopRow.position))
    )
    for route, state, lat, lon in session.exec(query):
        if state in AHEAD:
            ahead[route or ""].append((lat, lon))
        else:
            behind[route or ""] = (lat, lon)
    return {id: [behind.get(id, depot), *points, depot] for id, points in ahead.items()}


def detour(line: Sequence[Point], at: Point) -> float:
    """Return the fewest metres, as the crow flies, that a line grows by when it goes by `at`."""
    narrow = cos(radians(at[0]))
    flat = [((lat - at[0]) * METRES, (lon - at[1]) * METRES * narrow) for lat, lon in line]
    away = [hypot(north, east) for north, east in flat]
    return min(
        away[number]
        + away[number + 1]
        - hypot(flat[number][0] - flat[number + 1][0], flat[number][1] - flat[number + 1][1])
        for number in range(len(line) - 1)
    )
