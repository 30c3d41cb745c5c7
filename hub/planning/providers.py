"""Which engine plans and which travel times it is given: the operator's own, or the built-in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from hub.capabilities import RoutingEngine, TravelTimes
from hub.connector import Connector
from hub.errors import HubError, PluginError
from hub.hub import Hub
from hub.nouns import Legs, Location, Matrix, Plan, Problem
from hub.planning.check import check

ENGINE = "ortools"
TIMES = "straight"


def chosen(hub: Hub, hook: str, built_in: str) -> Connector[Any]:
    """Return the operator's first working connection of a kind, else the built-in one.

    A connection that waits to be reconnected is passed over: the day has to be planned.
    """
    with hub.store.read() as session:
        for row in hub.connections.find(session, hook, None):
            if row.state == "healthy":
                return hub.connections.build(session, row)
    kind = hub.plugins.connector(built_in)
    return kind(kind.Config())


def matrix(hub: Hub, points: Sequence[tuple[float, float]]) -> Matrix:
    """Return the travel times between `points` (lat, lon); may call another machine."""
    connector = chosen(hub, "travel_times", TIMES)
    legs = Legs(points=tuple(Location(lat=lat, lon=lon) for lat, lon in points))
    try:
        found = cast(TravelTimes, connector).matrix(legs)
    except HubError:
        raise
    except Exception as error:
        raise PluginError(f"{connector.title} failed: {type(error).__name__}: {error}") from error
    size = len(legs.points)
    for table in (found.seconds, found.metres):
        if len(table) != size or any(len(row) != size for row in table):
            raise PluginError(f"{connector.title} returned a matrix that is not {size} x {size}")
    return found


def solve(hub: Hub, problem: Problem) -> Plan:
    """Return a checked plan; raise `PluginError` for an engine that breaks or breaks a rule."""
    connector = chosen(hub, "routing_engines", ENGINE)
    try:
        plan = cast(RoutingEngine, connector).plan(problem)
    except HubError:
        raise
    except Exception as error:
        raise PluginError(f"{connector.title} failed: {type(error).__name__}: {error}") from error
    check(problem, plan)
    return plan
