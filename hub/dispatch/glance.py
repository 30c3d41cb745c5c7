"""Which routes pass near a stop: a first look by straight lines, so that only their ways are asked.

Ranking the routes of a day takes a millisecond or two; the travel times of a thousand places would
take a second. Nothing is decided here: the routes are tried in this order, and all of them before a
stop is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from math import cos, radians

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
    far = detours([ways[id] for id in ids], at)
    ranked = [id for _, id in sorted(zip(far, ids, strict=True))]
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
    for route, state, lat, lon in session.connection().execute(query):
        if state in AHEAD:
            ahead[route or ""].append((lat, lon))
        else:
            behind[route or ""] = (lat, lon)
    return {id: [behind.get(id, depot), *points, depot] for id, points in ahead.items()}


def detours(lines: Sequence[Sequence[Point]], at: Point) -> list[float]:
    """Return the fewest metres, as the crow flies, that each line grows by when it goes by `at`."""
    import numpy as np

    if not lines:
        return []
    first = np.cumsum([0, *(len(line) for line in lines[:-1])])
    points = np.array([point for line in lines for point in line])
    flat = (points - at) * (METRES, METRES * cos(radians(at[0])))
    away, legs = np.hypot(*flat.T), np.hypot(*np.diff(flat, axis=0).T)
    more = away[:-1] + away[1:] - legs
    more[first[1:] - 1] = np.inf  # from the end of one line to the beginning of the next
    fewest: list[float] = np.minimum.reduceat(more, first).tolist()
    return fewest
