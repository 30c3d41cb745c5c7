"""How long it takes from place to place: who is asked, and what of the answer is believed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.util import find_spec
from threading import Semaphore
from typing import Any, cast

from hub.capabilities import Directions, TravelTimes
from hub.connector import Connector
from hub.deadlines import answered
from hub.errors import PluginError, Rejected, Retry
from hub.hub import Hub
from hub.maps import loaded
from hub.nouns import Legs, Location, Matrix, Profile, Trip, Way
from hub.nouns.grid import Grid
from hub.planning import matrix_cache
from hub.planning.providers import TIMES, Provider, asking
from hub.planning.visits import Point as Point
from hub.planning.walk import NEVER

ENGINE = "osrm"
"""The connector that drives on the loaded maps."""
LONGEST_LEG = 7 * 86_400
"""Seconds; a leg that is said to take longer is no leg."""
FARTHEST = NEVER - 1
"""Metres; beyond, as far as a quarter around the world, there is no way by road."""
SOON = timedelta(hours=3)
"""A departure within this time meets the traffic of now, not that of such an hour."""
FRESH, USUAL = 1800.0, 7 * 86_400.0
"""For how many seconds the traffic of now, and that of an hour of the week, is believed."""
PATIENCE = 10.0
"""Seconds for which a request of the web waits for one answer of a connection."""
TOGETHER = 4
"""Requests of one process that wait for a connection at once."""
"""(lat, lon) in degrees."""


@dataclass(frozen=True)
class InUse:
    """Who is asked for travel times, and why it is this one."""

    provider: Provider
    why: str


def in_use(hub: Hub, points: Sequence[Location], profile: Profile = "van") -> InUse:
    """Return who is asked: the operator's first working connection that knows the vehicle, else
    the embedded engine where a loaded map covers all points, else straight lines.

    A connection that waits to be reconnected is passed over: the day has to be planned.
    """
    away = ""
    with hub.store.read() as session:
        for row in hub.connections.find(session, "travel_times", None):
            if row.merchant is not None:
                continue
            if row.state != "healthy":
                away = f"; the connection {row.title} is not working: {row.reason or row.state}"
                continue
            built = hub.connections.build(session, row)
            if profile in built.profiles:
                return InUse(Provider(built, row.id), f"the connection {row.title}")
    found = on_map(hub, points, profile)
    return replace(found, why=found.why + away)


def on_map(hub: Hub, points: Sequence[Location], profile: Profile) -> InUse:
    """Return the embedded engine, where it is installed and a map with roads covers all points;
    else straight lines."""
    folder = hub.settings.directory / "maps"
    there = [one for one in loaded(folder) if one.covers(points)]
    driven = next((one for one in there if one.osrm(profile) is not None), None)
    if driven is None:
        lacks = f"has roads for a {profile}" if there else "covers all places"
        return straight(hub, f"no loaded map {lacks}; load one with: hub map load")
    if ENGINE not in hub.plugins.of_kind("travel_times") or find_spec("osrm") is None:
        missing = "pip install 'lastmile-hub[maps]' with Python 3.12 or newer"
        return straight(hub, f"the map {driven.title} waits for OSRM: {missing}")
    kind = hub.plugins.connector(ENGINE)
    config = kind.Config.model_validate({"maps": folder})
    return InUse(Provider(kind(config)), f"the loaded map {driven.title}")


def straight(hub: Hub, why: str) -> InUse:
    """Return the travel times that need no map and call nobody."""
    kind = hub.plugins.connector(TIMES)
    return InUse(Provider(kind(kind.Config())), why)


def matrix(
    hub: Hub,
    points: Sequence[Point],
    profile: Profile = "van",
    departs: datetime | None = None,
) -> Matrix:
    """Return the travel times between `points` (lat, lon); may call another machine.

    Cells without a way are negative. Raises `PluginError` for an answer that is no matrix of them,
    `Retry` where a request of the web would wait too long for a connection.
    """
    legs = Legs(points=located(points), profile=profile, departs=departs)
    provider = in_use(hub, legs.points, profile).provider

    def ask(wanted: Legs) -> Matrix:
        with asking(hub, provider):
            found = cast(TravelTimes, provider.connector).matrix(wanted)
        return sound(found, len(wanted.points), provider.connector.title)

    if provider.connection is None:
        return ask(legs)
    if not is_remote(provider.connector):
        return soon(hub, provider, partial(ask, legs))
    key, seconds = remembered(provider, profile, departs)
    folder = hub.settings.directory / "cache" / "travel"
    return soon(hub, provider, partial(matrix_cache.cached, folder, key, legs, ask, seconds))


def soon(hub: Hub, provider: Provider, ask: Callable[[], Matrix]) -> Matrix:
    """Return what a connection answers; raise `Retry` where people would wait for it too long.

    In the web few requests wait for connections at a time, so that a slow one leaves the others
    their threads. A worker asks as long as its own limits let it.
    """
    free: Semaphore = hub.parts.setdefault("travel times", Semaphore(TOGETHER))

    def held() -> Matrix:
        try:
            return ask()
        finally:
            free.release()

    if not free.acquire(timeout=PATIENCE / 10):
        raise Retry(f"{provider.connector.title} is slow to answer; try again", after=5)
    try:
        return answered(PATIENCE, held)
    except TimeoutError as error:
        raise Retry(f"{provider.connector.title}: {error}; try again", after=5) from error


def tables(
    hub: Hub, points: Sequence[Point], profiles: Sequence[Profile], departs: datetime
) -> dict[Profile, Matrix]:
    """Return the travel times of each profile, as of the first departure."""
    return {profile: matrix(hub, points, profile, departs) for profile in profiles}


def directions(
    hub: Hub,
    points: Sequence[Point],
    profile: Profile = "van",
    departs: datetime | None = None,
) -> Way:
    """Return the way along `points` (lat, lon); may call another machine.

    Where who is asked knows no way, it is made of straight lines and marked approximate.
    """
    trip = Trip(points=located(points), profile=profile, departs=departs)
    provider = in_use(hub, trip.points, profile).provider
    if isinstance(provider.connector, Directions):
        try:
            with asking(hub, provider):
                found = provider.connector.directions(trip)
        except Rejected:
            found = None
        else:
            if not isinstance(found, Way) or len(found.legs) != len(trip.points) - 1:
                raise PluginError(
                    f"{provider.connector.title} returned no Way of {len(trip.points) - 1} legs"
                )
            return found
    lines = cast(Directions, straight(hub, "").provider.connector)
    return lines.directions(trip)


def located(points: Sequence[Point]) -> tuple[Location, ...]:
    """Return points as locations; raise `Rejected` for one that is nowhere on earth."""
    try:
        return tuple(Location(lat=lat, lon=lon) for lat, lon in points)
    except ValueError as error:
        wrong = next(point for point in points if not on_earth(*point))
        raise Rejected(f"{wrong} is no place on earth; correct its coordinates") from error


def on_earth(lat: float, lon: float) -> bool:
    """Say whether coordinates are such; what is not a number is not."""
    return -90 <= lat <= 90 and -180 <= lon <= 180


def is_remote(connector: Connector[Any]) -> bool:
    """Say whether a connector asks a service, whose answers are worth keeping."""
    return bool(getattr(connector.config, "url", ""))


def remembered(
    provider: Provider, profile: Profile, departs: datetime | None
) -> tuple[list[object], float]:
    """Return on what an answer depends besides the points, and for how many seconds it holds.

    The settings stand in it whole, secrets covered, so that a change of them asks anew.
    """
    connector = provider.connector
    settings = hashlib.sha256(connector.config.model_dump_json().encode()).hexdigest()
    key: list[object] = [provider.connection, connector.name, settings, profile]
    if not connector.traffic or departs is None:
        return [*key, ""], matrix_cache.DAYS
    if departs < datetime.now(UTC) + SOON:
        return [*key, "now"], FRESH
    at = departs.astimezone(UTC)
    return [*key, at.weekday(), at.hour], USUAL


def sound(found: object, size: int, title: str) -> Matrix:
    """Return a matrix that can be believed; raise `PluginError` for one of another size.

    A cell that is not a number, out of all bounds or negative in one of the tables is negative in
    both; a point is at no distance from itself.
    """
    import numpy as np

    if not isinstance(found, Matrix):
        raise PluginError(f"{title} returned no Matrix")
    tables = []
    for table in (found.seconds, found.metres):
        try:
            cells = np.asarray(table, dtype=float).reshape(-1, size) if size else np.empty((0, 0))
        except (TypeError, ValueError) as error:
            raise PluginError(f"{title} returned a matrix that is not {size} x {size}") from error
        if len(table) != size or cells.shape != (size, size):
            raise PluginError(f"{title} returned a matrix that is not {size} x {size}")
        tables.append(cells)
    seconds, metres = tables
    # Not a number fails every comparison.
    known = (seconds >= 0) & (seconds <= LONGEST_LEG) & (metres >= 0) & (metres <= FARTHEST)
    grids = []
    for cells in tables:
        whole = np.where(known, cells, -1).round().astype(np.intc)
        np.fill_diagonal(whole, 0)
        grids.append(Grid.of(whole))
    return found.model_copy(update={"seconds": grids[0], "metres": grids[1]})
