"""What a route has besides its stops: breaks and reloads with times, and the loading order."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from hub.nouns import Noun
from hub.planning import rules
from hub.store import DepotRow, RouteRow, StopRow


class PauseLine(Noun):
    """A break, or a reload at a depot, in the middle of a route."""

    kind: str
    """break | reload"""
    after: str
    """Id of the stop that it follows; empty: it comes before all of them."""
    begins_at: datetime
    ends_at: datetime
    depot: str = ""
    """Name of the depot of a reload."""
    text: str
    """In words, with times in the zone of the route's depot."""


def pause_lines(
    route: RouteRow, zone: str, depots: Mapping[str, DepotRow], known: Container[str]
) -> tuple[PauseLine, ...]:
    """Return the pauses of a route in their order; one that follows no `known` stop comes first."""
    return tuple(
        pause_line(pause, zone, depots.get(str(pause["depot"])), known) for pause in route.pauses
    )


def pause_line(
    pause: Mapping[str, str], zone: str, depot: DepotRow | None, known: Container[str]
) -> PauseLine:
    """Return one pause as people read it."""
    begins, ends = (datetime.fromisoformat(pause[name]) for name in ("begins", "ends"))
    here = ZoneInfo(zone)
    times = f"{begins.astimezone(here):%H:%M}-{ends.astimezone(here):%H:%M}"
    at = f" at {depot.name}" if depot is not None else ""
    what = "Break" if pause["kind"] == "break" else f"Reload{at}"
    return PauseLine(
        kind=pause["kind"],
        after=pause["after"] if pause["after"] in known else "",
        begins_at=begins,
        ends_at=ends,
        depot=depot.name if depot is not None else "",
        text=f"{what} {times}",
    )


def loading(route: RouteRow, stops: Sequence[StopRow]) -> list[list[str]]:
    """Return per trip the ids of the stops whose goods are loaded, in the order of loading.

    `stops` are the route's in their order.
    """
    reloads = {pause["after"] for pause in route.pauses if pause["kind"] == "reload"}
    trips: list[list[str]] = [[]]
    if "" in reloads:
        trips.append([])
    for stop in stops:
        trips[-1].append(stop.id)
        if stop.id in reloads:
            trips.append([])
    return rules.loading(trips, {s.id for s in stops if s.kind == "delivery" and not s.pair})
